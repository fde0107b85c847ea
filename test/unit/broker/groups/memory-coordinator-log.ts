import { ErrorCode } from '../../../../src/base/error-code.ts'
import type {
  CoordinatorLog,
  CoordinatorReplay,
  EncodedRecord,
} from '../../../../src/broker/coordinator/coordinator-log.ts'

interface Append {
  readonly records: readonly EncodedRecord[]
  readonly done: (errorCode: ErrorCode) => void
}

/** A log that forgets what was not flushed when it is told to fail, as a disk would. */
export class MemoryCoordinatorLog implements CoordinatorLog {
  isUsable = true
  /** Appends wait for `flush`. */
  isSlow = false
  /** Replays wait for `finishReplay`. */
  isCold = false
  /** The next append is refused at once. */
  refuseNext = false
  /** The next replay fails. */
  replayError: Error | null = null
  batchCount = 0
  /** What survives a crash. */
  readonly durable: EncodedRecord[] = []
  #waiting: Append[] = []
  #replays: (() => void)[] = []

  append(
    records: readonly EncodedRecord[],
    _nowMs: number,
    done: (errorCode: ErrorCode) => void,
  ): ErrorCode {
    if (this.refuseNext) {
      this.refuseNext = false
      return ErrorCode.KAFKA_STORAGE_ERROR
    }
    this.batchCount++
    this.#waiting.push({ records: [...records], done })
    if (!this.isSlow) this.flush()
    return ErrorCode.NONE
  }

  flush(): void {
    for (const { records, done } of this.#waiting.splice(0)) {
      this.durable.push(...records)
      done(ErrorCode.NONE)
    }
  }

  /** What waits is lost. */
  fail(): void {
    for (const { done } of this.#waiting.splice(0)) done(ErrorCode.KAFKA_STORAGE_ERROR)
  }

  replay(replay: CoordinatorReplay, done: (error: Error | null) => void): void {
    const run = (): void => {
      const error = this.replayError
      this.replayError = null
      if (error === null) {
        for (const [offset, { key, value }] of this.durable.entries()) {
          replay.record(key, value, offset, -1)
        }
      }
      done(error)
    }
    if (this.isCold) this.#replays.push(run)
    else run()
  }

  finishReplay(): void {
    for (const run of this.#replays.splice(0)) run()
  }
}

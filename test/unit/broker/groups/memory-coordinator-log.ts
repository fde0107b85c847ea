import { ErrorCode } from '../../../../src/base/error-code.ts'
import type {
  CoordinatorLog,
  CoordinatorReplay,
  EncodedRecord,
  RecordProducer,
} from '../../../../src/broker/coordinator/coordinator-log.ts'
import type { TransactionStanding } from '../../../../src/broker/topics/partition.ts'
import { ControlRecordType, type EndTxnMarker } from '../../../../src/records/control-batch.ts'

/** A record of the log. */
export interface LoggedRecord extends EncodedRecord {
  /** In whose transaction it is. */
  readonly producer?: RecordProducer
  /** It is the end of a transaction; its key is empty. */
  readonly marker?: EndTxnMarker
}

interface Append {
  readonly entries: readonly LoggedRecord[]
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
  readonly durable: LoggedRecord[] = []
  /** Epochs of open transactions by producer id. */
  readonly #open = new Map<number, number>()
  #waiting: Append[] = []
  #replays: (() => void)[] = []

  append(
    records: readonly EncodedRecord[],
    producer: RecordProducer | null,
    _nowMs: number,
    done: (errorCode: ErrorCode) => void,
  ): ErrorCode {
    if (producer !== null) this.#open.set(producer.producerId, producer.producerEpoch)
    return this.#append(
      producer === null ? [...records] : records.map((record) => ({ ...record, producer })),
      done,
    )
  }

  appendMarker(marker: EndTxnMarker, done: (errorCode: ErrorCode) => void): ErrorCode {
    this.#open.delete(marker.producerId)
    return this.#append([{ key: Buffer.alloc(0), value: null, marker }], done)
  }

  standingOf({ producerId, producerEpoch }: RecordProducer): TransactionStanding {
    const epoch = this.#open.get(producerId)
    if (epoch === undefined || epoch < producerEpoch) return 'none'
    return epoch > producerEpoch ? 'fenced' : 'open'
  }

  checkMarker({ producerId, producerEpoch }: EndTxnMarker): ErrorCode {
    const isOld = (this.#open.get(producerId) ?? -1) > producerEpoch
    return isOld ? ErrorCode.INVALID_PRODUCER_EPOCH : ErrorCode.NONE
  }

  #append(entries: readonly LoggedRecord[], done: (errorCode: ErrorCode) => void): ErrorCode {
    if (this.refuseNext) {
      this.refuseNext = false
      return ErrorCode.KAFKA_STORAGE_ERROR
    }
    this.batchCount++
    this.#waiting.push({ entries, done })
    if (!this.isSlow) this.flush()
    return ErrorCode.NONE
  }

  flush(): void {
    for (const { entries, done } of this.#waiting.splice(0)) {
      this.durable.push(...entries)
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
        for (const [offset, { key, value, producer, marker }] of this.durable.entries()) {
          if (marker === undefined) replay.record(key, value, offset, producer?.producerId ?? -1)
          else {
            replay.transactionEnded(marker.producerId, marker.type === ControlRecordType.COMMIT)
          }
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

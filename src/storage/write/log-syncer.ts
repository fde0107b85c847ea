import type { FileHandle } from '../../ports/file-system.ts'
import type { LogContext } from '../log-context.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import type { UnsyncedFiles } from '../segment/unsynced-files.ts'

/** A segment that was closed, with the files written beside it. */
interface Rolled {
  readonly segment: LogSegment
  readonly files: UnsyncedFiles
}

/** @param endOffset all below it survives a power failure now */
export type SyncDone = (error: Error | null, endOffset: number) => void

/**
 * Group commit: one sync of a log is in flight at a time, and everything that was written before it
 * began is safe when it ends. What was rolled since the last sync is synced first, in order, and the
 * directory with the names of the new files.
 */
export class LogSyncer {
  readonly #context: LogContext
  readonly #directory: string
  readonly #done: SyncDone
  #rolled: Rolled[] = []
  #isInFlight = false

  constructor(context: LogContext, directory: string, done: SyncDone) {
    this.#context = context
    this.#directory = directory
    this.#done = done
  }

  get isInFlight(): boolean {
    return this.#isInFlight
  }

  get hasRolled(): boolean {
    return this.#rolled.length > 0
  }

  /** @param files written but not synced; they are closed once they are */
  addRolled(segment: LogSegment, files: UnsyncedFiles): void {
    segment.pin()
    segment.isSealed = false
    this.#rolled.push({ segment, files })
  }

  /** @param endOffset the end of what is written in `active` */
  start(active: LogSegment, endOffset: number): void {
    let handle: FileHandle
    try {
      // It may have been closed, and opening it may fail.
      ;({ handle } = active)
    } catch (error) {
      this.#done(error as Error, endOffset)
      return
    }
    this.#isInFlight = true
    const rolled = this.#rolled
    this.#rolled = []
    const startedMs = this.#context.clock.monotonicMs()
    const sizeBytes = active.sizeBytes
    active.pin()
    const finish = (error: Error | null) => {
      this.#isInFlight = false
      for (const { segment } of rolled) {
        if (error === null) segment.isSynced = segment.isSealed = true
        segment.unpin()
        this.#context.segments.touch(segment)
      }
      active.unpin()
      this.#context.segments.madeRoom()
      if (error === null && active.sizeBytes === sizeBytes) active.isSynced = true
      this.#context.metrics.syncSeconds.record(
        (this.#context.clock.monotonicMs() - startedMs) / 1000,
      )
      this.#done(error, endOffset)
    }
    if (rolled.length === 0) handle.dataSync(finish)
    else this.#syncRolled(rolled, handle, finish)
  }

  #syncRolled(
    rolled: readonly Rolled[],
    active: FileHandle,
    finish: (error: Error | null) => void,
  ): void {
    const files = rolled.flatMap(({ segment, files }) => [segment.handle, ...files.handles])
    const step = (index: number, error: Error | null): void => {
      const file = files[index]
      if (error !== null) finish(error)
      else if (file !== undefined) file.dataSync((failed) => step(index + 1, failed))
      else {
        for (const { files } of rolled) files.close()
        this.#context.fs.syncDirectoryLater(this.#directory, (failed) => {
          if (failed === null) active.dataSync(finish)
          else finish(failed)
        })
      }
    }
    step(0, null)
  }
}

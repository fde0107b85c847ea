import { StorageError } from '../../base/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type {
  CleanedSegment,
  CleanRequest,
  SegmentCleaner,
  Survey,
  SurveyRequest,
} from '../../ports/segment-cleaner.ts'
import { discardCleaned } from './cleaned-segment-writer.ts'
import { CleaningRound, type Steps } from './cleaning-round.ts'
import { Throttle } from './throttle.ts'

/** Cleans on the event loop, in steps between other work: for data in memory, and for tests. */
export class SteppedSegmentCleaner implements SegmentCleaner {
  readonly #fs: FileSystem
  readonly #scheduler: Scheduler
  readonly #throttle: Throttle
  #round: CleaningRound | null = null
  #maxBytesPerSecond = Number.POSITIVE_INFINITY
  #work: { stop(): void } | null = null
  #isClosed = false

  constructor(fs: FileSystem, clock: Clock, scheduler: Scheduler) {
    this.#fs = fs
    this.#scheduler = scheduler
    this.#throttle = new Throttle(clock)
  }

  async survey(request: SurveyRequest): Promise<Survey> {
    this.#maxBytesPerSecond = request.limits.maxBytesPerSecond
    this.#round = new CleaningRound(this.#fs, request)
    return await this.#run(this.#round.survey())
  }

  async clean(request: CleanRequest): Promise<CleanedSegment> {
    if (this.#round === null) throw new StorageError('a survey comes before the cleaning')
    return await this.#run(this.#round.clean(request))
  }

  async discard(directory: string, baseOffset: number): Promise<void> {
    discardCleaned(this.#fs, directory, baseOffset)
  }

  async writeFile(path: string, content: string): Promise<void> {
    this.#fs.writeFileAtomic(path, content)
  }

  rest(): void {
    this.#round = null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#round = null
    this.#work?.stop()
  }

  async #run<T>(steps: Steps<T>): Promise<T> {
    if (this.#isClosed) throw new StorageError('the cleaner was stopped')
    const work = new SteppedWork(steps, this.#scheduler, (byteCount) =>
      this.#throttle.delayMs(byteCount, this.#maxBytesPerSecond),
    )
    this.#work = work
    try {
      return await work.done
    } finally {
      this.#work = null
    }
  }
}

/** Runs steps until they end, fail or are stopped. */
class SteppedWork<T> {
  readonly done: Promise<T>
  readonly #steps: Steps<T>
  readonly #scheduler: Scheduler
  readonly #delayMs: (byteCount: number) => number
  #resolve!: (value: T) => void
  #reject!: (error: Error) => void
  #timer: Timer | null = null

  constructor(steps: Steps<T>, scheduler: Scheduler, delayMs: (byteCount: number) => number) {
    this.#steps = steps
    this.#scheduler = scheduler
    this.#delayMs = delayMs
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#next()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#steps.return(undefined as never)
    this.#reject(new StorageError('the cleaner was stopped'))
  }

  #next(): void {
    try {
      const step = this.#steps.next()
      if (step.done) this.#resolve(step.value)
      else this.#timer = this.#scheduler.after(this.#delayMs(step.value), () => this.#next())
    } catch (error) {
      this.#reject(error as Error)
    }
  }
}

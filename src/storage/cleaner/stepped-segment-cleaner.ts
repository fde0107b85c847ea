import { StorageError } from '../../base/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
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
  #isClosed = false

  constructor(fs: FileSystem, clock: Clock, scheduler: Scheduler) {
    this.#fs = fs
    this.#scheduler = scheduler
    this.#throttle = new Throttle(clock)
  }

  survey(request: SurveyRequest): Promise<Survey> {
    this.#maxBytesPerSecond = request.limits.maxBytesPerSecond
    return this.#run(() => {
      this.#round = new CleaningRound(this.#fs, request)
      return this.#round.survey()
    })
  }

  clean(request: CleanRequest): Promise<CleanedSegment> {
    return this.#run(() => {
      if (this.#round === null) throw new StorageError('a survey comes before the cleaning')
      return this.#round.clean(request)
    })
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
  }

  #run<T>(begin: () => Steps<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let steps: Steps<T> | null = null
      const next = (): void => {
        try {
          if (this.#isClosed) {
            steps?.return(undefined as never)
            throw new StorageError('the cleaner was stopped')
          }
          steps ??= begin()
          const step = steps.next()
          if (step.done) resolve(step.value)
          else
            this.#scheduler.after(this.#throttle.delayMs(step.value, this.#maxBytesPerSecond), next)
        } catch (error) {
          reject(error as Error)
        }
      }
      next()
    })
  }
}

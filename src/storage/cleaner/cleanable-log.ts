import type { LogContext } from '../log-context.ts'
import type { ProducerState } from '../producers/producer-state.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import type { DirtyLog } from './cleaning-choice.ts'

/** What the cleaner uses of a log. */
export interface CleanableLog extends DirtyLog {
  readonly topic: string
  readonly partition: number
  readonly directory: string
  readonly context: LogContext
  readonly producers: ProducerState
  readonly isFailed: boolean
  readonly writer: { fail(error: Error): void }
  readonly home: { removeLater(paths: readonly string[], delayMs: number): void }
  isSwapping: boolean
  replaceSegments(group: readonly LogSegment[], compacted: LogSegment): void
}

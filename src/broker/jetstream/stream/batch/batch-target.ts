import type { Clock } from '../../../../ports/clock.ts'
import type { Scheduler } from '../../../../ports/scheduler.ts'
import type { NewMessage } from '../record-mapping.ts'
import type { StreamConfig } from '../stream-config.ts'
import type { PublishStep } from '../stream-publisher.ts'
import type { BatchQuota } from './batch-quota.ts'

/** Source: processJetStreamAtomicBatchMsg of nats-server. */
export const MAX_BATCH_ID_BYTES = 64

/** The stream that batches go to. */
export interface BatchTarget {
  readonly config: StreamConfig
  /** The largest batch that its log takes. */
  readonly maxBatchBytes: number
  /** A message as the stream takes it: with the subject that it has there. */
  taken(message: NewMessage): NewMessage
  /** @returns false: too much waits */
  publishStep(step: PublishStep): boolean
}

export interface BatchPorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly quota: BatchQuota
  /** The highest level of the API that messages may require. */
  readonly apiLevel: number
}

import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Counter } from '../../ports/meter.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import type { ParserLimits } from '../../wire/nats/parser.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { NatsHub } from './nats-hub.ts'
import type { LivenessLimits } from './session-liveness.ts'

export interface NatsLimits extends ParserLimits, LivenessLimits {
  /** Bytes on their way to one client; above it the client is too slow and is closed. */
  readonly maxPendingBytes: number
  /** Above it, publishers to the client wait a little. */
  readonly stallBytes: number
  readonly maxSubscriptions: number
}

/** What all sessions share. */
export interface NatsServices {
  readonly hub: NatsHub
  /** Another one after the configuration was read again. */
  authenticator: Authenticator
  readonly limits: NatsLimits
  readonly logger: Logger
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly slowConsumerCount: Counter
  readonly protocolErrorCount: Counter
  /** Which server says something, in what it tells of itself. */
  readonly serverHead: () => object
}

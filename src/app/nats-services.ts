import { NodeTransport } from '../adapters/node-transport.ts'
import { SystemRandom } from '../adapters/system-random.ts'
import { NatsFrontend } from '../frontends/nats/nats-frontend.ts'
import type { NatsLimits } from '../frontends/nats/nats-session.ts'
import type { Logger } from '../ports/logger.ts'
import type { Meter } from '../ports/meter.ts'
import { describeAddressInUse } from './address-owner.ts'
import type { BrokerCore } from './broker-core.ts'

/** As nats-server has them, but for `stallBytes` and `maxSubscriptions`, which it has not. */
const LIMITS: NatsLimits = {
  maxControlLineBytes: 4096,
  maxPayloadBytes: 1024 * 1024,
  maxPendingBytes: 64 * 1024 * 1024,
  stallBytes: 4 * 1024 * 1024,
  maxSubscriptions: 100_000,
  pingIntervalMs: 120_000,
  maxPingsOut: 2,
  writeDeadlineMs: 10_000,
}

/** Source: DEFAULT_MAX_CONNECTIONS of nats-server. */
export const MAX_NATS_CONNECTIONS = 65_536

/** The NATS port, not listening yet. */
export function makeNatsFrontend(
  { scheduler }: BrokerCore,
  logger: Logger,
  meter: Meter,
): NatsFrontend {
  const natsLogger = logger.child('nats')
  return new NatsFrontend({
    transport: new NodeTransport({ logger: natsLogger, describeAddressInUse }),
    scheduler,
    random: new SystemRandom(),
    logger: natsLogger,
    meter,
    limits: LIMITS,
  })
}

import type { PublishFacts } from '../publish-facts.ts'
import type { NewMessage } from '../record-mapping.ts'
import type { StreamConfig } from '../stream-config.ts'
import { invalidConfig, type StreamRefusal, StreamRefusals } from '../stream-refusal.ts'
import { incrementOf } from './counter-value.ts'

/** Source: errors.json of nats-server. */
export const CounterRefusals = {
  missing: refusal(10169, 'message counter increment is missing'),
  payload: refusal(10170, 'message counter has payload'),
  invalid: refusal(10171, 'message counter increment is invalid'),
  broken: refusal(10172, 'message counter is broken'),
  mirror: refusal(10173, 'stream mirrors can not also calculate counters'),
} as const

function refusal(err_code: number, description: string): StreamRefusal {
  return { code: 400, err_code, description }
}

/**
 * What is wrong with the header `Nats-Incr`; null: nothing. Headers that expect something make no sense
 * beside it, since increments may come in any order.
 * Source: processJetStreamMsg of nats-server.
 */
export function checkIncrement(
  message: NewMessage,
  facts: PublishFacts,
  config: StreamConfig,
): StreamRefusal | null {
  if (facts.increment === '') return null
  if (incrementOf(facts.increment) === null) return CounterRefusals.invalid
  if (config.allow_msg_counter !== true) return StreamRefusals.incrementDisabled
  if (message.payload.byteLength > 0) return CounterRefusals.payload
  const isExpecting =
    facts.rollup !== '' ||
    facts.expectedStream !== '' ||
    facts.expectedLastMessageId !== '' ||
    facts.expectedSubject !== '' ||
    facts.expectedLastSequence !== null ||
    facts.expectedLastSubjectSequence !== null
  return isExpecting ? CounterRefusals.invalid : null
}

/** Settings that make no sense for counters. Source: checkStreamCfg of nats-server. */
export function checkCounterConfig(config: StreamConfig): StreamRefusal | null {
  if (config.allow_msg_counter !== true) return null
  if (config.discard === 'new') return invalidConfig('counter stream cannot use discard new')
  if (config.allow_msg_ttl) return invalidConfig('counter stream cannot use message TTLs')
  if (config.allow_msg_schedules === true) {
    return invalidConfig('counter stream cannot use message schedules')
  }
  return config.retention === 'limits'
    ? null
    : invalidConfig('counter stream can only use limits retention')
}

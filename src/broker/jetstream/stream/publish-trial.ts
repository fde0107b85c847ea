import { CounterRefusals } from './counter/counter-rules.ts'
import type { InFlight } from './in-flight.ts'
import type { PublishFacts } from './publish-facts.ts'
import { checkHeaders, checkLast, checkLength } from './publish-rules.ts'
import type { NewMessage } from './record-mapping.ts'
import type { StreamConfig } from './stream-config.ts'
import { type StreamRefusal, StreamRefusals } from './stream-refusal.ts'
import type { StreamState } from './stream-state.ts'

/** What is wrong with a message of a client before anybody looks for duplicates; null: nothing. */
export function earlyRefusal(
  message: NewMessage,
  facts: PublishFacts,
  settings: StreamConfig,
  inFlight: InFlight,
  nowMs: number,
): StreamRefusal | null {
  if (settings.sealed) return StreamRefusals.sealed
  if (facts.streamSource !== '') return StreamRefusals.sourceHeader
  return checkHeaders(message, facts, settings, inFlight, nowMs)
}

/**
 * What would come of a message of a client that is not stored: the sequence of the one that it repeats, why
 * it may not be stored, or null. Whether there is room is found when a message is stored, so not here.
 */
export function trialOf(
  message: NewMessage,
  facts: PublishFacts,
  settings: StreamConfig,
  { inFlight, state, nowMs }: { inFlight: InFlight; state: StreamState; nowMs: number },
): StreamRefusal | number | null {
  const early = earlyRefusal(message, facts, settings, inFlight, nowMs)
  if (early !== null) return early
  const { messageId } = facts
  if (messageId !== '' && settings.mirror === undefined) {
    const before = inFlight.duplicateOf(messageId) || state.window.find(messageId, nowMs)
    if (before !== 0) return before
  }
  const late = checkLast(facts, settings, inFlight)
  if (late !== null) return late
  if (settings.allow_msg_counter === true && facts.increment === '') return CounterRefusals.missing
  return checkLength(message, settings)
}

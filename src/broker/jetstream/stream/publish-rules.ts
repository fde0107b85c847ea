import { checkIncrement } from './counter/counter-rules.ts'
import { type PublishFacts, ttlSecondsOf } from './publish-facts.ts'
import { type NewMessage, sizeOf } from './record-mapping.ts'
import { checkSchedule } from './schedule/schedule-rules.ts'
import type { StreamConfig } from './stream-config.ts'
import {
  rollupFailed,
  type StreamRefusal,
  StreamRefusals,
  storeFailed,
  wrongLastMessageId,
  wrongLastSequence,
} from './stream-refusal.ts'

/** What a stream will be once all that was accepted so far is durable. */
export interface Prospect {
  readonly lastSequence: number
  readonly lastMessageId: string
  readonly messageCount: number
  readonly byteCount: number
  countOf(subject: string): number
  /** @param subject may have wildcards; 0: it has no message */
  lastOf(subject: string): number
  /** Size of the first message of a subject, which makes room for the next. */
  firstSizeOf(subject: string): number
  /** Whether the last message of a subject is a schedule; one on its way may be. */
  mayBeSchedule(subject: string): boolean
}

/** Source: the header length of nats-server's store is 16 bits. */
export const MAX_HEADER_BYTES = 0xffff

/**
 * Why a message may not be stored; null: it may. In the order in which nats-server looks.
 * Source: processJetStreamMsg.
 */
export function checkHeaders(
  message: NewMessage,
  facts: PublishFacts,
  config: StreamConfig,
  prospect: Prospect,
  nowMs: number,
): StreamRefusal | null {
  const increment = checkIncrement(message, facts, config)
  if (increment !== null) return increment
  if (facts.expectedStream !== '' && facts.expectedStream !== config.name) {
    return StreamRefusals.expectedStream
  }
  const ttl = ttlSecondsOf(facts.ttl)
  if (ttl !== null && ttl !== 0 && !config.allow_msg_ttl) return StreamRefusals.ttlDisabled
  const { expectedLastSubjectSequence: bySubject, expectedSubject, expectedLastSequence } = facts
  if (bySubject !== null) {
    const last = prospect.lastOf(expectedSubject === '' ? message.subject : expectedSubject)
    if (last !== bySubject) return wrongLastSequence(last)
  } else if (expectedSubject !== '') return StreamRefusals.expectedSubjectWithoutSequence
  if (expectedLastSequence !== null && expectedLastSequence !== prospect.lastSequence) {
    return wrongLastSequence(prospect.lastSequence)
  }
  return checkSchedule(message, facts, config, prospect, nowMs)
}

/** What comes after it was looked for duplicates. */
export function checkLast(
  facts: PublishFacts,
  config: StreamConfig,
  prospect: Prospect,
): StreamRefusal | null {
  const { expectedLastMessageId, rollup } = facts
  if (expectedLastMessageId !== '' && expectedLastMessageId !== prospect.lastMessageId) {
    return wrongLastMessageId(prospect.lastMessageId)
  }
  return checkRollup(rollup, config)
}

/** @param rollup empty: none is asked for */
export function checkRollup(rollup: string, config: StreamConfig): StreamRefusal | null {
  if (rollup === '') return null
  if (!config.allow_rollup_hdrs || config.deny_purge) return rollupFailed('rollup not permitted')
  const isKnown = rollup === 'sub' || rollup === 'all'
  return isKnown ? null : rollupFailed(`rollup value invalid: ${JSON.stringify(rollup)}`)
}

/** Whether a message, as it is to be stored, fits. */
export function checkSize(
  message: NewMessage,
  facts: PublishFacts,
  config: StreamConfig,
  prospect: Prospect,
): StreamRefusal | null {
  const tooLong = checkLength(message, config)
  if (tooLong !== null) return tooLong
  if (ttlSecondsOf(facts.ttl) === null) return StreamRefusals.ttlInvalid
  return config.discard === 'new' ? checkRoom(message, facts, config, prospect) : null
}

export function checkLength(message: NewMessage, config: StreamConfig): StreamRefusal | null {
  const headerBytes = message.headers?.byteLength ?? 0
  const maxBytes = config.max_msg_size
  if (maxBytes >= 0 && headerBytes + message.payload.byteLength > maxBytes) {
    return StreamRefusals.messageTooLarge
  }
  return headerBytes > MAX_HEADER_BYTES ? StreamRefusals.headersTooLarge : null
}

/** Whether a stream that discards new messages has room. Source: storeRawMsg of nats-server. */
function checkRoom(
  message: NewMessage,
  { rollup }: PublishFacts,
  config: StreamConfig,
  prospect: Prospect,
): StreamRefusal | null {
  const { max_msgs, max_bytes, max_msgs_per_subject: perSubject } = config
  const count = perSubject > 0 ? prospect.countOf(message.subject) : 0
  const isSubjectFull = perSubject > 0 && count >= perSubject
  // What rolls up makes room by itself.
  if (isSubjectFull && config.discard_new_per_subject === true && rollup === '') {
    return storeFailed('maximum messages per subject exceeded')
  }
  // What replaces another message of its subject takes no more room than there was.
  if (max_msgs > 0 && prospect.messageCount >= max_msgs && !isSubjectFull) {
    return storeFailed('maximum messages exceeded')
  }
  const size = sizeOf(message)
  if (max_bytes <= 0 || prospect.byteCount + size <= max_bytes) return null
  const isReplaced = isSubjectFull && prospect.firstSizeOf(message.subject) >= size
  return isReplaced ? null : storeFailed('maximum bytes exceeded')
}

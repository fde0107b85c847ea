import { CounterRefusals, checkIncrement } from '../counter/counter-rules.ts'
import { type PublishFacts, ttlSecondsOf } from '../publish-facts.ts'
import { checkRollup, MAX_HEADER_BYTES } from '../publish-rules.ts'
import type { NewMessage } from '../record-mapping.ts'
import type { StreamConfig } from '../stream-config.ts'
import {
  rollupFailed,
  type StreamRefusal,
  StreamRefusals,
  storeFailed,
  wrongLastSequence,
} from '../stream-refusal.ts'
import type { BatchDraft } from './batch-draft.ts'

/**
 * What is wrong with a message of a batch by itself; null: nothing. nats-server looks at messages of
 * batches in another order than at single ones.
 * Source: checkMsgHeadersPreClusteredProposal.
 */
export function checkBatched(
  message: NewMessage,
  facts: PublishFacts,
  config: StreamConfig,
): StreamRefusal | null {
  if ((message.headers?.byteLength ?? 0) > MAX_HEADER_BYTES) return StreamRefusals.headersTooLarge
  const increment = checkIncrement(message, facts, config)
  if (increment !== null) return increment
  if (facts.expectedStream !== '' && facts.expectedStream !== config.name) {
    return StreamRefusals.expectedStream
  }
  const ttl = ttlSecondsOf(facts.ttl)
  if (ttl === 0) return null
  if (!config.allow_msg_ttl) return StreamRefusals.ttlDisabled
  return ttl === null ? StreamRefusals.ttlInvalid : null
}

/** Whether what is left may be asked of a message, once its id is known to be new. */
export function checkOrigin(facts: PublishFacts, config: StreamConfig): StreamRefusal | null {
  if (facts.streamSource !== '') return StreamRefusals.sourceHeader
  const isMissing = config.allow_msg_counter === true && facts.increment === ''
  return isMissing ? CounterRefusals.missing : null
}

/** What a message expects of the stream: the batch itself must not change the answer. */
export function checkExpected(
  { subject }: NewMessage,
  facts: PublishFacts,
  draft: BatchDraft,
): StreamRefusal | null {
  const { expectedLastSequence, expectedLastSubjectSequence, expectedSubject } = facts
  if (expectedLastSequence !== null) {
    if (expectedLastSequence !== draft.lastSequence) return wrongLastSequence(draft.lastSequence)
    if (!draft.isEmpty) return StreamRefusals.wrongLastSequence
  }
  if (expectedLastSubjectSequence === null) {
    return expectedSubject === '' ? null : StreamRefusals.expectedSubjectWithoutSequence
  }
  const asked = expectedSubject === '' ? subject : expectedSubject
  if (draft.hasSubject(asked)) return StreamRefusals.wrongLastSequence
  const last = draft.base.lastOf(asked)
  return last === expectedLastSubjectSequence ? null : wrongLastSequence(last)
}

/** A batch may not roll up what it brings itself. */
export function checkBatchedRollup(
  { subject }: NewMessage,
  { rollup, schedule }: PublishFacts,
  config: StreamConfig,
  draft: BatchDraft,
): StreamRefusal | null {
  // A schedule takes the place of the one before it.
  const asked = rollup === '' && schedule !== '' ? 'sub' : rollup
  const refusal = checkRollup(asked, config)
  if (refusal !== null || asked === '') return refusal
  if (asked === 'sub')
    return draft.hasSubject(subject) ? rollupFailed('batch rollup sub invalid') : null
  return draft.isEmpty ? null : rollupFailed('batch rollup all invalid')
}

/**
 * Whether a stream that discards new messages has room.
 * @param draft has the message already
 */
export function checkBatchedRoom(
  { subject }: NewMessage,
  { rollup }: PublishFacts,
  config: StreamConfig,
  draft: BatchDraft,
): StreamRefusal | null {
  if (config.discard !== 'new') return null
  const { max_msgs, max_bytes, max_msgs_per_subject: perSubject } = config
  if (max_msgs > 0 && draft.messageCount > max_msgs) {
    return storeFailed('maximum messages exceeded')
  }
  if (max_bytes > 0 && draft.byteCount > max_bytes) return storeFailed('maximum bytes exceeded')
  if (config.discard_new_per_subject !== true || perSubject <= 0 || rollup !== '') return null
  const isFull = draft.countOf(subject) > perSubject
  return isFull ? storeFailed('maximum messages per subject exceeded') : null
}

/** Whether a message is larger than the stream takes. */
export function isTooLarge(
  { headers, payload }: NewMessage,
  { max_msg_size }: StreamConfig,
): boolean {
  return max_msg_size >= 0 && (headers?.byteLength ?? 0) + payload.byteLength > max_msg_size
}

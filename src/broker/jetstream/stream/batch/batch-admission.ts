import type { Clock } from '../../../../ports/clock.ts'
import type { CounterTotals } from '../counter/counter-totals.ts'
import type { InFlight } from '../in-flight.ts'
import { type PublishFacts, publishFactsOf } from '../publish-facts.ts'
import type { NewMessage } from '../record-mapping.ts'
import { asSchedule, checkSchedule } from '../schedule/schedule-rules.ts'
import type { StreamConfig } from '../stream-config.ts'
import { type StreamRefusal, StreamRefusals, wrongLastMessageId } from '../stream-refusal.ts'
import type { StreamState } from '../stream-state.ts'
import { BatchDraft } from './batch-draft.ts'
import { BatchRefusals } from './batch-refusals.ts'
import {
  checkBatched,
  checkBatchedRollup,
  checkBatchedRoom,
  checkExpected,
  checkOrigin,
  isTooLarge,
} from './batch-rules.ts'

export interface BatchAdmissionOptions {
  readonly inFlight: InFlight
  readonly state: StreamState
  readonly counters: CounterTotals
  readonly clock: Clock
}

/** A message that is in the stream already, or will be. */
interface Duplicate {
  readonly duplicateOf: number
}

/** Says which messages of batches may be stored, and as what. */
export class BatchAdmission {
  readonly #options: BatchAdmissionOptions

  constructor(options: BatchAdmissionOptions) {
    this.#options = options
  }

  /** All of a batch, or why none of it. */
  admitAll(
    messages: readonly NewMessage[],
    config: StreamConfig,
  ): readonly NewMessage[] | StreamRefusal {
    const { inFlight, counters } = this.#options
    const draft = new BatchDraft(inFlight)
    const forget = counters.save(messages.map(({ subject }) => subject))
    const admitted: NewMessage[] = []
    for (const message of messages) {
      const facts = publishFactsOf(message.headers)
      const one =
        facts.expectedLastMessageId === ''
          ? this.#admit(message, facts, config, draft)
          : BatchRefusals.lastMessageId
      if ('payload' in one) {
        admitted.push(one)
        continue
      }
      forget()
      return 'duplicateOf' in one ? BatchRefusals.duplicate : one
    }
    return admitted
  }

  /** One message that is stored though others of its batch may not be. */
  admitOne(message: NewMessage, config: StreamConfig): NewMessage | Duplicate | StreamRefusal {
    const { inFlight, counters } = this.#options
    const facts = publishFactsOf(message.headers)
    const { expectedLastMessageId: expected } = facts
    if (expected !== '' && expected !== inFlight.lastMessageId) {
      return wrongLastMessageId(inFlight.lastMessageId)
    }
    const forget = counters.save([message.subject])
    const admitted = this.#admit(message, facts, config, new BatchDraft(inFlight))
    if (!('payload' in admitted)) forget()
    return admitted
  }

  #admit(
    message: NewMessage,
    facts: PublishFacts,
    config: StreamConfig,
    draft: BatchDraft,
  ): NewMessage | Duplicate | StreamRefusal {
    const { state, counters, clock, inFlight } = this.#options
    const { messageId } = facts
    const nowMs = clock.nowMs()
    const wrong = checkBatched(message, facts, config)
    if (wrong !== null) return wrong
    if (messageId !== '') {
      if (draft.hasMessageId(messageId)) return { duplicateOf: draft.lastSequence }
      const before = inFlight.duplicateOf(messageId)
      const duplicateOf = before === 0 ? state.window.find(messageId, nowMs) : before
      if (duplicateOf !== 0) return { duplicateOf }
      draft.noteMessageId(messageId)
    }
    const refused = checkOrigin(facts, config)
    if (refused !== null) return refused
    let stored = message
    if (config.allow_msg_counter === true) {
      const last = draft.lastOf(message.subject)
      const counted = counters.add(message, facts, last, draft.lastSequence + 1)
      if ('err_code' in counted) return counted
      if (isTooLarge(counted, config)) return StreamRefusals.messageTooLarge
      stored = counted
    }
    const unexpected =
      checkExpected(message, facts, draft) ??
      checkSchedule(message, facts, config, draft, nowMs) ??
      checkBatchedRollup(message, facts, config, draft)
    if (unexpected !== null) return unexpected
    stored = asSchedule(stored, facts)
    draft.add(stored, facts)
    return checkBatchedRoom(stored, facts, config, draft) ?? stored
  }
}

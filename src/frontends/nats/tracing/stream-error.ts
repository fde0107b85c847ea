import { publishFactsOf } from '../../../broker/jetstream/stream/publish-facts.ts'
import type { Stored } from '../../../broker/jetstream/stream/stream-publisher.ts'
import type { StreamRefusal } from '../../../broker/jetstream/stream/stream-refusal.ts'

/** Errors that a trace names otherwise than the answer, by the number there. Source: processJetStreamMsg of nats-server. */
const OTHER_WORDS: ReadonlyMap<number, string> = new Map([
  [10054, 'maximum payload exceeded'],
  [10097, 'maximum payload exceeded'],
  [10166, 'message TTL disabled'],
])

/** Those whose number a trace does not name. */
const WITHOUT_NUMBER: readonly number[] = [10060, 10077, 10111]

/** What is found only when a message is stored. */
const WHEN_STORED: readonly number[] = [10077, 10165]

const WRONG_SEQUENCE = 10071
const WRONG_MESSAGE_ID = 10070

/** What a trace says of the end of a message in a stream. */
export interface StreamEnd {
  /** Empty: none. */
  readonly error: string
  /** It came as far as being stored. */
  readonly isPlaced: boolean
}

/** @param outcome null: it would have been stored */
export function streamEndOf(
  outcome: Stored | StreamRefusal | null,
  headers: Buffer | null,
): StreamEnd {
  if (outcome === null) return { error: '', isPlaced: true }
  if (!('err_code' in outcome)) {
    const { isDuplicate } = outcome
    return { error: isDuplicate ? 'msgid is duplicate' : '', isPlaced: !isDuplicate }
  }
  return { error: errorOf(outcome, headers), isPlaced: WHEN_STORED.includes(outcome.err_code) }
}

function errorOf({ err_code, description }: StreamRefusal, headers: Buffer | null): string {
  const found = description.slice(description.indexOf(': ') + 2)
  const facts = publishFactsOf(headers)
  if (err_code === WRONG_SEQUENCE) {
    const bySubject = facts.expectedLastSubjectSequence
    return bySubject !== null && String(bySubject) !== found
      ? `last sequence by subject mismatch: ${bySubject} vs ${found}`
      : `last sequence mismatch: ${facts.expectedLastSequence} vs ${found}`
  }
  if (err_code === WRONG_MESSAGE_ID) {
    return `last msgid mismatch: ${JSON.stringify(facts.expectedLastMessageId)} vs ${JSON.stringify(found)}`
  }
  if (WITHOUT_NUMBER.includes(err_code)) return description
  return OTHER_WORDS.get(err_code) ?? `${description} (${err_code})`
}

import type { PublishFacts } from '../publish-facts.ts'
import type { NewMessage } from '../record-mapping.ts'
import type { MessagesRead } from '../stream-reader.ts'
import { type StreamRefusal, storeFailed } from '../stream-refusal.ts'
import { CounterRefusals } from './counter-rules.ts'
import { addTo, type Counter, counterOf, incrementOf, NO_COUNTER } from './counter-value.ts'

interface KnownCounter {
  /** Of the message that holds it, which may be on its way. */
  readonly sequence: number
  /** null: the message holds no counter; undefined: it could not be read. */
  readonly counter: Counter | null | undefined
}

/** Counters that are kept at hand; the others are read when the next message comes. */
const MAX_KNOWN = 10_000

/**
 * What the counters of a stream came to. The last message of each subject says so: those used lately are
 * kept, and what removes or adds messages elsewhere only makes that the last message is read again.
 */
export class CounterTotals {
  readonly #read: (sequences: readonly number[], done: MessagesRead) => void
  #known = new Map<string, KnownCounter>()
  #isReading = false

  constructor(read: (sequences: readonly number[], done: MessagesRead) => void) {
    this.#read = read
  }

  /** Messages have to wait: the counters of some are being read. */
  get isReading(): boolean {
    return this.#isReading
  }

  /**
   * Whether the counters of all subjects are at hand, else they are read first.
   * @param lastOf the last message of a subject, also one on its way; 0: none
   * @param durableSequence what comes after it is on its way
   * @param ready told later, when it has to be asked again
   */
  prepare(
    subjects: Iterable<string>,
    lastOf: (subject: string) => number,
    durableSequence: number,
    ready: () => void,
  ): boolean {
    const missing = new Map<number, string>()
    for (const subject of subjects) {
      const last = lastOf(subject)
      if (last !== 0 && this.#known.get(subject)?.sequence !== last) missing.set(last, subject)
    }
    if (missing.size === 0) return true
    this.#forget(durableSequence)
    const sequences = [...missing.keys()].sort((one, other) => one - other)
    this.#isReading = true
    let isLater = false
    this.#read(sequences, (_, messages) => {
      this.#isReading = false
      for (const [at, sequence] of sequences.entries()) {
        const message = messages[at] ?? null
        const counter = message === null ? undefined : counterOf(message.headers, message.payload)
        this.#known.set(missing.get(sequence) as string, { sequence, counter })
      }
      if (isLater) ready()
    })
    isLater = this.#isReading
    return !isLater
  }

  /**
   * The message as it is stored, with the new total.
   * @param last the last message of its subject; 0: none
   * @param sequence that it gets
   */
  add(
    message: NewMessage,
    { increment: text }: PublishFacts,
    last: number,
    sequence: number,
  ): NewMessage | StreamRefusal {
    if (text === '') return CounterRefusals.missing
    const increment = incrementOf(text)
    if (increment === null) return CounterRefusals.invalid
    const { subject } = message
    const known = this.#known.get(subject)
    const before = last === 0 ? NO_COUNTER : known?.counter
    if (before === undefined) {
      // The next one tries to read it again.
      this.#known.delete(subject)
      return storeFailed('the counter can not be read')
    }
    const counted = before === null ? null : addTo(before, message, increment)
    if (counted === null) return CounterRefusals.broken
    this.#known.set(subject, { sequence, counter: counted.counter })
    return counted.message
  }

  /** @returns goes back to what is known of the counters now, for messages that are not stored after all */
  save(subjects: Iterable<string>): () => void {
    if (this.#known.size === 0) return () => this.#known.clear()
    const saved = new Map<string, KnownCounter | undefined>()
    for (const subject of subjects) saved.set(subject, this.#known.get(subject))
    return () => {
      for (const [subject, known] of saved) {
        if (known === undefined) this.#known.delete(subject)
        else this.#known.set(subject, known)
      }
    }
  }

  #forget(durableSequence: number): void {
    if (this.#known.size < MAX_KNOWN) return
    const onTheirWay = [...this.#known].filter(([, { sequence }]) => sequence > durableSequence)
    this.#known = new Map(onTheirWay)
  }
}

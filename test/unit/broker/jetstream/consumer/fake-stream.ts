import type {
  ReadLimits,
  StoredMessage,
  StreamReader,
  StreamWatcher,
} from '../../../../../src/broker/jetstream/stream/stream-reader.ts'
import type { SubjectFilter } from '../../../../../src/broker/jetstream/stream/subject-filter.ts'
import type { FakeClock } from '../../../support/ports.ts'

/** A read that is told how much it may bring brings fewer than most ask for. */
const MESSAGES_A_READ = 3

/** A stream in memory, searched without any index. */
export class FakeStream implements StreamReader {
  readonly name = 'S'
  readonly #clock: FakeClock
  readonly #messages = new Map<number, StoredMessage>()
  readonly #watchers = new Set<StreamWatcher>()
  #last = 0
  /** Reads are answered when the test says so. */
  isSlow = false
  #waiting: (() => void)[] = []

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  get firstSequence(): number {
    for (const sequence of this.#messages.keys()) return sequence
    return this.#last + 1
  }

  get lastSequence(): number {
    return this.#last
  }

  publish(subject: string, text = '', headers: Buffer | null = null): number {
    const sequence = ++this.#last
    const payload = Buffer.from(text)
    const message = { sequence, subject, headers, payload, timestampMs: this.#clock.nowMs() }
    this.#messages.set(sequence, message)
    for (const watcher of [...this.#watchers]) watcher.appended(sequence, sequence)
    return sequence
  }

  /** Nothing gets a sequence up to here any more. */
  skipTo(sequence: number): void {
    this.#last = Math.max(this.#last, sequence)
  }

  /** As after damage: the end of its log is not there any more. */
  loseAfter(sequence: number): void {
    for (const at of [...this.#messages.keys()]) if (at > sequence) this.#messages.delete(at)
    this.#last = Math.min(this.#last, sequence)
  }

  remove(firstSequence: number, lastSequence: number): void {
    for (let at = firstSequence; at <= lastSequence; at++) this.#messages.delete(at)
    for (const watcher of [...this.#watchers]) watcher.removed(firstSequence, lastSequence)
  }

  subjectOf(sequence: number): string | undefined {
    return this.#messages.get(sequence)?.subject
  }

  nextSequence(from: number, filter: SubjectFilter): number {
    for (let at = Math.max(from, 1); at <= this.#last; at++) {
      if (this.#passes(at, filter)) return at
    }
    return Number.POSITIVE_INFINITY
  }

  pendingCount(from: number, filter: SubjectFilter): number {
    let count = 0
    for (let at = Math.max(from, 1); at <= this.#last; at++) if (this.#passes(at, filter)) count++
    return count
  }

  lastPerSubject(filter: SubjectFilter): number[] {
    const last = new Map<string, number>()
    for (const { sequence, subject } of this.#messages.values()) {
      if (this.#passes(sequence, filter)) last.set(subject, sequence)
    }
    return [...last.values()].sort((a, b) => a - b)
  }

  async sequenceAtTime(timestampMs: number): Promise<number> {
    for (const { sequence, timestampMs: at } of this.#messages.values()) {
      if (at >= timestampMs) return sequence
    }
    return this.#last + 1
  }

  read(
    sequences: readonly number[],
    done: (error: Error | null, messages: readonly (StoredMessage | null)[]) => void,
    { maxBytes }: ReadLimits = {},
  ): void {
    const count = maxBytes === undefined ? sequences.length : MESSAGES_A_READ
    const answer = (): void =>
      done(
        null,
        sequences.slice(0, count).map((sequence) => this.#messages.get(sequence) ?? null),
      )
    if (this.isSlow) this.#waiting.push(answer)
    else answer()
  }

  /** Answers the reads that wait. */
  catchUp(): void {
    for (const answer of this.#waiting.splice(0)) answer()
  }

  watch(watcher: StreamWatcher): void {
    this.#watchers.add(watcher)
  }

  unwatch(watcher: StreamWatcher): void {
    this.#watchers.delete(watcher)
  }

  #passes(sequence: number, filter: SubjectFilter): boolean {
    const message = this.#messages.get(sequence)
    return message !== undefined && filter.passes(message.subject)
  }
}

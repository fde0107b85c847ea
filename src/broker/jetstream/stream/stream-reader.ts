import type { SubjectFilter } from './subject-filter.ts'

/** One message of a stream. */
export interface StoredMessage {
  readonly sequence: number
  /** One character for each byte. */
  readonly subject: string
  /** The whole NATS header block; null: it has none. */
  readonly headers: Buffer | null
  readonly payload: Buffer
  /** When the server took it, milliseconds since 1970. */
  readonly timestampMs: number
}

/** Told in the turn in which a stream changes. */
export interface StreamWatcher {
  appended(firstSequence: number, lastSequence: number): void
  /** These can not be delivered any more. */
  removed(firstSequence: number, lastSequence: number): void
  /** The stream was deleted. */
  gone(): void
}

/** What is called with the messages that were asked for. */
export type MessagesRead = (
  error: Error | null,
  messages: readonly (StoredMessage | null)[],
) => void

export interface ReadLimits {
  /** About as much is read: the first of the messages are answered, at least one. */
  readonly maxBytes?: number
  /** Payloads hold only until `done` returns, and cost no copy. */
  readonly isBorrowed?: boolean
}

/** A stream as its consumers see it: only what is durable. Every answer but `read` comes at once. */
export interface StreamReader {
  readonly name: string
  /** Of the messages that are there; `lastSequence + 1` when there is none. */
  readonly firstSequence: number
  readonly lastSequence: number
  /** First message at or after `from` whose subject passes; Infinity when there is none now. */
  nextSequence(from: number, filter: SubjectFilter): number
  /** How many messages in `[from, lastSequence]` pass: exact. */
  pendingCount(from: number, filter: SubjectFilter): number
  /** The last sequence of each subject that passes, ascending. */
  lastPerSubject(filter: SubjectFilter): number[]
  /** First message stored at or after a time; `lastSequence + 1` when there is none. */
  sequenceAtTime(timestampMs: number): Promise<number>
  /** Reads messages; null for those that are gone by then. May call back in the same turn. */
  read(sequences: readonly number[], done: MessagesRead, limits?: ReadLimits): void
  watch(watcher: StreamWatcher): void
  unwatch(watcher: StreamWatcher): void
}

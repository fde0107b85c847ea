import { isSameBytes } from '../../../base/bytes.ts'
import type { NewRecord, NewRecordHeader } from '../../../records/batch-builder.ts'
import type { LogRecord } from '../../../records/records-iterator.ts'
import { isPublishable } from '../../subjects/subject.ts'
import { headerBlockOf, recordHeadersOf, withHeaders } from './message-headers.ts'
import { publishFactsOf } from './publish-facts.ts'
import type { StoredMessage } from './stream-reader.ts'
import type { StateMessage } from './stream-state.ts'
import { SubjectFilter } from './subject-filter.ts'

/** A message before it has its place. */
export interface NewMessage {
  /** One character for each byte. */
  readonly subject: string
  /** The whole block; null: none. */
  readonly headers: Buffer | null
  readonly payload: Buffer
  /** When it was stored first, for a message that is mirrored; else it is now. */
  readonly timestampMs?: number
}

/** What a message costs besides its bytes. Source: fileStoreMsgSize of nats-server. */
const OVERHEAD_BYTES = 30
const HEADER_OVERHEAD_BYTES = 4

const NO_PAYLOAD = Buffer.alloc(0)

/** Subjects of key-value buckets, and the headers by which clients know that a key is deleted. */
const BUCKETS = '$KV.'
const OPERATION = 'KV-Operation'
const MARKER_REASON = 'Nats-Marker-Reason'
const DELETED = [[OPERATION, 'DEL']] as const

/** A key that is no subject becomes a token of one. */
const UNSAFE = /[^A-Za-z0-9_-]/g

export function sizeOf({ subject, headers, payload }: NewMessage): number {
  const headerBytes = headers === null ? 0 : headers.byteLength + HEADER_OVERHEAD_BYTES
  return OVERHEAD_BYTES + subject.length + headerBytes + payload.byteLength
}

export function recordOf(message: NewMessage, timestampMs: number): NewRecord {
  const headers = recordHeadersOf(message.headers)
  return {
    timestamp: timestampMs,
    key: Buffer.from(message.subject, 'latin1'),
    value: isDeletion(message, headers) ? null : message.payload,
    headers,
  }
}

/** A key of a bucket is gone: its record is a tombstone, which tables and compaction understand too. */
function isDeletion(
  { subject, payload }: NewMessage,
  headers: readonly NewRecordHeader[],
): boolean {
  if (payload.byteLength > 0 || headers.length === 0 || !subject.startsWith(BUCKETS)) return false
  const operation = headers.find(({ key }) => key === OPERATION)
  if (operation === undefined) return headers.some(({ key }) => key === MARKER_REASON)
  const name = Buffer.from(operation.value ?? NO_PAYLOAD).toString('latin1')
  return name === 'DEL' || name === 'PURGE'
}

/** Makes messages of records, whoever wrote them. */
export class RecordMapping {
  readonly #topic: string
  readonly #baseSequence: number
  /** Keys that pass are subjects. */
  #subjects: SubjectFilter
  /** Any subject is one of the stream's: it gets them from elsewhere, or changes them. */
  #takesAll: boolean
  /** Many records in a row have the same one. */
  #lastKey: Buffer = NO_PAYLOAD
  #lastSubject = ''

  constructor(
    topic: string,
    baseSequence: number,
    everySubject: readonly string[],
    takesAll: boolean,
  ) {
    this.#topic = topic
    this.#baseSequence = baseSequence
    this.#subjects = new SubjectFilter(everySubject)
    this.#takesAll = takesAll
  }

  configure(everySubject: readonly string[], takesAll: boolean): void {
    this.#lastKey = NO_PAYLOAD
    this.#subjects = new SubjectFilter(everySubject)
    this.#takesAll = takesAll
  }

  sequenceOf(offset: number): number {
    return offset + this.#baseSequence
  }

  offsetOf(sequence: number): number {
    return sequence - this.#baseSequence
  }

  stateMessageOf(record: LogRecord): StateMessage {
    const subject = this.#subjectOf(record.key)
    const headers = headersOf(record, subject)
    const payload = record.value ?? NO_PAYLOAD
    return {
      sequence: this.sequenceOf(record.offset),
      subject,
      size: sizeOf({ subject, headers, payload }),
      timestampMs: record.timestamp,
      facts: publishFactsOf(headers),
    }
  }

  /** @param isBorrowed the payload stays where it is in the record */
  storedMessageOf(record: LogRecord, isBorrowed: boolean): StoredMessage {
    const subject = this.#subjectOf(record.key)
    const payload = record.value ?? NO_PAYLOAD
    return {
      sequence: this.sequenceOf(record.offset),
      subject,
      headers: headersOf(record, subject),
      payload: isBorrowed ? payload : Buffer.from(payload),
      timestampMs: record.timestamp,
    }
  }

  #subjectOf(key: Buffer | null): string {
    if (key === null || key.byteLength === 0) return this.#topic
    if (isSameBytes(key, 0, key.byteLength, this.#lastKey)) return this.#lastSubject
    const subject = this.#newSubjectOf(key.toString('latin1'))
    this.#lastKey = Buffer.from(key)
    this.#lastSubject = subject
    return subject
  }

  #newSubjectOf(text: string): string {
    if ((this.#takesAll || this.#subjects.passes(text)) && isPlainSubject(text)) return text
    return `${this.#topic}.${text.replace(UNSAFE, escaped)}`
  }
}

/** The block of a record. A tombstone in a bucket is a deletion to readers of either protocol. */
function headersOf(record: LogRecord, subject: string): Buffer | null {
  const block = headerBlockOf(record.headers)
  if (record.value !== null || !subject.startsWith(BUCKETS)) return block
  const saysWhy = record.headers.some(({ key }) => key === OPERATION || key === MARKER_REASON)
  return saysWhy ? block : withHeaders(block, DELETED)
}

function isPlainSubject(text: string): boolean {
  return !/\s/.test(text) && isPublishable(text)
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

import type { NewRecord } from '../records/batch-builder.ts'

/** Bytes as they are, text as UTF-8, or null. */
export type RecordData = string | Uint8Array | null

/** A record to produce. */
export interface RecordInput {
  /** Records of one key go to one partition, the same that Kafka's clients choose. */
  readonly key?: RecordData
  /** null or left out: a tombstone. */
  readonly value?: RecordData
  /** By name; a list when a name comes twice. */
  readonly headers?:
    | Readonly<Record<string, RecordData>>
    | readonly { readonly key: string; readonly value: RecordData }[]
  /** Milliseconds since 1970; by default now. */
  readonly timestamp?: number
  /** By default chosen by the key, and in turn for records without one. */
  readonly partition?: number
}

/** Where a produced record is. */
export interface ProducedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A record that was consumed. */
export interface ConsumedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970; -1: none. */
  readonly timestamp: number
  readonly key: Buffer | null
  /** null: a tombstone. */
  readonly value: Buffer | null
  /** In the order they were produced; names may repeat. */
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

/** Most bytes that a record's lengths, deltas and attributes take. */
const RECORD_OVERHEAD = 36
/** Most bytes that the two lengths of a header take. */
const HEADER_OVERHEAD = 10

/** The record as the batch builder takes it. */
export function toNewRecord(record: RecordInput, nowMs: number): NewRecord {
  const { headers = [] } = record
  const entries = Array.isArray(headers)
    ? headers
    : Object.entries(headers).map(([key, value]) => ({ key, value }))
  return {
    timestamp: record.timestamp ?? nowMs,
    key: toBytes(record.key),
    value: toBytes(record.value),
    headers: entries.map(({ key, value }) => ({ key, value: toBytes(value) })),
  }
}

/** The most bytes that the record can take in a batch. */
export function maxSizeOf({ key, value, headers = [] }: NewRecord): number {
  let size = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) {
    size += HEADER_OVERHEAD + Buffer.byteLength(header.key) + (header.value?.length ?? 0)
  }
  return size
}

function toBytes(data: RecordData | undefined): Uint8Array | null {
  if (data === undefined || data === null) return null
  return typeof data === 'string' ? Buffer.from(data) : data
}

import { isUtf8 } from 'node:buffer'
import { ProtocolError } from '../../base/errors.ts'
import {
  ControlRecordType,
  decodeControlType,
  decodeControlValue,
  decodeEndTxnMarker,
  type KraftControlMessage,
  kraftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../../records/internal/control-records.ts'
import { decodeJetStreamRecord } from '../../records/internal/jetstream-records.ts'
import { decodeMetadataRecord } from '../../records/internal/metadata-records.ts'
import { decodeOffsetsRecord } from '../../records/internal/offsets-records.ts'
import { decodeShareRecord } from '../../records/internal/share-records.ts'
import { decodeTransactionRecord } from '../../records/internal/transaction-records.ts'
import type { LogRecord } from '../../records/records-iterator.ts'

export type Printable =
  | string
  | number
  | boolean
  | null
  | readonly Printable[]
  | { readonly [name: string]: Printable }

/** Turns a record into something that can be printed; those of internal topics are decoded. */
export function printableRecord(
  record: LogRecord,
  topic: string | undefined,
  isControl: boolean,
): { readonly [name: string]: Printable } {
  const { offset, timestamp, key, value, headers } = record
  const decoded = isControl ? controlRecord(key, value) : decode(topic, key, value)
  return {
    offset,
    timestamp,
    ...(decoded === undefined
      ? { key: textOf(key), value: textOf(value) }
      : { decoded: printable(decoded) }),
    headers: headers.map((header) => [header.key, textOf(header.value)]),
  }
}

/** undefined: not of an internal topic, or of a type nobody knows yet. */
function decode(topic: string | undefined, key: Buffer | null, value: Buffer | null): unknown {
  try {
    if (topic === '__cluster_metadata')
      return value === null ? undefined : decodeMetadataRecord(value)
    if (key === null) return undefined
    if (topic === '__consumer_offsets') return decodeOffsetsRecord(key, value)
    if (topic === '__transaction_state') return decodeTransactionRecord(key, value)
    if (topic === '__share_group_state') return decodeShareRecord(key, value)
    if (topic === '__jetstream') return decodeJetStreamRecord(key, value)
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError) return { undecodable: error.message }
    throw error
  }
}

/** Values of these begin with their version; those of markers have one field. */
const CONTROL_VALUES: ReadonlyMap<number, KraftControlMessage> = new Map([
  [ControlRecordType.LEADER_CHANGE, leaderChangeMessage],
  [ControlRecordType.SNAPSHOT_HEADER, snapshotHeaderRecord],
  [ControlRecordType.SNAPSHOT_FOOTER, snapshotFooterRecord],
  [ControlRecordType.KRAFT_VERSION, kraftVersionRecord],
  [ControlRecordType.KRAFT_VOTERS, votersRecord],
])

function controlRecord(key: Buffer | null, value: Buffer | null): unknown {
  try {
    const type = decodeControlType(key)
    const known = Object.entries(ControlRecordType).find(([, number]) => number === type)
    return { controlType: known?.[0] ?? type, ...controlValue(type, value) }
  } catch (error) {
    if (error instanceof ProtocolError) return { undecodable: error.message }
    throw error
  }
}

/** Nothing for a type nobody knows yet. */
function controlValue(type: number, value: Buffer | null): object {
  if (type === ControlRecordType.ABORT || type === ControlRecordType.COMMIT) {
    return { coordinatorEpoch: decodeEndTxnMarker(value) }
  }
  const message = CONTROL_VALUES.get(type)
  if (message === undefined || value === null) return {}
  return { value: decodeControlValue<KraftControlMessage>(message, value) }
}

/** Text where the bytes are text, else base64 that says so. */
function textOf(bytes: Buffer | null): string | null {
  if (bytes === null) return null
  return isUtf8(bytes) ? bytes.toString('utf8') : `base64:${bytes.toString('base64')}`
}

function printable(value: unknown): Printable {
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return textOf(value)
  if (Array.isArray(value)) return value.map(printable)
  if (typeof value === 'object') {
    const fields = Object.entries(value).map(([name, field]) => [name, printable(field)] as const)
    return Object.fromEntries(fields)
  }
  if (typeof value === 'number' || typeof value === 'boolean') return value
  return String(value)
}

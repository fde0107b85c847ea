import { ProtocolError } from '../../base/errors.ts'
import { buildBatch, type NewRecord } from '../../records/batch-builder.ts'
import { CorruptRecordError } from '../../records/corrupt-record-error.ts'
import {
  ControlRecordType,
  decodeControlType,
  decodeControlValue,
  encodeControlKey,
  encodeControlValue,
  kraftVersionRecord,
  snapshotFooterRecord,
  snapshotHeaderRecord,
} from '../../records/internal/control-records.ts'
import {
  baseOffsetOf,
  isControl,
  isCrcValid,
  lastOffsetOf,
  MAGIC_V2,
  magicOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../../records/record-batch.ts'
import { recordsOf } from '../../records/records-iterator.ts'
import type { QuorumVoters } from './quorum-voters.ts'

/** Which state a snapshot is. */
export interface SnapshotId {
  /** The log goes on from here. */
  readonly endOffset: number
  /** Leader epoch of the last record in it. */
  readonly epoch: number
}

const FILE_NAME = /^(\d{20})-(\d{10})\.checkpoint$/
/** Kafka reads batches of up to 8 MiB; small ones keep the memory for each low. */
const BATCH_BYTES = 512 * 1024

export const snapshotFileName = ({ endOffset, epoch }: SnapshotId): string =>
  `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`

/** null: the name is of another kind of file. */
export function parseSnapshotFileName(name: string): SnapshotId | null {
  const match = FILE_NAME.exec(name)
  return match === null ? null : { endOffset: Number(match[1]), epoch: Number(match[2]) }
}

/** What the batches of a snapshot say besides the state. */
export interface SnapshotTimes {
  /** When the last record that is in it was appended to the log. */
  readonly lastAppendMs: number
  readonly nowMs: number
}

/**
 * The batches of a snapshot: a header with the voters, the state, a footer. Offsets count from 0
 * inside the file. Source: RecordsSnapshotWriter, Kafka 4.4 (KIP-630, KIP-853).
 */
export function encodeSnapshot(
  { epoch }: SnapshotId,
  voters: QuorumVoters,
  values: readonly Buffer[],
  { lastAppendMs, nowMs }: SnapshotTimes,
): Buffer[] {
  const batches: Buffer[] = []
  let baseOffset = 0
  const add = (records: NewRecord[], isControl: boolean): void => {
    batches.push(buildBatch(records, { baseOffset, partitionLeaderEpoch: epoch, isControl }))
    baseOffset += records.length
  }
  add(headerRecords(voters, lastAppendMs, nowMs), true)
  for (const some of inBatches(values)) {
    add(
      some.map((value) => ({ timestamp: nowMs, value })),
      false,
    )
  }
  const footer = encodeControlValue(snapshotFooterRecord, { version: 0 })
  add([controlRecord(ControlRecordType.SNAPSHOT_FOOTER, footer, nowMs)], true)
  return batches
}

function headerRecords(voters: QuorumVoters, lastAppendMs: number, nowMs: number): NewRecord[] {
  const header = { version: 0, lastContainedLogTimestamp: lastAppendMs }
  const records = [
    controlRecord(
      ControlRecordType.SNAPSHOT_HEADER,
      encodeControlValue(snapshotHeaderRecord, header),
      nowMs,
    ),
  ]
  const { kraftVersion, record } = voters
  // Kafka 3 has no name for the version that means no voters in the log.
  if (kraftVersion === 0) return records
  const version = encodeControlValue(kraftVersionRecord, { version: 0, kRaftVersion: kraftVersion })
  records.push(controlRecord(ControlRecordType.KRAFT_VERSION, version, nowMs))
  if (record !== null) records.push(controlRecord(ControlRecordType.KRAFT_VOTERS, record, nowMs))
  return records
}

function controlRecord(type: number, value: Buffer, timestamp: number): NewRecord {
  return { timestamp, key: encodeControlKey(type), value }
}

function* inBatches(values: readonly Buffer[]): Generator<Buffer[]> {
  let some: Buffer[] = []
  let byteCount = 0
  for (const value of values) {
    if (byteCount > 0 && byteCount + value.byteLength > BATCH_BYTES) {
      yield some
      some = []
      byteCount = 0
    }
    some.push(value)
    byteCount += value.byteLength
  }
  if (some.length > 0) yield some
}

/**
 * Looks whether a snapshot is whole: valid batches up to its end, a header first, a footer last.
 * @returns what is wrong, null: nothing
 */
export function findSnapshotProblem(content: Buffer): string | null {
  let position = 0
  let nextOffset = 0
  let last = -1
  while (position < content.byteLength) {
    const left = content.byteLength - position
    if (left < RECORD_BATCH_OVERHEAD) return 'its last batch is cut'
    const size = sizeInBytesOf(content, position)
    if (size < RECORD_BATCH_OVERHEAD || magicOf(content, position) !== MAGIC_V2)
      return `there is no batch at position ${position}`
    if (size > left) return 'its last batch is cut'
    if (!isCrcValid(content, position)) return `the CRC of the batch at ${position} is wrong`
    if (baseOffsetOf(content, position) !== nextOffset)
      return `the batch at ${position} does not go on from the one before`
    nextOffset = lastOffsetOf(content, position) + 1
    last = position
    position += size
  }
  if (last < 0) return 'it is empty'
  if (controlRecordsOf(content, 0)[0]?.type !== ControlRecordType.SNAPSHOT_HEADER)
    return 'it has no header'
  if (controlRecordsOf(content, last).at(-1)?.type !== ControlRecordType.SNAPSHOT_FOOTER)
    return 'it has no footer, so its end is missing'
  return null
}

/**
 * When the last record in a snapshot was appended to the log (ms), as its header says.
 * @param start of the file, long enough for its first batch
 * @returns -1 when there is no header
 */
export function lastAppendMsOf(start: Buffer): number {
  if (start.byteLength < RECORD_BATCH_OVERHEAD || sizeInBytesOf(start, 0) > start.byteLength)
    return -1
  if (!isControl(start, 0) || !isCrcValid(start, 0)) return -1
  const [first] = controlRecordsOf(start, 0)
  if (first?.type !== ControlRecordType.SNAPSHOT_HEADER || first.value === null) return -1
  const { value } = first
  return unlessMalformed(
    () => decodeControlValue(snapshotHeaderRecord, value).lastContainedLogTimestamp,
    -1,
  )
}

interface FoundControlRecord {
  readonly type: number
  readonly value: Buffer | null
}

/** None in a batch of another kind, or in one that can't be read. */
function controlRecordsOf(content: Buffer, position: number): FoundControlRecord[] {
  if (!isControl(content, position)) return []
  return unlessMalformed(
    () =>
      Array.from(recordsOf(content, position), ({ key, value }) => ({
        type: decodeControlType(key),
        value,
      })),
    [],
  )
}

function unlessMalformed<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptRecordError || error instanceof ProtocolError) return otherwise
    throw error
  }
}

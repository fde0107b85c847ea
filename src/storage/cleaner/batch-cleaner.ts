import {
  baseTimestampOf,
  hasDeleteHorizon,
  isControl,
  lastOffsetOf,
  NO_PRODUCER_ID,
  NO_TIMESTAMP,
  producerEpochOf,
  producerIdOf,
  recordCountOf,
  sizeInBytesOf,
} from '../../records/record-batch.ts'
import type { AbortedTransactionEntry } from '../segment/transaction-index.ts'
import { emptyBatch, rewriteBatch } from './batch-rewriter.ts'
import type { CleanedTransactions } from './cleaned-transactions.ts'
import type { OffsetMap } from './offset-map.ts'
import { filterRecords, type KeptRecords } from './record-filter.ts'

/** The newest thing a producer did in a partition; its batch is kept, empty if need be. */
export interface LastRecord {
  readonly producerEpoch: number
  /** Last offset of its newest batch with data; -1 when only its marker is known. */
  readonly lastDataOffset: number
}

/** What decides which records of a log stay. */
export interface CleanRules {
  readonly map: OffsetMap
  readonly transactions: CleanedTransactions
  readonly lastRecords: ReadonlyMap<number, LastRecord>
  /** The log is cleaned below it; the batch that ends there is kept. */
  readonly upperBoundOffset: number
  readonly nowMs: number
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number
}

/** What became of a batch. */
export interface CleanedBatch {
  /** What to write, a view of the input when nothing changed; null: none of it stays. */
  readonly batch: Buffer | null
  readonly keptCount: number
  /** Records without a key, which go: nothing can ever replace them. */
  readonly keylessCount: number
  /** For the transaction index of the segment that the batch, a marker, is written to. */
  readonly aborted: AbortedTransactionEntry | null
}

/**
 * Takes the records out of a batch that compaction removes. Offsets, producer fields, leader epoch
 * and codec stay as they are. Source: Cleaner.cleanInto and MemoryRecords.filterTo, Kafka 4.4;
 * KIP-534 for the delete horizon. The caller has checked the CRC: a new one would hide damage.
 * @throws CorruptRecordError when its records are no records
 */
export function cleanBatch(buffer: Buffer, at: number, rules: CleanRules): CleanedBatch {
  const isMarker = isControl(buffer, at)
  let aborted: AbortedTransactionEntry | null = null
  let canDiscard: boolean
  if (isMarker) ({ canDiscard, aborted } = rules.transactions.onControlBatch(buffer, at))
  else canDiscard = rules.transactions.onBatch(buffer, at)
  // A marker whose data is gone stays until its horizon: a reader may have begun with the data.
  const isDiscarded = canDiscard && (!isMarker || isHorizonPast(buffer, at, rules.nowMs))
  const staysEmpty = isLastOfProducer(buffer, at, rules) || endsRound(buffer, at, rules)
  if (isDiscarded) return { batch: staysEmpty ? emptyBatch(buffer, at) : null, ...NOTHING, aborted }

  const records = isMarker ? keepAll(buffer, at) : filter(buffer, at, rules)
  const { keptCount, keylessCount } = records
  if (keptCount === 0)
    return { batch: staysEmpty ? emptyBatch(buffer, at) : null, keptCount, keylessCount, aborted }
  const hasHorizon = hasDeleteHorizon(buffer, at)
  const needsHorizon = !hasHorizon && (records.hasTombstone || (isMarker && canDiscard))
  if (keptCount === recordCountOf(buffer, at) && !needsHorizon) {
    const batch = buffer.subarray(at, at + sizeInBytesOf(buffer, at))
    return { batch, keptCount, keylessCount, aborted }
  }
  let horizonMs = NO_TIMESTAMP
  if (needsHorizon) horizonMs = rules.nowMs + rules.deleteRetentionMs
  else if (hasHorizon) horizonMs = baseTimestampOf(buffer, at)
  const batch = rewriteBatch(buffer, at, records, horizonMs)
  return { batch, keptCount, keylessCount, aborted }
}

const NOTHING = { keptCount: 0, keylessCount: 0 }

function isHorizonPast(buffer: Buffer, at: number, nowMs: number): boolean {
  return hasDeleteHorizon(buffer, at) && baseTimestampOf(buffer, at) <= nowMs
}

/**
 * The batch says what sequence or epoch its producer sent last. A producer that is forgotten needs
 * none; one of which only a marker is known needs the marker, for the epoch it fences with.
 */
function isLastOfProducer(buffer: Buffer, at: number, rules: CleanRules): boolean {
  const producerId = producerIdOf(buffer, at)
  if (producerId === NO_PRODUCER_ID) return false
  const last = rules.lastRecords.get(producerId)
  if (last === undefined) return false
  if (last.lastDataOffset >= 0) return lastOffsetOf(buffer, at) === last.lastDataOffset
  return isControl(buffer, at) && producerEpochOf(buffer, at) === last.producerEpoch
}

function endsRound(buffer: Buffer, at: number, rules: CleanRules): boolean {
  return lastOffsetOf(buffer, at) + 1 === rules.upperBoundOffset
}

/** As Kafka's cleaner: the newest record of a key stays, and what is not in the map yet. */
function filter(buffer: Buffer, at: number, rules: CleanRules): KeptRecords {
  const { map } = rules
  const keepsTombstones = !isHorizonPast(buffer, at, rules.nowMs)
  return filterRecords(buffer, at, (bytes, offset, keyStart, keyEnd, hasValue) => {
    if (offset > map.latestOffset) return true
    if (keyEnd < 0 || !map.isNewest(bytes, keyStart, keyEnd, offset)) return false
    return hasValue || keepsTombstones
  })
}

const keepAll = (buffer: Buffer, at: number): KeptRecords => filterRecords(buffer, at, () => true)

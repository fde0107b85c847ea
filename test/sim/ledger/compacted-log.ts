import { recordsOf } from '../../../src/records/records-iterator.ts'
import { expect } from '../world/sim-failure.ts'
import type { FoundBatch } from './partition-ledger.ts'
import type { Promised, SentBatch } from './sent-batch.ts'

interface Place {
  readonly offset: number
  readonly key: string
  readonly isTombstone: boolean
}

/** A compacted log as it was found. */
export interface FoundCompactedLog {
  readonly name: string
  readonly logStartOffset: number
  readonly keepsTombstones: boolean
  readonly batches: readonly FoundBatch[]
}

/**
 * Holds a compacted log against what was sent: no record is another than it was, and of each key
 * the newest that was acknowledged is there, or newer ones, or nothing if it was a tombstone.
 * @param sent all batches with their offsets, also those that compaction took long ago
 * @returns the batches of which something was found
 */
export function matchCompacted(
  found: FoundCompactedLog,
  sent: readonly SentBatch[],
  survived: Promised,
): Set<SentBatch> {
  const { name, logStartOffset } = found
  const kept = new Set<SentBatch>()
  const newestFound = new Map<string, number>()
  let next = 0
  for (const batch of found.batches) {
    expect(batch.baseOffset >= next, () => `${name}: ${batch.baseOffset} comes after ${next - 1}`)
    next = batch.lastOffset + 1
    for (const { offset, key, value } of recordsOf(batch.bytes, 0)) {
      const source = sent.find((one) => isRecord(one, offset, key, value))
      expect(source !== undefined, () => `${name}: what is at ${offset} was never sent`)
      kept.add(source)
      newestFound.set(String(key), offset)
    }
  }
  for (const newest of newestPromised(sent, survived, logStartOffset).values()) {
    const at = newestFound.get(newest.key) ?? -1
    const isGone = newest.isTombstone && !found.keepsTombstones && at < logStartOffset
    expect(
      at >= newest.offset || isGone,
      () => `${name}: of ${newest.key} offset ${at} is left, the newest was at ${newest.offset}`,
    )
  }
  return kept
}

/** The newest record of each key that must have survived. */
function newestPromised(
  sent: readonly SentBatch[],
  survived: Promised,
  logStartOffset: number,
): Map<string, Place> {
  const newest = new Map<string, Place>()
  for (const { records, baseOffset, promised } of sent) {
    if (promised < survived) continue
    for (const [index, { key, value }] of records.entries()) {
      const offset = baseOffset + index
      if (offset < logStartOffset || offset <= (newest.get(String(key))?.offset ?? -1)) continue
      newest.set(String(key), { offset, key: String(key), isTombstone: value === null })
    }
  }
  return newest
}

function isRecord(
  batch: SentBatch,
  offset: number,
  key: Buffer | null,
  value: Buffer | null,
): boolean {
  const record = batch.baseOffset < 0 ? undefined : batch.records[offset - batch.baseOffset]
  if (record === undefined || record.key !== (key === null ? null : key.toString())) return false
  return record.value === null || value === null
    ? record.value === value
    : value.equals(record.value)
}

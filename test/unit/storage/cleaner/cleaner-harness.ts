import assert from 'node:assert/strict'
import type { CleanerConfig } from '../../../../src/ports/cleaner-config.ts'
import type { LogConfig, PartitionLog } from '../../../../src/ports/partition-log.ts'
import { type BatchOptions, buildBatch } from '../../../../src/records/batch-builder.ts'
import { buildEndTxnMarker } from '../../../../src/records/control-batch.ts'
import { isControl, sizeInBytesOf } from '../../../../src/records/record-batch.ts'
import { recordsOf } from '../../../../src/records/records-iterator.ts'
import type { LogManagerOptions } from '../../../../src/storage/log-manager-options.ts'
import { append, Harness, readSlice } from '../log-harness.ts'

const CLEANER: CleanerConfig = {
  isEnabled: true,
  threadCount: 1,
  dedupeBufferBytes: 1_048_576,
  dedupeLoadFactor: 0.9,
  ioBufferBytes: 65_536,
  maxIoBytesPerSecond: Number.POSITIVE_INFINITY,
  backoffMs: 15_000,
}

export const COMPACTED: Partial<LogConfig> = {
  isDeleted: false,
  isCompacted: true,
  segmentBytes: 300,
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: 10_000,
}

/** A data directory whose logs are compacted; by default reads come from files. */
export class CleanerHarness extends Harness {
  constructor(cleaner: Partial<CleanerConfig> = {}, options: LogManagerOptions = {}) {
    super({ tailCacheBytes: 0, ...options }, {}, { ...CLEANER, ...cleaner })
  }

  openCompacted(config: Partial<LogConfig> = {}): PartitionLog {
    return this.open({ ...COMPACTED, ...config })
  }

  /** Compacts and waits for it; time stands nearly still. */
  compact(log: PartitionLog): Promise<unknown> {
    return this.wait(this.manager.compact(log))
  }

  /** The last segment too, and until nothing is left to do. */
  compactAll(log: PartitionLog): Promise<unknown> {
    return this.wait(this.manager.compactAll(log))
  }

  /** Lets time pass, and what is due then be done. */
  async pass(byMs: number): Promise<void> {
    this.scheduler.advance(byMs)
    for (let quietTurns = 0; quietTurns < 20; quietTurns++) {
      if (this.diskTaskCount > 0) quietTurns = 0
      this.settle()
      this.scheduler.advance(0)
      await Promise.resolve()
    }
  }

  /** Lets disk and timers go on until it is settled. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const finished = promise.finally(() => {
      isDone = true
    })
    // What it settled with is for the caller.
    finished.catch(() => undefined)
    for (let turn = 0; turn < 100_000 && !isDone; turn++) {
      this.settle()
      this.scheduler.advance(0)
      await Promise.resolve()
    }
    assert(isDone, 'the promise settled')
    return promise
  }

  /** Appends `a=1 b` (a tombstone) as one batch, safely. */
  put(log: PartitionLog, text: string, options: BatchOptions = {}): number {
    const records = text.split(' ').map((word) => {
      const [key, value] = word.split('=') as [string, string?]
      const timestamp = this.clock.nowMs()
      return { timestamp, key: Buffer.from(key), value: value ? Buffer.from(value) : null }
    })
    const outcome = append(log, buildBatch(records, options))
    this.settle()
    assert.equal(outcome.told, 0)
    return outcome.baseOffset
  }

  endTransaction(log: PartitionLog, producerId: number, type: 0 | 1, producerEpoch = 0): void {
    const fields = { producerId, producerEpoch, coordinatorEpoch: 0 }
    append(log, buildEndTxnMarker({ ...fields, type, timestamp: this.clock.nowMs() }))
    this.settle()
  }

  /** What a reader of committed records sees: `offset:key=value`. */
  recordsOf(log: PartitionLog): string[] {
    const found: string[] = []
    for (let offset = log.logStartOffset; offset < log.lastStableOffset; ) {
      const request = {
        offset,
        endOffset: log.lastStableOffset,
        includeAborted: true,
        maxBytes: 400,
      }
      const before = offset
      const slice = readSlice(this, log, request)
      offset = collect(slice.pieces, slice.abortedTransactions ?? [], found, offset)
      slice.release()
      if (offset === before) break
    }
    return found
  }

  /** The newest value of each key. */
  table(log: PartitionLog): Record<string, string> {
    const table: Record<string, string> = {}
    for (const record of this.recordsOf(log)) {
      const [key, value] = record.slice(record.indexOf(':') + 1).split('=') as [string, string?]
      if (value === undefined) delete table[key]
      else table[key] = value
    }
    return table
  }

  fileNames(): string[] {
    return this.fs.list('/data/t-0')
  }
}

/** As a client does it: aborted transactions are left out from their first offset to their marker. */
function collect(
  pieces: readonly Buffer[],
  aborted: readonly { readonly producerId: number; readonly firstOffset: number }[],
  found: string[],
  fromOffset: number,
): number {
  let nextOffset = fromOffset
  const pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength; at += sizeInBytesOf(piece, at)) {
      nextOffset = scan(piece, at, pending, open, found, fromOffset)
    }
  }
  return nextOffset
}

function scan(
  piece: Buffer,
  at: number,
  pending: { readonly producerId: number; readonly firstOffset: number }[],
  open: Set<number>,
  found: string[],
  fromOffset: number,
): number {
  const lastOffset = Number(piece.readBigInt64BE(at)) + piece.readInt32BE(at + 23)
  const producerId = Number(piece.readBigInt64BE(at + 43))
  while (pending[0] !== undefined && pending[0].firstOffset <= lastOffset)
    open.add((pending.shift() as { producerId: number }).producerId)
  if (isControl(piece, at)) {
    const isAbort = [...recordsOf(piece, at)].some(({ key }) => key?.readInt16BE(2) === 0)
    if (isAbort) open.delete(producerId)
  } else if (!((piece.readInt16BE(at + 21) & 0x10) !== 0 && open.has(producerId))) {
    for (const { offset, key, value } of recordsOf(piece, at))
      if (offset >= fromOffset) found.push(`${offset}:${key}${value === null ? '' : `=${value}`}`)
  }
  return lastOffset + 1
}

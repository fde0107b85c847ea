import { StorageError } from '../../base/errors.ts'
import type { FileHandle, FileSystem } from '../../ports/file-system.ts'
import type {
  CleanedSegment,
  CleanRequest,
  Survey,
  SurveyRequest,
} from '../../ports/segment-cleaner.ts'
import { CorruptRecordError } from '../../records/corrupt-record-error.ts'
import { baseOffsetOf, isControl, lastOffsetOf } from '../../records/record-batch.ts'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from '../log-files.ts'
import { BatchScanner } from '../segment/batch-scanner.ts'
import { OffsetIndex } from '../segment/offset-index.ts'
import { type AbortedTransactionEntry, TransactionIndex } from '../segment/transaction-index.ts'
import { type CleanRules, cleanBatch, type LastRecord } from './batch-cleaner.ts'
import { CleanedSegmentWriter } from './cleaned-segment-writer.ts'
import { CleanedTransactions } from './cleaned-transactions.ts'
import { OFFSET_MAP_SLOT_BYTES, OffsetMap } from './offset-map.ts'
import { filterRecords } from './record-filter.ts'
import { groupSegments } from './segment-groups.ts'

/** Work in steps that block for a moment each; a step is the number of bytes it read and wrote. */
export type Steps<T> = Generator<number, T, void>

const SMALLEST_BUFFER_BYTES = 4096

/**
 * One pass over a log: first the keys of its dirty part, then every segment up to there.
 * Source: Cleaner.doClean, Kafka 4.4.
 */
export class CleaningRound {
  readonly #fs: FileSystem
  readonly #request: SurveyRequest
  readonly #map: OffsetMap
  readonly #aborted: readonly AbortedTransactionEntry[]
  /** Along the second walk; a transaction may begin in one group and end in the next. */
  readonly #transactions: CleanedTransactions

  constructor(fs: FileSystem, request: SurveyRequest) {
    this.#fs = fs
    this.#request = request
    this.#map = makeMap(request)
    this.#aborted = this.#loadAborted()
    this.#transactions = new CleanedTransactions(this.#aborted)
  }

  *survey(): Steps<Survey> {
    const { segments, firstDirtyOffset, upperBoundOffset, limits } = this.#request
    const transactions = new CleanedTransactions(this.#aborted)
    const map = this.#map
    // What was cleaned before and has no newer record is the newest of its key.
    map.updateLatestOffset(firstDirtyOffset - 1)
    let isFull = false
    for (const [index, baseOffset] of segments.entries()) {
      const endOffset = segments[index + 1] ?? upperBoundOffset
      if (endOffset <= firstDirtyOffset || isFull) continue
      isFull = yield* this.#mapSegment(baseOffset, transactions)
      // Offsets may end before the next segment begins.
      if (!isFull) map.updateLatestOffset(endOffset - 1)
    }
    const endOffset = map.latestOffset + 1
    const sizes = segments
      .filter((baseOffset) => baseOffset < endOffset)
      .map((baseOffset) => ({
        baseOffset,
        logBytes: this.#sizeOf(baseOffset, LOG_SUFFIX),
        offsetIndexBytes: this.#sizeOf(baseOffset, OFFSET_INDEX_SUFFIX),
        timeIndexBytes: this.#sizeOf(baseOffset, TIME_INDEX_SUFFIX),
      }))
    const groups = groupSegments(sizes, { ...limits, upperBoundOffset })
    return { endOffset, groups, keyCount: map.size }
  }

  *clean(request: CleanRequest): Steps<CleanedSegment> {
    const { directory, limits, upperBoundOffset } = this.#request
    const rules: CleanRules = {
      map: this.#map,
      transactions: this.#transactions,
      lastRecords: lastRecordsOf(request.lastRecords),
      upperBoundOffset,
      nowMs: request.nowMs,
      deleteRetentionMs: request.deleteRetentionMs,
    }
    const baseOffset = request.group[0] as number
    const { indexIntervalBytes } = limits
    const writer = new CleanedSegmentWriter(this.#fs, directory, baseOffset, indexIntervalBytes)
    let isFinished = false
    try {
      let readBytes = 0
      let keylessCount = 0
      for (const source of request.group) {
        const cleaned = yield* this.#cleanSegment(source, rules, writer)
        readBytes += cleaned.readBytes
        keylessCount += cleaned.keylessCount
      }
      writer.finish()
      isFinished = true
      return { readBytes, writtenBytes: writer.sizeBytes, keylessCount }
    } finally {
      // Also when the caller returns in the middle.
      if (!isFinished) writer.abandon()
    }
  }

  /** @returns true when the map is full */
  *#mapSegment(baseOffset: number, transactions: CleanedTransactions): Steps<boolean> {
    const { firstDirtyOffset } = this.#request
    const map = this.#map
    const start = this.#positionOf(baseOffset, firstDirtyOffset)
    const file = this.#open(baseOffset)
    try {
      const scanner = this.#scan(file, start)
      const order = this.#orderOf(baseOffset)
      let reported = start
      while (scanner.next()) {
        const { buffer, at } = scanner
        if (!order.isNext(buffer, at)) break
        if (isControl(buffer, at)) transactions.onControlBatch(buffer, at)
        else if (!transactions.onBatch(buffer, at)) {
          if (!putKeys(map, buffer, at, firstDirtyOffset, file.path)) return true
        }
        const lastOffset = lastOffsetOf(buffer, at)
        if (lastOffset >= firstDirtyOffset) map.updateLatestOffset(lastOffset)
        if (scanner.position - reported < this.#request.limits.ioBufferBytes) continue
        yield scanner.position - reported
        reported = scanner.position
      }
      expectWhole(scanner, order, file.path)
      yield scanner.position - reported
      return false
    } finally {
      file.close()
    }
  }

  *#cleanSegment(
    baseOffset: number,
    rules: CleanRules,
    writer: CleanedSegmentWriter,
  ): Steps<{ readonly readBytes: number; readonly keylessCount: number }> {
    const file = this.#open(baseOffset)
    try {
      const scanner = this.#scan(file, 0)
      const order = this.#orderOf(baseOffset)
      const startBytes = writer.sizeBytes
      const doneBytes = () => scanner.position + writer.sizeBytes - startBytes
      let reported = 0
      let keylessCount = 0
      while (scanner.next()) {
        if (!order.isNext(scanner.buffer, scanner.at)) break
        const cleaned = named(file.path, () => cleanBatch(scanner.buffer, scanner.at, rules))
        keylessCount += cleaned.keylessCount
        if (cleaned.batch !== null) writer.append(cleaned.batch)
        if (cleaned.aborted !== null) writer.appendAborted(cleaned.aborted)
        if (doneBytes() - reported < this.#request.limits.ioBufferBytes) continue
        yield doneBytes() - reported
        reported = doneBytes()
      }
      expectWhole(scanner, order, file.path)
      yield doneBytes() - reported
      return { readBytes: scanner.position, keylessCount }
    } finally {
      file.close()
    }
  }

  #orderOf(baseOffset: number): OffsetOrder {
    const { segments, upperBoundOffset } = this.#request
    const next = segments[segments.indexOf(baseOffset) + 1]
    return new OffsetOrder(baseOffset, next ?? upperBoundOffset)
  }

  #scan(file: FileHandle, start: number): BatchScanner {
    const byteCount = Math.max(this.#request.limits.ioBufferBytes, SMALLEST_BUFFER_BYTES)
    const buffer = Buffer.allocUnsafe(byteCount)
    return new BatchScanner(file, start, file.sizeBytes(), buffer, true)
  }

  /** Aborted transactions with data in the segments; their markers may be behind them. */
  #loadAborted(): AbortedTransactionEntry[] {
    const { segments, later, aborted, upperBoundOffset } = this.#request
    const found: AbortedTransactionEntry[] = []
    for (const baseOffset of [...segments, ...later]) {
      const path = this.#pathOf(baseOffset, TRANSACTION_INDEX_SUFFIX)
      if (this.#fs.stat(path) === undefined) continue
      const index = TransactionIndex.parse(this.#fs.readFile(path))
      // Without it aborted records would look committed, and replace others for good.
      if (index === null) throw new StorageError(`${path} is damaged: restore it`)
      found.push(...index.entries)
      if (index.entries.some((entry) => entry.lastStableOffset >= upperBoundOffset)) break
    }
    return [...found, ...aborted].filter((entry) => entry.firstOffset < upperBoundOffset)
  }

  #positionOf(baseOffset: number, offset: number): number {
    if (offset <= baseOffset) return 0
    const path = this.#pathOf(baseOffset, OFFSET_INDEX_SUFFIX)
    if (this.#fs.stat(path) === undefined) return 0
    const logBytes = this.#sizeOf(baseOffset, LOG_SUFFIX)
    return OffsetIndex.parse(baseOffset, this.#fs.readFile(path), logBytes)?.lookup(offset) ?? 0
  }

  #open(baseOffset: number): FileHandle {
    return this.#fs.open(this.#pathOf(baseOffset, LOG_SUFFIX), 'read')
  }

  #sizeOf(baseOffset: number, suffix: string): number {
    return this.#fs.stat(this.#pathOf(baseOffset, suffix))?.sizeBytes ?? 0
  }

  #pathOf(baseOffset: number, suffix: string): string {
    return `${this.#request.directory}/${offsetFileName(baseOffset, suffix)}`
  }
}

/** As large as it may be, but no larger than the offsets that could go into it. */
function makeMap(request: SurveyRequest): OffsetMap {
  const { dedupeBufferBytes, loadFactor } = request.limits
  const { firstDirtyOffset: firstOffset } = request
  const offsetCount = request.upperBoundOffset - firstOffset + 1
  const slotCount = Math.ceil(offsetCount / loadFactor) + 1
  const bufferBytes = Math.min(dedupeBufferBytes, slotCount * OFFSET_MAP_SLOT_BYTES)
  return new OffsetMap(bufferBytes, loadFactor, request.hashSecret, { firstOffset, offsetCount })
}

function lastRecordsOf(fields: Float64Array): Map<number, LastRecord> {
  const records = new Map<number, LastRecord>()
  for (let at = 0; at < fields.length; at += 3) {
    const [producerId, producerEpoch, lastDataOffset] = fields.subarray(at, at + 3)
    records.set(producerId as number, {
      producerEpoch: producerEpoch as number,
      lastDataOffset: lastDataOffset as number,
    })
  }
  return records
}

/** @returns false when the map is full */
function putKeys(
  map: OffsetMap,
  buffer: Buffer,
  at: number,
  firstDirtyOffset: number,
  path: string,
): boolean {
  let isFull = false
  named(path, () =>
    filterRecords(buffer, at, (bytes, offset, keyStart, keyEnd) => {
      if (keyEnd >= 0 && offset >= firstDirtyOffset && !isFull)
        isFull = !map.put(bytes, keyStart, keyEnd, offset)
      return false
    }),
  )
  return !isFull
}

/** Offsets rise within their segment. The CRC of a batch does not cover its offset. */
class OffsetOrder {
  problem: string | null = null
  #nextOffset: number
  readonly #endOffset: number

  constructor(baseOffset: number, endOffset: number) {
    this.#nextOffset = baseOffset
    this.#endOffset = endOffset
  }

  isNext(buffer: Buffer, at: number): boolean {
    const lastOffset = lastOffsetOf(buffer, at)
    if (baseOffsetOf(buffer, at) < this.#nextOffset || lastOffset >= this.#endOffset)
      this.problem = 'the offset of a batch does not belong there'
    this.#nextOffset = lastOffset + 1
    return this.problem === null
  }
}

function expectWhole(scanner: BatchScanner, order: OffsetOrder, path: string): void {
  const { position } = scanner
  const problem = scanner.problem ?? order.problem
  if (problem !== null)
    throw new StorageError(
      `${path} is damaged at position ${position}, ${problem}: restore it; until then the ` +
        'partition is not compacted',
    )
}

function named<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
    throw new StorageError(`${path} is damaged, ${error.message}`, { cause: error })
  }
}

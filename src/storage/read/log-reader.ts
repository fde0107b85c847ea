import { StorageError } from '../../base/errors.ts'
import type { AbortedTransaction, LogSlice, ReadRequest } from '../../ports/partition-log.ts'
import {
  baseOffsetOf,
  lastOffsetOf,
  MAGIC_V2,
  magicOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../../records/record-batch.ts'
import type { LogContext } from '../log-context.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import type { LogSegments } from '../segment/log-segments.ts'
import { LARGEST_READ_BYTES, type ReadBuffer } from './read-buffers.ts'
import { LogTail, type TailBatch } from './tail-cache.ts'

export type ReadDone = (error: Error | null, slice: LogSlice | null) => void

/** Where sequential readers will go on. */
const HINT_COUNT = 8
/** An index entry is at most so far (and one batch) before the batch that is wanted. */
const SEARCH_SLACK_BYTES = 8192

const NO_PIECES: readonly Buffer[] = []

/** The read side of a log: its end from memory, the rest from files. */
export class LogReader {
  readonly tail = new LogTail()
  readonly #context: LogContext
  readonly #segments: LogSegments
  readonly #hintOffsets = new Float64Array(HINT_COUNT).fill(-1)
  readonly #hintPositions = new Float64Array(HINT_COUNT)
  /** The segments that the positions are in: compaction makes another one of the same offset. */
  readonly #hintSegments = new Array<LogSegment | null>(HINT_COUNT).fill(null)
  #nextHint = 0

  constructor(context: LogContext, segments: LogSegments) {
    this.#context = context
    this.#segments = segments
  }

  /** As `PartitionLog.read`; `request.endOffset` is not above what is written. */
  read(request: ReadRequest, done: ReadDone): LogSlice | null {
    if (request.offset >= request.endOffset) return this.#emptySlice(request)
    const tailOffset = this.tail.firstOffset
    if (tailOffset >= 0 && tailOffset <= request.offset) return this.#readTail(request)
    this.#context.metrics.fileReads.add()
    const read = new FileRead(this.#context, this.#segments, request, (error, slice) => {
      if (slice !== null) this.#remember(read)
      done(error, slice)
    })
    read.start(this.#recall(request.offset))
    return null
  }

  #readTail(request: ReadRequest): LogSlice {
    this.#context.metrics.tailReads.add()
    const batches: TailBatch[] = []
    const pieces: Buffer[] = []
    let byteLength = 0
    let endOffset = request.offset
    for (let at = this.tail.indexOf(request.offset); ; at++) {
      const batch = this.tail.at(at)
      if (batch === undefined || batch.baseOffset >= request.endOffset) break
      const size = batch.buffer.byteLength
      const isForced = byteLength === 0 && request.atLeastOne
      if (byteLength + size > request.maxBytes && !isForced) break
      batch.lease.retain()
      batches.push(batch)
      pieces.push(batch.buffer)
      byteLength += size
      endOffset = batch.lastOffset + 1
    }
    const leases = batches.map(({ lease }) => lease)
    return {
      pieces,
      byteLength,
      abortedTransactions: collectAborted(this.#segments, request, endOffset),
      release() {
        for (const lease of leases) lease.release()
      },
    }
  }

  #emptySlice(request: ReadRequest): LogSlice {
    const abortedTransactions = request.includeAborted ? [] : null
    return { pieces: NO_PIECES, byteLength: 0, abortedTransactions, release() {} }
  }

  #recall(offset: number): number {
    const at = this.#hintOffsets.indexOf(offset)
    if (at < 0) return -1
    if (this.#segments.at(this.#segments.indexOf(offset)) !== this.#hintSegments[at]) return -1
    return this.#hintPositions[at] as number
  }

  #remember(read: FileRead): void {
    const known = this.#hintOffsets.indexOf(read.request.offset)
    const at = known >= 0 ? known : this.#nextHint
    if (known < 0) this.#nextHint = (this.#nextHint + 1) % HINT_COUNT
    this.#hintOffsets[at] = read.nextOffset
    this.#hintPositions[at] = read.nextPosition
    this.#hintSegments[at] = read.segment
  }
}

/** The aborted transactions of the segments from the one with `request.offset` on. */
function collectAborted(
  segments: LogSegments,
  request: ReadRequest,
  endOffset: number,
): readonly AbortedTransaction[] | null {
  if (!request.includeAborted) return null
  const found: AbortedTransaction[] = []
  for (let at = segments.indexOf(request.offset); ; at++) {
    const segment = segments.at(at)
    if (segment === undefined) return found
    if (segments.use(segment).indexes.transactions.collect(request.offset, endOffset, found))
      return found
  }
}

/** One read of files: finds the batch, reads a buffer full, and cuts it at whole batches. */
class FileRead {
  readonly request: ReadRequest
  /** Where a reader that goes on would begin. */
  nextOffset = -1
  nextPosition = -1
  readonly #context: LogContext
  readonly #segments: LogSegments
  readonly #done: ReadDone
  #segment!: LogSegment
  /** Where the segment behind it began when this one was entered, -1: there was none. */
  #nextBaseOffset = -1
  #isReadAgain = false

  constructor(context: LogContext, segments: LogSegments, request: ReadRequest, done: ReadDone) {
    this.#context = context
    this.#segments = segments
    // Callers reuse their request objects.
    this.request = { ...request }
    this.#done = done
  }

  /** Where it ended. */
  get segment(): LogSegment {
    return this.#segment
  }

  /** @param knownPosition of the batch that begins at the offset, -1: unknown */
  start(knownPosition: number): void {
    this.#enterSegment(this.request.offset, knownPosition)
  }

  #enterSegment(offset: number, knownPosition: number): void {
    const index = this.#segments.indexOf(offset)
    const segment = this.#segments.at(index) ?? this.#segments.active
    this.#segment = segment
    this.#nextBaseOffset = this.#segments.at(index + 1)?.baseOffset ?? -1
    this.#segments.use(segment)
    segment.pin()
    try {
      const isKnown = knownPosition >= 0 && knownPosition < segment.sizeBytes
      const position = isKnown ? knownPosition : segment.indexes.offsets.lookup(this.request.offset)
      const slack = isKnown ? 0 : SEARCH_SLACK_BYTES
      const wanted = Math.max(RECORD_BATCH_OVERHEAD, this.request.maxBytes + slack)
      this.#readAt(position, Math.min(wanted, LARGEST_READ_BYTES), false)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  /** @param isExact exactly one batch, which may be larger than any pooled buffer */
  #readAt(position: number, wantedBytes: number, isExact: boolean): void {
    const byteCount = Math.min(wantedBytes, this.#segment.sizeBytes - position)
    if (byteCount <= 0) {
      this.#nextSegment()
      return
    }
    const { readBuffers, readLanes } = this.#context
    const { handle } = this.#segment
    let memory = byteCount <= LARGEST_READ_BYTES ? readBuffers.take(byteCount) : null
    let readBytes = byteCount
    if (memory === null) {
      // Every buffer is in use: this read makes do with what its first batch needs.
      if (!isExact) readBytes = Math.min(byteCount, RECORD_BATCH_OVERHEAD + SEARCH_SLACK_BYTES)
      memory = readBuffers.takeExact(readBytes)
    }
    const lent = memory
    const ended = (error: Error | null, bytesRead: number): void => {
      readLanes.leave()
      if (error === null && bytesRead === readBytes) {
        this.#cut(lent, position, readBytes)
        return
      }
      lent.release()
      this.#fail(error ?? this.#damagedAt(position + bytesRead, 'the file is shorter than it was'))
    }
    readLanes.enter(() => handle.read(lent.buffer, 0, readBytes, position, ended))
  }

  /** Skips what is before the offset, then takes whole batches. */
  #cut(memory: ReadBuffer, position: number, byteCount: number): void {
    const { offset, endOffset, maxBytes, atLeastOne } = this.request
    const { buffer } = memory
    let at = 0
    let start = -1
    let end = 0
    while (byteCount - at >= RECORD_BATCH_OVERHEAD) {
      const size = sizeInBytesOf(buffer, at)
      const problem = this.#problemOf(buffer, at, position + at, size)
      if (problem !== null) {
        memory.release()
        if (this.#isReadAgain) this.#fail(problem)
        else this.#readAgain(position, byteCount)
        return
      }
      if (lastOffsetOf(buffer, at) < offset) {
        at += size
        continue
      }
      if (baseOffsetOf(buffer, at) >= endOffset) {
        this.#finishSlice(memory, start, end, position)
        return
      }
      if (start < 0) start = at
      const isFirst = at === start
      const isWhole = at + size <= byteCount
      if (at + size - start > maxBytes && !(isFirst && atLeastOne)) break
      if (!isWhole) {
        if (!isFirst) break
        memory.release()
        this.#readAt(position + at, size, true)
        return
      }
      at += size
      end = at
      this.nextOffset = lastOffsetOf(buffer, start === -1 ? 0 : at - size) + 1
      this.nextPosition = position + at
    }
    this.#afterBatches(memory, start, end, position, at)
  }

  /** A flipped bit may be one of the disk or its cable, which is not there the next time. */
  #readAgain(position: number, byteCount: number): void {
    this.#isReadAgain = true
    this.#readAt(position, byteCount, byteCount > LARGEST_READ_BYTES)
  }

  #afterBatches(memory: ReadBuffer, start: number, end: number, position: number, at: number) {
    if (start >= 0) {
      this.#finishSlice(memory, start, end, position)
      return
    }
    // Nothing but older batches: go on behind them.
    memory.release()
    const wanted = Math.max(RECORD_BATCH_OVERHEAD, this.request.maxBytes) + SEARCH_SLACK_BYTES
    this.#readAt(position + at, Math.min(wanted, LARGEST_READ_BYTES), false)
  }

  #problemOf(buffer: Buffer, at: number, position: number, size: number): StorageError | null {
    const isBatch =
      size >= RECORD_BATCH_OVERHEAD &&
      position + size <= this.#segment.sizeBytes &&
      magicOf(buffer, at) === MAGIC_V2
    return isBatch ? null : this.#damagedAt(position, 'no record batch is there')
  }

  #damagedAt(position: number, problem: string): StorageError {
    return new StorageError(
      `${this.#segment.handle.path} is damaged at position ${position}, ${problem}: ` +
        'restore it, or stop, remove .kafka_cleanshutdown and start: recovery cuts the file there',
    )
  }

  #nextSegment(): void {
    this.#segment.unpin()
    // Retention and compaction change the list while a read waits for the disk.
    if (this.#nextBaseOffset < 0) this.#finish(NO_PIECES, 0, null)
    else this.#enterSegment(this.#nextBaseOffset, -1)
  }

  #finishSlice(memory: ReadBuffer, start: number, end: number, position: number): void {
    const byteLength = Math.max(0, end - Math.max(0, start))
    if (byteLength === 0) {
      memory.release()
      this.nextOffset = this.request.offset
      this.nextPosition = position + Math.max(0, start)
      this.#unpinThenFinish(NO_PIECES, 0, null)
      return
    }
    this.#unpinThenFinish([memory.buffer.subarray(start, end)], byteLength, memory)
  }

  #unpinThenFinish(pieces: readonly Buffer[], byteLength: number, memory: ReadBuffer | null) {
    this.#segment.unpin()
    this.#finish(pieces, byteLength, memory)
  }

  #finish(pieces: readonly Buffer[], byteLength: number, memory: ReadBuffer | null): void {
    let abortedTransactions: readonly AbortedTransaction[] | null
    try {
      const endOffset = this.nextOffset < 0 ? this.request.endOffset : this.nextOffset
      abortedTransactions = collectAborted(this.#segments, this.request, endOffset)
    } catch (error) {
      memory?.release()
      this.#done(error as Error, null)
      return
    }
    this.#done(null, {
      pieces,
      byteLength,
      abortedTransactions,
      release() {
        memory?.release()
      },
    })
  }

  #fail(error: Error): void {
    this.#segment.unpin()
    this.#done(error, null)
  }
}

import { ErrorCode } from '../../../base/error-code.ts'
import { StorageError } from '../../../base/errors.ts'
import { UNPOOLED } from '../../../base/lease.ts'
import type { ListNode } from '../../../base/linked-list.ts'
import type { AppendWaiter, LogSlice } from '../../../ports/partition-log.ts'
import { buildBatch, emptyBatch } from '../../../records/batch-builder.ts'
import { isControl, lastOffsetOf } from '../../../records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../records/records-iterator.ts'
import type { Partition, PartitionWatcher } from '../../topics/partition.ts'
import { AbortedRecords } from './aborted-records.ts'
import { publishFactsOf } from './publish-facts.ts'
import { type NewMessage, type RecordMapping, recordOf, sizeOf } from './record-mapping.ts'
import type { StateMessage } from './stream-state.ts'

/** Told of what is in the log, in order, once it is durable. */
export interface StreamLogListener {
  message(message: StateMessage): void
  /** No message has the sequence. */
  skipped(sequence: number): void
  /** All up to here was told; the log begins with `firstSequence`. */
  advanced(firstSequence: number): void
}

/** Messages of one append, until their turn in the log comes. */
interface OwnBatch {
  readonly firstSequence: number
  readonly messages: readonly StateMessage[]
  readonly done: (errorCode: ErrorCode) => void
}

const READ_BYTES = 1024 * 1024

/** Sequences that one batch without records stands for, at most. */
const MAX_SKIPPED = 2 ** 30

/** Decompressed size of one batch that a client may have written. */
const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

/**
 * A stream's log: appends messages, and follows what comes into the partition, whoever wrote it. Records
 * of aborted transactions and markers are sequences without a message.
 */
export class StreamLog implements AppendWaiter {
  readonly partition: Partition
  readonly #mapping: RecordMapping
  readonly #listener: StreamLogListener
  /** Appended, and not followed yet. */
  #own: OwnBatch[] = []
  readonly #waiting = new Map<number, OwnBatch>()
  #nextSlot = 0
  /** The next offset to follow. */
  #offset: number
  #startOffset: number
  #isReading = false
  #watch: ListNode<PartitionWatcher> | null = null
  #isClosed = false
  #whenIdle: (() => void)[] = []
  /** The stream can't go on: its log can't be read. */
  failure: Error | null = null

  constructor(partition: Partition, mapping: RecordMapping, listener: StreamLogListener) {
    this.partition = partition
    this.#mapping = mapping
    this.#listener = listener
    this.#startOffset = partition.log.logStartOffset
    this.#offset = this.#startOffset
  }

  /** The sequence that the next message gets. */
  get nextSequence(): number {
    return this.#mapping.sequenceOf(this.partition.log.logEndOffset)
  }

  /** Follows what is there; resolves once it did, and goes on with what comes. */
  start(): Promise<void> {
    this.#watch = this.partition.watch(this)
    return new Promise((resolve, reject) => {
      this.#whenIdle.push(() => (this.failure === null ? resolve() : reject(this.failure)))
      this.#follow()
    })
  }

  close(): void {
    this.#isClosed = true
    if (this.#watch !== null) this.partition.unwatch(this.#watch)
  }

  /**
   * Appends messages as one batch.
   * @param done told once when they are durable or failed; not when the returned code is an error
   */
  append(
    messages: readonly NewMessage[],
    nowMs: number,
    done: (errorCode: ErrorCode) => void,
  ): ErrorCode {
    const firstSequence = this.nextSequence
    const batch = buildBatch(
      messages.map((message) => recordOf(message, message.timestampMs ?? nowMs)),
      messages[0]?.timestampMs === undefined ? { logAppendTime: nowMs } : {},
    )
    const own: OwnBatch = {
      firstSequence,
      done,
      messages: messages.map((message, index) => ({
        sequence: firstSequence + index,
        subject: message.subject,
        size: sizeOf(message),
        timestampMs: message.timestampMs ?? nowMs,
        facts: publishFactsOf(message.headers),
      })),
    }
    const slot = this.#nextSlot++
    this.#waiting.set(slot, own)
    this.#own.push(own)
    const { errorCode } = this.partition.appendOwn(batch, UNPOOLED, this, slot)
    if (errorCode === ErrorCode.NONE) return errorCode
    this.#waiting.delete(slot)
    this.#own = this.#own.filter((one) => one !== own)
    return errorCode
  }

  /** Gives up sequences before the next one, so that this is the next; whether the log took that. */
  skipTo(sequence: number): boolean {
    while (this.nextSequence < sequence) {
      const count = Math.min(sequence - this.nextSequence, MAX_SKIPPED)
      const slot = this.#nextSlot++
      const { errorCode } = this.partition.appendOwn(emptyBatch(count), UNPOOLED, this, slot)
      if (errorCode !== ErrorCode.NONE) return false
    }
    return true
  }

  appendDone(slot: number, errorCode: ErrorCode): void {
    const own = this.#waiting.get(slot)
    if (own === undefined) return
    this.#waiting.delete(slot)
    if (errorCode === ErrorCode.NONE) this.#follow()
    else this.#own = this.#own.filter((one) => one !== own)
    own.done(errorCode)
  }

  partitionAdvanced(): void {
    this.#follow()
  }

  #follow(): void {
    if (this.#isReading || this.#isClosed || this.failure !== null) return
    const { log, availability } = this.partition
    if (availability === ErrorCode.NONE) {
      if (log.logStartOffset > this.#startOffset) this.#startMoved(log.logStartOffset)
      while (this.#offset < log.lastStableOffset) {
        if (this.#followOwn(log.lastStableOffset)) continue
        if (!this.#readOn()) return
      }
    }
    this.#listener.advanced(this.#mapping.sequenceOf(this.#startOffset))
    const whenIdle = this.#whenIdle
    this.#whenIdle = []
    for (const tell of whenIdle) tell()
  }

  #startMoved(offset: number): void {
    this.#startOffset = offset
    while (this.#offset < offset) {
      const [own] = this.#own
      if (own !== undefined && this.#mapping.offsetOf(own.firstSequence) < offset) this.#own.shift()
      else this.#offset = offset
    }
  }

  /** What this log appended is known without reading. */
  #followOwn(endOffset: number): boolean {
    const [own] = this.#own
    if (own === undefined || this.#mapping.offsetOf(own.firstSequence) !== this.#offset)
      return false
    if (this.#offset + own.messages.length > endOffset) return false
    this.#own.shift()
    this.#offset += own.messages.length
    for (const message of own.messages) this.#listener.message(message)
    return true
  }

  /** @returns whether it can go on at once */
  #readOn(): boolean {
    const { log } = this.partition
    const [own] = this.#own
    const ownOffset =
      own === undefined ? Number.POSITIVE_INFINITY : this.#mapping.offsetOf(own.firstSequence)
    const request = {
      offset: this.#offset,
      endOffset: Math.min(log.lastStableOffset, ownOffset),
      maxBytes: READ_BYTES,
      atLeastOne: true,
      includeAborted: true,
    }
    if (request.offset >= request.endOffset) {
      this.#fail(new StorageError(`nothing can be read at offset ${this.#offset}`))
      return false
    }
    this.#isReading = true
    const slice = log.read(request, (error, later) => {
      this.#isReading = false
      if (error !== null) this.#fail(error)
      else if (later !== null && this.#take(later)) this.#follow()
    })
    if (slice === null) return false
    this.#isReading = false
    return this.#take(slice)
  }

  #take(slice: LogSlice): boolean {
    const before = this.#offset
    try {
      const bytes = wholeOf(slice)
      const aborted = new AbortedRecords(slice.abortedTransactions ?? [])
      for (const position of batchPositions(bytes)) this.#takeBatch(bytes, position, aborted)
      if (this.#offset > before) return true
      this.#fail(new StorageError(`no batch can be read at offset ${before}`))
    } catch (error) {
      this.#fail(error as Error)
    } finally {
      slice.release()
    }
    return false
  }

  #takeBatch(bytes: Buffer, position: number, aborted: AbortedRecords): void {
    const last = lastOffsetOf(bytes, position)
    const isAborted = aborted.has(bytes, position)
    if (!isAborted && !isControl(bytes, position)) {
      for (const record of recordsOf(bytes, position, MAX_DECOMPRESSED_BYTES)) {
        if (record.offset < this.#offset) continue
        this.#skipTo(record.offset)
        this.#offset = record.offset + 1
        this.#listener.message(this.#mapping.stateMessageOf(record))
      }
    }
    this.#skipTo(last + 1)
  }

  #skipTo(offset: number): void {
    if (offset <= this.#offset) return
    this.#offset = offset
    this.#listener.skipped(this.#mapping.sequenceOf(offset - 1))
  }

  #fail(error: Error): void {
    this.failure = error
    const whenIdle = this.#whenIdle
    this.#whenIdle = []
    for (const tell of whenIdle) tell()
  }
}

export function wholeOf({ pieces }: LogSlice): Buffer {
  const [first] = pieces
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces)
}

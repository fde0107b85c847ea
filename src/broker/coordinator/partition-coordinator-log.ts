import { ErrorCode } from '../../base/error-code.ts'
import { StorageError } from '../../base/errors.ts'
import { UNPOOLED } from '../../base/lease.ts'
import type { AppendWaiter, LogSlice } from '../../ports/partition-log.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import {
  buildEndTxnMarker,
  ControlRecordType,
  controlRecordTypeOf,
  type EndTxnMarker,
} from '../../records/control-batch.ts'
import {
  isControl,
  isTransactional,
  lastOffsetOf,
  producerIdOf,
} from '../../records/record-batch.ts'
import { areBatchesIntact, batchPositions, recordsOf } from '../../records/records-iterator.ts'
import type { Partition, TransactionStanding } from '../topics/partition.ts'
import type {
  CoordinatorLog,
  CoordinatorReplay,
  EncodedRecord,
  RecordProducer,
} from './coordinator-log.ts'

/** Bytes read at once while loading. Source: offsets.load.buffer.size */
const LOAD_BYTES = 5 * 1024 * 1024
/** A disk or its cable flips a bit now and then. */
const MAX_READS = 3
/** Decompressed size of one batch that Kafka or we wrote; group metadata can be large. */
const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

/** The coordinator's view of a partition that this broker leads. */
export class PartitionCoordinatorLog implements CoordinatorLog, AppendWaiter {
  readonly #partition: Partition
  readonly #waiting = new Map<number, (errorCode: ErrorCode) => void>()
  #nextSlot = 0

  constructor(partition: Partition) {
    this.#partition = partition
  }

  get isUsable(): boolean {
    return this.#partition.availability === ErrorCode.NONE
  }

  append(
    records: readonly EncodedRecord[],
    producer: RecordProducer | null,
    nowMs: number,
    done: (errorCode: ErrorCode) => void,
  ): ErrorCode {
    const batch = buildBatch(
      records.map(({ key, value }) => ({ timestamp: nowMs, key, value })),
      // Kafka's coordinators give sequence 0 to all their batches too.
      producer === null ? {} : { ...producer, baseSequence: 0, isTransactional: true },
    )
    return this.#append(batch, done)
  }

  appendMarker(marker: EndTxnMarker, done: (errorCode: ErrorCode) => void): ErrorCode {
    return this.#append(buildEndTxnMarker(marker), done)
  }

  standingOf(producer: RecordProducer): TransactionStanding {
    return this.#partition.standingOf(producer.producerId, producer.producerEpoch)
  }

  checkMarker(marker: EndTxnMarker): ErrorCode {
    return this.#partition.checkMarker(marker)
  }

  #append(batch: Buffer, done: (errorCode: ErrorCode) => void): ErrorCode {
    const slot = this.#nextSlot++
    this.#waiting.set(slot, done)
    const { errorCode } = this.#partition.appendOwn(batch, UNPOOLED, this, slot)
    if (errorCode !== ErrorCode.NONE) this.#waiting.delete(slot)
    return errorCode
  }

  appendDone(slot: number, errorCode: ErrorCode): void {
    const done = this.#waiting.get(slot)
    this.#waiting.delete(slot)
    done?.(errorCode)
  }

  replay(replay: CoordinatorReplay, done: (error: Error | null) => void): void {
    new LogReplay(this.#partition, replay, done).start()
  }
}

/** One pass over the log. What is in memory is read in a loop, the rest with a callback. */
class LogReplay {
  readonly #partition: Partition
  readonly #replay: CoordinatorReplay
  readonly #done: (error: Error | null) => void
  readonly #endOffset: number
  #offset: number
  /** Times that the same bytes were read, as they were damaged. */
  #readCount = 0

  constructor(
    partition: Partition,
    replay: CoordinatorReplay,
    done: (error: Error | null) => void,
  ) {
    this.#partition = partition
    this.#replay = replay
    this.#done = done
    this.#offset = partition.log.logStartOffset
    this.#endOffset = partition.log.logEndOffset
  }

  start(): void {
    this.#readOn()
  }

  #readOn(): void {
    while (this.#offset < this.#endOffset) {
      const request = {
        offset: this.#offset,
        endOffset: this.#endOffset,
        maxBytes: LOAD_BYTES,
        atLeastOne: true,
        includeAborted: false,
      }
      const slice = this.#partition.log.read(request, (error, later) => {
        if (error !== null) return this.#done(error)
        if (later !== null && this.#take(later)) this.#readOn()
      })
      if (slice === null) return
      if (!this.#take(slice)) return
    }
    this.#done(null)
  }

  /** @returns false when the replay ended with an error, which was told */
  #take(slice: LogSlice): boolean {
    const before = this.#offset
    try {
      const [first] = slice.pieces
      const bytes =
        slice.pieces.length === 1 && first !== undefined ? first : Buffer.concat(slice.pieces)
      if (!areBatchesIntact(bytes)) {
        if (++this.#readCount < MAX_READS) return true
        throw new StorageError(`the log is damaged behind offset ${before}`)
      }
      this.#readCount = 0
      for (const position of batchPositions(bytes)) this.#replayBatch(bytes, position)
    } catch (error) {
      this.#done(error as Error)
      return false
    } finally {
      slice.release()
    }
    if (this.#offset > before) return true
    this.#done(new StorageError(`no batch can be read at offset ${before}`))
    return false
  }

  #replayBatch(bytes: Buffer, position: number): void {
    const producerId = isTransactional(bytes, position) ? producerIdOf(bytes, position) : -1
    const isMarker = isControl(bytes, position)
    for (const record of recordsOf(bytes, position, MAX_DECOMPRESSED_BYTES)) {
      if (isMarker) this.#replayMarker(producerId, record.key)
      else if (record.key !== null) {
        this.#replay.record(record.key, record.value, record.offset, producerId)
      }
    }
    this.#offset = lastOffsetOf(bytes, position) + 1
  }

  #replayMarker(producerId: number, key: Buffer | null): void {
    const type = controlRecordTypeOf(key)
    if (type !== ControlRecordType.COMMIT && type !== ControlRecordType.ABORT) return
    this.#replay.transactionEnded(producerId, type === ControlRecordType.COMMIT)
  }
}

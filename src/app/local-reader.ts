import { ErrorCode } from '../base/error-code.ts'
import { BrokerError } from '../base/errors.ts'
import type { Partition, PartitionWatcher } from '../broker/topics/partition.ts'
import type { LogSlice } from '../ports/partition-log.ts'
import { isControl, lastOffsetOf } from '../records/record-batch.ts'
import { batchPositions, type LogRecord, recordsOf } from '../records/records-iterator.ts'

/** Bytes read at a time; one batch may be larger. */
const READ_BYTES = 1024 * 1024

/** Reads the committed records of one partition, in order, without a connection. */
export class LocalReader {
  readonly partition: Partition
  /** The next offset to be read. */
  offset: number

  constructor(partition: Partition, offset: number) {
    this.partition = partition
    this.offset = offset
  }

  get hasMore(): boolean {
    return this.offset < this.partition.log.lastStableOffset
  }

  /**
   * The next records, at least one batch; none when there are no more yet.
   * @throws BrokerError when the partition is gone or can't be read
   */
  async read(): Promise<LogRecord[]> {
    const { partition } = this
    if (partition.availability !== ErrorCode.NONE) throw new BrokerError(partition.availability)
    this.offset = Math.max(this.offset, partition.log.logStartOffset)
    if (!this.hasMore) return []
    const slice = await this.#slice()
    try {
      return this.#recordsOf(copyOf(slice))
    } finally {
      slice.release()
    }
  }

  #slice(): Promise<LogSlice> {
    const { log } = this.partition
    const request = {
      offset: this.offset,
      endOffset: log.lastStableOffset,
      maxBytes: READ_BYTES,
      atLeastOne: true,
      includeAborted: false,
    }
    return new Promise((resolve, reject) => {
      const now = log.read(request, (error, slice) => {
        if (slice !== null) resolve(slice)
        else reject(error ?? new BrokerError(ErrorCode.KAFKA_STORAGE_ERROR))
      })
      if (now !== null) resolve(now)
    })
  }

  #recordsOf(batches: Buffer): LogRecord[] {
    const records: LogRecord[] = []
    for (const position of batchPositions(batches)) {
      const next = lastOffsetOf(batches, position) + 1
      if (!isControl(batches, position)) {
        for (const record of recordsOf(batches, position)) {
          if (record.offset >= this.offset) records.push(record)
        }
      }
      this.offset = next
    }
    return records
  }
}

/** Records outlive the slice, so they get memory of their own. */
function copyOf({ pieces, byteLength }: LogSlice): Buffer {
  const copy = Buffer.allocUnsafe(byteLength)
  let at = 0
  for (const piece of pieces) at += piece.copy(copy, at)
  return copy
}

/** Resolves when one of the partitions has more or is gone, or when `signal` is aborted. */
export function whenAdvanced(partitions: readonly Partition[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const watcher: PartitionWatcher = { partitionAdvanced: () => done() }
    const done = (): void => {
      for (const partition of partitions) partition.unwatch(watcher)
      signal.removeEventListener('abort', done)
      resolve()
    }
    for (const partition of partitions) partition.watch(watcher)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

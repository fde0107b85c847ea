import { ErrorCode } from '../base/error-code.ts'
import { BrokerError } from '../base/errors.ts'
import { UNPOOLED } from '../base/lease.ts'
import type { Partition } from '../broker/topics/partition.ts'
import type { Topic } from '../broker/topics/topic.ts'
import { buildBatch, type NewRecord } from '../records/batch-builder.ts'
import { RECORD_BATCH_OVERHEAD } from '../records/record-batch.ts'
import { partitionForRecordKey } from './embedded-partitioner.ts'
import {
  maxSizeOf,
  type ProducedRecord,
  type RecordInput,
  toNewRecord,
} from './embedded-records.ts'

/** The rules of this version of Produce hold: the newest that names topics. */
const API_VERSION = 12

/** Records of one partition that go into one batch. */
interface PendingBatch {
  readonly partition: Partition
  readonly records: NewRecord[]
  /** Places of the records in what the caller gave. */
  readonly indexes: number[]
  maxBytes: number
}

/** Appends records without any connection; what it answers is as safe as acks=all. */
export class EmbeddedProducer {
  #nextPartition = 0

  /**
   * Appends the records, in their order within each partition.
   * @throws BrokerError UNKNOWN_TOPIC_OR_PARTITION, or why a batch was refused; then records of
   *   other batches may be in the log
   */
  async produce(
    topic: Topic,
    records: readonly RecordInput[],
    nowMs: number,
  ): Promise<ProducedRecord[]> {
    if (topic.isInternal) {
      throw new BrokerError(
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        `only the broker itself writes to ${topic.name}`,
      )
    }
    const batches = this.#batchesOf(topic, records, nowMs)
    const produced: ProducedRecord[] = new Array(records.length)
    const outcomes = await Promise.allSettled(
      batches.map(async (batch) => {
        const baseOffset = await append(batch, nowMs)
        for (const [place, index] of batch.indexes.entries()) {
          const { partition } = batch.partition
          produced[index] = { topic: topic.name, partition, offset: baseOffset + place }
        }
      }),
    )
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    return produced
  }

  /** Splits by partition, and where a batch would pass `max.message.bytes`. */
  #batchesOf(topic: Topic, records: readonly RecordInput[], nowMs: number): PendingBatch[] {
    const open = new Map<Partition, PendingBatch>()
    const batches: PendingBatch[] = []
    for (const [index, input] of records.entries()) {
      const record = toNewRecord(input, nowMs)
      const partition = this.#partitionOf(topic, input.partition, record.key ?? null)
      const maxBytes = maxSizeOf(record)
      let batch = open.get(partition)
      if (batch === undefined || batch.maxBytes + maxBytes > partition.settings.maxMessageBytes) {
        batch = { partition, records: [], indexes: [], maxBytes: RECORD_BATCH_OVERHEAD }
        open.set(partition, batch)
        batches.push(batch)
      }
      batch.records.push(record)
      batch.indexes.push(index)
      batch.maxBytes += maxBytes
    }
    return batches
  }

  #partitionOf(topic: Topic, wanted: number | undefined, key: Uint8Array | null): Partition {
    const { partitions } = topic
    let index = wanted
    if (index === undefined) {
      if (key === null) index = this.#nextPartition++ % partitions.length
      else index = partitionForRecordKey(key, partitions.length)
    }
    const partition = partitions[index]
    if (partition !== undefined) return partition
    throw new BrokerError(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      `the topic ${topic.name} has ${partitions.length} partition(s), not a partition ${index}`,
    )
  }
}

/** @returns the offset of the first record, once the batch is durable */
function append({ partition, records }: PendingBatch, nowMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let baseOffset = -1
    const waiter = {
      appendDone(_slot: number, errorCode: ErrorCode): void {
        if (errorCode === ErrorCode.NONE) resolve(baseOffset)
        else reject(new BrokerError(errorCode))
      },
    }
    const result = partition.append({
      records: buildBatch(records),
      lease: UNPOOLED,
      safety: 'durable',
      waiter,
      slot: 0,
      apiVersion: API_VERSION,
      nowMs,
    })
    baseOffset = result.baseOffset
    if (result.errorCode === ErrorCode.NONE) return
    const message = result.recordErrors[0]?.message ?? result.errorMessage
    reject(new BrokerError(result.errorCode, message ?? undefined))
  })
}

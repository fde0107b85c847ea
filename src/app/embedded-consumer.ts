import { ErrorCode } from '../base/error-code.ts'
import { BrokerError } from '../base/errors.ts'
import { DelayedFetch } from '../broker/fetch-purgatory/delayed-fetch.ts'
import type { FetchPartition, FetchResult } from '../broker/fetch-purgatory/fetch-params.ts'
import type { Partition } from '../broker/topics/partition.ts'
import type { Topic } from '../broker/topics/topic.ts'
import type { Clock } from '../ports/clock.ts'
import type { Scheduler } from '../ports/scheduler.ts'
import { isControl, lastOffsetOf } from '../records/record-batch.ts'
import { batchPositions, recordsOf } from '../records/records-iterator.ts'
import type { ConsumedRecord } from './embedded-records.ts'

/** Where to begin, and when to end. */
export interface ConsumeOptions {
  /** Only this partition; by default all, also those that are added later. */
  readonly partition?: number
  /** From the oldest record there is; by default only records produced after the call. */
  readonly fromBeginning?: boolean
  /** From this offset; needs `partition`. */
  readonly offset?: number
  /** Ends the loop when it is aborted. */
  readonly signal?: AbortSignal
  /** Ends the loop when no record came for so many milliseconds; by default it waits forever. */
  readonly timeoutMs?: number
}

/** What a consumer needs of the broker around it. */
export interface ConsumerPorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Ends all loops. */
  readonly stopSignal: AbortSignal
}

const FETCH_BYTES = 8 * 1024 * 1024
const PARTITION_BYTES = 1024 * 1024
/** After a wait of this length it looks for new partitions. */
const MAX_WAIT_MS = 1_000

interface Position {
  readonly partition: Partition
  offset: number
}

/** Reads a topic without any connection or group, as read_uncommitted. */
export class EmbeddedConsumer {
  readonly #topic: Topic
  readonly #options: ConsumeOptions
  readonly #ports: ConsumerPorts
  readonly #signal: AbortSignal
  readonly #positions: Position[]

  /** The start is found here, so that what is produced after the call is seen. */
  constructor(topic: Topic, options: ConsumeOptions, ports: ConsumerPorts) {
    const { partition, offset, timeoutMs, signal } = options
    if (offset !== undefined && partition === undefined) {
      throw new TypeError('an offset is one of a partition: give the partition too')
    }
    if (timeoutMs !== undefined && !(timeoutMs >= 0)) {
      throw new RangeError('timeoutMs is a number of milliseconds from 0 on')
    }
    const { stopSignal } = ports
    this.#topic = topic
    this.#options = options
    this.#ports = ports
    this.#signal = signal === undefined ? stopSignal : AbortSignal.any([signal, stopSignal])
    this.#positions = chosenPartitions(topic, partition).map((one) => ({
      partition: one,
      offset: offset ?? (options.fromBeginning ? one.log.logStartOffset : one.log.highWatermark),
    }))
  }

  /**
   * @throws BrokerError OFFSET_OUT_OF_RANGE when the offset is not there (any more),
   *   UNKNOWN_TOPIC_OR_PARTITION once the topic is deleted
   */
  async *records(): AsyncGenerator<ConsumedRecord, void, undefined> {
    const { clock } = this.#ports
    const timeoutMs = this.#options.timeoutMs ?? Number.POSITIVE_INFINITY
    let lastMs = clock.monotonicMs()
    while (!this.#signal.aborted) {
      const leftMs = lastMs + timeoutMs - clock.monotonicMs()
      this.#addNewPartitions()
      const positions = [...this.#positions]
      const results = await this.#fetch(positions, Math.min(MAX_WAIT_MS, Math.max(0, leftMs)))
      if (results === null) return
      let hasRecords = false
      for (const [index, bytes] of takeAll(results).entries()) {
        for (const record of recordsAfter(positions[index] as Position, bytes)) {
          hasRecords = true
          yield record
          if (this.#signal.aborted) return
        }
      }
      if (hasRecords) lastMs = clock.monotonicMs()
      else if (leftMs <= 0) return
      // Another partition comes first next time, so that none is starved.
      this.#positions.push(this.#positions.shift() as Position)
    }
  }

  #addNewPartitions(): void {
    if (this.#options.partition !== undefined) return
    for (const partition of this.#topic.partitions.slice(this.#positions.length)) {
      this.#positions.push({ partition, offset: partition.log.logStartOffset })
    }
  }

  /** @returns null when the loop shall end */
  #fetch(positions: readonly Position[], maxWaitMs: number): Promise<FetchResult[] | null> {
    const signal = this.#signal
    return new Promise((resolve) => {
      const finish = (results: FetchResult[] | null): void => {
        signal.removeEventListener('abort', abort)
        resolve(results)
      }
      const partitions = positions.map(toFetchPartition)
      const limits = { minBytes: 1, maxBytes: FETCH_BYTES, maxWaitMs, isReadCommitted: false }
      const fetch = new DelayedFetch({ partitions, ...limits }, finish)
      const abort = (): void => {
        fetch.cancel()
        finish(null)
      }
      signal.addEventListener('abort', abort)
      fetch.start(this.#ports.scheduler)
    })
  }
}

function chosenPartitions(topic: Topic, index: number | undefined): readonly Partition[] {
  if (index === undefined) return topic.partitions
  const partition = topic.partitions[index]
  if (partition !== undefined) return [partition]
  throw new BrokerError(
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    `the topic ${topic.name} has ${topic.partitions.length} partition(s), not a partition ${index}`,
  )
}

const toFetchPartition = ({ partition, offset }: Position): FetchPartition => ({
  partition,
  offset,
  errorCode: ErrorCode.NONE,
  maxBytes: PARTITION_BYTES,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
})

/**
 * Copies the bytes, since the caller keeps records as long as it likes, and gives all slices back
 * before anybody can stop in between.
 */
function takeAll(results: readonly FetchResult[]): Buffer[] {
  const copies = results.map(({ slice }) => {
    const bytes = slice === null ? Buffer.alloc(0) : Buffer.concat(slice.pieces)
    slice?.release()
    return bytes
  })
  for (const { errorCode } of results) {
    if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode)
  }
  return copies
}

/** The records at and after the position, which moves on with them. */
function* recordsAfter(position: Position, bytes: Buffer): Generator<ConsumedRecord> {
  const { topic, partition } = position.partition
  for (const at of batchPositions(bytes)) {
    const nextOffset = lastOffsetOf(bytes, at) + 1
    if (!isControl(bytes, at)) {
      for (const record of recordsOf(bytes, at)) {
        if (record.offset < position.offset) continue
        position.offset = record.offset + 1
        yield { topic, partition, ...record }
      }
    }
    position.offset = Math.max(position.offset, nextOffset)
  }
}

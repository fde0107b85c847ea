import { Consumer, FetchIsolationLevels, findErrorBy, type RecordsBatch } from '@platformatic/kafka'
import { bootstrapBrokersOf, type ClientOptions } from './kafka-client.ts'
import type { RecordOutput } from './record-output.ts'

/** Where reading begins: an offset in each partition, the first or the next record. */
export type StartOffset = number | 'earliest' | 'latest'

const EARLIEST = -2n
const LATEST = -1n
const MAX_WAIT_MS = 500
const MAX_PARTITION_BYTES = 1024 * 1024
const CONTROL_BATCH = 0x20
/** Source: KIP-98, the type in the key of a control record. */
const ABORT_MARKER = 0

/**
 * Reads partitions without a group, so that nothing of this is left on the broker. kafkajs only reads in
 * groups.
 */
export async function consumeDirectly(
  options: ClientOptions,
  topic: string,
  partitions: readonly number[],
  start: StartOffset,
  output: RecordOutput,
): Promise<void> {
  const consumer = new Consumer({
    clientId: 'spool-cli',
    // The library asks for a name; without joining it is not sent anywhere.
    groupId: 'unused',
    bootstrapBrokers: bootstrapBrokersOf(options),
  })
  // Brokers before Kafka 3.1 take names in a fetch, which the library keeps for the topics it tracks.
  consumer.topics.track(topic)
  try {
    const reader = new DirectReader(consumer, topic, output)
    await Promise.race([output.done, reader.read(partitions, start)])
  } finally {
    output.end()
    await consumer.close(true)
  }
}

interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/** Offset of a partition by its number. */
type BoundOf = (partition: number) => bigint

class DirectReader {
  readonly #consumer: Consumer<Buffer, Buffer, Buffer, Buffer>
  readonly #topic: string
  readonly #output: RecordOutput
  /** Next offset of each partition. */
  readonly #offsets = new Map<number, bigint>()

  constructor(
    consumer: Consumer<Buffer, Buffer, Buffer, Buffer>,
    topic: string,
    output: RecordOutput,
  ) {
    this.#consumer = consumer
    this.#topic = topic
    this.#output = output
  }

  /** Reads until the output has enough. */
  async read(partitions: readonly number[], start: StartOffset): Promise<void> {
    const [first, end] = await this.#bounds()
    for (const partition of partitions) {
      const offset = start === 'latest' ? end(partition) : first(partition)
      const wanted = typeof start === 'number' ? BigInt(start) : offset
      this.#offsets.set(partition, clamp(wanted, first(partition), end(partition)))
    }
    this.#output.start()
    const metadata = await this.#consumer.metadata({ topics: [this.#topic] })
    const topic = metadata.topics.get(this.#topic)
    if (topic === undefined) throw new Error(`the topic ${this.#topic} is gone`)
    const leaders = Map.groupBy(
      partitions,
      (partition) => topic.partitions[partition]?.leader ?? -1,
    )
    await Promise.all(
      [...leaders].map(async ([leader, led]) => {
        while (!this.#output.isDone) await this.#fetch(leader, topic.id, led)
      }),
    )
  }

  async #fetch(leader: number, topicId: string, partitions: readonly number[]): Promise<void> {
    const wanted = partitions.map((partition) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: this.#offsets.get(partition) ?? 0n,
      lastFetchedEpoch: -1,
      partitionMaxBytes: MAX_PARTITION_BYTES,
    }))
    try {
      const { responses } = await this.#consumer.fetch({
        node: leader,
        topics: [{ topicId, partitions: wanted }],
        maxWaitTime: MAX_WAIT_MS,
        minBytes: 1,
        isolationLevel: FetchIsolationLevels.READ_COMMITTED,
      })
      for (const { partitions: read } of responses) {
        for (const { partitionIndex, records, abortedTransactions } of read) {
          await this.#takeAll(partitionIndex, records ?? [], abortedTransactions ?? [])
        }
      }
    } catch (error) {
      // Ending closes the connections under a fetch that waits.
      if (this.#output.isDone) return
      if (!(error instanceof Error) || !isOutOfRange(error)) throw error
      await this.#moveIntoRange(partitions)
    }
  }

  /** Prints what is committed; the library leaves in what was aborted when the marker is not there yet. */
  async #takeAll(
    partition: number,
    batches: readonly RecordsBatch[],
    aborted: readonly AbortedTransaction[],
  ): Promise<void> {
    const open = new Set<AbortedTransaction>(aborted)
    for (const batch of batches) {
      const transaction = [...open].find(
        ({ producerId, firstOffset }) =>
          producerId === batch.producerId && firstOffset <= batch.firstOffset,
      )
      if ((batch.attributes & CONTROL_BATCH) !== 0) {
        const isAbort = batch.records[0]?.key?.readInt16BE(2) === ABORT_MARKER
        if (isAbort && transaction !== undefined) open.delete(transaction)
      } else if (transaction === undefined) await this.#takeBatch(partition, batch)
      this.#offsets.set(partition, batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n)
    }
  }

  async #takeBatch(partition: number, batch: RecordsBatch): Promise<void> {
    const next = this.#offsets.get(partition) ?? 0n
    for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta)
      // A fetch begins with the batch that holds the offset, which may hold earlier ones too.
      if (offset < next) continue
      await this.#output.take({
        topic: this.#topic,
        partition,
        offset: Number(offset),
        timestamp: Number(batch.firstTimestamp + timestampDelta),
        key,
        value,
        headers: headers.map(([name, content]) => [name?.toString() ?? '', content]),
      })
      if (this.#output.isDone) return
    }
  }

  /** Retention took the records away before they were read, or the topic was made anew. */
  async #moveIntoRange(partitions: readonly number[]): Promise<void> {
    const [first, end] = await this.#bounds()
    for (const partition of partitions) {
      const offset = this.#offsets.get(partition) ?? 0n
      this.#offsets.set(partition, clamp(offset, first(partition), end(partition)))
    }
  }

  /** First offset and end of each partition. */
  async #bounds(): Promise<[BoundOf, BoundOf]> {
    const list = async (timestamp: bigint): Promise<BoundOf> => {
      const found = await this.#consumer.listOffsets({ topics: [this.#topic], timestamp })
      const offsets = found.get(this.#topic) ?? []
      return (partition) => offsets[partition] ?? 0n
    }
    return [await list(EARLIEST), await list(LATEST)]
  }
}

function isOutOfRange(error: Error): boolean {
  return findErrorBy(error, 'apiId', 'OFFSET_OUT_OF_RANGE') !== null
}

function clamp(offset: bigint, first: bigint, end: bigint): bigint {
  if (offset < first) return first
  return offset > end ? end : offset
}

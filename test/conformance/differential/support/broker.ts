import { buildBatch, type NewRecord } from '../../../../src/records/batch-builder.ts'
import type { Api, Decoded, Encodable } from '../../../../src/wire/kafka/codec.ts'
import { produceApi } from '../../../../src/wire/kafka/messages/00-produce.ts'
import { fetchApi } from '../../../../src/wire/kafka/messages/01-fetch.ts'
import { listOffsetsApi } from '../../../../src/wire/kafka/messages/02-list-offsets.ts'
import { metadataApi } from '../../../../src/wire/kafka/messages/03-metadata.ts'
import { findCoordinatorApi } from '../../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { createTopicsApi } from '../../../../src/wire/kafka/messages/19-create-topics.ts'
import { RawConnection } from './raw-connection.ts'

export interface TopicOptions {
  readonly partitions?: number
  readonly configs?: Readonly<Record<string, string>>
}

export interface FetchOptions {
  readonly version?: number
  readonly partition?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
  readonly isolationLevel?: number
}

type ProducePartition = Decoded<
  typeof produceApi.response
>['responses'][number]['partitionResponses'][number]
type FetchPartition = Decoded<typeof fetchApi.response>['responses'][number]['partitions'][number]

const SETTLE_MS = 20_000

/** Records with the given values, dated now so that Kafka does not roll a segment for them. */
export function recordsOf(...values: readonly string[]): NewRecord[] {
  const timestamp = Date.now()
  return values.map((value) => ({ timestamp, value: Buffer.from(value) }))
}

/** A batch of records with these values. */
export function batchOf(...values: readonly string[]): Buffer {
  return buildBatch(recordsOf(...values))
}

/** Spool says in words why it refuses a batch, and never tells the log start with it. */
export function untold(partition: ProducePartition): ProducePartition {
  const logStartOffset = partition.errorCode === 0 ? partition.logStartOffset : -1
  return { ...partition, errorMessage: null, logStartOffset }
}

/** One broker as a scenario sees it: what a client can ask, and short forms of what many ask. */
export class Broker {
  readonly #bootstrap: string
  readonly #connections: RawConnection[] = []
  #own: RawConnection | undefined

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap
  }

  async connect(): Promise<RawConnection> {
    const connection = await RawConnection.open(this.#bootstrap)
    this.#connections.push(connection)
    return connection
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  /** Asks on the connection that all calls of this scenario share. */
  async call<A extends Api>(
    api: A,
    version: number,
    request: Encodable<A['request']>,
  ): Promise<Decoded<A['response']>> {
    this.#own ??= await this.connect()
    return this.#own.call(api, version, request)
  }

  /** Creates a topic and waits until it has leaders. Returns its id. */
  async createTopic(name: string, options: TopicOptions = {}): Promise<string> {
    const { partitions = 1, configs = {} } = options
    const pairs = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const created = await this.call(createTopicsApi, 7, {
      topics: [
        { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: pairs },
      ],
    })
    const errorCode = created.topics[0]?.errorCode
    if (errorCode !== 0) throw new Error(`cannot create ${name}: error ${errorCode}`)
    return this.topicReady(name)
  }

  /** Waits until the topic has leaders. Returns its id. */
  async topicReady(name: string): Promise<string> {
    return this.until(`topic ${name}`, async () => {
      const answer = await this.call(metadataApi, 12, {
        topics: [{ name }],
        allowAutoTopicCreation: false,
        includeTopicAuthorizedOperations: false,
      })
      const topic = answer.topics[0]
      if (topic?.errorCode !== 0) return undefined
      return (await this.#isLed(name, topic.partitions.length)) ? topic.topicId : undefined
    })
  }

  /** Kafka names the leader of a new partition a moment before that leader serves it. */
  async #isLed(name: string, partitionCount: number): Promise<boolean> {
    const partitions = Array.from({ length: partitionCount }, (_, partitionIndex) => ({
      ...{ partitionIndex, timestamp: -1 },
    }))
    const topics = [{ name, partitions }]
    const answer = await this.call(listOffsetsApi, 5, { replicaId: -1, isolationLevel: 0, topics })
    return answer.topics.every((topic) =>
      topic.partitions.every(({ errorCode }) => errorCode === 0),
    )
  }

  /** Waits until the broker coordinates the group: the first use creates the internal topic. */
  async coordinatorReady(groupId: string): Promise<void> {
    await this.until(`coordinator of ${groupId}`, async () => {
      const answer = await this.call(findCoordinatorApi, 3, { key: groupId, keyType: 0 })
      return answer.errorCode === 0 ? true : undefined
    })
  }

  /** Repeats `look` until it returns something else than undefined. */
  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + SETTLE_MS
    while (performance.now() < end) {
      const found = await look()
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`${what}: not within ${SETTLE_MS} ms`)
  }

  /** Produces to partition 0 and returns the answer for it. */
  async produce(
    topic: string,
    records: Buffer | null,
    options: { version?: number; acks?: number; partition?: number } = {},
  ): Promise<ProducePartition> {
    const { version = 9, acks = -1, partition = 0 } = options
    const answer = await this.call(produceApi, version, {
      acks,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    })
    const found = answer.responses[0]?.partitionResponses[0]
    if (found === undefined) throw new Error('the answer lacks the partition')
    return untold(found)
  }

  /** Fetches one partition without a session and returns the answer for it. */
  async fetch(
    topic: string,
    fetchOffset: number,
    options: FetchOptions = {},
  ): Promise<FetchPartition> {
    const answer = await this.call(fetchApi, options.version ?? 12, {
      maxWaitMs: options.maxWaitMs ?? 100,
      minBytes: options.minBytes ?? 1,
      maxBytes: options.maxBytes ?? 1_000_000,
      isolationLevel: options.isolationLevel ?? 0,
      topics: [
        {
          topic,
          partitions: [
            {
              partition: options.partition ?? 0,
              fetchOffset,
              partitionMaxBytes: options.partitionMaxBytes ?? 1_000_000,
              currentLeaderEpoch: options.currentLeaderEpoch ?? -1,
              lastFetchedEpoch: options.lastFetchedEpoch ?? -1,
            },
          ],
        },
      ],
      forgottenTopicsData: [],
    })
    const found = answer.responses[0]?.partitions[0]
    if (found === undefined) throw new Error('the answer lacks the partition')
    return found
  }
}

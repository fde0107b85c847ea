import { MemoryFileSystem } from '../adapters/memory-file-system.ts'
import { silentLogger } from '../adapters/silent-logger.ts'
import { ErrorCode } from '../base/error-code.ts'
import { BrokerError } from '../base/errors.ts'
import type { Topic } from '../broker/topics/topic.ts'
import type { Outcome } from '../broker/topics/topic-admin.ts'
import type { Logger } from '../ports/logger.ts'
import type { BrokerCore } from './broker-core.ts'
import { loadSettings } from './broker-settings.ts'
import { nodeIdOnDisk } from './data-directory/node-on-disk.ts'
import { type ConsumeOptions, EmbeddedConsumer } from './embedded-consumer.ts'
import { EmbeddedProducer } from './embedded-producer.ts'
import type { ConsumedRecord, ProducedRecord, RecordInput } from './embedded-records.ts'
import { formatAddress } from './listen-address.ts'
import { type RunningBroker, startBroker } from './start-broker.ts'

/** How an embedded broker starts; all of it may be left out. */
export interface BrokerStartOptions {
  /** A directory that keeps the data; by default everything is in memory and gone with `stop`. */
  readonly dataDir?: string
  /** Where Kafka clients connect; 0, the default, takes any free port. */
  readonly port?: number
  /** Where NATS clients connect; 0 takes any free port. By default there is none. */
  readonly natsPort?: number
  /** By default 127.0.0.1. */
  readonly host?: string
  /** Nobody logs in: other hosts than loopback are refused unless this is true. */
  readonly allowAnonymous?: boolean
  /** Broker configs by Kafka's names, such as `num.partitions`. */
  readonly config?: Readonly<Record<string, string>>
  /** By default nothing is logged. */
  readonly logger?: Logger
}

/** What a new topic has besides its name. */
export interface TopicOptions {
  /** By default `num.partitions`, which is 1 unless configured. */
  readonly partitions?: number
  /** Topic configs by Kafka's names, such as `cleanup.policy`. */
  readonly configs?: Readonly<Record<string, string>>
}

const MEMORY_DIRECTORY = '/spool'

/** For a broker in memory, where starting quickly counts more than many groups. */
const MEMORY_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['offsets.topic.num.partitions', '1'],
])

/**
 * A broker in this process. Any Kafka client can use it at `bootstrap`; the methods here need none.
 *
 *     await using broker = await Broker.start()
 *     await broker.createTopic('orders', { partitions: 3 })
 *     await broker.produce('orders', { key: 'a', value: 'first' })
 *     for await (const record of broker.consume('orders', { fromBeginning: true })) ...
 */
export class Broker {
  /** `HOST:PORT` for Kafka clients. */
  readonly bootstrap: string
  /** `nats://HOST:PORT` for NATS clients; null: there is no port for them. */
  readonly natsUrl: string | null
  readonly #running: RunningBroker
  readonly #producer = new EmbeddedProducer()
  readonly #stopping = new AbortController()

  private constructor(running: RunningBroker) {
    this.#running = running
    this.bootstrap = formatAddress(running.kafka)
    this.natsUrl = running.nats === null ? null : `nats://${formatAddress(running.nats)}`
  }

  /**
   * Starts a broker; when it resolves, clients can connect.
   * @throws ConfigError for a config that can't be used, an address or directory that is in use
   * @throws StorageError when the directory can't be read or written
   */
  static async start(options: BrokerStartOptions = {}): Promise<Broker> {
    const { dataDir, host = '127.0.0.1', port = 0, natsPort, logger = silentLogger } = options
    const isInMemory = dataDir === undefined
    const given = Object.entries(options.config ?? {})
    const settings = loadSettings({
      settings: new Map([...(isInMemory ? MEMORY_DEFAULTS : []), ...given]),
      dataDir: dataDir ?? MEMORY_DIRECTORY,
      kafka: formatAddress({ host, port }),
      http: false,
      nats: natsPort === undefined ? false : formatAddress({ host, port: natsPort }),
      ...(isInMemory ? {} : { nodeIdOf: nodeIdOnDisk }),
      allowAnonymous: options.allowAnonymous ?? false,
    })
    const fs = isInMemory ? { fs: new MemoryFileSystem() } : {}
    return new Broker(await startBroker({ settings, logger, ...fs }))
  }

  /**
   * Creates a topic; it can be used when this resolves.
   * @throws BrokerError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS,
   *   INVALID_CONFIG
   */
  async createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const wanted = {
      name,
      partitionCount: options.partitions ?? -1,
      replicationFactor: -1,
      assignments: [],
      configs: Object.entries(options.configs ?? {}).map((entry) => ({
        name: entry[0],
        value: entry[1],
      })),
    }
    throwRefusals(await this.#core.topicAdmin.createTopics([wanted], false))
  }

  /**
   * Deletes a topic with its records.
   * @throws BrokerError UNKNOWN_TOPIC_OR_PARTITION
   */
  async deleteTopic(name: string): Promise<void> {
    throwRefusals(await this.#core.topicAdmin.deleteTopics([{ name, topicId: null }]))
  }

  /**
   * Appends one record, or many: in their order within each partition. Resolves when they are as
   * safe as with acks=all. A topic that is missing is created when `auto.create.topics.enable`.
   * @throws BrokerError UNKNOWN_TOPIC_OR_PARTITION, MESSAGE_TOO_LARGE, INVALID_RECORD,
   *   INVALID_TIMESTAMP; of many records others may be in the log then
   */
  produce(topic: string, record: RecordInput): Promise<ProducedRecord>
  produce(topic: string, records: readonly RecordInput[]): Promise<ProducedRecord[]>
  async produce(
    topic: string,
    input: RecordInput | readonly RecordInput[],
  ): Promise<ProducedRecord | ProducedRecord[]> {
    const found = await this.#topicOrNew(topic)
    const records = isMany(input) ? input : [input]
    const produced = await this.#producer.produce(found, records, this.#core.clock.nowMs())
    return isMany(input) ? produced : (produced[0] as ProducedRecord)
  }

  /**
   * Reads records of a topic, each partition in the order of its offsets, until the loop is left,
   * `signal` is aborted, nothing comes for `timeoutMs`, or the broker stops. No group is involved.
   * @throws BrokerError UNKNOWN_TOPIC_OR_PARTITION now or once the topic is deleted,
   *   OFFSET_OUT_OF_RANGE in the loop
   * @throws TypeError for an `offset` without a `partition`
   */
  consume(topic: string, options: ConsumeOptions = {}): AsyncIterableIterator<ConsumedRecord> {
    const { clock, scheduler } = this.#core
    const stopSignal = this.#stopping.signal
    const ports = { clock, scheduler, stopSignal }
    return new EmbeddedConsumer(this.#topic(topic), options, ports).records()
  }

  /**
   * Deletes all topics and all groups, so that the next test finds an empty broker. Connected
   * clients stay connected; members of groups are told that their group is gone.
   */
  async reset(): Promise<void> {
    const references = [...this.#core.registry.topics].map(({ name }) => ({ name, topicId: null }))
    // The groups are in __consumer_offsets: they go with it, whoever is a member.
    throwRefusals(await this.#core.topicAdmin.deleteTopics(references))
  }

  /** Ends all loops of `consume`, answers what clients asked, and stops. Calling it twice is fine. */
  stop(): Promise<void> {
    this.#stopping.abort()
    return this.#running.stop()
  }

  /** For `await using`: the same as `stop`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #core(): BrokerCore {
    return this.#running.core
  }

  #topic(name: string): Topic {
    const topic = this.#core.registry.topic(name)
    if (topic !== undefined) return topic
    throw new BrokerError(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      `there is no topic ${name}: create it first`,
    )
  }

  async #topicOrNew(name: string): Promise<Topic> {
    const { registry, config } = this.#core
    if (registry.topic(name) === undefined && config.getBoolean('auto.create.topics.enable')) {
      await this.createTopic(name).catch((error: unknown) => {
        // Somebody else was quicker, which is as good.
        const isThere = error instanceof BrokerError && registry.topic(name) !== undefined
        if (!isThere) throw error
      })
    }
    return this.#topic(name)
  }
}

function isMany(input: RecordInput | readonly RecordInput[]): input is readonly RecordInput[] {
  return Array.isArray(input)
}

function throwRefusals(outcomes: readonly Outcome[]): void {
  for (const { errorCode, errorMessage } of outcomes) {
    if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, errorMessage ?? undefined)
  }
}

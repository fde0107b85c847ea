import { ErrorCode } from '../../../../src/base/error-code.ts'
import type { Partition } from '../../../../src/broker/topics/partition.ts'
import {
  Partition as BrokerPartition,
  DEFAULT_PRODUCE_SETTINGS,
  type ProduceSettings,
} from '../../../../src/broker/topics/partition.ts'
import type { PartitionLookup } from '../../../../src/broker/topics/partition-lookup.ts'
import type { AdmissionRequest } from '../../../../src/broker/transactions/transaction-admission.ts'
import type {
  InitProducerIdRequest,
  ProducerIdentityResult,
} from '../../../../src/broker/transactions/transaction-requests.ts'
import { ClusterImage } from '../../../../src/cluster/metadata-image.ts'
import { FetchSessions } from '../../../../src/frontends/kafka/fetch-session.ts'
import type { Endpoint, KafkaHandler } from '../../../../src/frontends/kafka/handler.ts'
import { produceHandler } from '../../../../src/frontends/kafka/handlers/00-produce.ts'
import { fetchHandler } from '../../../../src/frontends/kafka/handlers/01-fetch.ts'
import { listOffsetsHandler } from '../../../../src/frontends/kafka/handlers/02-list-offsets.ts'
import { apiVersionsHandler } from '../../../../src/frontends/kafka/handlers/18-api-versions.ts'
import { deleteRecordsHandler } from '../../../../src/frontends/kafka/handlers/21-delete-records.ts'
import { initProducerIdHandler } from '../../../../src/frontends/kafka/handlers/22-init-producer-id.ts'
import { offsetForLeaderEpochHandler } from '../../../../src/frontends/kafka/handlers/23-offset-for-leader-epoch.ts'
import { KafkaFrontend } from '../../../../src/frontends/kafka/kafka-frontend.ts'
import type { SessionLimits } from '../../../../src/frontends/kafka/session.ts'
import type {
  Connection,
  Listener,
  ListenOptions,
  StreamSession,
  Transport,
} from '../../../../src/ports/transport.ts'
import type { Api } from '../../../../src/wire/kafka/codec.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { MemoryLog } from '../../support/memory-log.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { RecordingMeter } from '../../support/recording-meter.ts'
import { Peer } from './peer.ts'

export const TOPIC = 'orders'
export const TOPIC_ID = 'c3Bvb2wtdG9waWMtaWQwMQ'
export const INTERNAL_TOPIC = '__consumer_offsets'
export const CLUSTER_ID = 'c3Bvb2wtY2x1c3Rlci0wMQ'

/** Small requests share a slab of this size, which stays in use. */
export const SLAB_BYTES = 256 * 1024

const LIMITS: SessionLimits = {
  maxRequestBytes: 100 * 1024 * 1024,
  maxInFlightBytes: 8 * 1024 * 1024,
  maxInFlightCount: 32,
  maxUnsentBytes: 1024 * 1024,
}

export interface TestBrokerOptions {
  readonly limits?: Partial<SessionLimits>
  readonly maxInFlightBytes?: number
  readonly maxSessions?: number
  readonly maxResponseBytes?: number
  readonly advertised?: Endpoint | null
  readonly extraHandlers?: readonly KafkaHandler[]
}

/** Says what the test wants about partitions in transactions, when it wants. */
export class FakeAdmission {
  /** By partition number; 0: admitted. */
  readonly codes = new Map<number, ErrorCode>()
  readonly requests: AdmissionRequest[] = []
  /** Answers wait for `decide`. */
  isSlow = false
  #waiting: (() => void)[] = []

  admit(request: AdmissionRequest, done: (codes: readonly ErrorCode[]) => void): void {
    this.requests.push(request)
    const decide = (): void =>
      done(request.partitions.map(({ partition }) => this.codes.get(partition) ?? ErrorCode.NONE))
    if (this.isSlow) this.#waiting.push(decide)
    else decide()
  }

  decide(): void {
    for (const decide of this.#waiting.splice(0)) decide()
  }
}

/** Hands connections over as the test makes them. */
class FakeTransport implements Transport {
  accept: ((connection: Connection) => StreamSession) | null = null
  isAccepting = true
  readonly peers: Peer[] = []

  async listen(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ): Promise<Listener> {
    this.accept = accept
    const transport = this
    return {
      host: options.host,
      port: options.port,
      get connectionCount() {
        return transport.peers.filter(({ isDestroyed }) => !isDestroyed).length
      },
      async stopAccepting() {
        transport.isAccepting = false
      },
      async close() {
        for (const peer of transport.peers) peer.close()
      },
    }
  }
}

/** Topics that the test made, on logs in memory. */
class Topics implements PartitionLookup {
  readonly #topics = new Map<string, { topicId: string; partitions: Partition[] }>()

  add(topic: string, topicId: string, count: number): void {
    const partitions = Array.from({ length: count }, (_, index) => {
      const partition = new BrokerPartition(topic, topicId, index)
      partition.attach(new MemoryLog(topic, topicId, index, partition))
      return partition
    })
    this.#topics.set(topic, { topicId, partitions })
  }

  remove(topic: string): void {
    const partitions = this.#topics.get(topic)?.partitions ?? []
    this.#topics.delete(topic)
    for (const partition of partitions) partition.gone()
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#topics.get(topic)?.partitions[index]
  }

  partitionById(topicId: string, index: number): Partition | undefined {
    return this.partition(this.topicName(topicId) ?? '', index)
  }

  topicName(topicId: string): string | undefined {
    for (const [name, topic] of this.#topics) if (topic.topicId === topicId) return name
    return undefined
  }

  topicId(topic: string): string | undefined {
    return this.#topics.get(topic)?.topicId
  }
}

/** The front end with the real handlers of the record path, on fakes of all that is outside. */
export class TestBroker {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly meter = new RecordingMeter()
  readonly topics = new Topics()
  readonly image = new ClusterImage(CLUSTER_ID, 1)
  readonly fetchSessions: FetchSessions
  readonly frontend: KafkaFrontend
  nextProducerId: () => Promise<number>
  /** What the coordinator of transactions answers to InitProducerId. */
  identity: ProducerIdentityResult = {
    errorCode: ErrorCode.NONE,
    producerId: 7,
    producerEpoch: 0,
  }
  /** What it was asked. */
  readonly initRequests: InitProducerIdRequest[] = []
  readonly admission = new FakeAdmission()
  readonly #transactions = {
    initProducerId: async (request: InitProducerIdRequest): Promise<ProducerIdentityResult> => {
      this.initRequests.push(request)
      return this.identity
    },
  }
  readonly #transport = new FakeTransport()

  constructor(options: TestBrokerOptions = {}) {
    let producerId = 1000
    this.nextProducerId = async () => producerId++
    this.topics.add(TOPIC, TOPIC_ID, 3)
    this.topics.add(INTERNAL_TOPIC, 'c3Bvb2wtdG9waWMtaWQwMA', 1)
    this.fetchSessions = new FetchSessions(
      { maxSessions: options.maxSessions ?? 10, minEvictionMs: 120_000 },
      this.clock,
      new CountingRandom(),
    )
    this.frontend = new KafkaFrontend({
      transport: this.#transport,
      clock: this.clock,
      scheduler: this.scheduler,
      logger: SILENT,
      meter: this.meter,
      limits: { ...LIMITS, ...options.limits },
      maxInFlightBytes: options.maxInFlightBytes ?? 100 * 1024 * 1024,
      maxKeptBytes: 16 * 1024 * 1024,
      advertised: options.advertised ?? null,
      handlers: (apis) => [...this.#handlers(apis, options), ...(options.extraHandlers ?? [])],
    })
  }

  static async start(options: TestBrokerOptions = {}): Promise<TestBroker> {
    const broker = new TestBroker(options)
    await broker.frontend.listen({
      host: '127.0.0.1',
      port: 9092,
      maxConnections: 1000,
      maxConnectionsPerIp: 1000,
      maxConnectionsPerIpOverrides: new Map(),
      idleTimeoutMs: -1,
    })
    return broker
  }

  get connectionCount(): number {
    return this.meter.read('kafka_connections')
  }

  get inFlightBytes(): number {
    return this.meter.read('kafka_in_flight_bytes')
  }

  get frameBytes(): number {
    return this.meter.read('kafka_frames_bytes')
  }

  get protocolErrorCount(): number {
    return this.meter.count('kafka_protocol_errors_total')
  }

  get isAccepting(): boolean {
    return this.#transport.isAccepting
  }

  connect(): Peer {
    const peer = new Peer()
    const { accept } = this.#transport
    if (accept === null) throw new Error('listen first')
    peer.attach(accept(peer))
    this.#transport.peers.push(peer)
    return peer
  }

  partition(index = 0, topic: string = TOPIC): Partition {
    const partition = this.topics.partition(topic, index)
    if (partition === undefined) throw new Error(`no partition ${topic}-${index}`)
    return partition
  }

  log(index = 0, topic: string = TOPIC): MemoryLog {
    return this.partition(index, topic).log as MemoryLog
  }

  configure(settings: Partial<ProduceSettings>, index = 0): void {
    this.partition(index).configure({ ...DEFAULT_PRODUCE_SETTINGS, ...settings })
  }

  #handlers(apis: () => readonly Api[], options: TestBrokerOptions): KafkaHandler[] {
    const partitions = this.topics
    const isInternalTopic = (topic: string) => topic === INTERNAL_TOPIC
    const metadata = { image: this.image, commit: async () => {}, subscribe() {}, async close() {} }
    return [
      produceHandler({
        partitions,
        clock: this.clock,
        scheduler: this.scheduler,
        isInternalTopic,
        admission: this.admission,
        maxRequestBytes: options.limits?.maxRequestBytes ?? LIMITS.maxRequestBytes,
      }),
      fetchHandler({
        partitions,
        scheduler: this.scheduler,
        sessions: this.fetchSessions,
        maxResponseBytes: () => options.maxResponseBytes ?? 57_671_680,
      }),
      listOffsetsHandler({ partitions }),
      apiVersionsHandler({
        metadata,
        features: [
          { name: 'group.version', minVersion: 0, maxVersion: 1 },
          { name: 'metadata.version', minVersion: 7, maxVersion: 33 },
        ],
        apis,
      }),
      deleteRecordsHandler({ partitions, isInternalTopic }),
      initProducerIdHandler({
        nextProducerId: () => this.nextProducerId(),
        transactions: this.#transactions,
      }),
      offsetForLeaderEpochHandler({ partitions }),
    ]
  }
}

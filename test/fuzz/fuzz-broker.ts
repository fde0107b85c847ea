import { MemoryFileSystem } from '../../src/adapters/memory-file-system.ts'
import { BrokerCore } from '../../src/app/broker-core.ts'
import { kafkaHandlers } from '../../src/app/kafka-handlers.ts'
import { BrokerConfig } from '../../src/broker/configs/broker-config.ts'
import { FetchSessions } from '../../src/frontends/kafka/fetch-session.ts'
import { KafkaFrontend } from '../../src/frontends/kafka/kafka-frontend.ts'
import type { LogFields, Logger } from '../../src/ports/logger.ts'
import type { Connection, Listener, StreamSession } from '../../src/ports/transport.ts'
import type { Api } from '../../src/wire/kafka/codec.ts'
import { Peer } from '../unit/frontends/kafka/peer.ts'
import { ManualScheduler } from '../unit/support/manual-scheduler.ts'
import { FakeClock } from '../unit/support/ports.ts'
import { RecordingMeter } from '../unit/support/recording-meter.ts'
import type { SeededRandom } from './seeded-random.ts'

const MIB = 1024 * 1024
const DATA_DIR = '/data'
const TAIL_CACHE_BYTES = MIB

/** Small requests share slabs of this size; one may be in use and one held by what waits. */
const SLAB_BYTES = 256 * 1024

/** What requests may hold when none is being served: cached tails and the slab. */
const MAX_IDLE_FRAME_BYTES = TAIL_CACHE_BYTES + 2 * SLAB_BYTES

const SETTINGS: ReadonlyMap<string, string> = new Map([
  ['spool.tail.cache.bytes', String(TAIL_CACHE_BYTES)],
  ['group.initial.rebalance.delay.ms', '0'],
  ['log.dirs', DATA_DIR],
])

/** Finds requests that failed in the broker: those are our bugs, whatever the peer sent. */
class FailureLog implements Logger {
  readonly failures: string[] = []

  debug(): void {}
  info(): void {}
  warn(): void {}

  error(text: string, fields: LogFields = {}): void {
    const { api, error } = fields
    const cause = error instanceof Error ? error.stack : JSON.stringify(fields)
    this.failures.push(`${text}: ${String(api)}: ${cause}`)
  }

  child(): Logger {
    return this
  }
}

/** The world that outlives a broker: its disk and the time. */
export class FuzzWorld {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly log = new FailureLog()
  readonly fs: MemoryFileSystem
  readonly random: SeededRandom
  readonly #diskTasks: (() => void)[] = []

  constructor(random: SeededRandom) {
    this.random = random
    this.fs = new MemoryFileSystem({ defer: (task) => void this.#diskTasks.push(task) })
  }

  /** Lets the disk, the end of turns and promises go on until all stands still. */
  async settle(): Promise<void> {
    for (let stillTurns = 0; stillTurns < 2; ) {
      await new Promise((resolve) => setImmediate(resolve))
      this.scheduler.finishTurn()
      const tasks = this.#diskTasks.splice(0)
      for (const task of tasks) task()
      stillTurns = tasks.length === 0 ? stillTurns + 1 : 0
    }
  }

  /** Waits for what needs the disk. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const done = promise.finally(() => {
      isDone = true
    })
    done.catch(() => {})
    while (!isDone) await this.settle()
    return await done
  }
}

/** The whole broker, as `startBroker` makes it, on a disk and connections in memory. */
export class FuzzBroker {
  readonly #world: FuzzWorld
  readonly #core: BrokerCore
  readonly #meter: RecordingMeter
  readonly #peers: Peer[] = []
  #accept: ((connection: Connection) => StreamSession) | null = null
  apis: readonly Api[] = []

  private constructor(world: FuzzWorld, core: BrokerCore, meter: RecordingMeter) {
    this.#world = world
    this.#core = core
    this.#meter = meter
  }

  static async open(world: FuzzWorld): Promise<FuzzBroker> {
    const { clock, scheduler, fs, random, log } = world
    const config = new BrokerConfig(SETTINGS)
    const meter = new RecordingMeter()
    const ports = { clock, scheduler, fs, random, logger: log, meter }
    const opening = BrokerCore.open({ ...ports, config, dataDir: DATA_DIR, nodeId: 1 })
    const broker = new FuzzBroker(world, await world.until(opening), meter)
    await broker.#listen(ports)
    return broker
  }

  async #listen({
    clock,
    scheduler,
    random,
    logger,
    meter,
  }: {
    clock: FakeClock
    scheduler: ManualScheduler
    random: SeededRandom
    logger: Logger
    meter: RecordingMeter
  }): Promise<void> {
    const sessions = new FetchSessions({ maxSessions: 100, minEvictionMs: 1000 }, clock, random)
    const listener: Listener = {
      host: '127.0.0.1',
      port: 9092,
      connectionCount: 0,
      async stopAccepting() {},
      async close() {},
    }
    const frontend = new KafkaFrontend({
      transport: {
        listen: async (_options, accept) => {
          this.#accept = accept
          return listener
        },
      },
      clock,
      scheduler,
      logger,
      meter,
      limits: {
        maxRequestBytes: 100 * MIB,
        maxInFlightBytes: 4 * MIB,
        maxInFlightCount: 64,
        maxUnsentBytes: 64 * 1024,
      },
      maxInFlightBytes: 16 * MIB,
      maxKeptBytes: 4 * MIB,
      advertised: null,
      handlers: (apis) => {
        const logDir = DATA_DIR
        const diskBytes = () => ({ total: -1, usable: -1 })
        const handlers = kafkaHandlers(this.#core, { sessions, apis, logDir, diskBytes })
        this.apis = handlers.map(({ api }) => api)
        return handlers
      },
    })
    await frontend.listen({
      host: '127.0.0.1',
      port: 9092,
      maxConnections: 1000,
      maxConnectionsPerIp: 1000,
      maxConnectionsPerIpOverrides: new Map(),
      idleTimeoutMs: -1,
    })
  }

  get topicIds(): readonly string[] {
    return [...this.#core.registry.topics].map(({ topicId }) => topicId)
  }

  get topicCount(): number {
    return this.#core.registry.topicCount
  }

  connect(): Peer {
    if (this.#accept === null) throw new Error('listen first')
    const peer = new Peer()
    peer.attach(this.#accept(peer))
    this.#peers.push(peer)
    return peer
  }

  /** Closes all connections; @returns what is still held although nobody is there. */
  async leave(): Promise<string | null> {
    for (const peer of this.#peers.splice(0)) peer.close()
    await this.#world.settle()
    const connectionCount = this.#meter.read('kafka_connections')
    const inFlightBytes = this.#meter.read('kafka_in_flight_bytes')
    const frameBytes = this.#meter.read('kafka_frames_bytes')
    const isClean =
      connectionCount === 0 && inFlightBytes === 0 && frameBytes <= MAX_IDLE_FRAME_BYTES
    if (isClean) return null
    return `${connectionCount} connections, ${inFlightBytes} bytes in flight, ${frameBytes} in frames`
  }

  close(): Promise<void> {
    return this.#world.until(this.#core.close())
  }
}

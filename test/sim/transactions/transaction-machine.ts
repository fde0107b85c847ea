import { setImmediate as nextMacrotask } from 'node:timers/promises'
import { MemoryFileSystem } from '../../../src/adapters/memory-file-system.ts'
import { BrokerCore } from '../../../src/app/broker-core.ts'
import { kafkaHandlers } from '../../../src/app/kafka-handlers.ts'
import { UNPOOLED } from '../../../src/base/lease.ts'
import { BrokerConfig } from '../../../src/broker/configs/broker-config.ts'
import { FetchSessions } from '../../../src/frontends/kafka/fetch-session.ts'
import type { Exchange, KafkaHandler } from '../../../src/frontends/kafka/handler.ts'
import {
  type Api,
  type Decoded,
  decoderOf,
  type Encodable,
  encoderOf,
  Reader,
  Writer,
} from '../../../src/wire/kafka/codec.ts'
import { SeededRandom } from '../../fuzz/seeded-random.ts'
import { ManualScheduler } from '../../unit/support/manual-scheduler.ts'
import { FakeClock, SILENT } from '../../unit/support/ports.ts'
import { RecordingMeter } from '../../unit/support/recording-meter.ts'

/** The connection broke: the request may have been served or not. */
export class ConnectionLost extends Error {}

/** How a life of the broker ends: power failure, kill -9, or in order. */
export type Ending = 'power' | 'kill' | 'stop'

export const DATA_TOPIC = 'data'
export const DATA_PARTITION_COUNT = 2

const DATA_DIR = '/data'
const CONFIGS: ReadonlyMap<string, string> = new Map([
  ['log.dirs', DATA_DIR],
  ['offsets.topic.num.partitions', '1'],
  ['transaction.state.log.num.partitions', '2'],
  ['transaction.abort.timed.out.transaction.cleanup.interval.ms', '100'],
])
/** A start or a stop that takes more steps than this never ends. */
const MAX_STEPS = 100_000

/**
 * One broker, its disk and its time, moved step by step: which call of the disk ends next, which
 * client goes on and how much time passes come from the seed.
 */
export class TransactionMachine {
  readonly random: SeededRandom
  readonly clock = new FakeClock()
  readonly #brokerRandom: SeededRandom
  readonly #fs: MemoryFileSystem
  #scheduler = new ManualScheduler(this.clock)
  #handlers: ReadonlyMap<number, KafkaHandler> | null = null
  #core: BrokerCore | null = null
  /** Calls of the disk that have not ended. */
  #pool: (() => void)[] = []
  /** Clients that wait until the seed lets them go on. */
  #paused: (() => void)[] = []
  #pending = new Set<(error: Error) => void>()
  #connectionCount = 0
  /** Operations of the disk until one fails; Infinity: none. */
  #untilFault = Number.POSITIVE_INFINITY
  /** Answers get lost only while faults are wanted. */
  areFaultsOn = true
  readonly #trace: ((line: string) => void) | null

  constructor(seed: number, trace: ((line: string) => void) | null) {
    this.#trace = trace
    this.random = new SeededRandom(seed * 2 + 1)
    this.#brokerRandom = new SeededRandom(seed * 2 + 2)
    this.#fs = new MemoryFileSystem({
      tracksSyncs: true,
      defer: (task) => void this.#pool.push(task),
    })
    this.#fs.makeDirectory(DATA_DIR)
    this.#fs.syncDirectory('/')
    this.#fs.syncDirectory('')
  }

  trace(line: string): void {
    this.#trace?.(line)
  }

  get core(): BrokerCore {
    if (this.#core === null) throw new Error('the broker does not run')
    return this.#core
  }

  async start(): Promise<void> {
    const { clock } = this
    this.#untilFault = Number.POSITIVE_INFINITY
    this.#scheduler = new ManualScheduler(clock)
    const core = await this.until(
      BrokerCore.open({
        ...{ fs: this.#fs, clock, scheduler: this.#scheduler, random: this.#brokerRandom },
        ...{ logger: SILENT, meter: new RecordingMeter(), dataDir: DATA_DIR, nodeId: 1 },
        config: new BrokerConfig(CONFIGS),
      }),
    )
    const sessions = new FetchSessions(
      { maxSessions: 10, minEvictionMs: 1_000 },
      clock,
      this.#brokerRandom,
    )
    const services = { sessions, apis: () => [], logDir: DATA_DIR }
    const handlers = kafkaHandlers(core, {
      ...services,
      diskBytes: () => ({ total: 1, usable: 1 }),
    })
    this.#handlers = new Map(handlers.map((handler) => [handler.api.key, handler]))
    this.#core = core
    if (this.areFaultsOn && this.random.oneIn(4)) this.#untilFault = 50 + this.random.int(600)
    this.#fs.fault = (operation, path) => {
      const isRecords = path.endsWith('.log') && (operation === 'write' || operation === 'sync')
      if (!isRecords || --this.#untilFault !== 0) return undefined
      this.trace(`${operation} of ${path} fails`)
      return { code: 'EIO' }
    }
    this.trace('the broker runs')
  }

  async end(ending: Ending): Promise<void> {
    this.trace(`the broker ends: ${ending}`)
    this.#fs.fault = undefined
    const core = this.#core
    this.#handlers = null
    this.#core = null
    if (ending === 'stop' && core !== null) await this.until(core.close())
    this.#pool = []
    for (const fail of [...this.#pending]) fail(new ConnectionLost('the broker is gone'))
    this.#pending.clear()
    if (ending === 'power') {
      this.#fs.crash((_, synced, written) => synced + this.random.int(written - synced + 1))
    } else this.#fs.kill()
    await this.#settle()
  }

  /** Something happens, and all that follows from it at once. */
  async step(): Promise<void> {
    const chance = this.random.int(10)
    if (chance < 5 && this.#pool.length > 0) this.#takeAny(this.#pool)()
    else if (chance < 8 && this.#paused.length > 0) this.#takeAny(this.#paused)()
    else this.#scheduler.advance(this.random.int(20))
    await this.#settle()
  }

  /** Time passes, and nothing else happens but what is due. */
  async pass(byMs: number): Promise<void> {
    this.#scheduler.advance(byMs)
    await this.#settle()
  }

  /** Steps until a promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = (): void => {
      isSettled = true
    }
    promise.then(settled, settled)
    await this.#settle()
    for (let steps = 0; !isSettled; steps++) {
      if (steps > MAX_STEPS) throw new Error('what was waited for never came')
      await this.step()
    }
    return await promise
  }

  /** A client does nothing for a while. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#paused.push(resolve)
    })
  }

  /**
   * Sends a request on a connection of its own, through the bytes of its version.
   * @throws ConnectionLost when the broker ends before the answer, or the answer gets lost
   */
  async ask<A extends Api>(
    api: A,
    version: number,
    request: Encodable<A['request']>,
  ): Promise<Decoded<A['response']>> {
    await this.pause()
    const handler = this.#handlers?.get(api.key)
    if (handler === undefined) throw new ConnectionLost('nobody listens')
    const sent = new Writer(1024)
    encoderOf(api.request)(version)(sent, request)
    const decoded = decoderOf(api.request)(version)(new Reader(Buffer.concat(sent.finish())))
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      this.#pending.add(reject)
      // Encoded in this turn: records that come from a file are only lent.
      const answer = (response: unknown): void => {
        if (!this.#pending.delete(reject)) return
        const answered = new Writer(1024)
        encoderOf(api.response)(version)(answered, response as Encodable<A['response']>)
        resolve(Buffer.concat(answered.finish().map((piece) => Buffer.from(piece))))
      }
      const exchange = this.#exchange(api.key, version, answer)
      Promise.resolve(handler.handle(decoded, exchange)).then((value) => {
        if (value !== undefined) answer(value)
      }, reject)
    })
    if (this.areFaultsOn && this.random.oneIn(60)) throw new ConnectionLost('the answer got lost')
    return decoderOf(api.response)(version)(new Reader(bytes)) as Decoded<A['response']>
  }

  #exchange(apiKey: number, apiVersion: number, answer: (value: unknown) => void): Exchange {
    const id = ++this.#connectionCount
    return {
      ...{ apiKey, apiVersion, correlationId: 1, clientId: 'sim', lease: UNPOOLED },
      connection: {
        id,
        remoteAddress: '10.0.0.1',
        advertised: { host: 'broker', port: 9092 },
        principal: 'User:ANONYMOUS',
        softwareName: 'unknown',
        softwareVersion: 'unknown',
      },
      isClosed: false,
      respond: (response, sent) => {
        answer(response)
        sent?.()
      },
      respondNothing() {},
      closeConnection() {},
      onClose() {},
    }
  }

  #takeAny(list: (() => void)[]): () => void {
    const [taken] = list.splice(this.random.int(list.length), 1)
    if (taken === undefined) throw new Error('there is nothing to take')
    return taken
  }

  async #settle(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      this.#scheduler.finishTurn()
      await nextMacrotask()
    }
    this.#scheduler.finishTurn()
  }
}

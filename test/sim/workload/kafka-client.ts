import type { BrokerCore } from '../../../src/app/broker-core.ts'
import { kafkaHandlers } from '../../../src/app/kafka-handlers.ts'
import { type Lease, UNPOOLED } from '../../../src/base/lease.ts'
import { FetchSessions } from '../../../src/frontends/kafka/fetch-session.ts'
import type { Exchange, KafkaHandler } from '../../../src/frontends/kafka/handler.ts'
import type { Random } from '../../../src/ports/random.ts'
import type { Api, Decoded, Encodable } from '../../../src/wire/kafka/codec.ts'
import type { Session } from './session.ts'

/** The client closed the connection before the answer came. */
export class HungUp extends Error {}

/** A connection that its client can close while requests are under way. */
export class ClientConnection {
  readonly id: number
  isClosed = false
  readonly #waiting = new Set<() => void>()

  constructor(id: number) {
    this.id = id
  }

  /** @returns what forgets the task again */
  onClose(task: () => void): () => void {
    this.#waiting.add(task)
    return () => this.#waiting.delete(task)
  }

  close(): void {
    this.isClosed = true
    for (const task of this.#waiting) task()
    this.#waiting.clear()
  }
}

/** Of the clients that never hang up. */
const LASTING = new ClientConnection(1)

/** Asks the handlers of one broker, as its sessions do, without the bytes of the protocol. */
export class KafkaClient {
  readonly #handlers = new Map<number, KafkaHandler>()
  readonly #isAlive: () => boolean

  /** @param isAlive false once the process of the broker is gone: then nothing is answered */
  constructor(core: BrokerCore, random: Random, isAlive: () => boolean) {
    const { clock } = core
    const sessions = new FetchSessions({ maxSessions: 10, minEvictionMs: 0 }, clock, random)
    const services = {
      sessions,
      apis: () => [],
      logDir: '/data',
      diskBytes: () => ({ total: -1, usable: -1 }),
    }
    for (const handler of kafkaHandlers(core, services))
      this.#handlers.set(handler.api.key, handler)
    this.#isAlive = isAlive
  }

  /**
   * One request; never settles when the broker dies first.
   * @throws HungUp when the connection is closed before the answer
   */
  ask<A extends Api>(
    api: A,
    apiVersion: number,
    request: Decoded<A['request']>,
    { lease = UNPOOLED, connection = LASTING }: AskOptions = {},
  ): Promise<Encodable<A['response']>> {
    const handler = this.#handlers.get(api.key)
    if (handler === undefined) throw new Error(`nobody serves ${api.name}`)
    return new Promise((resolve, reject) => {
      const forget = connection.onClose(() => reject(new HungUp()))
      const answer = (response: unknown): void => {
        forget()
        if (this.#isAlive()) resolve(response as Encodable<A['response']>)
      }
      const exchange: Exchange = {
        apiKey: api.key,
        apiVersion,
        correlationId: 0,
        clientId: 'sim',
        connection: {
          id: connection.id,
          remoteAddress: '127.0.0.1',
          advertised: { host: '127.0.0.1', port: 9092 },
          principal: 'User:ANONYMOUS',
          softwareName: 'sim',
          softwareVersion: '1',
        },
        lease,
        isClosed: connection.isClosed,
        respond: (response) => answer(response),
        respondNothing: () => answer(null),
        closeConnection: (reason) => reject(new Error(`the connection was closed: ${reason}`)),
        onClose: (task) => void connection.onClose(task),
      }
      const result = handler.handle(request, exchange)
      if (result === undefined) return
      Promise.resolve(result).then(answer, (error: Error) => {
        if (this.#isAlive()) reject(error)
      })
    })
  }
}

interface AskOptions {
  readonly lease?: Lease
  readonly connection?: ClientConnection
}

/** The clients of one run of the broker; what it says after its end nobody hears. */
export function clientOf({ core, machine, random }: Session): KafkaClient {
  return new KafkaClient(
    core,
    random,
    () => machine.isRunning && machine.scheduler === core.scheduler,
  )
}

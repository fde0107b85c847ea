import { randomUUID } from 'node:crypto'
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { ManagedServer } from './managed-server.ts'
import type { Snippets } from './server-config.ts'

/** Fields of the requests that are served; each kind of request uses some of them. */
interface TesterRequest {
  readonly jetstream?: boolean
  readonly description?: string
  readonly snippets?: Snippets
  readonly template?: string
  readonly tls?: object
  readonly trace?: boolean
  readonly tls_timeout?: number
  readonly instance_id?: string
  readonly name?: string
}

interface Instance {
  readonly id: string
  readonly description: string
  readonly created: string
  readonly server: ManagedServer
}

const PREFIX = 'tester.'
const REASON_CHARS = 400

function describeServer({ place: { name, port, ports }, isRunning }: ManagedServer) {
  return { name, cluster: '', port, ports, running: isRunning }
}

function describeInstance({ id, description, server }: Instance) {
  return { id, description, kind: 'server', servers: [describeServer(server)] }
}

function refuse(message: Msg, reason: string): void {
  const told = headers()
  // A value of a header is one line.
  told.set('Nats-Service-Error', reason.replace(/\s+/g, ' ').slice(0, REASON_CHARS))
  told.set('Nats-Service-Error-Code', '500')
  message.respond('', { headers: told })
}

/**
 * Starts servers for the tests of nats.go, which ask for them by NATS. Single servers only: none in
 * clusters, none with certificates that somebody would have to make, none whose traffic is recorded.
 */
export class Tester {
  readonly #program: string
  readonly #instances = new Map<string, Instance>()
  readonly #handlers: Readonly<Record<string, (request: TesterRequest) => Promise<object>>> = {
    'create.server': (request) => this.#create(request),
    destroy: (request) => this.#destroy(request.instance_id ?? ''),
    'stop.server': async (request) => {
      await this.#named(request).stop()
      return { shutdown: true }
    },
    'start.server': async (request) => {
      await this.#named(request).start()
      return { started: true }
    },
    'update.server': async (request) => {
      if (request.template !== undefined || request.tls_timeout !== undefined) {
        throw new Error('this tester knows no templates and makes no certificates')
      }
      await this.#named(request).configure(request.snippets ?? {})
      return { updated: true }
    },
    'reload.server': async (request) => {
      await this.#named(request).reload()
      return { reloaded: true }
    },
    list: async () => ({
      instances: [...this.#instances.values()].map(({ id, description, created }) => {
        return { id, description, created, kind: 'server', servers: 1 }
      }),
    }),
    status: async ({ instance_id: id }) => ({
      instances: [...this.#instances.values()]
        .filter((instance) => id === undefined || id === instance.id)
        .map(describeInstance),
    }),
    reset: async () => {
      await this.close()
      return { shutdown: true }
    },
  }

  /** @param program the executable of the servers */
  constructor(program: string) {
    this.#program = program
  }

  serve(connection: NatsConnection): void {
    connection.subscribe(`${PREFIX}>`, {
      callback: (error, message) => {
        if (error === null) this.#answer(message).catch((why) => refuse(message, String(why)))
      },
    })
  }

  /** Ends all its servers and removes their files. */
  async close(): Promise<void> {
    for (const id of [...this.#instances.keys()]) await this.#destroy(id)
  }

  async #answer(message: Msg): Promise<void> {
    const kind = message.subject.slice(PREFIX.length)
    const handler = this.#handlers[kind]
    if (handler === undefined) return refuse(message, `this tester serves no ${kind}`)
    const request = message.data.length === 0 ? {} : message.json<TesterRequest>()
    message.respond(JSON.stringify(await handler(request)))
  }

  async #create(request: TesterRequest): Promise<object> {
    const { jetstream = false, description = '', snippets = {}, template, tls, trace } = request
    if (template !== undefined || tls !== undefined || trace === true) {
      throw new Error('this tester knows no templates or traces and makes no certificates')
    }
    const server = await ManagedServer.create(this.#program, jetstream, snippets)
    const created = new Date().toISOString()
    const instance = { id: randomUUID(), description, created, server }
    this.#instances.set(instance.id, instance)
    return describeInstance(instance)
  }

  async #destroy(id: string): Promise<object> {
    const instance = this.#instances.get(id)
    this.#instances.delete(id)
    await instance?.server.remove()
    return { destroyed: true }
  }

  #named({ name }: TesterRequest): ManagedServer {
    for (const { server } of this.#instances.values()) {
      if (server.place.name === name) return server
    }
    throw new Error(`there is no server ${name}`)
  }
}

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { freePorts } from '../../support/free-ports.ts'
import { type Snippets, TestedServer } from './tested-server.ts'

const PREFIX = 'tester.'
const MAX_ERROR_LENGTH = 300

/** What a test asks for; each request has some of it. */
interface Request {
  readonly jetstream?: boolean
  readonly snippets?: Snippets
  readonly instance_id?: string
  readonly name?: string
  readonly template?: string
  readonly tls?: object
  readonly trace?: boolean
}

type Handler = (request: Request) => Promise<object>

/**
 * Starts, stops and reconfigures servers for the tests of nats.go, which ask for them by NATS. Single
 * servers only. Source: the api of ntf-client (synadia-io/orbit.go).
 */
export class ServerTester {
  readonly #client: NatsConnection
  readonly #program: string
  /** By the id of their instance. */
  readonly #servers = new Map<string, TestedServer>()
  readonly #handlers: Readonly<Record<string, Handler>> = {
    'create.server': (request) => this.#create(request),
    destroy: async ({ instance_id: id = '' }) => {
      await this.#servers.get(id)?.remove()
      this.#servers.delete(id)
      return { destroyed: true }
    },
    'stop.server': async (request) => {
      await this.#find(request).stop()
      return { shutdown: true }
    },
    'start.server': async (request) => {
      await this.#find(request).start()
      return { started: true }
    },
    'reload.server': async (request) => {
      await this.#find(request).reload()
      return { reloaded: true }
    },
    'update.server': async (request) => {
      await this.#find(request).configure(request.snippets ?? {})
      return { updated: true }
    },
    reset: async () => {
      await this.#removeAll()
      return { shutdown: true }
    },
    list: async () => ({
      instances: [...this.#servers.keys()].map((id) => ({ id, kind: 'server', servers: 1 })),
    }),
    status: async () => ({
      instances: [...this.#servers].map(([id, { description }]) => {
        return { id, kind: 'server', servers: [description] }
      }),
    }),
  }

  private constructor(client: NatsConnection, program: string) {
    this.#client = client
    this.#program = program
  }

  /** @param url of the server by which the tests reach it */
  static async start(url: string, program: string): Promise<ServerTester> {
    const client = await connect({ servers: url })
    const tester = new ServerTester(client, program)
    client.subscribe(`${PREFIX}>`, {
      callback: (_error, message) => {
        void tester.#answer(message)
      },
    })
    await client.flush()
    return tester
  }

  /** Ends all servers, and removes their files. */
  async close(): Promise<void> {
    await this.#client.close()
    await this.#removeAll()
  }

  async #removeAll(): Promise<void> {
    const servers = [...this.#servers.values()]
    this.#servers.clear()
    await Promise.all(servers.map((server) => server.remove()))
  }

  async #answer(message: Msg): Promise<void> {
    try {
      const request = message.data.byteLength === 0 ? {} : message.json<Request>()
      const handler = this.#handlers[message.subject.slice(PREFIX.length)]
      if (handler === undefined) throw new Error(`${message.subject} is not supported`)
      message.respond(JSON.stringify(await handler(request)))
    } catch (error) {
      const told = headers()
      const text = (error as Error).message.replace(/\s+/g, ' ').slice(0, MAX_ERROR_LENGTH)
      told.set('Nats-Service-Error', text)
      told.set('Nats-Service-Error-Code', '500')
      message.respond('', { headers: told })
    }
  }

  async #create({ jetstream = false, snippets = {}, ...others }: Request): Promise<object> {
    const isMore =
      others.template !== undefined || others.tls !== undefined || others.trace === true
    if (isMore) throw new Error('templates, certificates and traces are not supported')
    const id = randomUUID()
    const directory = await mkdtemp(join(tmpdir(), 'spool-nats-go-'))
    const [port = 0, websocket = 0, leafnode = 0] = await freePorts(3)
    const ports = { websocket, leafnode }
    const server = new TestedServer(
      { name: `s${id.slice(0, 8)}`, program: this.#program, directory, port, ports, jetstream },
      snippets,
    )
    try {
      await server.start()
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
    this.#servers.set(id, server)
    return { id, kind: 'server', servers: [server.description] }
  }

  #find({ name = '' }: Request): TestedServer {
    for (const server of this.#servers.values()) if (server.name === name) return server
    throw new Error(`there is no server ${name}`)
  }
}

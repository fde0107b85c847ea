import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from '../../support/free-ports.ts'
import { ServerProcess } from '../../support/server-process.ts'
import { type ServerPlace, type Snippets, serverConfig } from './server-config.ts'

const START_LIMIT_MS = 20_000
const POLL_MS = 20
/** A server that got the signal reads its file again in this time. */
const RELOAD_MS = 300
/** Listeners that get a port of their own when a request has a snippet for them. */
const LISTENERS = ['websocket', 'leafnode'] as const

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** One server in a process of its own, which can be stopped and started again on its port. */
export class ManagedServer {
  readonly place: ServerPlace
  readonly #program: string
  readonly #directory: string
  readonly #hasJetStream: boolean
  #process: ServerProcess | null = null

  private constructor(
    program: string,
    directory: string,
    place: ServerPlace,
    hasJetStream: boolean,
  ) {
    this.#program = program
    this.#directory = directory
    this.place = place
    this.#hasJetStream = hasJetStream
  }

  /** @throws Error with what the server printed, if it does not start with this configuration */
  static async create(
    program: string,
    hasJetStream: boolean,
    snippets: Snippets,
  ): Promise<ManagedServer> {
    const directory = await mkdtemp(join(tmpdir(), 'conformance-nats-'))
    const listeners = LISTENERS.filter((listener) => snippets[listener] !== undefined)
    const [port = 0, ...others] = await freePorts(1 + listeners.length)
    const ports = Object.fromEntries(listeners.map((name, index) => [name, others[index] ?? 0]))
    const name = `server-${randomUUID().slice(0, 8)}`
    const place = { name, port, ports, storeDir: join(directory, 'store') }
    const server = new ManagedServer(program, directory, place, hasJetStream)
    try {
      await server.configure(snippets)
      await server.start()
    } catch (error) {
      await server.remove()
      throw error
    }
    return server
  }

  get isRunning(): boolean {
    return this.#process !== null
  }

  get #configFile(): string {
    return join(this.#directory, 'server.conf')
  }

  /** Writes its configuration anew; a running server reads it at the next reload. */
  async configure(snippets: Snippets): Promise<void> {
    await writeFile(this.#configFile, serverConfig(this.place, this.#hasJetStream, snippets))
  }

  async start(): Promise<void> {
    const server = new ServerProcess(this.#program, ['-c', this.#configFile])
    this.#process = server
    const deadline = performance.now() + START_LIMIT_MS
    while (!(await accepts(this.place.port))) {
      if (server.child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`the server did not start: ${server.output.slice(-400)}`)
      }
      await delay(POLL_MS)
    }
  }

  async stop(): Promise<void> {
    await this.#process?.stop()
    this.#process = null
  }

  async reload(): Promise<void> {
    this.#process?.child.kill('SIGHUP')
    await delay(RELOAD_MS)
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

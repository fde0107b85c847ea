import net from 'node:net'
import type { Logger } from '../ports/logger.ts'
import type {
  Connection,
  Listener,
  ListenOptions,
  StreamSession,
  Transport,
} from '../ports/transport.ts'
import { ConnectionCounts } from './connection-counts.ts'
import { listenError } from './listen-error.ts'
import { NodeConnection, plainAddress } from './node-connection.ts'
import { canOwnMemory, type Receive } from './socket-receive.ts'
import type { TlsSockets } from './tls-sockets.ts'

export interface NodeTransportOptions {
  readonly logger: Logger
  /** `own-memory` where this Node can do it. `data` is the documented way, with one copy more. */
  readonly receive?: Receive
  /** Encrypts connections, or lets clients ask for it. */
  readonly tls?: TlsSockets
  /** Says more about an address in use, e.g. the process that has it. */
  readonly describeAddressInUse?: (host: string, port: number) => string
}

/** TCP by Node's event loop. */
export class NodeTransport implements Transport {
  readonly #options: NodeTransportOptions
  readonly #receive: Receive

  constructor(options: NodeTransportOptions) {
    this.#options = options
    this.#receive = options.receive ?? (canOwnMemory() ? 'own-memory' : 'data')
  }

  listen(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ): Promise<Listener> {
    const listener = new NodeListener(options, accept, this.#receive, this.#options)
    return listener.listen(this.#options.describeAddressInUse)
  }
}

class NodeListener implements Listener {
  readonly #options: ListenOptions
  readonly #accept: (connection: Connection) => StreamSession
  readonly #receive: Receive
  readonly #logger: Logger
  readonly #tls: TlsSockets | null
  readonly #server: net.Server
  readonly #connections = new Set<NodeConnection>()
  host = ''
  port = 0
  readonly #counts: ConnectionCounts
  #whenEmpty: (() => void) | null = null

  constructor(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
    receive: Receive,
    { logger, tls }: NodeTransportOptions,
  ) {
    this.#options = options
    this.#counts = new ConnectionCounts(options)
    this.#accept = accept
    this.#receive = receive
    this.#logger = logger
    this.#tls = tls ?? null
    const pauseOnConnect = receive === 'own-memory' && tls === undefined
    this.#server = net.createServer({ pauseOnConnect, noDelay: true }, (socket) =>
      this.#accepted(socket),
    )
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  async listen(describe: NodeTransportOptions['describeAddressInUse']): Promise<Listener> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, host, port, describe)))
      this.#server.listen({ host, port, backlog: 511 }, resolve)
    })
    const bound = this.#server.address() as net.AddressInfo
    this.host = bound.address
    this.port = bound.port
    this.#server.on('error', (error) => this.#logger.error('accepting failed', { error }))
    return this
  }

  async stopAccepting(): Promise<void> {
    // Node's own word comes once its sockets are closed; those whose handle was taken over never are.
    if (this.#server.listening) this.#server.close()
  }

  async close(): Promise<void> {
    await this.stopAccepting()
    const gone = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve
    })
    if (this.#connections.size === 0) return
    for (const connection of [...this.#connections]) connection.destroy()
    await gone
  }

  #accepted(socket: net.Socket): void {
    const address = plainAddress(socket.remoteAddress)
    if (!this.#counts.add(address)) {
      const count = this.#counts.of(address)
      this.#logger.warn('connection refused: too many', { address, count })
      socket.destroy()
      return
    }
    const connection = new NodeConnection(socket, this.#receive, this.#logger)
    this.#connections.add(connection)
    const gone = (): void => this.#gone(connection, address)
    if (this.#tls?.start === 'first') {
      connection.secureFirst(this.#tls, gone, () => this.#serve(connection, gone))
    } else this.#serve(connection, gone)
  }

  #serve(connection: NodeConnection, gone: () => void): void {
    const session = this.#accept(connection)
    connection.start(session, this.#options.idleTimeoutMs, this.#tls, gone)
  }

  #gone(connection: NodeConnection, address: string): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#whenEmpty?.()
    this.#counts.remove(address)
  }
}

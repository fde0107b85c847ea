import net from 'node:net'
import { ConfigError } from '../base/errors.ts'
import type { Logger } from '../ports/logger.ts'
import type {
  Connection,
  Listener,
  ListenOptions,
  StreamSession,
  Transport,
} from '../ports/transport.ts'
import { canOwnMemory, type Receive, receiveInto } from './socket-receive.ts'

export interface NodeTransportOptions {
  readonly logger: Logger
  /** `own-memory` where this Node can do it. `data` is the documented way, with one copy more. */
  readonly receive?: Receive
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
    const listener = new NodeListener(options, accept, this.#receive, this.#options.logger)
    return listener.listen(this.#options.describeAddressInUse)
  }
}

class NodeListener implements Listener {
  readonly #options: ListenOptions
  readonly #accept: (connection: Connection) => StreamSession
  readonly #receive: Receive
  readonly #logger: Logger
  readonly #server: net.Server
  readonly #connections = new Set<NodeConnection>()
  host = ''
  port = 0
  readonly #countByAddress = new Map<string, number>()
  #whenEmpty: (() => void) | null = null

  constructor(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
    receive: Receive,
    logger: Logger,
  ) {
    this.#options = options
    this.#accept = accept
    this.#receive = receive
    this.#logger = logger
    const pauseOnConnect = receive === 'own-memory'
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
    const count = this.#countByAddress.get(address) ?? 0
    const { maxConnections, maxConnectionsPerIp, maxConnectionsPerIpOverrides } = this.#options
    const perIp = maxConnectionsPerIpOverrides.get(address) ?? maxConnectionsPerIp
    if (this.#connections.size >= maxConnections || count >= perIp) {
      this.#logger.warn('connection refused: too many', { address, count })
      socket.destroy()
      return
    }
    this.#countByAddress.set(address, count + 1)
    const connection = new NodeConnection(socket, this.#receive, this.#logger)
    this.#connections.add(connection)
    const session = this.#accept(connection)
    connection.start(session, this.#options.idleTimeoutMs, () => this.#gone(connection, address))
  }

  #gone(connection: NodeConnection, address: string): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#whenEmpty?.()
    const count = (this.#countByAddress.get(address) ?? 1) - 1
    if (count === 0) this.#countByAddress.delete(address)
    else this.#countByAddress.set(address, count)
  }
}

class NodeConnection implements Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #accepted: net.Socket
  readonly #receive: Receive
  readonly #logger: Logger
  #socket: net.Socket

  constructor(socket: net.Socket, receive: Receive, logger: Logger) {
    this.#accepted = socket
    this.#socket = socket
    this.#receive = receive
    this.#logger = logger
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort ?? 0
    this.localAddress = plainAddress(socket.localAddress)
    this.localPort = socket.localPort ?? 0
  }

  start(session: StreamSession, idleTimeoutMs: number, gone: () => void): void {
    const socket = receiveInto(this.#accepted, this.#receive, {
      nextBuffer: () => session.nextBuffer(),
      received: (byteCount) => session.received(byteCount),
    })
    this.#socket = socket
    if (idleTimeoutMs >= 0) {
      socket.setTimeout(idleTimeoutMs, () => {
        this.#logger.debug('connection was idle', { address: this.remoteAddress })
        socket.destroy()
      })
    }
    socket.on('error', (error) =>
      this.#logger.debug('connection failed', { address: this.remoteAddress, error }),
    )
    socket.on('end', () => socket.destroy())
    socket.once('close', () => {
      gone()
      session.closed()
    })
  }

  get unsentBytes(): number {
    return this.#socket.writableLength
  }

  write(pieces: readonly Buffer[], sent: (() => void) | null): void {
    const socket = this.#socket
    if (socket.destroyed) {
      sent?.()
      return
    }
    const last = pieces.length - 1
    // Several pieces leave in one system call. What comes while a write is under way is joined to
    // the next one by the socket itself.
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) socket.write(pieces[i] as Buffer)
    if (sent === null) socket.write(pieces[last] as Buffer)
    else socket.write(pieces[last] as Buffer, () => sent())
    if (last > 0) socket.uncork()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/** An IPv4 peer of a socket that listens on IPv6 shows as `::ffff:1.2.3.4`. */
function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:/, '') ?? ''
}

function listenError(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  describe: NodeTransportOptions['describeAddressInUse'],
): Error {
  const cause = { cause: error }
  if (error.code === 'EADDRINUSE') {
    const text = describe?.(host, port) ?? `the address ${host}:${port} is in use`
    return new ConfigError(`${text}: stop it or choose another port`, cause)
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new ConfigError(`${host} is not an address of this machine`, cause)
  }
  if (error.code === 'EACCES') {
    return new ConfigError(`port ${port} needs rights this process does not have`, cause)
  }
  return new ConfigError(`cannot listen on ${host}:${port}: ${error.message}`, cause)
}

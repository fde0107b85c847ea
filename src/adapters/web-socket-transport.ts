import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../ports/logger.ts'
import type {
  Connection,
  Listener,
  ListenOptions,
  StreamSession,
  Transport,
} from '../ports/transport.ts'
import { listenError } from './listen-error.ts'
import type { TlsSettings } from './tls-sockets.ts'
import { WebSocketAcceptor } from './web-socket-acceptor.ts'

export interface WebSocketOptions {
  readonly logger: Logger
  /** null: in clear. */
  readonly tls: TlsSettings | null
  /** Frames may be compressed. */
  readonly compresses: boolean
  /** Hosts whose pages may connect, beside programs that are no browser; null: all. */
  readonly allowedOrigins: readonly string[] | null
  readonly handshakeTimeoutMs: number
  readonly describeAddressInUse?: (host: string, port: number) => string
}

/** WebSocket on a port of its own. */
export class WebSocketTransport implements Transport {
  readonly #options: WebSocketOptions

  constructor(options: WebSocketOptions) {
    this.#options = options
  }

  async listen(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ): Promise<Listener> {
    const { tls, allowedOrigins, handshakeTimeoutMs, logger, describeAddressInUse } = this.#options
    const limits = { headersTimeout: handshakeTimeoutMs, requestTimeout: handshakeTimeoutMs }
    const server =
      tls === null
        ? http.createServer(limits)
        : https.createServer({ ...limits, cert: tls.certificate, key: tls.key })
    server.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close' }).end('WebSocket is expected here\n')
    })
    const isAllowed = ({ headers: { origin } }: http.IncomingMessage): boolean =>
      isOriginAllowed(origin, allowedOrigins)
    const acceptor = new WebSocketAcceptor({ ...this.#options, isAllowed }, options, accept)
    server.on('upgrade', (request, socket, head) => acceptor.upgrade(request, socket, head))
    await new Promise<void>((resolve, reject) => {
      const { host, port } = options
      server.once('error', (error) => reject(listenError(error, host, port, describeAddressInUse)))
      server.listen({ host, port }, resolve)
    })
    server.on('error', (error) => logger.error('accepting failed', { error }))
    return new WebSocketListener(server, acceptor)
  }
}

/** A page of a host that is not allowed is refused; a program that names none is not a page. */
function isOriginAllowed(origin: string | undefined, allowed: readonly string[] | null): boolean {
  if (allowed === null || origin === undefined) return true
  return allowed.includes(origin.toLowerCase())
}

class WebSocketListener implements Listener {
  readonly #server: http.Server
  readonly #acceptor: WebSocketAcceptor
  readonly host: string
  readonly port: number

  constructor(server: http.Server, acceptor: WebSocketAcceptor) {
    this.#server = server
    this.#acceptor = acceptor
    const { address, port } = server.address() as AddressInfo
    this.host = address
    this.port = port
  }

  get connectionCount(): number {
    return this.#acceptor.connectionCount
  }

  async stopAccepting(): Promise<void> {
    this.#acceptor.stopAccepting()
    if (this.#server.listening) this.#server.close()
  }

  async close(): Promise<void> {
    await this.stopAccepting()
    this.#server.closeAllConnections()
    await this.#acceptor.close()
  }
}

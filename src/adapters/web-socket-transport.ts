import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Logger } from '../ports/logger.ts'
import type {
  Connection,
  Encryption,
  Listener,
  ListenOptions,
  StreamSession,
  Transport,
} from '../ports/transport.ts'
import { listenError } from './listen-error.ts'
import { plainAddress } from './node-connection.ts'
import type { TlsSettings } from './tls-sockets.ts'

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

/** The largest message a peer may send; its bytes are a stream, so it can always send smaller ones. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024

/** Frames with bytes, as everybody expects them. */
const BINARY = { binary: true } as const
const ABNORMAL_CLOSE = 1011

/** A stream of bytes in the frames of WebSocket, whose boundaries mean nothing. Source: RFC 6455. */
export class WebSocketTransport implements Transport {
  readonly #options: WebSocketOptions

  constructor(options: WebSocketOptions) {
    this.#options = options
  }

  async listen(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ): Promise<Listener> {
    const { tls, compresses, allowedOrigins, handshakeTimeoutMs, logger } = this.#options
    const limits = { headersTimeout: handshakeTimeoutMs, requestTimeout: handshakeTimeoutMs }
    const server =
      tls === null
        ? http.createServer(limits)
        : https.createServer({ ...limits, cert: tls.certificate, key: tls.key })
    server.on('request', (_request, response) => {
      response.writeHead(426, { connection: 'close' }).end('WebSocket is expected here\n')
    })
    const sockets = new WebSocketServer({
      server,
      perMessageDeflate: compresses
        ? { serverNoContextTakeover: true, clientNoContextTakeover: true }
        : false,
      maxPayload: MAX_FRAME_BYTES,
      verifyClient: ({ origin }: { origin?: string }) => isAllowed(origin, allowedOrigins),
    })
    sockets.on('error', (error) => logger.error('accepting failed', { error }))
    const listener = new WebSocketListener(server, sockets)
    sockets.on('connection', (socket, request) => {
      if (sockets.clients.size > options.maxConnections) socket.terminate()
      else serve(socket, request.socket, accept, logger)
    })
    await new Promise<void>((resolve, reject) => {
      const { host, port } = options
      const { describeAddressInUse } = this.#options
      server.once('error', (error) => reject(listenError(error, host, port, describeAddressInUse)))
      server.listen({ host, port }, resolve)
    })
    listener.listening()
    return listener
  }
}

/** A page of a host that is not allowed is refused; a program that names none is not a page. */
function isAllowed(origin: string | undefined, allowed: readonly string[] | null): boolean {
  if (allowed === null || origin === undefined) return true
  return allowed.includes(origin.toLowerCase())
}

class WebSocketListener implements Listener {
  readonly #server: http.Server
  readonly #sockets: WebSocketServer
  host = ''
  port = 0

  constructor(server: http.Server, sockets: WebSocketServer) {
    this.#server = server
    this.#sockets = sockets
  }

  listening(): void {
    const { address, port } = this.#server.address() as AddressInfo
    this.host = address
    this.port = port
  }

  get connectionCount(): number {
    return this.#sockets.clients.size
  }

  async stopAccepting(): Promise<void> {
    if (this.#server.listening) this.#server.close()
  }

  async close(): Promise<void> {
    await this.stopAccepting()
    const gone = [...this.#sockets.clients].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    )
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#sockets.close()
    this.#server.closeAllConnections()
    await Promise.all(gone)
  }
}

function serve(
  socket: WebSocket,
  below: Socket,
  accept: (connection: Connection) => StreamSession,
  logger: Logger,
): void {
  const connection = new WebSocketConnection(socket, below)
  const session = accept(connection)
  socket.on('message', (data: Buffer) => connection.receive(data, session))
  socket.on('error', (error) => {
    logger.debug('connection failed', { address: connection.remoteAddress, error })
    socket.close(ABNORMAL_CLOSE)
  })
  socket.once('close', () => session.closed())
}

class WebSocketConnection implements Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly encryption: Encryption | null
  readonly #socket: WebSocket

  constructor(socket: WebSocket, below: Socket) {
    this.#socket = socket
    this.remoteAddress = plainAddress(below.remoteAddress)
    this.remotePort = below.remotePort ?? 0
    this.localAddress = plainAddress(below.localAddress)
    this.localPort = below.localPort ?? 0
    this.encryption = encryptionOf(below)
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount
  }

  receive(data: Buffer, session: StreamSession): void {
    for (let at = 0; at < data.byteLength && this.#isOpen; ) {
      const into = session.nextBuffer()
      const byteCount = Math.min(into.byteLength, data.byteLength - at)
      data.copy(into, 0, at, at + byteCount)
      at += byteCount
      session.received(byteCount)
    }
  }

  write(pieces: readonly Buffer[], sent: (() => void) | null): void {
    if (!this.#isOpen) {
      sent?.()
      return
    }
    const last = pieces.length - 1
    for (let i = 0; i < last; i++) this.#socket.send(pieces[i] as Buffer, BINARY)
    this.#socket.send(pieces[last] as Buffer, BINARY, () => sent?.())
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.close()
  }

  destroy(): void {
    this.#socket.terminate()
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }
}

function encryptionOf(socket: Socket): Encryption | null {
  if (!('getProtocol' in socket) || typeof socket.getProtocol !== 'function') return null
  const { getCipher } = socket as unknown as { getCipher(): { name: string } }
  return { version: String(socket.getProtocol()), cipher: getCipher.call(socket).name }
}

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Logger } from '../ports/logger.ts'
import type { Connection, ListenOptions, StreamSession } from '../ports/transport.ts'
import { ConnectionCounts } from './connection-counts.ts'
import { plainAddress } from './node-connection.ts'
import { WebSocketConnection } from './web-socket-connection.ts'

export interface WebSocketAcceptorOptions {
  readonly logger: Logger
  /** Frames may be compressed. */
  readonly compresses: boolean
  /** Whether who asks may connect: pages of others must not reach what their reader can reach. */
  readonly isAllowed: (request: IncomingMessage) => boolean
}

/** The largest message a peer may send; its bytes are a stream, so it can always send smaller ones. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024

const ABNORMAL_CLOSE = 1011

/** Makes connections of HTTP requests that ask for WebSocket. */
export class WebSocketAcceptor {
  readonly #server: WebSocketServer
  readonly #counts: ConnectionCounts
  readonly #logger: Logger
  readonly #accept: (connection: Connection) => StreamSession
  #isStopped = false

  constructor(
    { logger, compresses, isAllowed }: WebSocketAcceptorOptions,
    limits: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ) {
    this.#logger = logger
    this.#accept = accept
    this.#counts = new ConnectionCounts(limits)
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: compresses
        ? { serverNoContextTakeover: true, clientNoContextTakeover: true }
        : false,
      maxPayload: MAX_FRAME_BYTES,
      verifyClient: ({ req }: { req: IncomingMessage }) => isAllowed(req),
    })
  }

  get connectionCount(): number {
    return this.#counts.total
  }

  /** Answers a request for WebSocket; `head` came behind it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = plainAddress(request.socket.remoteAddress)
    // From here on nobody else listens to what happens to the socket.
    socket.on('error', (error) => this.#logger.debug('connection failed', { address, error }))
    if (this.#isStopped || !this.#counts.add(address)) {
      const count = this.#counts.of(address)
      this.#logger.warn('connection refused: too many', { address, count })
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n')
      return
    }
    socket.once('close', () => this.#counts.remove(address))
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.#serve(webSocket, request.socket),
    )
  }

  /** Takes no more; those there are stay. */
  stopAccepting(): void {
    this.#isStopped = true
  }

  /** Ends all. */
  async close(): Promise<void> {
    this.stopAccepting()
    const gone = [...this.#server.clients].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    )
    for (const socket of this.#server.clients) socket.terminate()
    this.#server.close()
    await Promise.all(gone)
  }

  #serve(socket: WebSocket, below: Socket): void {
    const connection = new WebSocketConnection(socket, below)
    const session = this.#accept(connection)
    socket.on('message', (data: Buffer) => connection.receive(data, session))
    socket.on('error', (error) => {
      this.#logger.debug('connection failed', { address: connection.remoteAddress, error })
      socket.close(ABNORMAL_CLOSE)
    })
    socket.once('close', () => session.closed())
  }
}

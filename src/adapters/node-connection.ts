import type net from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Logger } from '../ports/logger.ts'
import type { Connection, Encryption, StreamSession } from '../ports/transport.ts'
import { type ByteSink, copyInto, type Receive, receiveInto } from './socket-receive.ts'
import { isHandshake, type TlsSockets } from './tls-sockets.ts'

/** One TCP connection, encrypted or not. */
export class NodeConnection implements Connection {
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

  /** The handshake comes before the session. */
  secureFirst(tls: TlsSockets, gone: () => void, ready: () => void): void {
    const accepted = this.#accepted
    accepted.on('error', (error) => this.#failed(error))
    let isReady = false
    accepted.once('close', () => {
      if (!isReady) gone()
    })
    tls.secure(accepted, null, (secured) => {
      isReady = true
      this.#socket = secured
      ready()
    })
  }

  start(
    session: StreamSession,
    idleTimeoutMs: number,
    tls: TlsSockets | null,
    gone: () => void,
  ): void {
    const sink = {
      nextBuffer: () => session.nextBuffer(),
      received: (byteCount: number) => session.received(byteCount),
    }
    const isPlain = tls === null
    const socket = isPlain ? receiveInto(this.#accepted, this.#receive, sink) : this.#socket
    this.#socket = socket
    if (idleTimeoutMs >= 0) {
      socket.setTimeout(idleTimeoutMs, () => {
        this.#logger.debug('connection was idle', { address: this.remoteAddress })
        socket.destroy()
      })
    }
    if (isPlain) socket.on('end', () => socket.destroy())
    else if (this.#socket === this.#accepted) this.#awaitUpgrade(tls, sink)
    else this.#receiveEncrypted(this.#socket, sink)
    socket.on('error', (error) => this.#failed(error))
    socket.once('close', () => {
      gone()
      session.closed()
    })
  }

  /** What the peer sends first tells whether it wants TLS. */
  #awaitUpgrade(tls: TlsSockets, sink: ByteSink): void {
    const accepted = this.#accepted
    const ended = (): void => void accepted.destroy()
    accepted.once('end', ended)
    accepted.once('data', (head: Buffer) => {
      accepted.pause()
      if (isHandshake(head)) {
        accepted.off('end', ended)
        tls.secure(accepted, head, (secured) => {
          this.#socket = secured
          this.#receiveEncrypted(secured, sink)
        })
      } else {
        copyInto(head, accepted, sink)
        receiveInto(accepted, 'data', sink)
      }
    })
  }

  #receiveEncrypted(socket: net.Socket, sink: ByteSink): void {
    receiveInto(socket, 'data', sink)
    socket.on('end', () => this.#accepted.destroy())
    socket.once('close', () => this.#accepted.destroy())
  }

  #failed(error: unknown): void {
    this.#logger.debug('connection failed', { address: this.remoteAddress, error })
  }

  get encryption(): Encryption | null {
    const socket = this.#socket
    if (!(socket instanceof TLSSocket)) return null
    return { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name }
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
export function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:/, '') ?? ''
}

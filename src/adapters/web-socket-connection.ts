import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Connection, Encryption, StreamSession } from '../ports/transport.ts'
import { plainAddress } from './node-connection.ts'

/** Frames with bytes, as everybody expects them. */
const BINARY = { binary: true } as const

/** A stream of bytes in the frames of WebSocket, whose boundaries mean nothing. Source: RFC 6455. */
export class WebSocketConnection implements Connection {
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

import type { Connection } from '../../ports/transport.ts'
import { type ChunkPool, LARGE_CHUNK_BYTES } from './chunk-pool.ts'

/** Told by an outbox. */
export interface OutboxOwner {
  /** There is something to flush now; said once until it was flushed. */
  becameDirty(): void
  /** Less waits than before. */
  drained(): void
}

/** Something on its way to the kernel. */
interface InFlight {
  readonly chunk: Buffer | null
  readonly byteCount: number
}

/**
 * What one client will be sent. Messages are written one behind the other into a chunk, which leaves in
 * one write when the turn ends or it is full: no object and no system call for a message.
 */
export class Outbox {
  /** The chunk that is filled now; written to by whoever reserved. */
  chunk: Buffer | null = null
  #used = 0
  #isDirty = false
  readonly #connection: Connection
  readonly #pool: ChunkPool
  readonly #owner: OutboxOwner
  readonly #inFlight: InFlight[] = []
  #pendingBytes = 0
  /** Writes the kernel took, ever. */
  sentCount = 0
  readonly #sent = (): void => this.#wasSent()

  constructor(connection: Connection, pool: ChunkPool, owner: OutboxOwner) {
    this.#connection = connection
    this.#pool = pool
    this.#owner = owner
  }

  /** Bytes that the kernel has not taken. */
  get pendingBytes(): number {
    return this.#pendingBytes + this.#used
  }

  /** @returns where in `chunk` the next `byteCount` bytes, at most a large chunk, are to be written */
  reserve(byteCount: number): number {
    const { chunk } = this
    if (chunk === null) this.chunk = this.#pool.take(byteCount)
    else if (this.#used + byteCount > chunk.byteLength) this.#makeRoom(chunk, byteCount)
    if (!this.#isDirty) {
      this.#isDirty = true
      this.#owner.becameDirty()
    }
    const at = this.#used
    this.#used += byteCount
    return at
  }

  /** Sends bytes that nobody changes any more, without a copy if they are many. */
  append(bytes: Buffer): void {
    if (bytes.byteLength <= LARGE_CHUNK_BYTES) {
      const at = this.reserve(bytes.byteLength)
      bytes.copy(this.chunk as Buffer, at)
      return
    }
    this.flush()
    this.#write(bytes, null)
  }

  flush(): void {
    this.#isDirty = false
    const { chunk } = this
    if (chunk === null || this.#used === 0) return
    const bytes = chunk.subarray(0, this.#used)
    this.chunk = null
    this.#used = 0
    this.#write(bytes, chunk)
  }

  /** The connection is gone: what was not given to it is dropped. */
  discard(): void {
    if (this.chunk !== null) this.#pool.giveBack(this.chunk)
    this.chunk = null
    this.#used = 0
  }

  #makeRoom(chunk: Buffer, byteCount: number): void {
    const needed = this.#used + byteCount
    if (chunk.byteLength < LARGE_CHUNK_BYTES && needed <= LARGE_CHUNK_BYTES) {
      const larger = this.#pool.take(LARGE_CHUNK_BYTES)
      chunk.copy(larger, 0, 0, this.#used)
      this.#pool.giveBack(chunk)
      this.chunk = larger
      return
    }
    const wasDirty = this.#isDirty
    this.flush()
    this.#isDirty = wasDirty
    this.chunk = this.#pool.take(LARGE_CHUNK_BYTES)
  }

  #write(bytes: Buffer, chunk: Buffer | null): void {
    const byteCount = bytes.byteLength
    this.#pendingBytes += byteCount
    this.#inFlight.push({ chunk, byteCount })
    this.#connection.write([bytes], this.#sent)
  }

  /** Writes are taken in their order. */
  #wasSent(): void {
    const taken = this.#inFlight.shift()
    if (taken === undefined) return
    this.sentCount++
    this.#pendingBytes -= taken.byteCount
    if (taken.chunk !== null) this.#pool.giveBack(taken.chunk)
    this.#owner.drained()
  }
}

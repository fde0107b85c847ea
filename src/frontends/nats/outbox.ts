import type { Connection } from '../../ports/transport.ts'
import { type Chunk, type ChunkPool, LARGE_CHUNK_BYTES } from './chunk-pool.ts'

/** Told by an outbox. */
export interface OutboxOwner {
  /** There is something to flush now; said once until it was flushed. */
  becameDirty(): void
  /** Less waits than before. */
  drained(): void
}

/** Something on its way to the kernel. */
interface InFlight {
  readonly chunk: Chunk | null
  readonly byteCount: number
}

const NO_BYTES = Buffer.alloc(0)

/**
 * What one client will be sent. Messages are written one behind the other into a chunk, which leaves in
 * one write when the turn ends or it is full: no object and no system call for a message. While the
 * kernel has not taken the write before, a chunk is filled on.
 */
export class Outbox {
  readonly pool: ChunkPool
  /** Where whoever reserved writes to. */
  bytes: Buffer = NO_BYTES
  #chunk: Chunk | null = null
  #used = 0
  #isDirty = false
  readonly #connection: Connection
  readonly #owner: OutboxOwner
  readonly #inFlight: InFlight[] = []
  #pendingBytes = 0
  /** Writes the kernel took, ever. */
  sentCount = 0
  readonly #sent = (): void => this.#wasSent()

  constructor(connection: Connection, pool: ChunkPool, owner: OutboxOwner) {
    this.#connection = connection
    this.pool = pool
    this.#owner = owner
  }

  /** Bytes that the kernel has not taken. */
  get pendingBytes(): number {
    return this.#pendingBytes + this.#used
  }

  /** @returns where in `bytes` the next `byteCount` bytes, at most a large chunk, are to be written */
  reserve(byteCount: number): number {
    let chunk = this.#chunk
    if (chunk === null || this.#used + byteCount > chunk.byteCount) {
      chunk = this.#makeRoom(byteCount)
    }
    if (!this.#isDirty) {
      this.#isDirty = true
      this.#owner.becameDirty()
    }
    const at = chunk.start + this.#used
    this.#used += byteCount
    return at
  }

  /** Sends bytes that nobody changes any more, without a copy if they are many. */
  append(bytes: Buffer): void {
    if (bytes.byteLength <= LARGE_CHUNK_BYTES / 2) {
      const at = this.reserve(bytes.byteLength)
      bytes.copy(this.bytes, at)
      return
    }
    this.finish()
    this.#write(bytes, null)
  }

  /** The turn ends: what is there leaves, at once or when the kernel has what left before. */
  flush(): void {
    this.#isDirty = false
    if (this.#inFlight.length === 0) this.#send()
  }

  /** Nothing more comes before what is there has left. */
  finish(): void {
    this.#isDirty = false
    this.#send()
  }

  /** The connection is gone: what was not given to it is dropped. */
  discard(): void {
    if (this.#chunk !== null) this.pool.giveBack(this.#chunk)
    this.#chunk = null
    this.#used = 0
  }

  #send(): void {
    const chunk = this.#chunk
    if (chunk === null || this.#used === 0) return
    const { bytes, start } = chunk
    const filled = bytes.subarray(start, start + this.#used)
    this.#chunk = null
    this.#used = 0
    this.#write(filled, chunk)
  }

  #makeRoom(byteCount: number): Chunk {
    const old = this.#chunk
    const needed = this.#used + byteCount
    const isGrowing = old !== null && needed <= LARGE_CHUNK_BYTES
    if (!isGrowing) this.#send()
    const chunk = this.pool.take(isGrowing || old !== null ? LARGE_CHUNK_BYTES : byteCount)
    if (isGrowing) {
      old.bytes.copy(chunk.bytes, chunk.start, old.start, old.start + this.#used)
      this.pool.giveBack(old)
    }
    this.#chunk = chunk
    this.bytes = chunk.bytes
    return chunk
  }

  #write(bytes: Buffer, chunk: Chunk | null): void {
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
    if (taken.chunk !== null) this.pool.giveBack(taken.chunk)
    if (this.#inFlight.length === 0 && !this.#isDirty) this.#send()
    this.#owner.drained()
  }
}

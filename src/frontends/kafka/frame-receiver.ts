import { ProtocolError } from '../../base/errors.ts'
import type { Frame, FramePool, Slab } from '../../base/frame-pool.ts'
import type { Lease } from '../../base/lease.ts'

const PREFIX_BYTES = 4

/** A request begins with its API key. */
const API_KEY_BYTES = 2

const UNKNOWN_KEY = -1

/** A frame of up to this size is not counted before it is whole. */
const UNRESERVED_BYTES = 64 * 1024

/** Content that must have come with a larger one before memory is taken for it. */
const CREDIBLE_BYTES = 4096

/** More than this is only taken from the pool once the peer has sent as much. */
const FIRST_FRAME_BYTES = 1024 * 1024

/** Room for the read that a transport prepares while a large frame waits for memory. */
const SPILL_BYTES = 64

export interface FrameSink {
  /**
   * Takes over one hold of `lease`, which keeps `frame` alive.
   * @param isReserved the frame was counted by `reserve`
   */
  frameReceived(frame: Buffer, lease: Lease, isReserved: boolean): void
  /**
   * Asked when the first part of a large frame is here: may it take memory for the rest? If not,
   * the connection is paused, and reads again when it may.
   */
  reserve(byteCount: number): boolean
  /** The memory that was reserved is not needed: the connection ended in the middle of the frame. */
  unreserve(byteCount: number): void
  /**
   * Asked when the length of a frame is known, before its memory is taken, and again when its API
   * key is known, if that is later; until then the key is -1.
   * @throws ProtocolError to refuse it
   */
  checkFrame(byteCount: number, apiKey: number): void
}

/** What all receivers of a front end share: reads and their handling are one synchronous step. */
export interface ReceiveMemory {
  /** Where reads go while no large frame is under way. */
  readonly scratch: Buffer
  readonly slab: Slab
  readonly pool: FramePool
}

/**
 * Cuts a byte stream into Kafka's frames: int32 length, then so many bytes. Small frames are copied
 * into a shared slab; a large one gets memory of its own, into which the rest is read directly.
 */
export class FrameReceiver {
  readonly #memory: ReceiveMemory
  readonly #sink: FrameSink
  /** A length of which only a part came. */
  readonly #prefix = Buffer.alloc(PREFIX_BYTES)
  #prefixCount = 0
  #frame: Frame | null = null
  #frameBytes = 0
  #haveBytes = 0
  #isChecked = false
  #isReserved = false
  #isDiscarded = false
  /** Reads go here while the frame may not grow; it grows when they come, which is after a pause. */
  #spill: Buffer | null = null

  constructor(memory: ReceiveMemory, sink: FrameSink) {
    this.#memory = memory
    this.#sink = sink
  }

  nextBuffer(): Buffer {
    const frame = this.#frame
    if (this.#spill !== null) return this.#spill
    if (frame !== null) {
      const end = Math.min(this.#frameBytes, frame.buffer.byteLength)
      return frame.buffer.subarray(this.#haveBytes, end)
    }
    if (this.#prefixCount > 0) return this.#prefix.subarray(this.#prefixCount)
    return this.#memory.scratch
  }

  received(byteCount: number): void {
    if (this.#spill !== null) this.#spilled(this.#spill, byteCount)
    else if (this.#frame !== null) this.#filled(byteCount)
    else if (this.#prefixCount > 0) this.#prefixed(byteCount)
    else this.#cut(byteCount)
  }

  /** The connection ended: gives back the memory of a frame that will never be whole. */
  discard(): void {
    this.#isDiscarded = true
    this.#frame?.release()
    this.#frame = null
    this.#spill = null
    if (this.#isReserved) this.#sink.unreserve(this.#frameBytes)
    this.#isReserved = false
  }

  #cut(byteCount: number): void {
    const { scratch, slab } = this.#memory
    let at = 0
    while (byteCount - at >= PREFIX_BYTES) {
      // A frame of this read may have ended the connection.
      if (this.#isDiscarded) return
      const size = scratch.readInt32BE(at)
      const start = at + PREFIX_BYTES
      if (size > byteCount - start) {
        this.#begin(size, scratch, start, byteCount)
        return
      }
      this.#check(size, scratch, start)
      const { bytes, lease } = slab.copy(scratch, start, start + size)
      this.#sink.frameReceived(bytes, lease, false)
      at = start + size
    }
    scratch.copy(this.#prefix, 0, at, byteCount)
    this.#prefixCount = byteCount - at
  }

  #prefixed(byteCount: number): void {
    this.#prefixCount += byteCount
    if (this.#prefixCount < PREFIX_BYTES) return
    this.#prefixCount = 0
    this.#begin(this.#prefix.readInt32BE(0), this.#prefix, PREFIX_BYTES, PREFIX_BYTES)
  }

  /** A frame of which only the bytes from `start` to `end` are here. */
  #begin(size: number, from: Buffer, start: number, end: number): void {
    const haveBytes = end - start
    this.#isChecked = haveBytes >= API_KEY_BYTES
    if (this.#isChecked) this.#check(size, from, start)
    else this.#checkSize(size)
    const frame = this.#memory.pool.take(this.#firstBytes(size, haveBytes))
    from.copy(frame.buffer, 0, start, end)
    this.#frame = frame
    this.#frameBytes = size
    this.#haveBytes = haveBytes
  }

  /** A length alone costs a peer nothing, so it gets little memory until content came with it. */
  #firstBytes(size: number, haveBytes: number): number {
    if (size <= UNRESERVED_BYTES) return size
    this.#isReserved = haveBytes >= CREDIBLE_BYTES && this.#sink.reserve(size)
    return this.#isReserved ? Math.min(size, FIRST_FRAME_BYTES) : UNRESERVED_BYTES
  }

  #filled(byteCount: number): void {
    const frame = this.#frame
    if (frame === null) return
    this.#haveBytes += byteCount
    if (!this.#isChecked && this.#haveBytes >= API_KEY_BYTES) {
      this.#isChecked = true
      this.#check(this.#frameBytes, frame.buffer, 0)
    }
    if (this.#haveBytes === this.#frameBytes) {
      const isReserved = this.#isReserved
      this.#frame = null
      this.#isReserved = false
      this.#sink.frameReceived(frame.buffer.subarray(0, this.#frameBytes), frame, isReserved)
    } else if (this.#haveBytes === frame.buffer.byteLength) {
      this.#isReserved = this.#isReserved || this.#sink.reserve(this.#frameBytes)
      if (this.#isReserved) this.#grow(frame)
      else this.#spill = Buffer.alloc(SPILL_BYTES)
    }
  }

  #spilled(spill: Buffer, byteCount: number): void {
    const frame = this.#frame
    if (frame === null) return
    this.#spill = null
    const used = Math.min(byteCount, this.#frameBytes - this.#haveBytes)
    this.#grow(frame)
    spill.copy(this.nextBuffer(), 0, 0, used)
    this.#filled(used)
    if (used < byteCount) this.#after(spill.subarray(used, byteCount))
  }

  /** A `reserve` that was refused is granted: the sink has counted the bytes it returns. */
  reserveLater(): number {
    if (this.#frame === null || this.#isReserved) return 0
    this.#isReserved = true
    return this.#frameBytes
  }

  /** What came behind the frame in the same read. */
  #after(rest: Buffer): void {
    rest.copy(this.#memory.scratch)
    this.#cut(rest.byteLength)
  }

  #grow(frame: Frame): void {
    const wantedBytes = Math.max(FIRST_FRAME_BYTES, frame.buffer.byteLength * 2)
    const bigger = this.#memory.pool.take(Math.min(this.#frameBytes, wantedBytes))
    frame.buffer.copy(bigger.buffer, 0, 0, this.#haveBytes)
    frame.release()
    this.#frame = bigger
  }

  #check(size: number, from: Buffer, start: number): void {
    this.#sink.checkFrame(size, size < API_KEY_BYTES ? UNKNOWN_KEY : from.readInt16BE(start))
    expectKey(size)
  }

  #checkSize(size: number): void {
    this.#sink.checkFrame(size, UNKNOWN_KEY)
    expectKey(size)
  }
}

function expectKey(size: number): void {
  if (size < API_KEY_BYTES) throw new ProtocolError('a frame is too short for a request header')
}

import { assert } from './assert.ts'
import type { Lease } from './lease.ts'

/** Smaller frames are not worth a class of their own. */
const MIN_FRAME_BYTES = 64 * 1024

/** Memory that requests are received into; the last release gives it back to its pool. */
export class Frame implements Lease {
  readonly buffer: Buffer
  readonly #pool: FramePool
  #holders = 1

  constructor(buffer: Buffer, pool: FramePool) {
    this.buffer = buffer
    this.#pool = pool
  }

  get heldBytes(): number {
    return this.buffer.byteLength
  }

  retain(): void {
    this.#holders++
  }

  release(): void {
    assert(this.#holders > 0, 'a frame is released once for each hold')
    if (--this.#holders === 0) this.#pool.giveBack(this.buffer)
  }
}

/**
 * Reuses receive buffers in size classes 2^k and 3/4 of it, so that a stream of large requests makes
 * no garbage: with a fresh buffer for each frame, the collector took 14 % of the CPU.
 */
export class FramePool {
  /** By size class; the class that was asked for last is the last one. */
  readonly #free = new Map<number, Buffer[]>()
  readonly #maxKeptBytes: number
  #newest = 0
  #keptBytes = 0
  #usedBytes = 0

  /** @param maxKeptBytes unused memory kept for the next frames; above it, the collector gets it */
  constructor(maxKeptBytes: number) {
    this.#maxKeptBytes = maxKeptBytes
  }

  /** Bytes in frames that somebody holds. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  get keptBytes(): number {
    return this.#keptBytes
  }

  /** A frame of at least `byteCount` bytes with old content, held once by the caller. */
  take(byteCount: number): Frame {
    const size = frameBytes(byteCount)
    const kept = this.#takeKept(size)
    const buffer = kept ?? Buffer.allocUnsafeSlow(size)
    this.#usedBytes += buffer.byteLength
    return new Frame(buffer, this)
  }

  /** One of this size, or else one that is at most twice as large. */
  #takeKept(size: number): Buffer | undefined {
    let kept = this.#freeOf(size).pop()
    for (let larger = size; kept === undefined && larger < 2 * size; ) {
      larger = frameBytes(larger + 1)
      kept = this.#free.get(larger)?.pop()
    }
    if (kept !== undefined) this.#keptBytes -= kept.byteLength
    return kept
  }

  /** Called by the frame after its last release. */
  giveBack(buffer: Buffer): void {
    const size = buffer.byteLength
    this.#usedBytes -= size
    if (size > this.#maxKeptBytes) return
    const list = this.#free.get(size) ?? this.#freeOf(size)
    while (this.#keptBytes + size > this.#maxKeptBytes) this.#dropOne()
    this.#keptBytes += size
    list.push(buffer)
  }

  #freeOf(size: number): Buffer[] {
    const list = this.#free.get(size) ?? []
    if (this.#newest !== size) {
      this.#newest = size
      this.#free.delete(size)
      this.#free.set(size, list)
    }
    return list
  }

  /** Old sizes must not keep the place of those that are asked for now. */
  #dropOne(): void {
    for (const list of this.#free.values()) {
      const dropped = list.pop()
      if (dropped === undefined) continue
      this.#keptBytes -= dropped.byteLength
      return
    }
  }
}

/** The size class: at most a third of a frame is wasted, and at least its minimum is taken. */
export function frameBytes(byteCount: number): number {
  let size = MIN_FRAME_BYTES
  while (size < byteCount) size *= 2
  const smaller = size * 0.75
  return size > MIN_FRAME_BYTES && smaller >= byteCount ? smaller : size
}

/** Copies of small requests, one after the other in a shared frame. */
export class Slab {
  readonly #pool: FramePool
  readonly #slabBytes: number
  #frame: Frame | null = null
  #at = 0

  constructor(pool: FramePool, slabBytes: number) {
    this.#pool = pool
    this.#slabBytes = slabBytes
  }

  /** The frame that holds the copy `copied`, held once more for the caller. */
  copy(source: Buffer, start: number, end: number): { bytes: Buffer; lease: Frame } {
    const byteCount = end - start
    let frame = this.#frame
    if (frame === null || this.#at + byteCount > frame.buffer.byteLength) {
      frame?.release()
      frame = this.#pool.take(Math.max(this.#slabBytes, byteCount))
      this.#frame = frame
      this.#at = 0
    }
    source.copy(frame.buffer, this.#at, start, end)
    const bytes = frame.buffer.subarray(this.#at, this.#at + byteCount)
    this.#at += byteCount
    frame.retain()
    return { bytes, lease: frame }
  }
}

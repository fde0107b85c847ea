import type { Scheduler, Timer } from '../../../ports/scheduler.ts'
import { BLOCK_MESSAGES } from './message-block.ts'
import type { StreamIndex } from './stream-index.ts'

/** Changes of what was removed from a stream. */
export interface RemovalChange {
  /** Everything below it is gone; null: as before. */
  readonly floor: number | null
  /** Bits of what is gone by block; null: the block needs none any more. */
  readonly blocks: readonly (readonly [block: number, removed: Buffer | null])[]
}

/** What was removed of a stream when its state was made. */
export interface KeptRemovals {
  readonly floor: number
  readonly blocks: ReadonlyMap<number, Buffer>
}

export interface RemovalKeeperOptions {
  readonly index: StreamIndex
  readonly scheduler: Scheduler
  readonly kept: KeptRemovals
  /** @param done told once: whether it is durable */
  readonly keep: (change: RemovalChange, done: (isKept: boolean) => void) => void
  /** Nothing below the sequence is needed any more, and that is durable. */
  readonly floorKept: (floor: number) => void
}

/** What limits remove is kept after so long: until then it follows from the log as well. */
const DELAY_MS = 1000

/**
 * Keeps which messages of a stream were removed: a floor, and bits for what is gone above it. All that
 * was removed so far is kept together, so that what comes back is a state that there was.
 */
export class RemovalKeeper {
  readonly #options: RemovalKeeperOptions
  readonly #dirty = new Set<number>()
  readonly #keptBlocks: Set<number>
  #keptFloor: number
  #timer: Timer | null = null

  constructor(options: RemovalKeeperOptions) {
    this.#options = options
    this.#keptFloor = options.kept.floor
    this.#keptBlocks = new Set(options.kept.blocks.keys())
  }

  /** Blocks that have bits in what is kept. */
  get keptBlocks(): Iterable<number> {
    return this.#keptBlocks
  }

  removed(sequence: number): void {
    this.#dirty.add(Math.floor(sequence / BLOCK_MESSAGES))
    this.#timer ??= this.#options.scheduler.after(DELAY_MS, () => this.flush(() => undefined))
  }

  /** @param done told once: whether all that was removed so far is durable */
  flush(done: (isKept: boolean) => void): void {
    this.#timer?.cancel()
    this.#timer = null
    const { index, keep, floorKept } = this.#options
    const floor = index.firstSequence
    const floorBlock = Math.floor(floor / BLOCK_MESSAGES)
    const blocks: [number, Buffer | null][] = []
    for (const block of this.#dirty) {
      const removed = block < floorBlock ? null : removedBits(index, block)
      if (removed === null) continue
      blocks.push([block, removed])
      this.#keptBlocks.add(block)
    }
    for (const block of this.#keptBlocks) {
      if (block >= floorBlock) continue
      blocks.push([block, null])
      this.#keptBlocks.delete(block)
    }
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    const isMoved = floor > this.#keptFloor
    if (!isMoved && blocks.length === 0) {
      done(true)
      return
    }
    const before = this.#keptFloor
    this.#keptFloor = Math.max(floor, before)
    keep({ floor: isMoved ? floor : null, blocks }, (isKept) => {
      if (isKept && isMoved) floorKept(floor)
      if (!isKept) {
        this.#keptFloor = Math.min(before, this.#keptFloor)
        for (const block of dirty) this.#dirty.add(block)
      }
      done(isKept)
    })
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}

/** null: nothing of the block is gone */
function removedBits(index: StreamIndex, block: number): Buffer | null {
  const bits = Buffer.alloc(BLOCK_MESSAGES / 8)
  const first = block * BLOCK_MESSAGES
  const end = Math.min(first + BLOCK_MESSAGES, index.lastSequence + 1)
  let count = 0
  for (let at = Math.max(first, index.firstSequence); at < end; at++) {
    if (index.has(at)) continue
    const bit = at - first
    bits[bit >> 3] = (bits[bit >> 3] as number) | (1 << (bit & 7))
    count++
  }
  return count === 0 ? null : bits
}

export function isRemoved({ floor, blocks }: KeptRemovals, sequence: number): boolean {
  if (sequence < floor) return true
  const bits = blocks.get(Math.floor(sequence / BLOCK_MESSAGES))
  if (bits === undefined) return false
  const bit = sequence % BLOCK_MESSAGES
  return ((bits[bit >> 3] as number) & (1 << (bit & 7))) !== 0
}

/** The highest sequence that was there and is known to be gone; 0: none. */
export function lastRemoved({ floor, blocks }: KeptRemovals): number {
  let last = Math.max(0, floor - 1)
  for (const [block, bits] of blocks) {
    const at = bits.findLastIndex((byte) => byte !== 0)
    if (at < 0) continue
    const bit = at * 8 + 31 - Math.clz32(bits[at] as number)
    last = Math.max(last, block * BLOCK_MESSAGES + bit)
  }
  return last
}

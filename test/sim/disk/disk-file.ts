import type { SeededRandom } from '../../fuzz/seeded-random.ts'
import { ByteStore } from './byte-store.ts'

/** A change that is in the page cache, and on the medium only by chance. */
type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'resize'; readonly sizeBytes: number }

/** How much of the changes that nobody synced a power failure leaves. */
const SURVIVAL = ['none', 'all', 'some', 'some'] as const

/** A file as the process sees it, and as it is on the medium. */
export class DiskFile {
  modifiedMs: number
  readonly #cache = new ByteStore()
  readonly #medium = new ByteStore()
  /** What `#cache` has over `#medium`, oldest first. */
  #changes: Change[] = []
  #syncedCount = 0
  /** A sync failed: the cache shows what the medium will never have. */
  #isForked = false

  constructor(nowMs: number) {
    this.modifiedMs = nowMs
  }

  get sizeBytes(): number {
    return this.#cache.sizeBytes
  }

  /** Changes so far, for `sync`. */
  get changeCount(): number {
    return this.#syncedCount + this.#changes.length
  }

  write(piece: Buffer, position: number): void {
    if (piece.byteLength === 0) return
    this.#cache.write(piece, position)
    this.#changes.push({ kind: 'write', position, bytes: Buffer.from(piece) })
  }

  resize(sizeBytes: number): void {
    if (sizeBytes === this.sizeBytes) return
    this.#cache.resize(sizeBytes)
    this.#changes.push({ kind: 'resize', sizeBytes })
  }

  read(into: Buffer, intoOffset: number, byteCount: number, position: number): number {
    return this.#cache.read(into, intoOffset, byteCount, position)
  }

  /** @param changeCount when the sync began; what came later may miss it */
  sync(changeCount: number): void {
    for (const change of this.#take(changeCount)) {
      if (change.kind === 'write') this.#medium.write(change.bytes, change.position)
      else this.#medium.resize(change.sizeBytes)
    }
  }

  /**
   * A sync that failed: the kernel drops what it could not write and counts it as clean, so the next
   * sync succeeds without it, while the page cache still shows it. A size that was set is not data:
   * it stays in the journal and gets to the medium with the next sync.
   */
  failSync(changeCount: number, random: SeededRandom, pieceBytes: number): void {
    const lost = this.#take(changeCount)
    this.#apply(lost, random, pieceBytes)
    const size = lost.findLast(({ kind }) => kind === 'resize')
    if (size !== undefined) {
      this.#changes.unshift(size)
      this.#syncedCount--
    }
    this.#isForked = true
  }

  /** Makes the cache what the medium has, with a random part of what was not synced. */
  losePower(random: SeededRandom, pieceBytes: number): void {
    if (this.#changes.length === 0 && !this.#isForked) return
    const survival = random.pick(SURVIVAL)
    if (survival === 'all') this.sync(this.changeCount)
    else if (survival === 'some') this.#apply(this.#changes, random, pieceBytes)
    this.#take(this.changeCount)
    this.#cache.copyFrom(this.#medium)
    this.#isForked = false
  }

  #take(changeCount: number): Change[] {
    const taken = this.#changes.splice(0, Math.max(0, changeCount - this.#syncedCount))
    this.#syncedCount += taken.length
    return taken
  }

  /**
   * Sizes change in their order, up to some moment; bytes get to the medium in pieces and in any
   * order. A piece that did not, in a file that grew, is zero.
   */
  #apply(changes: readonly Change[], random: SeededRandom, pieceBytes: number): void {
    const orderedCount = random.int(changes.length + 1)
    for (const [index, change] of changes.entries()) {
      const isOrdered = index < orderedCount
      if (change.kind === 'resize') {
        if (isOrdered) this.#medium.resize(change.sizeBytes)
        continue
      }
      const end = change.position + change.bytes.byteLength
      const isLast = index === orderedCount - 1
      if (isOrdered && end > this.#medium.sizeBytes)
        this.#medium.resize(isLast ? this.#grownSize(end, random, pieceBytes) : end)
      this.#applyPieces(change.position, change.bytes, random, pieceBytes)
    }
  }

  /** A write that grew the file may have got so far, or to the end of one of its pieces. */
  #grownSize(end: number, random: SeededRandom, pieceBytes: number): number {
    const start = this.#medium.sizeBytes
    const pieceCount = Math.ceil(end / pieceBytes) - Math.floor(start / pieceBytes)
    const grown = (Math.floor(start / pieceBytes) + 1 + random.int(pieceCount)) * pieceBytes
    return Math.min(end, grown)
  }

  #applyPieces(position: number, bytes: Buffer, random: SeededRandom, pieceBytes: number): void {
    const end = Math.min(position + bytes.byteLength, this.#medium.sizeBytes)
    for (let at = position; at < end; ) {
      const next = Math.min(end, (Math.floor(at / pieceBytes) + 1) * pieceBytes)
      if (random.oneIn(2)) this.#medium.write(bytes.subarray(at - position, next - position), at)
      at = next
    }
  }
}

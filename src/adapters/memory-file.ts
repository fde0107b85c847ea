/** Bytes of a page; small files have a smaller last page. */
const PAGE_BYTES = 65_536
const SMALLEST_PAGE_BYTES = 1024

/** The content of one file in memory: pages, so that growing copies next to nothing. */
export class MemoryFile {
  sizeBytes = 0
  modifiedMs = Date.now()
  readonly #pages: Buffer[] = []
  /** What a power failure leaves; null when nobody will ask. */
  #synced: Buffer | null

  constructor(tracksSyncs: boolean) {
    this.#synced = tracksSyncs ? Buffer.alloc(0) : null
  }

  write(piece: Buffer, position: number): void {
    if (piece.byteLength === 0) return
    this.modifiedMs = Date.now()
    const end = position + piece.byteLength
    this.#grow(end)
    let from = 0
    for (let at = position; at < end; ) {
      const page = this.#pages[Math.floor(at / PAGE_BYTES)] as Buffer
      const inPage = at % PAGE_BYTES
      const count = Math.min(PAGE_BYTES - inPage, end - at)
      piece.copy(page, inPage, from, from + count)
      from += count
      at += count
    }
    this.sizeBytes = Math.max(this.sizeBytes, end)
  }

  /** @returns bytes read: fewer only at the end */
  read(into: Buffer, intoOffset: number, byteCount: number, position: number): number {
    const end = Math.min(this.sizeBytes, position + byteCount)
    let to = intoOffset
    for (let at = position; at < end; ) {
      const page = this.#pages[Math.floor(at / PAGE_BYTES)] as Buffer
      const inPage = at % PAGE_BYTES
      const count = Math.min(PAGE_BYTES - inPage, end - at)
      page.copy(into, to, inPage, inPage + count)
      to += count
      at += count
    }
    return Math.max(0, end - position)
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes > this.sizeBytes) {
      this.#grow(sizeBytes)
    } else {
      this.#pages.length = Math.ceil(sizeBytes / PAGE_BYTES)
      // What is written past the end later must find zeros in between, as on a real disk.
      this.#pages.at(-1)?.fill(0, sizeBytes - (this.#pages.length - 1) * PAGE_BYTES)
    }
    this.sizeBytes = sizeBytes
    this.modifiedMs = Date.now()
  }

  sync(): void {
    if (this.#synced === null) return
    const content = Buffer.allocUnsafe(this.sizeBytes)
    this.read(content, 0, this.sizeBytes, 0)
    this.#synced = content
  }

  crash(keptBytes: ((syncedBytes: number, writtenBytes: number) => number) | undefined): void {
    const synced = this.#synced ?? Buffer.alloc(0)
    const kept = keptBytes?.(synced.byteLength, this.sizeBytes)
    if (kept === undefined || kept < synced.byteLength) {
      this.truncate(0)
      this.write(synced, 0)
    } else {
      this.truncate(Math.min(kept, this.sizeBytes))
    }
    this.sync()
  }

  #grow(sizeBytes: number): void {
    const pageCount = Math.ceil(sizeBytes / PAGE_BYTES)
    for (let i = Math.max(0, this.#pages.length - 1); i < pageCount; i++) {
      const isLast = i === pageCount - 1
      const needed = isLast ? sizeBytes - i * PAGE_BYTES : PAGE_BYTES
      const page = this.#pages[i]
      if (page !== undefined && page.byteLength >= needed) continue
      let capacity = SMALLEST_PAGE_BYTES
      while (capacity < needed) capacity *= 2
      const larger = Buffer.alloc(capacity)
      page?.copy(larger)
      this.#pages[i] = larger
    }
  }
}

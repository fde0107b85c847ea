/** How far a log is written, how far it is on disk, and how far readers may see it. */
export class WriteProgress {
  /** All below it is in the file. */
  writtenOffset: number
  /** All below it survives a power failure. */
  syncedOffset: number
  /** All below it is as safe as promised. */
  highWatermark: number
  /** Bytes written since the log was opened. */
  writtenBytes = 0
  /** Of these, what is below the high watermark. */
  visibleBytes = 0
  #syncedBytes = 0
  /** What the sync in flight covers. */
  #syncingBytes = 0

  constructor(endOffset: number) {
    this.writtenOffset = endOffset
    this.syncedOffset = endOffset
    this.highWatermark = endOffset
  }

  get unsyncedBytes(): number {
    return this.writtenBytes - this.#syncedBytes
  }

  syncStarted(): void {
    this.#syncingBytes = this.writtenBytes
  }

  synced(endOffset: number): void {
    this.syncedOffset = Math.max(this.syncedOffset, endOffset)
    this.#syncedBytes = this.#syncingBytes
  }

  /** Moves the high watermark as far as it may go. @returns whether it has moved */
  advance(needsSync: boolean): boolean {
    const safeOffset = needsSync ? this.syncedOffset : this.writtenOffset
    if (safeOffset <= this.highWatermark) return false
    this.highWatermark = safeOffset
    this.visibleBytes = needsSync ? this.#syncedBytes : this.writtenBytes
    return true
  }
}

/**
 * Where the newest snapshot of each share partition is in the log. Records before the oldest of them
 * are not needed any more. Source: ShareCoordinatorOffsetsManager of Kafka 4.4.
 */
export class SnapshotOffsets {
  readonly #offsets = new Map<string, number>()

  snapshotAt(key: string, offset: number): void {
    this.#offsets.set(key, offset)
  }

  forget(key: string): void {
    this.#offsets.delete(key)
  }

  /** Records before it are not needed; null when that is none that anybody knows of. */
  get neededFrom(): number | null {
    let needed: number | null = null
    for (const offset of this.#offsets.values()) needed = Math.min(needed ?? offset, offset)
    return needed
  }
}

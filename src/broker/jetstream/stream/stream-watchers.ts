import type { StreamWatcher } from './stream-reader.ts'

const NONE = 0

/** Tells those who watch a stream what came and what was removed, neighbours in one call. */
export class StreamWatchers {
  readonly #watchers = new Set<StreamWatcher>()
  /** What they were not told yet. */
  #firstNew = NONE
  #firstRemoved = NONE
  #lastRemoved = NONE
  #isOpen = false

  /** The stream is made from its log; what happened until now is news to nobody. */
  open(): void {
    this.#isOpen = true
  }

  add(watcher: StreamWatcher): void {
    this.#watchers.add(watcher)
  }

  delete(watcher: StreamWatcher): void {
    this.#watchers.delete(watcher)
  }

  appended(sequence: number): void {
    if (this.#isOpen && this.#firstNew === NONE) this.#firstNew = sequence
  }

  removed(sequence: number): void {
    if (!this.#isOpen) return
    if (sequence !== this.#lastRemoved + 1 || this.#firstRemoved === NONE) {
      this.tellRemoved()
      this.#firstRemoved = sequence
    }
    this.#lastRemoved = sequence
  }

  tellAppended(lastSequence: number): void {
    const first = this.#firstNew
    this.#firstNew = NONE
    if (first === NONE) return
    for (const watcher of [...this.#watchers]) watcher.appended(first, lastSequence)
  }

  tellRemoved(): void {
    const first = this.#firstRemoved
    const last = this.#lastRemoved
    this.#firstRemoved = NONE
    if (first === NONE) return
    for (const watcher of [...this.#watchers]) watcher.removed(first, last)
  }

  /** @param isGone the stream is deleted, and they are told */
  close(isGone: boolean): void {
    if (isGone) for (const watcher of [...this.#watchers]) watcher.gone()
    this.#watchers.clear()
  }
}

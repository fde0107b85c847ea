/** A message that was stored under an id. */
interface Entry {
  readonly sequence: number
  readonly timestampMs: number
}

/** The message ids of the last while. What is too old is forgotten as time goes on. */
export class DedupeWindow {
  /** In the order in which they came. */
  readonly #entries = new Map<string, Entry>()
  windowMs: number

  constructor(windowMs: number) {
    this.windowMs = windowMs
  }

  get size(): number {
    return this.#entries.size
  }

  add(id: string, sequence: number, timestampMs: number): void {
    this.#forget(timestampMs)
    if (this.windowMs <= 0) return
    this.#entries.delete(id)
    this.#entries.set(id, { sequence, timestampMs })
  }

  /** The sequence that was stored with the id; 0: none. */
  find(id: string, nowMs: number): number {
    this.#forget(nowMs)
    return this.#entries.get(id)?.sequence ?? 0
  }

  #forget(nowMs: number): void {
    for (const [id, { timestampMs }] of this.#entries) {
      if (nowMs - timestampMs < this.windowMs) return
      this.#entries.delete(id)
    }
  }
}

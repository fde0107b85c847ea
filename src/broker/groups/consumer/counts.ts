/** How often each name was added and not removed. A name at zero is not there. */
export class Counts {
  readonly #counts = new Map<string, number>()

  add(name: string): void {
    this.#counts.set(name, this.get(name) + 1)
  }

  remove(name: string): void {
    const count = this.get(name) - 1
    if (count > 0) this.#counts.set(name, count)
    else this.#counts.delete(name)
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  has(name: string): boolean {
    return this.#counts.has(name)
  }

  keys(): IterableIterator<string> {
    return this.#counts.keys()
  }

  areAll(count: number): boolean {
    for (const one of this.#counts.values()) if (one !== count) return false
    return true
  }

  /** The first among equals; null when there is none. */
  mostFrequent(): string | null {
    let best: string | null = null
    for (const [name, count] of this.#counts) {
      if (best === null || count > this.get(best)) best = name
    }
    return best
  }
}

/** Messages with a time to live of their own, the next one first. */
export class ExpiryQueue {
  readonly #sequences: number[] = []
  readonly #times: number[] = []

  /** When the first one expires; Infinity: there is none. */
  get nextMs(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY
  }

  add(sequence: number, expiresMs: number): void {
    let at = this.#times.length
    this.#times.push(expiresMs)
    this.#sequences.push(sequence)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((this.#times[parent] as number) <= expiresMs) break
      this.#swap(at, parent)
      at = parent
    }
  }

  /** Takes the first one if it expired by then; 0: none did. */
  take(nowMs: number): number {
    if (this.nextMs > nowMs) return 0
    const taken = this.#sequences[0] as number
    const lastTime = this.#times.pop() as number
    const lastSequence = this.#sequences.pop() as number
    if (this.#times.length === 0) return taken
    this.#times[0] = lastTime
    this.#sequences[0] = lastSequence
    this.#sink()
    return taken
  }

  #sink(): void {
    const count = this.#times.length
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      let least = at
      if (left < count && this.#timeAt(left) < this.#timeAt(least)) least = left
      if (right < count && this.#timeAt(right) < this.#timeAt(least)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #timeAt(index: number): number {
    return this.#times[index] as number
  }

  #swap(a: number, b: number): void {
    const time = this.#timeAt(a)
    const sequence = this.#sequences[a] as number
    this.#times[a] = this.#timeAt(b)
    this.#sequences[a] = this.#sequences[b] as number
    this.#times[b] = time
    this.#sequences[b] = sequence
  }
}

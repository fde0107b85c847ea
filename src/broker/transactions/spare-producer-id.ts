/** Gives producer ids, at once or once a new block of them is recorded. */
export interface ProducerIdSource {
  take(): number | undefined
  next(): Promise<number>
}

/** Keeps a producer id at hand, so that a step of the coordinator need not wait for one. */
export class SpareProducerId {
  readonly #source: ProducerIdSource
  #spare: number | undefined
  #filling: Promise<void> | undefined

  constructor(source: ProducerIdSource) {
    this.#source = source
  }

  /** undefined when a block is being recorded; then the client asks again. */
  take(): number | undefined {
    const id = this.#spare ?? this.#source.take()
    this.#spare = undefined
    if (id === undefined) void this.ready()
    return id
  }

  /** Resolves when `take` has an id, or there can be none now. */
  ready(): Promise<void> {
    this.#spare ??= this.#source.take()
    if (this.#spare !== undefined) return Promise.resolve()
    this.#filling ??= this.#fill()
    return this.#filling
  }

  async #fill(): Promise<void> {
    try {
      this.#spare = await this.#source.next()
    } catch {
      // The metadata log failed, which is told where it happens; `take` finds nothing.
    } finally {
      this.#filling = undefined
    }
  }
}

import type { MetadataStore } from '../ports/metadata-store.ts'
import { SerialTasks } from './serial-tasks.ts'

/** Ids taken from the metadata at a time; Kafka's size. What is left of a block at a stop is lost. */
const BLOCK_SIZE = 1000

/**
 * Gives producer ids that nobody had before: a block is recorded in the metadata before the first
 * id of it is used. Source: KIP-730.
 */
export class ProducerIds {
  readonly #metadata: MetadataStore
  readonly #tasks = new SerialTasks()
  #next = 0
  #end = 0

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata
  }

  /** An id at once, or undefined when a new block has to be recorded first. */
  take(): number | undefined {
    return this.#next < this.#end ? this.#next++ : undefined
  }

  /** @throws StorageError when the block could not be recorded; no id was given */
  async next(): Promise<number> {
    return this.take() ?? this.#tasks.run(() => this.#nextOfBlock())
  }

  async #nextOfBlock(): Promise<number> {
    // Those who waited share the block that the first of them took.
    const id = this.take()
    if (id !== undefined) return id
    const first = this.#metadata.image.nextProducerId
    await this.#metadata.commit([{ kind: 'producerIdsTaken', nextProducerId: first + BLOCK_SIZE }])
    this.#next = first + 1
    this.#end = first + BLOCK_SIZE
    return first
  }
}

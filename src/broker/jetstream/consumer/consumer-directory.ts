import type { Logger } from '../../../ports/logger.ts'
import { isEphemeralInMemory } from './consumer-config.ts'
import type { ConsumerPorts } from './consumer-ports.ts'
import {
  type ConsumerStore,
  type KeptConsumer,
  StreamConsumers,
  type StreamHost,
} from './stream-consumers.ts'

/** The consumers of all streams. */
export class ConsumerDirectory {
  readonly #store: ConsumerStore
  readonly #ports: ConsumerPorts & { readonly logger: Logger }
  readonly #streams = new Map<string, StreamConsumers>()

  constructor(store: ConsumerStore, ports: ConsumerPorts & { readonly logger: Logger }) {
    this.#store = store
    this.#ports = ports
  }

  get consumerCount(): number {
    let count = 0
    for (const consumers of this.#streams.values()) count += consumers.size
    return count
  }

  /** undefined: there is no such stream */
  consumersOf(stream: string): StreamConsumers | undefined {
    return this.#streams.get(stream)
  }

  /** A stream can be read now. @param kept its consumers, as the log has them */
  streamOpened(host: StreamHost, kept: readonly KeptConsumer[]): StreamConsumers {
    const consumers = new StreamConsumers(host, this.#store, this.#ports)
    this.#streams.set(host.reader.name, consumers)
    consumers.restore(kept)
    return consumers
  }

  /** A stream is deleted, and its consumers with it. */
  async streamDeleted(stream: string): Promise<void> {
    const consumers = this.#streams.get(stream)
    if (consumers === undefined) return
    this.#streams.delete(stream)
    const all = consumers.all()
    consumers.close(true)
    const kept = all.filter(({ config }) => !isEphemeralInMemory(config))
    await Promise.all(kept.map(({ name }) => this.#store.remove(stream, name)))
  }

  /** The broker stops. */
  close(): void {
    for (const consumers of this.#streams.values()) consumers.close(false)
    this.#streams.clear()
  }
}

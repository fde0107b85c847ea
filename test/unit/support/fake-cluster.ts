import { BrokerConfig } from '../../../src/broker/configs/broker-config.ts'
import { TopicRegistry } from '../../../src/broker/topics/topic-registry.ts'
import { ClusterImage } from '../../../src/cluster/metadata-image.ts'
import type {
  MetadataChange,
  MetadataListener,
  MetadataStore,
  TopicImage,
} from '../../../src/ports/metadata-store.ts'
import { FakeLogStore } from './fake-log-store.ts'
import { SILENT } from './ports.ts'

/** The real image without a log: commits are safe a microtask later. */
export class FakeMetadata implements MetadataStore {
  readonly image = new ClusterImage('c3Bvb2wtY2x1c3Rlci0wMQ', 1)
  /** The next commit fails with it. */
  failure: Error | null = null
  #listeners: MetadataListener[] = []

  async commit(changes: readonly MetadataChange[]): Promise<void> {
    await Promise.resolve()
    if (this.failure !== null) throw this.failure
    for (const change of changes) this.image.check(change)
    for (const change of changes) this.image.apply(change)
    this.image.advanceTo(this.image.offset + changes.length)
    for (const listener of this.#listeners) listener.metadataChanged(changes, this.image)
  }

  subscribe(listener: MetadataListener): void {
    this.#listeners.push(listener)
  }

  /** Forgets who listened, as a restart does. */
  restart(): void {
    this.#listeners = []
  }

  async close(): Promise<void> {}
}

export interface FakeClusterOptions {
  readonly metadata?: FakeMetadata
  readonly logStore?: FakeLogStore
  readonly configs?: Readonly<Record<string, string>>
}

/** A broker's topics on fakes. Given the metadata of another one, it is that one restarted. */
export async function makeCluster(options: FakeClusterOptions = {}) {
  const { metadata = new FakeMetadata(), logStore = new FakeLogStore(), configs = {} } = options
  metadata.restart()
  const config = new BrokerConfig(new Map(Object.entries(configs)))
  config.attach(metadata)
  const registry = new TopicRegistry({ metadata, logStore, config, logger: SILENT })
  await registry.start()
  return { metadata, logStore, config, registry }
}

export function topicImage(name: string, topicId: string, count: number): TopicImage {
  return {
    name,
    topicId,
    partitions: Array.from({ length: count }, (_, partition) => ({
      partition,
      replicas: [1],
      isr: [1],
      leaderId: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
    })),
  }
}

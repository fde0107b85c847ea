/** Kafka's resource types of configurations. */
export const ConfigResourceType = { TOPIC: 2, BROKER: 4, CLIENT_METRICS: 16, GROUP: 32 } as const
export type ConfigResourceType = (typeof ConfigResourceType)[keyof typeof ConfigResourceType]

export interface PartitionImage {
  readonly partition: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Broker id, -1: none. */
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export interface TopicImage {
  readonly name: string
  /** 22 characters base64url. */
  readonly topicId: string
  /** Index = partition number. */
  readonly partitions: readonly PartitionImage[]
}

/** What the cluster is, at one moment. Read it, never keep parts of it over an await. */
export interface MetadataImage {
  readonly clusterId: string
  /** Id of this broker. */
  readonly nodeId: number
  readonly topics: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<string, TopicImage>
  /** Explicitly set values; the resource name of the cluster-wide broker defaults is ''. */
  configs(type: ConfigResourceType, resourceName: string): ReadonlyMap<string, string>
  /** Names with at least one set value. */
  configuredResources(type: ConfigResourceType): readonly string[]
  /** First producer id that no block covers yet. */
  readonly nextProducerId: number
  /** Finalized feature levels, e.g. `metadata.version` -> 33. */
  readonly features: ReadonlyMap<string, number>
  /** Offset of the last metadata record applied: the finalized features epoch. */
  readonly offset: number
}

/** One change to the cluster; a store writes it in its own form (KRaft records, etcd keys). */
export type MetadataChange =
  | { readonly kind: 'topicCreated'; readonly topic: TopicImage }
  | { readonly kind: 'topicDeleted'; readonly name: string; readonly topicId: string }
  | {
      readonly kind: 'partitionsAdded'
      readonly topicId: string
      readonly partitions: readonly PartitionImage[]
    }
  | {
      readonly kind: 'leaderChanged'
      readonly topicId: string
      readonly partition: number
      readonly leaderId: number
      readonly leaderEpoch: number
    }
  | {
      readonly kind: 'configSet'
      readonly type: ConfigResourceType
      readonly resourceName: string
      readonly name: string
      /** null: back to the default. */
      readonly value: string | null
    }
  | { readonly kind: 'producerIdsTaken'; readonly nextProducerId: number }
  | { readonly kind: 'featureSet'; readonly name: string; readonly level: number }

export interface MetadataListener {
  /** Called after the image holds the changes, in order, before `commit` resolves. */
  metadataChanged(changes: readonly MetadataChange[], image: MetadataImage): void
}

/** Who and what the cluster is: a local log of KRaft records, or etcd. */
export interface MetadataStore {
  readonly image: MetadataImage
  /**
   * Makes changes all or nothing. Resolves when they are safe, in the image, and told to listeners.
   * Commits are serial: the checks of a caller that did not await since hold.
   * @throws StorageError when the log failed; nothing changed
   */
  commit(changes: readonly MetadataChange[]): Promise<void>
  subscribe(listener: MetadataListener): void
  close(): Promise<void>
}

import { ErrorCode, errorName } from '../base/error-code.ts'
import type { BrokerConfig } from '../broker/configs/broker-config.ts'
import { boundedGroupValue } from '../broker/configs/group-config-rules.ts'
import type { CoordinatorPorts } from '../broker/coordinator/coordinator-shard.ts'
import type { InternalTopics } from '../broker/coordinator/internal-topics.ts'
import type { GroupCoordinator } from '../broker/groups/group-coordinator.ts'
import { ShareCoordinator } from '../broker/share/coordinator/share-coordinator.ts'
import { type DeadLetterTopics, DeadLetterWriter } from '../broker/share/dead-letter-writer.ts'
import {
  DEFAULT_SHARE_SETTINGS,
  parseAutoOffsetReset,
  type ShareConfig,
  type ShareGroupSettings,
} from '../broker/share/share-config.ts'
import { ShareGroupService } from '../broker/share/share-group-service.ts'
import { SharePartitionManager } from '../broker/share/share-partition-manager.ts'
import { SharePersister } from '../broker/share/share-persister.ts'
import type { TopicAdmin } from '../broker/topics/topic-admin.ts'
import type { TopicRegistry } from '../broker/topics/topic-registry.ts'
import { ConfigResourceType, type MetadataStore } from '../ports/metadata-store.ts'
import type { Meter } from '../ports/meter.ts'

export interface ShareServicesOptions extends CoordinatorPorts {
  readonly meter: Meter
  readonly config: BrokerConfig
  readonly metadata: MetadataStore
  readonly topics: InternalTopics
  readonly registry: TopicRegistry
  readonly topicAdmin: TopicAdmin
  readonly groups: GroupCoordinator
}

/** All that belongs to share groups, put together. */
export class ShareServices {
  readonly coordinator: ShareCoordinator
  readonly groups: ShareGroupService
  readonly partitions: SharePartitionManager
  readonly deadLetters: DeadLetterWriter

  constructor(options: ShareServicesOptions) {
    const { config, metadata, scheduler, registry: partitions } = options
    this.coordinator = new ShareCoordinator({
      ...options,
      metadata: () => metadata.image,
      config: () => ({
        updatesPerSnapshot: config.getInt('share.coordinator.snapshot.update.records.per.snapshot'),
        coldPartitionSnapshotIntervalMs: COLD_SNAPSHOT_INTERVAL_MS,
        pruneIntervalMs: PRUNE_INTERVAL_MS,
      }),
    })
    const persister = new SharePersister(this.coordinator, scheduler)
    this.deadLetters = new DeadLetterWriter({
      ...options,
      topics: deadLetterTopics(options),
      config: () => ({
        mayCreate: config.getBoolean('errors.deadletterqueue.auto.create.topics.enable'),
        topicPrefix: config.getString('errors.deadletterqueue.topic.name.prefix'),
      }),
    })
    this.partitions = new SharePartitionManager({
      ...options,
      partitions,
      persister,
      deadLetters: this.deadLetters,
      config: () => shareConfigOf(config, metadata),
    })
    this.groups = new ShareGroupService({
      ...options,
      partitions,
      persister,
      metadata: () => metadata.image,
      stateChanged: (key) => this.partitions.forget(key),
    })
  }

  /** What to do with changes of the metadata. */
  get listeners() {
    return [this.coordinator, this.partitions]
  }

  close(): void {
    this.partitions.close()
    this.coordinator.close()
  }
}

/** Topics of this broker, and how it makes those that dead letters need. */
function deadLetterTopics({ registry, topicAdmin }: ShareServicesOptions): DeadLetterTopics {
  return {
    partitionCount: (topic) => registry.topic(topic)?.partitions.length ?? 0,
    partition: (topic, index) => registry.partition(topic, index),
    isEnabled: (topic) =>
      registry.topic(topic)?.config.get('errors.deadletterqueue.group.enable') === 'true',
    create: async (name) => {
      const configs = [
        { name: 'errors.deadletterqueue.group.enable', value: 'true' },
        { name: 'message.timestamp.type', value: 'CreateTime' },
      ]
      const counts = { partitionCount: -1, replicationFactor: -1, assignments: [] }
      const [result] = await topicAdmin.createTopics([{ name, ...counts, configs }], false)
      const errorCode = result?.errorCode ?? ErrorCode.NONE
      const isThere = errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
      return isThere ? null : (result?.errorMessage ?? errorName(errorCode))
    },
  }
}

/** Internal configs of Kafka, which nobody sets. */
const COLD_SNAPSHOT_INTERVAL_MS = 300_000
const PRUNE_INTERVAL_MS = 300_000

function shareConfigOf(config: BrokerConfig, metadata: MetadataStore): ShareConfig {
  return {
    maxSessions: config.getInt('group.share.max.share.sessions'),
    maxFetchBytes: config.getInt('fetch.max.bytes'),
    ofGroup: (groupId) => settingsOf(groupId, config, metadata),
  }
}

function settingsOf(
  groupId: string,
  config: BrokerConfig,
  { image }: MetadataStore,
): ShareGroupSettings {
  const values = image.configs(ConfigResourceType.GROUP, groupId)
  const numberOf = (name: string): number =>
    boundedGroupValue(name, values, config) ?? config.getInt(`group.${name}`)
  // Source: ShareVersion of Kafka 4.4.
  const hasDeadLetters = (image.features.get('share.version') ?? 0) >= 2
  const reset = values.get('share.auto.offset.reset')
  return {
    recordLockDurationMs: numberOf('share.record.lock.duration.ms'),
    deliveryCountLimit: numberOf('share.delivery.count.limit'),
    partitionMaxRecordLocks: numberOf('share.partition.max.record.locks'),
    autoOffsetReset:
      reset === undefined ? DEFAULT_SHARE_SETTINGS.autoOffsetReset : parseAutoOffsetReset(reset),
    isReadCommitted: values.get('share.isolation.level') === 'read_committed',
    deadLetterTopic: hasDeadLetters
      ? (values.get('errors.deadletterqueue.topic.name') ?? '') || null
      : null,
    copiesDeadLetters: values.get('errors.deadletterqueue.copy.record.enable') === 'true',
    canRenew: (values.get('share.renew.acknowledge.enable') ?? 'true') === 'true',
  }
}

import type { BrokerConfig } from '../broker/configs/broker-config.ts'
import { boundedGroupValue } from '../broker/configs/group-config-rules.ts'
import type { CoordinatorPorts } from '../broker/coordinator/coordinator-shard.ts'
import type { InternalTopics } from '../broker/coordinator/internal-topics.ts'
import type { GroupCoordinator } from '../broker/groups/group-coordinator.ts'
import { ShareCoordinator } from '../broker/share/coordinator/share-coordinator.ts'
import {
  DEFAULT_SHARE_SETTINGS,
  parseAutoOffsetReset,
  type ShareConfig,
  type ShareGroupSettings,
} from '../broker/share/share-config.ts'
import { ShareGroupService } from '../broker/share/share-group-service.ts'
import { SharePartitionManager } from '../broker/share/share-partition-manager.ts'
import { SharePersister } from '../broker/share/share-persister.ts'
import type { PartitionLookup } from '../broker/topics/partition-lookup.ts'
import { ConfigResourceType, type MetadataStore } from '../ports/metadata-store.ts'

export interface ShareServicesOptions extends CoordinatorPorts {
  readonly config: BrokerConfig
  readonly metadata: MetadataStore
  readonly topics: InternalTopics
  readonly partitions: PartitionLookup
  readonly groups: GroupCoordinator
}

/** All that belongs to share groups, put together. */
export class ShareServices {
  readonly coordinator: ShareCoordinator
  readonly groups: ShareGroupService
  readonly partitions: SharePartitionManager

  constructor(options: ShareServicesOptions) {
    const { config, metadata, scheduler } = options
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
    this.partitions = new SharePartitionManager({
      ...options,
      persister,
      config: () => shareConfigOf(config, metadata),
    })
    this.groups = new ShareGroupService({
      ...options,
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
  const reset = values.get('share.auto.offset.reset')
  return {
    recordLockDurationMs: numberOf('share.record.lock.duration.ms'),
    deliveryCountLimit: numberOf('share.delivery.count.limit'),
    partitionMaxRecordLocks: numberOf('share.partition.max.record.locks'),
    autoOffsetReset:
      reset === undefined ? DEFAULT_SHARE_SETTINGS.autoOffsetReset : parseAutoOffsetReset(reset),
    isReadCommitted: values.get('share.isolation.level') === 'read_committed',
    canRenew: (values.get('share.renew.acknowledge.enable') ?? 'true') === 'true',
  }
}

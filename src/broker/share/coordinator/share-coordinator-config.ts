/** Settings of the share coordinator, read anew for every step; the names are Kafka's. */
export interface ShareCoordinatorConfig {
  /** `share.coordinator.snapshot.update.records.per.snapshot` */
  readonly updatesPerSnapshot: number
  /** `share.coordinator.cold.partition.snapshot.interval.ms` */
  readonly coldPartitionSnapshotIntervalMs: number
  /** `share.coordinator.state.topic.prune.interval.ms` */
  readonly pruneIntervalMs: number
}

/** The defaults of Kafka 4.4. */
export const DEFAULT_SHARE_COORDINATOR_CONFIG: ShareCoordinatorConfig = {
  updatesPerSnapshot: 500,
  coldPartitionSnapshotIntervalMs: 300_000,
  pruneIntervalMs: 300_000,
}

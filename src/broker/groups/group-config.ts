/** Which way groups may change between the protocols while members are in (KIP-848). */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

/** What was set for one group by itself; the rest is the broker's. */
export interface GroupOverrides {
  /** `consumer.session.timeout.ms` */
  readonly consumerSessionTimeoutMs?: number | undefined
  /** `consumer.heartbeat.interval.ms` */
  readonly consumerHeartbeatIntervalMs?: number | undefined
  /** `consumer.assignment.interval.ms` */
  readonly consumerAssignmentIntervalMs?: number | undefined
  /** `share.session.timeout.ms` */
  readonly shareSessionTimeoutMs?: number | undefined
  /** `share.heartbeat.interval.ms` */
  readonly shareHeartbeatIntervalMs?: number | undefined
  /** `share.assignment.interval.ms` */
  readonly shareAssignmentIntervalMs?: number | undefined
  /** `streams.session.timeout.ms` */
  readonly streamsSessionTimeoutMs?: number | undefined
  /** `streams.heartbeat.interval.ms` */
  readonly streamsHeartbeatIntervalMs?: number | undefined
  /** `streams.assignment.interval.ms` */
  readonly streamsAssignmentIntervalMs?: number | undefined
  /** `streams.initial.rebalance.delay.ms` */
  readonly streamsInitialRebalanceDelayMs?: number | undefined
  /** `streams.num.standby.replicas` */
  readonly streamsStandbyCount?: number | undefined
  /** `streams.rack.aware.assignment.tags` */
  readonly streamsClientTags?: readonly string[] | undefined
  /** `streams.task.offset.interval.ms` */
  readonly streamsTaskOffsetIntervalMs?: number | undefined
  /** `streams.acceptable.recovery.lag` */
  readonly streamsAcceptableRecoveryLag?: number | undefined
}

/** Settings of the group coordinator, read anew for every step; the names are Kafka's. */
export interface GroupConfig {
  /** `group.min.session.timeout.ms` */
  readonly minSessionTimeoutMs: number
  /** `group.max.session.timeout.ms` */
  readonly maxSessionTimeoutMs: number
  /** `group.initial.rebalance.delay.ms` */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size` */
  readonly maxSize: number
  /** `spool.max.group.member.bytes`: what members of all groups may keep here. */
  readonly maxMemberBytes: number
  /** `offset.metadata.max.bytes` */
  readonly offsetMetadataMaxBytes: number
  /** `offsets.retention.minutes`, in milliseconds */
  readonly offsetsRetentionMs: number
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsRetentionCheckIntervalMs: number
  /** `group.consumer.session.timeout.ms` */
  readonly consumerSessionTimeoutMs: number
  /** `group.consumer.heartbeat.interval.ms` */
  readonly consumerHeartbeatIntervalMs: number
  /** `group.consumer.assignment.interval.ms`: assignments of a group are made no faster. */
  readonly consumerAssignmentIntervalMs: number
  /** `group.consumer.max.size` */
  readonly consumerMaxSize: number
  /** `group.consumer.assignors`; the first one where members ask for none. */
  readonly consumerAssignors: readonly string[]
  /** `group.consumer.migration.policy` */
  readonly migrationPolicy: MigrationPolicy
  /** `group.consumer.regex.refresh.interval.ms` */
  readonly consumerRegexRefreshIntervalMs: number
  /** `group.share.session.timeout.ms` */
  readonly shareSessionTimeoutMs: number
  /** `group.share.heartbeat.interval.ms` */
  readonly shareHeartbeatIntervalMs: number
  /** `group.share.assignment.interval.ms`: assignments of a group are made no faster. */
  readonly shareAssignmentIntervalMs: number
  /** `group.share.max.size` */
  readonly shareMaxSize: number
  /** `group.streams.session.timeout.ms` */
  readonly streamsSessionTimeoutMs: number
  /** `group.streams.heartbeat.interval.ms` */
  readonly streamsHeartbeatIntervalMs: number
  /** `group.streams.assignment.interval.ms`: assignments of a group are made no faster. */
  readonly streamsAssignmentIntervalMs: number
  /** `group.streams.initial.rebalance.delay.ms`: a new group waits for more members. */
  readonly streamsInitialRebalanceDelayMs: number
  /** `group.streams.num.standby.replicas` */
  readonly streamsStandbyCount: number
  /** `group.streams.rack.aware.assignment.tags` */
  readonly streamsClientTags: readonly string[]
  /** `group.streams.task.offset.interval.ms` */
  readonly streamsTaskOffsetIntervalMs: number
  /** `group.streams.acceptable.recovery.lag`, in records. */
  readonly streamsAcceptableRecoveryLag: number
  /** `group.streams.max.size` */
  readonly streamsMaxSize: number
  /** `broker.rack` */
  readonly rack: string | null
  readonly ofGroup: (groupId: string) => GroupOverrides
}

const NO_OVERRIDES: GroupOverrides = {}

/** The defaults of Kafka 4.4, and of what only Spool has. */
export const DEFAULT_GROUP_CONFIG: GroupConfig = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3_000,
  maxSize: 0x7fff_ffff,
  maxMemberBytes: 64 * 1024 * 1024,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMs: 10_080 * 60_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  consumerSessionTimeoutMs: 45_000,
  consumerHeartbeatIntervalMs: 5_000,
  consumerAssignmentIntervalMs: 1_000,
  consumerMaxSize: 0x7fff_ffff,
  consumerAssignors: ['uniform', 'range'],
  migrationPolicy: 'bidirectional',
  consumerRegexRefreshIntervalMs: 600_000,
  shareSessionTimeoutMs: 45_000,
  shareHeartbeatIntervalMs: 5_000,
  shareAssignmentIntervalMs: 1_000,
  shareMaxSize: 200,
  streamsSessionTimeoutMs: 45_000,
  streamsHeartbeatIntervalMs: 5_000,
  streamsAssignmentIntervalMs: 1_000,
  streamsInitialRebalanceDelayMs: 3_000,
  streamsStandbyCount: 0,
  streamsClientTags: [],
  streamsTaskOffsetIntervalMs: 60_000,
  streamsAcceptableRecoveryLag: 10_000,
  streamsMaxSize: 0x7fff_ffff,
  rack: null,
  ofGroup: () => NO_OVERRIDES,
}

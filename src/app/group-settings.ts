import type { BrokerConfig } from '../broker/configs/broker-config.ts'
import type { GroupConfig, GroupOverrides, MigrationPolicy } from '../broker/groups/group-config.ts'

const MINUTE_MS = 60_000

/** The settings of the group coordinator as they are now. */
export function groupConfigOf(config: BrokerConfig): GroupConfig {
  return {
    minSessionTimeoutMs: config.getInt('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.getInt('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.getInt('group.initial.rebalance.delay.ms'),
    maxSize: config.getInt('group.max.size'),
    offsetMetadataMaxBytes: config.getInt('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.getInt('offsets.retention.minutes') * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: config.getLong('offsets.retention.check.interval.ms'),
    consumerSessionTimeoutMs: config.getInt('group.consumer.session.timeout.ms'),
    consumerHeartbeatIntervalMs: config.getInt('group.consumer.heartbeat.interval.ms'),
    consumerAssignmentIntervalMs: config.getInt('group.consumer.assignment.interval.ms'),
    consumerMaxSize: config.getInt('group.consumer.max.size'),
    consumerAssignors: config.getList('group.consumer.assignors'),
    migrationPolicy: config
      .getString('group.consumer.migration.policy')
      .toLowerCase() as MigrationPolicy,
    consumerRegexRefreshIntervalMs: config.getInt('group.consumer.regex.refresh.interval.ms'),
    rack: config.find('broker.rack'),
    ofGroup: () => NO_OVERRIDES,
  }
}

const NO_OVERRIDES: GroupOverrides = {}

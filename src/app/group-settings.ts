import type { BrokerConfig } from '../broker/configs/broker-config.ts'
import { boundedGroupValue } from '../broker/configs/group-config-rules.ts'
import type { GroupConfig, GroupOverrides, MigrationPolicy } from '../broker/groups/group-config.ts'
import { ConfigResourceType, type MetadataStore } from '../ports/metadata-store.ts'

const MINUTE_MS = 60_000

/** The settings of the group coordinator as they are now. */
export function groupConfigOf(config: BrokerConfig, metadata: MetadataStore): GroupConfig {
  return {
    minSessionTimeoutMs: config.getInt('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.getInt('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.getInt('group.initial.rebalance.delay.ms'),
    maxSize: config.getInt('group.max.size'),
    maxMemberBytes: config.getLong('spool.max.group.member.bytes'),
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
    shareSessionTimeoutMs: config.getInt('group.share.session.timeout.ms'),
    shareHeartbeatIntervalMs: config.getInt('group.share.heartbeat.interval.ms'),
    shareAssignmentIntervalMs: config.getInt('group.share.assignment.interval.ms'),
    shareMaxSize: config.getInt('group.share.max.size'),
    streamsSessionTimeoutMs: config.getInt('group.streams.session.timeout.ms'),
    streamsHeartbeatIntervalMs: config.getInt('group.streams.heartbeat.interval.ms'),
    streamsAssignmentIntervalMs: config.getInt('group.streams.assignment.interval.ms'),
    streamsInitialRebalanceDelayMs: config.getInt('group.streams.initial.rebalance.delay.ms'),
    streamsStandbyCount: config.getInt('group.streams.num.standby.replicas'),
    streamsClientTags: config.getList('group.streams.rack.aware.assignment.tags'),
    streamsTaskOffsetIntervalMs: config.getInt('group.streams.task.offset.interval.ms'),
    streamsAcceptableRecoveryLag: config.getLong('group.streams.acceptable.recovery.lag'),
    streamsMaxSize: config.getInt('group.streams.max.size'),
    rack: config.find('broker.rack'),
    ofGroup: (groupId) => overridesOf(groupId, config, metadata),
  }
}

/** What was set for one group, within the bounds that the broker has for it now. */
function overridesOf(
  groupId: string,
  config: BrokerConfig,
  { image }: MetadataStore,
): GroupOverrides {
  const values = image.configs(ConfigResourceType.GROUP, groupId)
  const numberOf = (name: string) => boundedGroupValue(name, values, config)
  return {
    consumerSessionTimeoutMs: numberOf('consumer.session.timeout.ms'),
    consumerHeartbeatIntervalMs: numberOf('consumer.heartbeat.interval.ms'),
    consumerAssignmentIntervalMs: numberOf('consumer.assignment.interval.ms'),
    shareSessionTimeoutMs: numberOf('share.session.timeout.ms'),
    shareHeartbeatIntervalMs: numberOf('share.heartbeat.interval.ms'),
    shareAssignmentIntervalMs: numberOf('share.assignment.interval.ms'),
    streamsSessionTimeoutMs: numberOf('streams.session.timeout.ms'),
    streamsHeartbeatIntervalMs: numberOf('streams.heartbeat.interval.ms'),
    streamsAssignmentIntervalMs: numberOf('streams.assignment.interval.ms'),
    streamsInitialRebalanceDelayMs: numberOf('streams.initial.rebalance.delay.ms'),
    streamsStandbyCount: numberOf('streams.num.standby.replicas'),
    streamsClientTags: listOf(values.get('streams.rack.aware.assignment.tags')),
    streamsTaskOffsetIntervalMs: numberOf('streams.task.offset.interval.ms'),
    streamsAcceptableRecoveryLag: numberOf('streams.acceptable.recovery.lag'),
  }
}

function listOf(value: string | undefined): readonly string[] | undefined {
  return value
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

import type { JavaClass } from './classes.ts'

/** What the tests of the coordinator rely on: one partition, so that one shard has all groups. */
const COMMON = { 'offsets.topic.num.partitions': '1' }
const DELAYED = { 'group.initial.rebalance.delay.ms': '1000' }
const AT_ONCE = { 'group.consumer.assignment.interval.ms': '0' }
const SHORT_SESSION = {
  'group.consumer.session.timeout.ms': '5001',
  'group.consumer.min.session.timeout.ms': '5001',
}
const STREAMS_AT_ONCE = { 'group.streams.initial.rebalance.delay.ms': '0' }
const SHORT_STREAMS_SESSION = {
  'group.streams.heartbeat.interval.ms': '500',
  'group.streams.min.heartbeat.interval.ms': '500',
  'group.streams.session.timeout.ms': '501',
  'group.streams.min.session.timeout.ms': '501',
}
/** Some wait for several assignments in a row, within one limit. */
const QUICK_BEATS = {
  'group.consumer.heartbeat.interval.ms': '500',
  'group.consumer.min.heartbeat.interval.ms': '500',
}
const TRANSACTIONS = { 'transaction.state.log.num.partitions': '1' }

/** Kafka's tests that send single requests to the coordinator, for every version of them. */
const REQUEST_TESTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  JoinGroup: DELAYED,
  SyncGroup: DELAYED,
  Heartbeat: {},
  LeaveGroup: {},
  ListGroups: { ...DELAYED, ...AT_ONCE },
  DescribeGroups: {},
  DeleteGroups: {},
  OffsetCommit: {},
  OffsetFetch: {},
  OffsetDelete: {},
  TxnOffsetCommit: TRANSACTIONS,
  WriteTxnMarkers: TRANSACTIONS,
  ConsumerGroupHeartbeat: AT_ONCE,
  ConsumerGroupDescribe: AT_ONCE,
  StreamsGroupDescribe: { 'group.streams.assignment.interval.ms': '0' },
}

/** They leave members behind in a group that all of them use, so each has a broker of its own. */
const STREAMS_TESTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DynamicGroupConfig: {},
  EmptyStreamsGroupId: {},
  FencedMemberCanRejoinWithEpochZero: {},
  GroupCoordinatorChange: {},
  InternalTopicsCreation: {},
  InvalidMemberEpoch: {},
  MemberJoiningAndExpiring: SHORT_STREAMS_SESSION,
  MemberLeaveHeartbeat: {},
  StreamsGroupHeartbeatForMultipleMembers: {},
  StreamsGroupHeartbeatIsAccessibleWhenNewGroupCoordinatorIsEnabledTopicNotExistFirst: {},
  StreamsGroupHeartbeatIsInaccessibleWhenDisabledByStaticGroupCoordinatorProtocolConfig: {
    'group.coordinator.rebalance.protocols': 'classic,consumer',
  },
  StreamsGroupHeartbeatIsInaccessibleWhenOffsetTopicNotExist: {},
  StreamsGroupHeartbeatWithInvalidAPIVersion: {},
}

/** Groups that move between the protocols, by the policy that the tests ask for. */
const MIGRATION_TESTS: Readonly<Record<string, string>> = {
  bidirectional: '.*WithBidirectionalPolicy|testOnlineMigration.*',
  upgrade: '.*WithUpgradePolicy|testUpgradeMigrationPolicy',
  downgrade: '.*WithDowngradePolicy|testDowngradeMigrationPolicy',
  disabled: '.*Disabled.*',
}

/** Kafka's tests of the command-line tools for groups. */
const TOOL_TESTS = [
  'DeleteConsumerGroupsTest',
  'DeleteOffsetsConsumerGroupCommandIntegrationTest',
  'DescribeConsumerGroupTest',
  'ListConsumerGroupTest',
  'ResetConsumerGroupOffsetTest',
]

const requestTest = (name: string): string => `kafka.server.${name}RequestTest`

export const groupClasses: readonly JavaClass[] = [
  ...Object.entries(REQUEST_TESTS).map(([name, config]) => ({
    ...{ name: requestTest(name), label: requestTest(name), config: { ...COMMON, ...config } },
  })),
  {
    name: requestTest('ConsumerGroupHeartbeat'),
    label: `${requestTest('ConsumerGroupHeartbeat')} (short session)`,
    config: { ...COMMON, ...SHORT_SESSION },
    include: 'testStaticMemberRemovedAfterSessionTimeoutExpiry.*',
  },
  ...Object.entries(STREAMS_TESTS).map(([method, config]) => ({
    name: requestTest('StreamsGroupHeartbeat'),
    label: `${requestTest('StreamsGroupHeartbeat')} (${method})`,
    config: { ...COMMON, ...STREAMS_AT_ONCE, ...config },
    include: `test${method}`,
  })),
  ...Object.entries(MIGRATION_TESTS).map(([policy, include]) => ({
    name: 'kafka.server.ConsumerProtocolMigrationTest',
    label: `kafka.server.ConsumerProtocolMigrationTest (${policy})`,
    config: { ...COMMON, 'group.consumer.migration.policy': policy },
    include,
  })),
  ...TOOL_TESTS.map((name) => `org.apache.kafka.tools.consumer.group.${name}`).map((name) => ({
    ...{ name, label: name, config: { ...QUICK_BEATS, ...AT_ONCE } },
  })),
]

const HASH_ORDER = "expects the order of Kafka's hash tables, which no client relies on"

/** Tests that Spool is not to pass, by label and method, with the reason. */
export const otherwise: Readonly<Record<string, string>> = {
  'kafka.server.ListGroupsRequestTest testListGroupsWithNewConsumerGroupProtocol': HASH_ORDER,
  'kafka.server.ConsumerGroupDescribeRequestTest testConsumerGroupDescribeWithNewGroupCoordinator':
    HASH_ORDER,
}

import {
  BOOLEAN,
  type ConfigDefinition,
  definitionOfTopic,
  INT,
  LIST,
  LONG,
  STRING,
  type TopicConfigRow,
} from './config-definition.ts'

/** Configs of groups (KIP-848, KIP-932, KIP-1071), each with the broker config it stands in for. */
const GROUP_CONFIG_ROWS: readonly TopicConfigRow[] = [
  ['consumer.session.timeout.ms', INT, '45000', '[1,...]', 'group.consumer.session.timeout.ms'],
  [
    'consumer.heartbeat.interval.ms',
    INT,
    '5000',
    '[1,...]',
    'group.consumer.heartbeat.interval.ms',
  ],
  [
    'consumer.assignment.interval.ms',
    INT,
    '1000',
    '[0,...]',
    'group.consumer.assignment.interval.ms',
  ],
  ['share.session.timeout.ms', INT, '45000', '[1,...]', 'group.share.session.timeout.ms'],
  ['share.heartbeat.interval.ms', INT, '5000', '[1,...]', 'group.share.heartbeat.interval.ms'],
  [
    'share.record.lock.duration.ms',
    INT,
    '30000',
    '[1000,...]',
    'group.share.record.lock.duration.ms',
  ],
  ['share.delivery.count.limit', INT, '5', '[2,...]', 'group.share.delivery.count.limit'],
  [
    'share.partition.max.record.locks',
    INT,
    '2000',
    '[100,...]',
    'group.share.partition.max.record.locks',
  ],
  ['share.auto.offset.reset', STRING, 'latest', '', null],
  ['share.isolation.level', STRING, 'read_uncommitted', '[read_committed, read_uncommitted]', null],
  ['share.renew.acknowledge.enable', BOOLEAN, 'true', '', null],
  ['share.assignment.interval.ms', INT, '1000', '[0,...]', 'group.share.assignment.interval.ms'],
  ['streams.session.timeout.ms', INT, '45000', '[1,...]', 'group.streams.session.timeout.ms'],
  ['streams.heartbeat.interval.ms', INT, '5000', '[1,...]', 'group.streams.heartbeat.interval.ms'],
  ['streams.num.standby.replicas', INT, '0', '[0,...]', 'group.streams.num.standby.replicas'],
  [
    'streams.initial.rebalance.delay.ms',
    INT,
    '3000',
    '[0,...]',
    'group.streams.initial.rebalance.delay.ms',
  ],
  [
    'streams.assignment.interval.ms',
    INT,
    '1000',
    '[0,...]',
    'group.streams.assignment.interval.ms',
  ],
  ['streams.rack.aware.assignment.tags', LIST, '', '', 'group.streams.rack.aware.assignment.tags'],
  ['streams.assignor.name', STRING, null, '', 'group.streams.assignors'],
  ['errors.deadletterqueue.topic.name', STRING, '', '', null],
  ['errors.deadletterqueue.copy.record.enable', BOOLEAN, 'false', '', null],
]

/** Taken, but not shown. */
const INTERNAL_ROWS: readonly TopicConfigRow[] = [
  [
    'consumer.assignor.offload.enable',
    BOOLEAN,
    'true',
    '',
    'group.consumer.assignor.offload.enable',
  ],
  ['share.assignor.offload.enable', BOOLEAN, 'true', '', 'group.share.assignor.offload.enable'],
  ['streams.assignor.offload.enable', BOOLEAN, 'true', '', 'group.streams.assignor.offload.enable'],
  [
    'streams.task.offset.interval.ms',
    INT,
    '60000',
    '[1,...]',
    'group.streams.task.offset.interval.ms',
  ],
  ['streams.num.warmup.replicas', INT, '2', '[0,...]', 'group.streams.num.warmup.replicas'],
  [
    'streams.acceptable.recovery.lag',
    LONG,
    '10000',
    '[0,...]',
    'group.streams.acceptable.recovery.lag',
  ],
]

let groupConfigs: ReadonlyMap<string, ConfigDefinition> | undefined

/** All configs of a group by name. */
export function groupConfigDefinitions(): ReadonlyMap<string, ConfigDefinition> {
  groupConfigs ??= new Map(
    [
      ...GROUP_CONFIG_ROWS.map(definitionOfTopic),
      ...INTERNAL_ROWS.map((row) => ({ ...definitionOfTopic(row), isInternal: true })),
    ].map((definition) => [definition.name, definition]),
  )
  return groupConfigs
}

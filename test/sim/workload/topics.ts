import { ErrorCode } from '../../../src/base/error-code.ts'
import { AlterOperation } from '../../../src/broker/configs/config-alterer.ts'
import { ConfigResourceType } from '../../../src/ports/metadata-store.ts'
import type { TopicLedger } from '../ledger/topic-ledger.ts'
import type { Session } from './session.ts'

const MAX_PARTITIONS = 3

/** Tiny segments come from tiny indexes: the sizes of segments themselves start at 1 MiB. */
const TOPIC_CONFIGS: readonly (readonly [string, readonly string[]])[] = [
  ['segment.index.bytes', ['24', '32', '64', '128', '10485760']],
  ['index.interval.bytes', ['0', '200', '4096']],
  ['spool.durability', ['fsync', 'fsync', 'fsync', 'os']],
  ['retention.bytes', ['-1', '-1', '4000']],
  ['retention.ms', ['-1', '-1', '1500']],
  ['flush.messages', ['1', '10', '9223372036854775807']],
  ['cleanup.policy', ['delete', 'delete', 'compact', 'compact,delete']],
  ['min.cleanable.dirty.ratio', ['0.0', '0.5']],
  ['min.compaction.lag.ms', ['0', '0', '300']],
  ['delete.retention.ms', ['0', '400', '86400000']],
  ['preallocate', ['false', 'false', 'false', 'true']],
  ['segment.bytes', ['1048576']],
]

/** Those that may change while there is a ledger of what the topic promised. */
const CHANGED_CONFIGS = TOPIC_CONFIGS.filter(
  ([name]) => name !== 'spool.durability' && name !== 'cleanup.policy',
)

function anyIdle(
  session: Session,
  isFit: (topic: TopicLedger) => boolean,
): TopicLedger | undefined {
  const topics = session.ledger.topics.filter((topic) => !topic.isBusy && isFit(topic))
  return topics.length === 0 ? undefined : session.random.pick(topics)
}

export function createTopic(session: Session, isCompacted = false): void {
  const { random, core, machine } = session
  const topic = anyIdle(session, ({ mayExist }) => !mayExist)
  if (topic === undefined) return
  const configs = new Map(TOPIC_CONFIGS.map(([name, values]) => [name, random.pick(values)]))
  if (isCompacted) configs.set('cleanup.policy', 'compact').set('min.cleanable.dirty.ratio', '0.0')
  // After a sync that failed the kernel shows pages that are on no disk. Who waits for no sync is not
  // protected from losing them later: docs/operating says so.
  if (machine.faults.rates.sync !== undefined) configs.set('spool.durability', 'fsync')
  const partitionCount = 1 + random.int(2)
  topic.isBusy = true
  topic.creating(partitionCount, configs)
  machine.trace(() => `create ${topic.name}: ${partitionCount} ${JSON.stringify([...configs])}`)
  const wanted = {
    name: topic.name,
    partitionCount,
    replicationFactor: 1,
    assignments: [],
    configs: [...configs].map(([name, value]) => ({ name, value })),
  }
  session.answered(
    core.topicAdmin.createTopics([wanted], false),
    ([result]) => {
      topic.isBusy = false
      machine.trace(() => `created ${topic.name}: ${result?.errorCode} ${result?.errorMessage}`)
      if (result?.errorCode !== ErrorCode.NONE) return
      topic.existence.acknowledge(true)
      topic.topicId = result.created?.topicId ?? null
    },
    // It may be there all the same: only a restart tells.
    () => undefined,
  )
}

export function deleteTopic(session: Session): void {
  const { core, machine, ledger } = session
  const topic = anyIdle(session, ({ isLive }) => isLive)
  if (topic === undefined) return
  topic.isBusy = true
  topic.existence.ask(false)
  ledger.forgetOffsets(topic.name)
  machine.trace(() => `delete ${topic.name}`)
  session.answered(
    core.topicAdmin.deleteTopics([{ name: topic.name, topicId: null }]),
    ([result]) => {
      topic.isBusy = false
      machine.trace(() => `deleted ${topic.name}: ${result?.errorCode}`)
      if (result?.errorCode === ErrorCode.NONE) topic.existence.acknowledge(false)
    },
    () => undefined,
  )
}

export function addPartitions(session: Session): void {
  const { core, machine } = session
  const topic = anyIdle(session, (one) => one.isLive && one.partitions.length < MAX_PARTITIONS)
  if (topic === undefined) return
  const partitionCount = topic.partitions.length + 1
  topic.isBusy = true
  topic.partitionCount.ask(partitionCount)
  machine.trace(() => `add a partition to ${topic.name}: ${partitionCount}`)
  const wanted = { name: topic.name, partitionCount, assignments: null }
  session.answered(
    core.topicAdmin.createPartitions([wanted], false),
    ([result]) => {
      topic.isBusy = false
      if (result?.errorCode !== ErrorCode.NONE) return
      topic.partitionCount.acknowledge(partitionCount)
      topic.grow(partitionCount)
    },
    () => undefined,
  )
}

export function changeConfig(session: Session): void {
  const { core, machine, random } = session
  const topic = anyIdle(session, ({ isLive }) => isLive)
  if (topic === undefined) return
  const [name, values] = random.pick(CHANGED_CONFIGS)
  const value = random.pick(values)
  topic.isBusy = true
  topic.configAsked(name, value)
  machine.trace(() => `set ${name}=${value} for ${topic.name}`)
  const alterations = [{ name, operation: AlterOperation.SET, value }]
  const resource = { type: ConfigResourceType.TOPIC, resourceName: topic.name, alterations }
  session.answered(
    core.configAlterer.alter([resource], false, false),
    ([result]) => {
      topic.isBusy = false
      if (result?.errorCode === ErrorCode.NONE) topic.configs.get(name)?.acknowledge(value)
    },
    () => undefined,
  )
}

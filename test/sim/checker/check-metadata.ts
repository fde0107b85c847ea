import { ConfigResourceType } from '../../../src/ports/metadata-store.ts'
import { DEAD_LETTER_TOPIC, SHARE_TOPIC } from '../ledger/share-ledger.ts'
import type { TopicLedger } from '../ledger/topic-ledger.ts'
import { TRANSACTION_TOPIC } from '../ledger/transaction-ledger.ts'
import type { Session } from '../workload/session.ts'
import { expect } from '../world/sim-failure.ts'

const OTHERS = new Set([
  '__consumer_offsets',
  '__share_group_state',
  '__transaction_state',
  DEAD_LETTER_TOPIC,
  SHARE_TOPIC,
  TRANSACTION_TOPIC,
])

/** Topics, partitions and configs are what clients were told, and nothing else is there. */
export function checkMetadata(session: Session): void {
  const { core, ledger } = session
  const { image } = core.metadata
  ledger.clusterId ??= image.clusterId
  expect(image.clusterId === ledger.clusterId, 'the cluster id has changed')
  for (const topic of ledger.topics) checkTopic(session, topic)
  for (const name of image.topics.keys()) {
    const isKnown = OTHERS.has(name) || ledger.topics.some((topic) => topic.name === name)
    expect(isKnown, `the topic ${name} was never asked for`)
  }
}

function checkTopic({ core }: Session, topic: TopicLedger): void {
  const { name, existence, partitionCount } = topic
  const { image } = core.metadata
  const found = image.topics.get(name)
  topic.isBusy = false
  expect(
    existence.observe(found !== undefined),
    () => `the topic ${name} is ${found === undefined ? 'gone' : 'there again'}`,
  )
  existence.settle(found !== undefined)
  if (found === undefined) {
    topic.topicId = null
    return
  }
  topic.topicId ??= found.topicId
  expect(found.topicId === topic.topicId, () => `the topic ${name} has another id`)
  expect(
    partitionCount.observe(found.partitions.length),
    () => `the topic ${name} has ${found.partitions.length} partitions`,
  )
  partitionCount.settle(found.partitions.length)
  topic.grow(found.partitions.length)
  const configs = image.configs(ConfigResourceType.TOPIC, name)
  for (const [config, register] of topic.configs) {
    const value = configs.get(config)
    expect(
      register.observe(value),
      () => `${config} of ${name} is ${value}, not ${register.possible.join(' or ')}`,
    )
    register.settle(value)
  }
}

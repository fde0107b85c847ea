import { ZERO_UUID } from '../../../src/wire/kafka/codec.ts'
import { metadataApi } from '../../../src/wire/kafka/messages/03-metadata.ts'
import { deleteTopicsApi } from '../../../src/wire/kafka/messages/20-delete-topics.ts'
import { describeClusterApi } from '../../../src/wire/kafka/messages/60-describe-cluster.ts'
import { describeTopicPartitionsApi } from '../../../src/wire/kafka/messages/75-describe-topic-partitions.ts'
import type { Broker } from './support/broker.ts'
import { type Scenario, scenario } from './support/scenario.ts'

interface Asked {
  readonly name?: string | null
  readonly topicId?: string
}

function ask(
  broker: Broker,
  version: number,
  topics: readonly Asked[] | null,
  isAutoCreate = false,
) {
  return broker.call(metadataApi, version, {
    topics: topics?.map(({ name = null, topicId = ZERO_UUID }) => ({ name, topicId })) ?? null,
    ...(version >= 4 ? { allowAutoTopicCreation: isAutoCreate } : {}),
    includeTopicAuthorizedOperations: false,
  })
}

const namesOf = (answer: Awaited<ReturnType<typeof ask>>, prefix: string): (string | null)[] =>
  answer.topics.map(({ name }) => name).filter((name) => name?.startsWith(prefix) === true)

export const metadata: readonly Scenario[] = [
  scenario(
    'Metadata v0 with an empty list is about all topics, from v1 on about none',
    async (broker) => {
      await broker.createTopic('metadata-all')
      return [
        namesOf(await ask(broker, 0, []), 'metadata-all'),
        (await ask(broker, 1, [])).topics,
        namesOf(await ask(broker, 1, null), 'metadata-all'),
        namesOf(await ask(broker, 13, null), 'metadata-all'),
      ]
    },
  ),
  scenario('a missing topic is first unknown, then created behind the answer', async (broker) => {
    const first = await ask(broker, 12, [{ name: 'metadata-auto' }], true)
    await broker.topicReady('metadata-auto')
    return [first.topics, (await ask(broker, 12, [{ name: 'metadata-auto' }])).topics]
  }),
  scenario('a missing topic is not created when the client does not allow it', async (broker) => {
    const first = await ask(broker, 12, [{ name: 'metadata-never' }])
    return [first.topics, namesOf(await ask(broker, 12, null), 'metadata-never')]
  }),
  ...['', 'a b', '.', '..', 'x'.repeat(250), 'ä', 'a/b'].map((name) =>
    scenario(
      `the topic name "${name.slice(0, 10)}" of ${name.length} is invalid`,
      async (broker) => [
        (await ask(broker, 8, [{ name }])).topics,
        (await ask(broker, 12, [{ name }], true)).topics,
      ],
    ),
  ),
  scenario('an unknown topic id has error 100 and a null name', async (broker) => [
    (await ask(broker, 12, [{ topicId: 'AAAAAAAAAAAAAAAAAAAABQ' }])).topics,
    (await ask(broker, 13, [{ topicId: 'AAAAAAAAAAAAAAAAAAAABQ' }])).topics,
  ]),
  scenario('a topic is found by its id', async (broker) => {
    const topicId = await broker.createTopic('metadata-by-id', { partitions: 2 })
    return (await ask(broker, 12, [{ topicId }])).topics
  }),
  scenario('a topic asked twice is answered once', async (broker) => {
    await broker.createTopic('metadata-twice')
    return (await ask(broker, 9, [{ name: 'metadata-twice' }, { name: 'metadata-twice' }])).topics
  }),
  scenario('every version shows a topic with its leader and replicas', async (broker) => {
    await broker.createTopic('metadata-versions', { partitions: 2 })
    const seen: unknown[] = []
    for (let version = 0; version <= 13; version++) {
      const answer = await ask(broker, version, [{ name: 'metadata-versions' }])
      seen.push([
        version,
        answer.brokers,
        answer.controllerId,
        answer.clusterId !== null,
        answer.topics,
      ])
    }
    return seen
  }),
  scenario(
    'a topic that is made again has a new id, and the old one is unknown',
    async (broker) => {
      const old = await broker.createTopic('metadata-again')
      await broker.call(deleteTopicsApi, 5, {
        topics: [],
        topicNames: ['metadata-again'],
        timeoutMs: 10_000,
      })
      await broker.until('the deletion', async () => {
        const answer = await ask(broker, 12, [{ name: 'metadata-again' }])
        return answer.topics[0]?.errorCode === 3 ? true : undefined
      })
      const made = await broker.createTopic('metadata-again')
      return [made !== old, (await ask(broker, 12, [{ topicId: old }])).topics]
    },
  ),
  scenario('authorized operations are computed only for those who ask', async (broker) => {
    await broker.createTopic('metadata-operations')
    const topics = [{ name: 'metadata-operations', topicId: ZERO_UUID }]
    const answers: unknown[] = []
    for (const isAsked of [false, true]) {
      const answer = await broker.call(metadataApi, 9, {
        ...{ topics, allowAutoTopicCreation: false },
        includeClusterAuthorizedOperations: isAsked,
        includeTopicAuthorizedOperations: isAsked,
      })
      const topic = answer.topics[0]
      answers.push([answer.clusterAuthorizedOperations, topic?.topicAuthorizedOperations])
    }
    return answers
  }),
  scenario('the topic of committed offsets is internal', async (broker) => {
    await broker.coordinatorReady('metadata-group')
    await broker.topicReady('__consumer_offsets')
    const answer = await ask(broker, 12, [{ name: '__consumer_offsets' }])
    return answer.topics.map(({ errorCode, isInternal }) => [errorCode, isInternal])
  }),
  scenario(
    'DescribeCluster tells brokers, and refuses to speak about controllers',
    async (broker) => {
      const answers: unknown[] = []
      for (const version of [0, 1, 2]) {
        answers.push(
          await broker.call(describeClusterApi, version, {
            ...DESCRIBE,
            includeClusterAuthorizedOperations: true,
          }),
        )
      }
      answers.push(await broker.call(describeClusterApi, 1, { ...DESCRIBE, endpointType: 2 }))
      return answers
    },
  ),
  scenario(
    'DescribeTopicPartitions counts partitions over all topics and goes on at its cursor',
    async (broker) => {
      await broker.createTopic('metadata-pages-a', { partitions: 3 })
      await broker.createTopic('metadata-pages-b', { partitions: 2 })
      const names = ['metadata-pages-a', 'metadata-pages-b', 'metadata-pages-missing']
      const topics = names.map((name) => ({ name }))
      const first = await broker.call(describeTopicPartitionsApi, 0, {
        topics,
        responsePartitionLimit: 2,
      })
      const cursor = first.nextCursor
      const second = await broker.call(describeTopicPartitionsApi, 0, {
        topics,
        responsePartitionLimit: 2,
        cursor,
      })
      const whole = await broker.call(describeTopicPartitionsApi, 0, { topics })
      return [first, second, whole]
    },
  ),
]

const DESCRIBE = { includeClusterAuthorizedOperations: false, includeFencedBrokers: false }

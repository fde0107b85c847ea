import { ZERO_UUID } from '../../../src/wire/kafka/codec.ts'
import { createTopicsApi } from '../../../src/wire/kafka/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../../src/wire/kafka/messages/20-delete-topics.ts'
import { createPartitionsApi } from '../../../src/wire/kafka/messages/37-create-partitions.ts'
import type { Broker } from './support/broker.ts'
import { type Scenario, scenario } from './support/scenario.ts'
import { comparableConfigs } from './support/shown-configs.ts'

interface Wanted {
  readonly name: string
  readonly numPartitions?: number
  readonly replicationFactor?: number
  readonly configs?: Readonly<Record<string, string | null>>
  readonly assignments?: readonly (readonly number[])[]
}

async function create(
  broker: Broker,
  wanted: readonly Wanted[],
  options: { version?: number; validateOnly?: boolean } = {},
) {
  const answer = await broker.call(createTopicsApi, options.version ?? 7, {
    topics: wanted.map(
      ({ name, numPartitions = 1, replicationFactor = 1, configs, assignments }) => ({
        ...{ name, numPartitions, replicationFactor },
        assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({
          partitionIndex,
          brokerIds,
        })),
        configs: Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value })),
      }),
    ),
    validateOnly: options.validateOnly ?? false,
  })
  return answer.topics.map((topic) => ({
    ...topic,
    configs: topic.configs === null ? null : comparableConfigs(topic.configs),
  }))
}

function removal(broker: Broker, version: number, name: string | null, topicId = ZERO_UUID) {
  const topics = version >= 6 ? [{ name, topicId }] : []
  const topicNames = version >= 6 ? [] : [name ?? '']
  return broker.call(deleteTopicsApi, version, { topics, topicNames, timeoutMs: 10_000 })
}

async function grow(broker: Broker, name: string, count: number, validateOnly = false) {
  const topics = [{ name, count, assignments: null }]
  return broker.call(createPartitionsApi, 3, { topics, timeoutMs: 10_000, validateOnly })
}

const refused: Readonly<Record<string, Wanted>> = {
  'a replication factor above the number of brokers': { name: 'refused', replicationFactor: 2 },
  'a replication factor of 0': { name: 'refused', replicationFactor: 0 },
  'no partitions': { name: 'refused', numPartitions: 0 },
  'a negative partition count': { name: 'refused', numPartitions: -5 },
  'an unknown config': { name: 'refused', configs: { 'no.such.config': '1' } },
  'a bad value of a config': { name: 'refused', configs: { 'retention.ms': 'soon' } },
  'a value outside its range': { name: 'refused', configs: { 'segment.bytes': '1' } },
  'an unknown cleanup policy': { name: 'refused', configs: { 'cleanup.policy': 'shred' } },
  'a null value of a config': { name: 'refused', configs: { 'retention.ms': null } },
  'an empty name': { name: '' },
  'a name with a blank': { name: 'a b' },
  'the name ..': { name: '..' },
  'a name of 250 letters': { name: 'x'.repeat(250) },
  'an assignment with a partition count': { name: 'refused', numPartitions: 2, assignments: [[1]] },
  'an assignment to an unknown broker': {
    ...{ name: 'refused', numPartitions: -1, replicationFactor: -1, assignments: [[99]] },
  },
  'an assignment to one broker twice': {
    ...{ name: 'refused', numPartitions: -1, replicationFactor: -1, assignments: [[1, 1]] },
  },
}

export const topics: readonly Scenario[] = [
  ...Object.entries(refused).map(([what, wanted]) =>
    scenario(`CreateTopics refuses ${what}`, (broker) => create(broker, [wanted])),
  ),
  scenario('CreateTopics answers with the effective configs and the id', (broker) =>
    create(broker, [
      { name: 'topics-made', numPartitions: 3, configs: { 'retention.ms': '1234' } },
    ]),
  ),
  scenario('every version of CreateTopics creates', async (broker) => {
    const answers: unknown[] = []
    for (let version = 2; version <= 7; version++) {
      answers.push(await create(broker, [{ name: `topics-v${version}` }], { version }))
    }
    return answers
  }),
  scenario('CreateTopics takes the defaults of the broker for -1', async (broker) =>
    (
      await create(broker, [{ name: 'topics-default', numPartitions: -1, replicationFactor: -1 }])
    ).map(({ errorCode, numPartitions, replicationFactor }) => [
      errorCode,
      numPartitions,
      replicationFactor,
    ]),
  ),
  scenario('CreateTopics takes a manual assignment', async (broker) =>
    (
      await create(broker, [
        {
          name: 'topics-assigned',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [[1], [1]],
        },
      ])
    ).map(({ errorCode, numPartitions, replicationFactor }) => [
      errorCode,
      numPartitions,
      replicationFactor,
    ]),
  ),
  scenario('CreateTopics refuses a name that comes twice, once', (broker) =>
    create(broker, [{ name: 'topics-twice' }, { name: 'topics-twice' }]),
  ),
  scenario('CreateTopics refuses a topic that exists', async (broker) => {
    await broker.createTopic('topics-there')
    return create(broker, [{ name: 'topics-there' }])
  }),
  scenario('CreateTopics refuses a name that differs in . and _ only', async (broker) => {
    await broker.createTopic('topics.collide')
    return create(broker, [{ name: 'topics_collide' }])
  }),
  scenario('CreateTopics that only validates creates nothing', async (broker) => {
    const validated = await create(broker, [{ name: 'topics-dry' }], { validateOnly: true })
    const made = await create(broker, [{ name: 'topics-dry' }])
    return [validated, made.map(({ errorCode }) => errorCode)]
  }),
  scenario('CreatePartitions adds partitions, and refuses fewer or as many', async (broker) => {
    await broker.createTopic('topics-grow', { partitions: 2 })
    return [
      await grow(broker, 'topics-grow', 2),
      await grow(broker, 'topics-grow', 1),
      await grow(broker, 'topics-grow', 4, true),
      await grow(broker, 'topics-grow', 4),
      await grow(broker, 'topics-missing', 4),
      await grow(broker, 'topics-grow', 0),
    ]
  }),
  scenario('DeleteTopics by name and by id, of topics that are there or not', async (broker) => {
    const topicId = await broker.createTopic('topics-gone-id')
    await broker.createTopic('topics-gone')
    return [
      await removal(broker, 6, 'topics-gone-id', topicId),
      await removal(broker, 6, null, topicId),
      await removal(broker, 5, 'topics-gone'),
      await removal(broker, 5, 'topics-never'),
      await removal(broker, 1, 'topics-never'),
      await removal(broker, 6, null, 'AAAAAAAAAAAAAAAAAAAABQ'),
    ]
  }),
]

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SerialTasks } from '../../../../../src/broker/serial-tasks.ts'
import { TopicAdmin } from '../../../../../src/broker/topics/topic-admin.ts'
import { metadataHandler } from '../../../../../src/frontends/kafka/handlers/03-metadata.ts'
import { createTopicsHandler } from '../../../../../src/frontends/kafka/handlers/19-create-topics.ts'
import { deleteTopicsHandler } from '../../../../../src/frontends/kafka/handlers/20-delete-topics.ts'
import { createPartitionsHandler } from '../../../../../src/frontends/kafka/handlers/37-create-partitions.ts'
import { describeTopicPartitionsHandler } from '../../../../../src/frontends/kafka/handlers/75-describe-topic-partitions.ts'
import { ZERO_UUID } from '../../../../../src/wire/kafka/codec.ts'
import { metadataApi } from '../../../../../src/wire/kafka/messages/03-metadata.ts'
import { createTopicsApi } from '../../../../../src/wire/kafka/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../../../../src/wire/kafka/messages/20-delete-topics.ts'
import { createPartitionsApi } from '../../../../../src/wire/kafka/messages/37-create-partitions.ts'
import { describeTopicPartitionsApi } from '../../../../../src/wire/kafka/messages/75-describe-topic-partitions.ts'
import { makeCluster, topicImage } from '../../../support/fake-cluster.ts'
import { CountingRandom, SILENT } from '../../../support/ports.ts'
import { call, ORDERS_ID, UNKNOWN_ID } from './group-apis-harness.ts'

const NO_MASK = -2_147_483_648

/** A broker with `a` (3 partitions), `b` (3) and `__consumer_offsets` (1). */
async function makeServices() {
  const cluster = await makeCluster()
  await cluster.metadata.commit([
    { kind: 'topicCreated', topic: topicImage('b', 'c3Bvb2wtdG9waWMtaWQwMg', 3) },
    { kind: 'topicCreated', topic: topicImage('a', ORDERS_ID, 3) },
    { kind: 'topicCreated', topic: topicImage('__consumer_offsets', 'c3Bvb2wtb2Zmc2V0cy0wMQ', 1) },
  ])
  const created: string[] = []
  const tasks = new SerialTasks()
  const random = new CountingRandom()
  return {
    ...cluster,
    created,
    partitions: cluster.registry,
    createOnUse: (name: string) => created.push(name),
    rack: null,
    maxPartitions: () => 2000,
    topicAdmin: new TopicAdmin({ ...cluster, random, logger: SILENT, tasks }),
  }
}

type Asked = { readonly name: string | null; readonly topicId?: string }

/** Metadata of these topics, with the older versions lacking what they lack. */
async function ask(topics: readonly Asked[] | null, version = 12, more: object = {}) {
  const services = await makeServices()
  const response = await call(metadataApi, metadataHandler(services), version, { topics, ...more })
  return { ...response, created: services.created }
}

describe('Metadata', () => {
  it('has all topics for null from v1 and for an empty list in v0, none for an empty one after', async () => {
    assert.equal((await ask(null)).topics.length, 3)
    assert.equal((await ask(null, 1)).topics.length, 3)
    assert.equal((await ask([], 0)).topics.length, 3)
    assert.equal((await ask([], 1)).topics.length, 0)
  })

  it('names this broker where the client reached it, in every version', async () => {
    for (let version = 0; version <= 13; version++) {
      const { brokers, topics } = await ask([{ name: 'a' }], version)
      assert.equal(brokers.length, 1)
      assert.equal(brokers[0]?.host, 'broker.example')
      assert.equal(topics[0]?.topicId, version < 10 ? ZERO_UUID : ORDERS_ID)
      assert.deepEqual(
        topics[0]?.partitions.map(({ leaderId, isrNodes }) => [leaderId, isrNodes]),
        [1, 2, 3].map(() => [1, [1]]),
      )
    }
  })

  it('answers a topic that is asked twice once, and flags internal ones', async () => {
    const { topics } = await ask([{ name: 'a' }, { name: '__consumer_offsets' }, { name: 'a' }])
    assert.deepEqual(
      topics.map(({ name, isInternal }) => [name, isInternal]),
      [
        ['a', false],
        ['__consumer_offsets', true],
      ],
    )
  })

  it('answers a missing topic with 3 and no partitions while its creation starts', async () => {
    const { topics, created } = await ask([{ name: 'new' }, { name: 'a/b' }])
    assert.deepEqual(
      topics.map(({ errorCode, topicId, partitions }) => [errorCode, topicId, partitions]),
      [
        [3, ZERO_UUID, []],
        [17, ZERO_UUID, []],
      ],
    )
    assert.deepEqual(created, ['new'])
    const strict = await ask([{ name: 'new' }], 12, { allowAutoTopicCreation: false })
    assert.deepEqual(strict.created, [])
  })

  it('finds by id from v12 only, and says 100 without a name for an unknown one', async () => {
    const asked = [
      { name: null, topicId: ORDERS_ID },
      { name: null, topicId: UNKNOWN_ID },
    ]
    const { topics } = await ask(asked)
    assert.deepEqual(
      topics.map(({ errorCode, name, topicId }) => [errorCode, name, topicId]),
      [
        [0, 'a', ORDERS_ID],
        [100, null, UNKNOWN_ID],
      ],
    )
    const refused = await ask(asked.slice(0, 1), 10)
    assert.equal(refused.topics[0]?.errorCode, 42)
    assert.equal(refused.brokers.length, 0)
  })
})

describe('a topic in Metadata', () => {
  it('holds the masks of all operations only when asked for', async () => {
    const masks = async (more: object) => {
      const { topics, clusterAuthorizedOperations } = await ask([{ name: 'a' }], 8, more)
      return [topics[0]?.topicAuthorizedOperations, clusterAuthorizedOperations]
    }
    const include = {
      includeTopicAuthorizedOperations: true,
      includeClusterAuthorizedOperations: true,
    }
    assert.deepEqual(await masks({}), [NO_MASK, NO_MASK])
    assert.deepEqual(await masks(include), [3576, 8096])
  })

  it('gives a partition whose disk failed no leader', async () => {
    const services = await makeServices()
    const log = services.logStore.logs.get('a-1')
    assert.ok(log)
    log.isFailed = true
    const asked = { topics: [{ name: 'a' }] }
    const { topics } = await call(metadataApi, metadataHandler(services), 12, asked)
    const partition = topics[0]?.partitions[1]
    assert.deepEqual([partition?.errorCode, partition?.leaderId], [5, -1])
    assert.deepEqual(partition?.offlineReplicas, [1])
  })
})

/** What is left of the answer: names with the partitions shown, and the cursor. */
async function page(
  names: readonly string[],
  responsePartitionLimit: number,
  cursor: { topicName: string; partitionIndex: number } | null = null,
) {
  const handler = describeTopicPartitionsHandler(await makeServices())
  const topics = names.map((name) => ({ name }))
  const request = { topics, responsePartitionLimit, cursor }
  const response = await call(describeTopicPartitionsApi, handler, 0, request)
  return {
    topics: response.topics.map(({ name, errorCode, partitions }) =>
      errorCode === 0 ? [name, partitions.map((one) => one.partitionIndex)] : [name, -errorCode],
    ),
    cursor: response.nextCursor && [
      response.nextCursor.topicName,
      response.nextCursor.partitionIndex,
    ],
    response,
  }
}

describe('DescribeTopicPartitions (KIP-966)', () => {
  it('counts partitions over all topics by name and points at the next one', async () => {
    const first = await page(['b', 'a', 'nope'], 4)
    assert.deepEqual(first.topics, [
      ['a', [0, 1, 2]],
      ['b', [0]],
    ])
    assert.deepEqual(first.cursor, ['b', 1])
    const second = await page(['b', 'a', 'nope'], 2, { topicName: 'b', partitionIndex: 1 })
    assert.deepEqual([second.topics, second.cursor], [[['b', [1, 2]]], ['nope', 0]])
    const third = await page(['b', 'a', 'nope'], 2, { topicName: 'nope', partitionIndex: 0 })
    assert.deepEqual([third.topics, third.cursor], [[['nope', -3]], null])
  })

  it('shows all topics when none is named, and at least one partition', async () => {
    assert.deepEqual((await page([], 0)).topics, [['__consumer_offsets', [0]]])
  })

  it('refuses a cursor that is not at one of the topics', async () => {
    assert.deepEqual((await page(['a'], 9, { topicName: 'aa', partitionIndex: 0 })).topics, [
      ['a', -42],
    ])
    assert.deepEqual((await page(['a'], 9, { topicName: 'a', partitionIndex: -1 })).topics, [
      ['a', -42],
    ])
  })

  it('fills the operations unasked, and lists rather than null for eligible replicas', async () => {
    const { response } = await page(['a', 'nope'], 9)
    assert.deepEqual(
      response.topics.map((topic) => topic.topicAuthorizedOperations),
      [3576, 3576],
    )
    assert.deepEqual(response.topics[0]?.partitions[0]?.eligibleLeaderReplicas, [])
    assert.deepEqual(response.topics[0]?.partitions[0]?.lastKnownElr, [])
  })
})

describe('the APIs that change topics', () => {
  it('create with configs from v5 and the id from v7, and never null configs', async () => {
    const wanted = (name: string) => ({
      name,
      numPartitions: 2,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })
    for (let version = 2; version <= 7; version++) {
      const handler = createTopicsHandler(await makeServices())
      const request = { topics: [wanted('new'), wanted('a')] }
      const { topics } = await call(createTopicsApi, handler, version, request)
      assert.deepEqual(
        topics.map(({ errorCode }) => errorCode),
        [0, 36],
      )
      assert.equal(topics[0]?.topicId === ZERO_UUID, version < 7)
      assert.deepEqual(
        topics.map(({ configs, numPartitions }) => [configs?.length, numPartitions]),
        version < 5
          ? [
              [0, -1],
              [0, -1],
            ]
          : [
              [38, 2],
              [0, -1],
            ],
      )
    }
  })

  it('delete by name in all versions, by id from v6', async () => {
    for (let version = 1; version <= 6; version++) {
      const services = await makeServices()
      const topics = [
        { name: 'a', topicId: ZERO_UUID },
        { name: null, topicId: UNKNOWN_ID },
      ]
      const request =
        version < 6 ? { topicNames: ['a', 'nope'], timeoutMs: 1000 } : { topics, timeoutMs: 1000 }
      const handler = deleteTopicsHandler(services)
      const { responses } = await call(deleteTopicsApi, handler, version, request as never)
      assert.deepEqual(
        responses.map(({ errorCode }) => errorCode),
        [0, version < 6 ? 3 : 100],
      )
      assert.equal(services.registry.topic('a'), undefined)
    }
  })

  it('add partitions', async () => {
    const services = await makeServices()
    const topics = [
      { name: 'a', count: 4, assignments: null },
      { name: 'b', count: 3, assignments: null },
    ]
    const request = { topics, timeoutMs: 1000, validateOnly: false }
    const handler = createPartitionsHandler(services)
    const { results } = await call(createPartitionsApi, handler, 3, request)
    assert.deepEqual(
      results.map(({ errorCode }) => errorCode),
      [0, 37],
    )
    assert.equal(services.registry.partition('a', 3)?.partition, 3)
  })
})

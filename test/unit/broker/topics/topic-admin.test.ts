import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { SerialTasks } from '../../../../src/broker/serial-tasks.ts'
import { AutomaticTopics } from '../../../../src/broker/topics/automatic-topics.ts'
import { TopicAdmin } from '../../../../src/broker/topics/topic-admin.ts'
import type { NewTopic } from '../../../../src/broker/topics/topic-creation.ts'
import { type FakeClusterOptions, makeCluster } from '../../support/fake-cluster.ts'
import { CountingRandom, SILENT } from '../../support/ports.ts'

async function makeAdmin(options: FakeClusterOptions = {}) {
  const cluster = await makeCluster(options)
  const random = new CountingRandom()
  const tasks = new SerialTasks()
  const admin = new TopicAdmin({ ...cluster, random, logger: SILENT, tasks })
  const automatic = new AutomaticTopics({ ...cluster, admin, logger: SILENT })
  return { ...cluster, admin, automatic }
}

const wanted = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  partitionCount: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})

const at = (partition: number, ...brokerIds: number[]) => ({ partition, brokerIds })

/** Creates one topic on a broker that has `a.b`, and gives the code and text of the answer. */
async function codeOf(topic: NewTopic, configs: Readonly<Record<string, string>> = {}) {
  const { admin, metadata } = await makeAdmin({ configs })
  await admin.createTopics([wanted('a.b')], false)
  const [result] = await admin.createTopics([topic], false)
  assert.equal(
    metadata.image.topics.has(topic.name) && topic.name !== 'a.b',
    result?.errorCode === 0,
  )
  return [result?.errorCode, result?.errorMessage]
}

describe('CreateTopics', () => {
  it('makes partitions on this node with configs and a new id, usable at once', async () => {
    const { admin, registry, logStore } = await makeAdmin()
    const [created] = await admin.createTopics(
      [wanted('orders', { partitionCount: 3, configs: [{ name: 'retention.ms', value: '9' }] })],
      false,
    )
    assert.equal(created?.errorCode, ErrorCode.NONE)
    assert.equal(created?.created?.partitionCount, 3)
    assert.equal(registry.topicId('orders'), created?.created?.topicId)
    assert.equal(logStore.logs.get('orders-2')?.config.retentionMs, 9)
    assert.equal(logStore.logs.size, 3)
  })

  it('takes the defaults of the broker for -1', async () => {
    const { admin } = await makeAdmin({ configs: { 'num.partitions': '4' } })
    const topic = wanted('t', { partitionCount: -1, replicationFactor: -1 })
    const [created] = await admin.createTopics([topic], false)
    assert.equal(created?.created?.partitionCount, 4)
  })

  it('refuses bad names with INVALID_TOPIC_EXCEPTION', async () => {
    for (const name of ['', '.', '..', 'a/b', 'a'.repeat(250), 'ok name']) {
      assert.equal((await codeOf(wanted(name)))[0], ErrorCode.INVALID_TOPIC_EXCEPTION)
    }
    assert.equal((await codeOf(wanted('a'.repeat(249))))[0], ErrorCode.NONE)
  })

  it('refuses names that differ from another only in periods and underscores', async () => {
    assert.deepEqual(await codeOf(wanted('a_b')), [
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      "Topic 'a_b' collides with existing topic: a.b",
    ])
    const { admin } = await makeAdmin()
    const results = await admin.createTopics([wanted('x.y'), wanted('x_y')], false)
    assert.deepEqual(
      results.map(({ errorCode }) => errorCode),
      [ErrorCode.NONE, ErrorCode.INVALID_TOPIC_EXCEPTION],
    )
  })

  it('refuses a name that exists, and one that comes twice in the request', async () => {
    assert.deepEqual(await codeOf(wanted('a.b')), [
      ErrorCode.TOPIC_ALREADY_EXISTS,
      "Topic 'a.b' already exists.",
    ])
    const { admin, registry } = await makeAdmin()
    const results = await admin.createTopics([wanted('d'), wanted('e'), wanted('d')], false)
    assert.deepEqual(
      results.map(({ name, errorCode }) => [name, errorCode]),
      [
        ['d', ErrorCode.INVALID_REQUEST],
        ['e', ErrorCode.NONE],
      ],
    )
    assert.equal(registry.topic('d'), undefined)
  })

  it('lets one of two requests for the same name win', async () => {
    const { admin } = await makeAdmin()
    const both = await Promise.all([1, 2].map(() => admin.createTopics([wanted('t')], false)))
    assert.deepEqual(both.map(([one]) => one?.errorCode).sort(), [
      ErrorCode.NONE,
      ErrorCode.TOPIC_ALREADY_EXISTS,
    ])
  })
})

describe('CreateTopics refuses', () => {
  it('counts and factors that one node cannot have', async () => {
    const { INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, POLICY_VIOLATION } = ErrorCode
    const code = async (more: Partial<NewTopic>) => (await codeOf(wanted('t', more)))[0]
    assert.equal(await code({ partitionCount: 0 }), INVALID_PARTITIONS)
    assert.equal(await code({ partitionCount: -2 }), INVALID_PARTITIONS)
    assert.equal(await code({ replicationFactor: 0 }), INVALID_REPLICATION_FACTOR)
    assert.equal(await code({ replicationFactor: 3 }), INVALID_REPLICATION_FACTOR)
    assert.equal(await code({ partitionCount: 10_001 }), POLICY_VIOLATION)
  })

  it('manual assignments that are not exactly this node, from 0 on', async () => {
    const { INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST, NONE } = ErrorCode
    const free = { partitionCount: -1, replicationFactor: -1 }
    const code = async (more: Partial<NewTopic>) =>
      (await codeOf(wanted('t', { ...free, ...more })))[0]
    assert.equal(await code({ assignments: [at(1, 1), at(0, 1)] }), NONE)
    assert.equal(await code({ assignments: [at(0, 2)] }), INVALID_REPLICA_ASSIGNMENT)
    assert.equal(await code({ assignments: [at(1, 1)] }), INVALID_REPLICA_ASSIGNMENT)
    assert.equal(await code({ assignments: [at(0)] }), INVALID_REPLICA_ASSIGNMENT)
    assert.equal(await code({ assignments: [at(0, 1, 1)] }), INVALID_REPLICA_ASSIGNMENT)
    assert.equal(await code({ assignments: [at(0, 1), at(0, 1)] }), INVALID_REPLICA_ASSIGNMENT)
    assert.equal(await code({ assignments: [at(0, 1)], partitionCount: 1 }), INVALID_REQUEST)
    assert.equal(await code({ assignments: [at(0, 1)], replicationFactor: 1 }), INVALID_REQUEST)
  })

  it('configs that are unknown, null or do not fit', async () => {
    const code = async (name: string, value: string | null) =>
      (await codeOf(wanted('t', { configs: [{ name, value }] })))[0]
    assert.equal(await code('nope', '1'), ErrorCode.INVALID_CONFIG)
    assert.equal(await code('retention.ms', null), ErrorCode.INVALID_CONFIG)
    assert.equal(await code('retention.ms', 'abc'), ErrorCode.INVALID_CONFIG)
    assert.equal(await code('remote.storage.enable', 'true'), ErrorCode.INVALID_CONFIG)
    assert.equal(await code('min.compaction.lag.ms', '1'), ErrorCode.NONE)
    const lags = ['min', 'max'].map((end, index) => ({
      name: `${end}.compaction.lag.ms`,
      value: String(100 - index),
    }))
    const [, text] = await codeOf(wanted('t', { configs: lags }))
    assert.match(String(text), /^conflict topic config setting/)
  })

  it('one topic when its log cannot be made, and keeps the others', async () => {
    const { admin, logStore, registry } = await makeAdmin()
    logStore.broken.add('full-0')
    const results = await admin.createTopics([wanted('full'), wanted('fine')], false)
    assert.deepEqual(
      results.map(({ errorCode }) => errorCode),
      [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NONE],
    )
    assert.equal(registry.topic('full'), undefined)
    assert.ok(registry.topic('fine'))
  })

  it('nothing for good when the metadata cannot be written: the logs go again', async () => {
    const { admin, metadata, logStore } = await makeAdmin()
    metadata.failure = new Error('disk is gone')
    await assert.rejects(admin.createTopics([wanted('t')], false), /disk is gone/)
    assert.deepEqual(logStore.deleted, ['t-0'])
  })
})

describe('CreateTopics with validateOnly', () => {
  it('makes up an id and leaves nothing behind', async () => {
    const { admin, metadata, logStore } = await makeAdmin()
    const [result] = await admin.createTopics([wanted('t')], true)
    assert.equal(result?.errorCode, ErrorCode.NONE)
    assert.match(result?.created?.topicId ?? '', /^[\w-]{22}$/)
    assert.equal(metadata.image.topics.size, 0)
    assert.equal(logStore.logs.size, 0)
  })
})

describe('DeleteTopics', () => {
  it('takes a name or an id, and says what is wrong with anything else', async () => {
    const { admin, registry } = await makeAdmin()
    await admin.createTopics([wanted('a'), wanted('b')], false)
    const topicId = registry.topicId('b') ?? ''
    const unknownId = 'c3Bvb2wtdG9waWMtaWQwOQ'
    const results = await admin.deleteTopics([
      { name: 'a', topicId: null },
      { name: null, topicId },
      { name: 'nope', topicId: null },
      { name: null, topicId: unknownId },
      { name: 'both', topicId: unknownId },
      { name: null, topicId: null },
    ])
    assert.deepEqual(
      results.map(({ errorCode }) => errorCode),
      [0, 0, 3, 100, 42, 42],
    )
    assert.equal(results[1]?.name, 'b')
    assert.equal(registry.topicCount, 0)
  })

  it('deletes no topic that is named twice', async () => {
    const { admin, registry } = await makeAdmin()
    await admin.createTopics([wanted('a')], false)
    const twice = { name: 'a', topicId: null }
    const results = await admin.deleteTopics([twice, twice])
    assert.deepEqual(
      results.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
      [[ErrorCode.INVALID_REQUEST, 'Duplicate topic name.']],
    )
    assert.ok(registry.topic('a'))
    const topicId = registry.topicId('a') ?? null
    const [byName, byId] = await admin.deleteTopics([twice, { name: null, topicId }])
    assert.deepEqual([byName?.errorCode, byId?.errorCode], [0, ErrorCode.INVALID_REQUEST])
  })

  it('gives a topic that is made again a new id', async () => {
    const { admin, registry } = await makeAdmin()
    await admin.createTopics([wanted('a')], false)
    const before = registry.topicId('a')
    await admin.deleteTopics([{ name: 'a', topicId: null }])
    await admin.createTopics([wanted('a')], false)
    assert.notEqual(registry.topicId('a'), before)
    assert.equal(registry.partitionById(before ?? '', 0), undefined)
  })

  it('can be switched off', async () => {
    const { admin } = await makeAdmin({ configs: { 'delete.topic.enable': 'false' } })
    await admin.createTopics([wanted('a')], false)
    const [result] = await admin.deleteTopics([{ name: 'a', topicId: null }])
    assert.equal(result?.errorCode, ErrorCode.TOPIC_DELETION_DISABLED)
  })
})

describe('CreatePartitions', () => {
  it('adds partitions with the configs of the topic', async () => {
    const { admin, registry, logStore } = await makeAdmin()
    const configs = [{ name: 'retention.ms', value: '9' }]
    await admin.createTopics([wanted('a', { configs })], false)
    const more = { name: 'a', partitionCount: 3, assignments: [[1], [1]] }
    assert.deepEqual(await admin.createPartitions([more], true), [
      { name: 'a', errorCode: 0, errorMessage: null },
    ])
    assert.equal(registry.partition('a', 1), undefined)
    await admin.createPartitions([more], false)
    assert.equal(logStore.logs.get('a-2')?.config.retentionMs, 9)
  })

  it('refuses the same, a smaller and an excessive count, and unfit assignments', async () => {
    const { admin } = await makeAdmin()
    await admin.createTopics([wanted('a', { partitionCount: 2 })], false)
    const code = async (partitionCount: number, assignments: number[][] | null = null) => {
      const [result] = await admin.createPartitions(
        [{ name: 'a', partitionCount, assignments }],
        false,
      )
      return result?.errorCode
    }
    assert.equal(await code(2), ErrorCode.INVALID_PARTITIONS)
    assert.equal(await code(1), ErrorCode.INVALID_PARTITIONS)
    assert.equal(await code(-1), ErrorCode.INVALID_PARTITIONS)
    assert.equal(await code(10_003), ErrorCode.POLICY_VIOLATION)
    assert.equal(await code(2_000_000_000), ErrorCode.POLICY_VIOLATION)
    assert.equal(await code(4, [[1]]), ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    assert.equal(await code(3, [[2]]), ErrorCode.INVALID_REPLICA_ASSIGNMENT)
    const missing = { name: 'nope', partitionCount: 3, assignments: null }
    const [result] = await admin.createPartitions([missing], false)
    assert.equal(result?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('topics that nobody asked for in words', () => {
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

  it('are made on first use unless the broker forbids it', async () => {
    const { automatic, registry } = await makeAdmin()
    automatic.createOnUse('orders')
    automatic.createOnUse('orders')
    automatic.createOnUse('a/b')
    await settle()
    assert.deepEqual(
      [...registry.topics].map(({ name }) => name),
      ['orders'],
    )
    const strict = await makeAdmin({ configs: { 'auto.create.topics.enable': 'false' } })
    strict.automatic.createOnUse('orders')
    await settle()
    assert.equal(strict.registry.topicCount, 0)
  })

  it('have the configs of Kafka when they are of a coordinator', async () => {
    const { automatic, registry, logStore } = await makeAdmin({
      configs: { 'offsets.topic.num.partitions': '4', 'default.replication.factor': '3' },
    })
    assert.equal(automatic.ensure('__consumer_offsets'), 'creating')
    assert.equal(automatic.partitionCount('__consumer_offsets'), 0)
    assert.equal(automatic.plannedPartitionCount('__consumer_offsets'), 4)
    await settle()
    assert.equal(automatic.ensure('__consumer_offsets'), 'ready')
    assert.equal(automatic.partitionCount('__consumer_offsets'), 4)
    assert.equal(automatic.plannedPartitionCount('__consumer_offsets'), 4)
    const config = logStore.logs.get('__consumer_offsets-3')?.config
    assert.equal(config?.isCompacted, true)
    assert.equal(config?.segmentBytes, 104_857_600)
    assert.equal(registry.topic('__consumer_offsets')?.isInternal, true)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import kafkajs, { type Admin } from 'kafkajs'
import { cleanUp, kafkaOf, newDirectory, type Server, serve, stop } from './spool-process.ts'

after(cleanUp)

const TOPIC_RESOURCE = kafkajs.ConfigResourceTypes.TOPIC
const FIRST_TIMESTAMP = 1_700_000_000_000

let server: Server
let admin: Admin
before(async () => {
  server = await serve(newDirectory())
  admin = kafkaOf(server).admin()
  await admin.connect()
})

/** Appends so many records to partition 0, a second apart. */
async function produce(topic: string, count: number): Promise<void> {
  const producer = kafkaOf(server).producer()
  await producer.connect()
  const messages = Array.from({ length: count }, (_, index) => ({
    partition: 0,
    value: String(index),
    timestamp: String(FIRST_TIMESTAMP + index * 1000),
  }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

async function configOf(topic: string, name: string): Promise<string | undefined> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: true,
    resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: [name] }],
  })
  return resources[0]?.configEntries[0]?.configValue
}

async function partitionCountOf(topic: string): Promise<number | undefined> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]?.partitions.length
}

/** Whether the broker answered with that code; kafkajs wraps what it tried again, and several of them. */
const isError = (type: string) => (error: Error) => {
  const errors = error instanceof kafkajs.KafkaJSAggregateError ? error.errors : [error]
  return errors
    .map((each) => (each instanceof kafkajs.KafkaJSNumberOfRetriesExceeded ? each.cause : each))
    .some((each) => each instanceof kafkajs.KafkaJSProtocolError && each.type === type)
}

describe('the admin client of kafkajs: topics', () => {
  it('creates once, with partitions and configs, adds partitions, and deletes', async () => {
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }]
    const topic = { topic: 'made', numPartitions: 2, replicationFactor: 1, configEntries }
    await admin.createTopics({ validateOnly: true, waitForLeaders: false, topics: [topic] })
    assert.deepEqual(await admin.listTopics(), [], 'validated only')
    assert.equal(await admin.createTopics({ topics: [topic] }), true)
    assert.equal(await admin.createTopics({ topics: [topic] }), false, 'is there already')
    assert.equal(await partitionCountOf('made'), 2)
    assert.equal(await configOf('made', 'cleanup.policy'), 'compact')
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 5 }] })
    assert.equal(await partitionCountOf('made'), 5)
    const fewer = admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 4 }] })
    await assert.rejects(fewer, isError('INVALID_PARTITIONS'))
    await admin.deleteTopics({ topics: ['made'] })
    assert.deepEqual(await admin.listTopics(), [])
    await assert.rejects(
      admin.deleteTopics({ topics: ['made'] }),
      isError('UNKNOWN_TOPIC_OR_PARTITION'),
    )
  })

  it('is refused names and counts that cannot be', async () => {
    const create = (topic: { topic: string; numPartitions?: number; replicationFactor?: number }) =>
      admin.createTopics({ topics: [topic] })
    await assert.rejects(create({ topic: 'a b' }), isError('INVALID_TOPIC_EXCEPTION'))
    await assert.rejects(create({ topic: 'a', numPartitions: 0 }), isError('INVALID_PARTITIONS'))
    await assert.rejects(
      create({ topic: 'a', replicationFactor: 2 }),
      isError('INVALID_REPLICATION_FACTOR'),
    )
    assert.deepEqual(await admin.listTopics(), [])
  })

  it('replaces all configs of a topic, which is how AlterConfigs works', async () => {
    await admin.createTopics({ topics: [{ topic: 'settings' }] })
    const alter = (...configEntries: { name: string; value: string }[]) => {
      const resources = [{ type: TOPIC_RESOURCE, name: 'settings', configEntries }]
      return admin.alterConfigs({ validateOnly: false, resources })
    }
    await alter({ name: 'retention.ms', value: '1000' })
    await alter({ name: 'segment.ms', value: '2000' })
    assert.equal(await configOf('settings', 'segment.ms'), '2000')
    assert.equal(await configOf('settings', 'retention.ms'), '604800000')
    await assert.rejects(alter({ name: 'retention.ms', value: 'soon' }), isError('INVALID_CONFIG'))
    await admin.deleteTopics({ topics: ['settings'] })
  })
})

describe('the admin client of kafkajs: offsets and records', () => {
  before(async () => {
    await admin.createTopics({ topics: [{ topic: 'offsets', numPartitions: 2 }] })
    await produce('offsets', 10)
  })

  it('lists the bounds of partitions and finds offsets by their time', async () => {
    const byPartition = (await admin.fetchTopicOffsets('offsets')).toSorted(
      (a, b) => a.partition - b.partition,
    )
    assert.deepEqual(
      byPartition.map(({ low, high }) => [low, high]),
      [
        ['0', '10'],
        ['0', '0'],
      ],
    )
    const offsetAt = async (timestamp: number): Promise<string | undefined> =>
      (await admin.fetchTopicOffsetsByTimestamp('offsets', timestamp)).find(
        ({ partition }) => partition === 0,
      )?.offset
    assert.equal(await offsetAt(FIRST_TIMESTAMP), '0')
    assert.equal(await offsetAt(FIRST_TIMESTAMP + 3500), '4', 'the next record')
    assert.equal(await offsetAt(FIRST_TIMESTAMP + 60_000), '10', 'none: kafkajs says the end')
  })

  it('deletes records up to an offset, and not beyond the end', async () => {
    const upTo = (offset: string) => ({ topic: 'offsets', partitions: [{ partition: 0, offset }] })
    await admin.deleteTopicRecords(upTo('4'))
    const [low] = (await admin.fetchTopicOffsets('offsets')).filter(
      ({ partition }) => partition === 0,
    )
    assert.equal(low?.low, '4')
    await assert.rejects(admin.deleteTopicRecords(upTo('11')))
  })

  it('sets and reads the offsets of a group without members, then deletes the group', async () => {
    const place = { groupId: 'setters', topic: 'offsets' }
    const committed = async (): Promise<string[]> => {
      const [topic] = await admin.fetchOffsets({ groupId: 'setters', topics: ['offsets'] })
      const sorted = (topic?.partitions ?? []).toSorted((a, b) => a.partition - b.partition)
      return sorted.map(({ offset }) => offset)
    }
    assert.deepEqual(await committed(), ['-1', '-1'], 'nothing is committed')
    await admin.setOffsets({ ...place, partitions: [{ partition: 0, offset: '7' }] })
    assert.deepEqual(await committed(), ['7', '-1'])
    const [answer] = await admin.deleteGroups(['setters'])
    assert.deepEqual([answer?.groupId, answer?.errorCode ?? 0], ['setters', 0])
    assert.deepEqual(await committed(), ['-1', '-1'])
  })
})

describe('the admin client of kafkajs: groups and the cluster', () => {
  it('lists and describes a group with its members, and does not delete it before they left', async () => {
    await admin.createTopics({ topics: [{ topic: 'members', numPartitions: 2 }] })
    const consumer = kafkaOf(server).consumer({ groupId: 'busy', maxWaitTimeInMs: 50 })
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
    await consumer.connect()
    await consumer.subscribe({ topic: 'members' })
    await consumer.run({ eachMessage: async () => {} })
    await joined
    const { groups } = await admin.listGroups()
    assert.deepEqual(groups, [{ groupId: 'busy', protocolType: 'consumer' }])
    const [group] = (await admin.describeGroups(['busy'])).groups
    assert.deepEqual(
      [group?.state, group?.protocolType, group?.protocol, group?.members.length],
      ['Stable', 'consumer', 'RoundRobinAssigner', 1],
    )
    const [member] = group?.members ?? []
    assert.ok(member !== undefined)
    assert.match(member.clientHost, /127\.0\.0\.1/)
    const assignment = kafkajs.AssignerProtocol.MemberAssignment.decode(member.memberAssignment)
    assert.deepEqual(assignment?.assignment, { members: [0, 1] })
    await assert.rejects(
      admin.deleteGroups(['busy']),
      (error: kafkajs.KafkaJSDeleteGroupsError) => {
        const reasons = error.groups.map(({ error: reason }) => String(reason))
        assert.match(String(reasons), /group is not empty/)
        return true
      },
    )
    await consumer.disconnect()
    await admin.deleteGroups(['busy'])
    assert.deepEqual((await admin.listGroups()).groups, [])
    const [gone] = (await admin.describeGroups(['busy'])).groups
    assert.equal(gone?.state, 'Dead')
  })

  it('describes the cluster, and reassignments: there are none on one node', async () => {
    const { brokers, controller, clusterId } = await admin.describeCluster()
    assert.deepEqual(
      brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]),
      [[1, server.bootstrap]],
    )
    assert.equal(controller, 1)
    assert.match(clusterId, /^[\w-]{22}$/)
    const { topics } = await admin.listPartitionReassignments({})
    assert.deepEqual(topics, [])
  })

  it('hears that there is no authorizer', async () => {
    const any = { resourceType: 1, resourcePatternType: 1, operation: 1, permissionType: 1 }
    await assert.rejects(
      admin.describeAcls(any as unknown as kafkajs.AclFilter),
      isError('SECURITY_DISABLED'),
    )
  })
})

describe('the broker under the admin client', () => {
  it('stops cleanly and had nothing to complain about', async () => {
    await admin.disconnect()
    assert.equal(await stop(server), 0)
    assert.equal(server.errors(), '')
  })
})

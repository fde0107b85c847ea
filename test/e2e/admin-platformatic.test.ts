import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  Admin,
  ConfigResourceTypes,
  ConfigSources,
  Consumer,
  FindCoordinatorKeyTypes,
  findErrorBy,
  ListOffsetTimestamps,
  IncrementalAlterConfigOperationTypes as Operation,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { cleanUp, newDirectory, type Server, serve, stop } from './spool-process.ts'

after(cleanUp)

const FIRST_TIMESTAMP = 1_700_000_000_000n

let server: Server
let admin: Admin
before(async () => {
  server = await serve(newDirectory())
  admin = new Admin({ clientId: 'admin', bootstrapBrokers: [server.bootstrap], retries: 0 })
})

/** Whether the broker answered with that code; the library wraps it several times. */
const isError = (apiId: string) => (error: Error) =>
  // The library's own type allows nothing but its errors.
  findErrorBy(error as Parameters<typeof findErrorBy>[0], 'apiId', apiId) !== null

const until = async (isMet: () => Promise<boolean>): Promise<void> => {
  while (!(await isMet()));
}

describe('the admin client of @platformatic/kafka: topics', () => {
  it('creates topics with counts and configs, adds partitions, and deletes', async () => {
    const configs = [{ name: 'retention.ms', value: '5000' }]
    const created = await admin.createTopics({
      topics: ['a', { topic: 'b', partitions: 3 }],
      partitions: 2,
      replicas: 1,
      configs,
    })
    const shown = created.map(({ name, partitions, replicas, configuration, id }) => {
      assert.match(id, /^[\da-f-]{36}$/)
      return [name, partitions, replicas, configuration['retention.ms']]
    })
    assert.deepEqual(shown.toSorted(), [
      ['a', 2, 1, '5000'],
      ['b', 3, 1, '5000'],
    ])
    await assert.rejects(admin.createTopics({ topics: ['a'] }), isError('TOPIC_ALREADY_EXISTS'))
    await admin.createPartitions({ topics: [{ name: 'a', count: 9 }], validateOnly: true })
    await admin.createPartitions({ topics: [{ name: 'a', count: 4 }] })
    const same = admin.createPartitions({ topics: [{ name: 'a', count: 4 }] })
    await assert.rejects(same, isError('INVALID_PARTITIONS'))
    const metadata = await admin.metadata({ topics: ['a', 'b'], forceUpdate: true })
    assert.equal(metadata.topics.get('a')?.partitionsCount, 4)
    assert.deepEqual((await admin.listTopics()).toSorted(), ['a', 'b'])
    await admin.deleteTopics({ topics: ['a', 'b'] })
    assert.deepEqual(await admin.listTopics(), [])
    await assert.rejects(
      admin.deleteTopics({ topics: ['a'] }),
      isError('UNKNOWN_TOPIC_OR_PARTITION'),
    )
  })

  it('changes single configs, appends to lists, and replaces all of them', async () => {
    await admin.createTopics({ topics: ['settings'] })
    const topic = { resourceType: ConfigResourceTypes.TOPIC, resourceName: 'settings' }
    const change = (
      ...configs: Parameters<Admin['incrementalAlterConfigs']>[0]['resources'][0]['configs']
    ) => admin.incrementalAlterConfigs({ resources: [{ ...topic, configs }] })
    const read = async (name: string) => {
      const resources = [{ ...topic, configurationKeys: [name] }]
      const [described] = await admin.describeConfigs({ resources, includeSynonyms: true })
      const config = described?.configs[0]
      return [config?.value, config?.configSource]
    }
    await change({ name: 'retention.ms', value: '1', configOperation: Operation.SET })
    await change({ name: 'cleanup.policy', value: 'compact', configOperation: Operation.APPEND })
    assert.deepEqual(await read('retention.ms'), ['1', ConfigSources.DYNAMIC_TOPIC_CONFIG])
    assert.deepEqual((await read('cleanup.policy'))[0], 'delete,compact')
    await change({ name: 'cleanup.policy', value: 'delete', configOperation: Operation.SUBTRACT })
    assert.deepEqual((await read('cleanup.policy'))[0], 'compact')
    await change({ name: 'retention.ms', configOperation: Operation.DELETE })
    assert.deepEqual(await read('retention.ms'), ['604800000', ConfigSources.DEFAULT_CONFIG])
    const wrong = change({ name: 'no.such', value: '1', configOperation: Operation.SET })
    await assert.rejects(wrong, isError('INVALID_CONFIG'))
    const configs = [{ name: 'segment.ms', value: '7' }]
    await admin.alterConfigs({ resources: [{ ...topic, configs }] })
    assert.deepEqual((await read('cleanup.policy'))[0], 'delete', 'what is not named is reset')
    assert.deepEqual((await read('segment.ms'))[0], '7')
    await admin.deleteTopics({ topics: ['settings'] })
  })
})

describe('the admin client of @platformatic/kafka: the broker', () => {
  it('describes its configs, its directory, its coordinators', async () => {
    const broker = { resourceType: ConfigResourceTypes.BROKER, resourceName: '1' }
    const [described] = await admin.describeConfigs({ resources: [broker] })
    const byName = new Map(described?.configs.map(({ name, value }) => [name, value]))
    assert.equal(byName.get('auto.create.topics.enable'), 'true')
    assert.ok(byName.size >= 350, `${byName.size} configs`)
    const [first] = await admin.describeLogDirs({ topics: [] })
    assert.deepEqual(
      first?.results.map(({ logDir }) => logDir),
      [server.directory],
    )
    const keyType = FindCoordinatorKeyTypes.GROUP
    await admin.findCoordinator({ keyType, keys: ['g'] }).catch(() => undefined)
    const found = async () => await admin.findCoordinator({ keyType, keys: ['g', 'h'] })
    await until(() =>
      found().then(
        () => true,
        () => false,
      ),
    )
    assert.deepEqual(
      (await found()).map(({ key, host, port }) => [key, `${host}:${port}`]),
      ['g', 'h'].map((key) => [key, server.bootstrap]),
    )
  })
})

describe('the admin client of @platformatic/kafka: offsets and records', () => {
  before(async () => {
    await admin.createTopics({ topics: ['offsets'], partitions: 2 })
    const producer = new Producer({
      clientId: 'producer',
      bootstrapBrokers: [server.bootstrap],
      serializers: stringSerializers,
    })
    const messages = Array.from({ length: 10 }, (_, index) => ({
      topic: 'offsets',
      partition: 0,
      value: String(index),
      timestamp: FIRST_TIMESTAMP + BigInt(index) * 1000n,
    }))
    // With fewer acks the end offset may follow the answer: it waits for the disk.
    await producer.send({ messages, acks: -1 })
    await producer.close()
  })

  it('lists offsets by bound, by the largest timestamp and by time', async () => {
    const offsetAt = async (timestamp: bigint) => {
      const partitions = [{ partitionIndex: 0, timestamp }]
      const [topic] = await admin.listOffsets({ topics: [{ name: 'offsets', partitions }] })
      const [found] = topic?.partitions ?? []
      return [found?.offset, found?.timestamp]
    }
    assert.deepEqual(await offsetAt(ListOffsetTimestamps.EARLIEST), [0n, -1n])
    assert.deepEqual(await offsetAt(ListOffsetTimestamps.LATEST), [10n, -1n])
    assert.deepEqual(await offsetAt(ListOffsetTimestamps.MAX), [9n, FIRST_TIMESTAMP + 9000n])
    assert.deepEqual(await offsetAt(ListOffsetTimestamps.EARLIEST_LOCAL), [0n, -1n])
    assert.deepEqual(await offsetAt(ListOffsetTimestamps.LATEST_TIERED), [-1n, -1n])
    assert.deepEqual(await offsetAt(FIRST_TIMESTAMP + 3500n), [4n, FIRST_TIMESTAMP + 4000n])
    assert.deepEqual(await offsetAt(FIRST_TIMESTAMP + 60_000n), [-1n, -1n])
  })

  it('deletes records, to an offset and to the end, and not beyond it', async () => {
    const deleteTo = async (offset: bigint) => {
      const topics = [{ name: 'offsets', partitions: [{ partition: 0, offset }] }]
      const [topic] = await admin.deleteRecords({ topics })
      return topic?.partitions[0]?.lowWatermark
    }
    assert.equal(await deleteTo(4n), 4n)
    await assert.rejects(deleteTo(11n), isError('OFFSET_OUT_OF_RANGE'))
    assert.equal(await deleteTo(-1n), 10n)
  })

  it('alters, lists and deletes the committed offsets of a group without members', async () => {
    const groupId = 'setters'
    const committed = async () => {
      const topics = [{ name: 'offsets', partitionIndexes: [0, 1] }]
      const [group] = await admin.listConsumerGroupOffsets({ groups: [{ groupId, topics }] })
      return group?.topics[0]?.partitions.map(({ committedOffset }) => committedOffset)
    }
    assert.deepEqual(await committed(), [-1n, -1n])
    const partitionOffsets = [
      { partition: 0, offset: 5n },
      { partition: 1, offset: 0n },
    ]
    await admin.alterConsumerGroupOffsets({
      groupId,
      topics: [{ name: 'offsets', partitionOffsets }],
    })
    assert.deepEqual(await committed(), [5n, 0n])
    const topics = [{ name: 'offsets', partitionIndexes: [1] }]
    await admin.deleteConsumerGroupOffsets({ groupId, topics })
    assert.deepEqual(await committed(), [5n, -1n])
    await admin.deleteGroups({ groups: [groupId] })
    assert.deepEqual(await committed(), [-1n, -1n])
  })
})

describe('the admin client of @platformatic/kafka: groups', () => {
  it('lists, describes, removes the members of, and deletes groups of both protocols', async () => {
    const join = async (groupId: string, groupProtocol: 'classic' | 'consumer') => {
      const consumer = new Consumer({
        clientId: groupId,
        bootstrapBrokers: [server.bootstrap],
        groupId,
        groupProtocol,
        deserializers: stringDeserializers,
      })
      await consumer.consume({ topics: ['offsets'], maxWaitTime: 50 })
      return consumer
    }
    const classic = await join('old', 'classic')
    const modern = await join('new', 'consumer')
    const groups = await admin.listGroups({ types: ['classic', 'consumer'] })
    assert.deepEqual(
      [...groups.values()].map(({ id, groupType, state }) => [id, groupType, state]).toSorted(),
      [
        ['new', 'consumer', 'Stable'],
        ['old', 'classic', 'Stable'],
      ],
    )
    assert.deepEqual([...(await admin.listGroups({ types: ['classic'] })).keys()], ['old'])
    const described = (await admin.describeGroups({ groups: ['old'] })).get('old')
    assert.equal(described?.members.size, 1)
    const [member] = described?.members.values() ?? []
    assert.deepEqual(member?.assignments?.get('offsets')?.partitions, [0, 1])
    await assert.rejects(admin.deleteGroups({ groups: ['old'] }), isError('NON_EMPTY_GROUP'))
    await admin.removeMembersFromConsumerGroup({ groupId: 'old' })
    await admin.deleteGroups({ groups: ['old'] })
    await modern.close(true)
    await admin.deleteGroups({ groups: ['new'] })
    assert.equal((await admin.listGroups()).size, 0)
    await classic.close(true).catch(() => undefined)
  })
})

describe('the broker under the admin client', () => {
  it('stops cleanly and had nothing to complain about', async () => {
    await admin.close()
    assert.equal(await stop(server), 0)
    assert.equal(server.errors(), '')
  })
})

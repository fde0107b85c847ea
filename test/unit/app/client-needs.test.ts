import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { Broker } from '../../../src/index.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { ZERO_UUID } from '../../../src/wire/kafka/codec.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { fetchApi } from '../../../src/wire/kafka/messages/01-fetch.ts'
import { metadataApi } from '../../../src/wire/kafka/messages/03-metadata.ts'
import { findCoordinatorApi } from '../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { listGroupsApi } from '../../../src/wire/kafka/messages/16-list-groups.ts'
import { apiVersionsApi } from '../../../src/wire/kafka/messages/18-api-versions.ts'
import { createTopicsApi } from '../../../src/wire/kafka/messages/19-create-topics.ts'
import { initProducerIdApi } from '../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { addPartitionsToTxnApi } from '../../../src/wire/kafka/messages/24-add-partitions-to-txn.ts'
import { endTxnApi } from '../../../src/wire/kafka/messages/26-end-txn.ts'
import { KafkaConnection } from '../../support/kafka-connection.ts'
import { fetchBody } from '../frontends/kafka/requests.ts'

/*
 * What clients were seen to depend on that only a whole broker can break. The numbers in parentheses count
 * through the list of behaviours that the tests of this project name.
 */

let broker: Broker
let client: KafkaConnection
before(async () => {
  broker = await Broker.start()
  client = await KafkaConnection.open(broker.bootstrap)
})
after(async () => {
  await client.close()
  await broker.stop()
})

const batch = (value: string, options = {}) =>
  buildBatch([{ timestamp: Date.now(), key: null, value: Buffer.from(value) }], options)

type TopicKey = { readonly name: string } | { readonly topicId: string }

const produceBody = (topic: TopicKey, records = batch('v')) => ({
  transactionalId: null as string | null,
  acks: -1,
  timeoutMs: 1000,
  topicData: [{ ...topic, partitionData: [{ index: 0, records }] }],
})

async function produce(topic: TopicKey, version = 9) {
  const { responses } = await client.call(produceApi, version, produceBody(topic))
  return responses[0]?.partitionResponses[0]?.errorCode
}

async function metadataOf(name: string, allowAutoTopicCreation = false) {
  const topics = [{ name }]
  const answer = await client.call(metadataApi, 12, { topics, allowAutoTopicCreation })
  assert.ok(answer.topics[0] !== undefined)
  return answer.topics[0]
}

describe('version ranges that clients insist on', () => {
  const needed: readonly (readonly [string, number, number, number])[] = [
    ['AddPartitionsToTxn 0 (librdkafka)', 24, 0, 0],
    ['AddOffsetsToTxn 0 (librdkafka)', 25, 0, 0],
    ['EndTxn 0 and 1 (librdkafka)', 26, 0, 1],
    ['OffsetForLeaderEpoch 2 (librdkafka)', 23, 2, 2],
    ['LeaveGroup 0 and 1 (librdkafka)', 13, 0, 1],
    ['FindCoordinator 0 to 2 (librdkafka)', 10, 0, 2],
    ['Metadata 10 and more, where Produce and Fetch go by topic id', 3, 10, 12],
    ['JoinGroup 5, without which franz-go has no static members', 11, 5, 5],
    ['ApiVersions 3, the only one that @platformatic/kafka speaks', 18, 3, 3],
  ]
  for (const [what, key, low, high] of needed) {
    it(`are served: ${what}`, async () => {
      const named = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
      const { apiKeys } = await client.call(apiVersionsApi, 3, named)
      const range = apiKeys.find(({ apiKey }) => apiKey === key)
      assert.ok(range !== undefined && range.minVersion <= low && range.maxVersion >= high)
    })
  }
})

describe('topics', () => {
  it('are never created by a Produce, also when auto.create.topics.enable is on', async () => {
    assert.equal(await produce({ name: 'unasked' }), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const { errorCode, partitions } = await metadataOf('unasked')
    assert.equal(errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    assert.deepEqual(partitions, [], 'and no error goes with no partitions only')
  })

  it('can be used at once: a Produce right behind CreateTopics finds its leader', async () => {
    const topics = [
      { name: 'at-once', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
    ]
    const [created, produced] = await Promise.all([
      client.call(createTopicsApi, 7, { topics, timeoutMs: 1000, validateOnly: false }),
      client.call(produceApi, 9, produceBody({ name: 'at-once' })),
    ])
    assert.equal(created.topics[0]?.errorCode, ErrorCode.NONE)
    assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.NONE)
  })

  it('that are made again have another id, and the old one is unknown to both ways', async () => {
    await broker.createTopic('again')
    const { topicId: old } = await metadataOf('again')
    assert.equal(await produce({ topicId: old }, 13), ErrorCode.NONE)
    await broker.deleteTopic('again')
    await broker.createTopic('again')
    const { topicId } = await metadataOf('again')
    assert.notEqual(topicId, old)
    assert.equal(await produce({ topicId: old }, 13), ErrorCode.UNKNOWN_TOPIC_ID)
    const body = fetchBody({ topicId: old, maxWaitMs: 0, minBytes: 0 })
    const { responses } = await client.call(fetchApi, 13, body)
    assert.equal(responses[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
    assert.equal(await produce({ topicId: ZERO_UUID }, 13), ErrorCode.UNKNOWN_TOPIC_ID)
  })
})

describe('leader epochs', () => {
  it('never go backwards, over any restart; an older one is fenced', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'spool-epochs-'))
    const epochs: number[] = []
    for (let start = 0; start < 3; start++) {
      const restarted = await Broker.start({ dataDir })
      if (start === 0) await restarted.createTopic('orders')
      await restarted.produce('orders', { value: 'v' })
      const connection = await KafkaConnection.open(restarted.bootstrap)
      const topics = [{ name: 'orders' }]
      const request = { topics, allowAutoTopicCreation: false }
      const { topics: found } = await connection.call(metadataApi, 12, request)
      const epoch = found[0]?.partitions[0]?.leaderEpoch ?? -1
      const older = epochs.at(-1)
      if (older !== undefined && older < epoch) {
        const partitions = [{ currentLeaderEpoch: older }]
        const { responses } = await connection.call(fetchApi, 12, fetchBody({ partitions }))
        assert.equal(responses[0]?.partitions[0]?.errorCode, ErrorCode.FENCED_LEADER_EPOCH)
      }
      epochs.push(epoch)
      await connection.close()
      await restarted.stop()
    }
    rmSync(dataDir, { recursive: true, force: true })
    assert.ok((epochs[0] ?? -1) >= 0, 'an epoch is no guess')
    assert.deepEqual(
      epochs,
      epochs.toSorted((a, b) => a - b),
    )
  })
})

describe('a Fetch that asks for more bytes than its partitions may bring', () => {
  it('is answered at max.wait with what there is', async () => {
    await broker.createTopic('orders')
    for (let count = 0; count < 5; count++) await produce({ name: 'orders' })
    const partitions = [{ partitionMaxBytes: 100 }]
    const body = fetchBody({ partitions, minBytes: 100_000, maxWaitMs: 50 })
    const { responses } = await client.call(fetchApi, 12, body)
    const { errorCode, records } = responses[0]?.partitions[0] ?? {}
    assert.equal(errorCode, ErrorCode.NONE)
    assert.ok(records != null && records.byteLength > 0)
  })
})

describe('AddPartitionsToTxn from version 4 on, meant for brokers', () => {
  it('is also taken from clients: @platformatic/kafka sends it', async () => {
    await broker.createTopic('transacted')
    const transactionalId = 'modern'
    const find = () => client.call(findCoordinatorApi, 3, { key: transactionalId, keyType: 1 })
    while ((await find()).errorCode !== ErrorCode.NONE);
    const { producerId, producerEpoch } = await client.call(initProducerIdApi, 4, {
      transactionalId,
      transactionTimeoutMs: 10_000,
      producerId: -1,
      producerEpoch: -1,
    })
    for (const version of [4, 5]) {
      const topics = [{ name: 'transacted', partitions: [0] }]
      const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics }
      const { errorCode, resultsByTransaction } = await client.call(
        addPartitionsToTxnApi,
        version,
        {
          transactions: [transaction],
        },
      )
      assert.equal(errorCode, ErrorCode.NONE)
      const [result] = resultsByTransaction
      const code = result?.topicResults[0]?.resultsByPartition[0]?.partitionErrorCode
      assert.equal(code, ErrorCode.NONE)
    }
    const body = produceBody(
      { name: 'transacted' },
      batch('aborted', { producerId, producerEpoch, baseSequence: 0, isTransactional: true }),
    )
    const produced = await client.call(produceApi, 9, { ...body, transactionalId })
    assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.NONE)
    const end = { transactionalId, producerId, producerEpoch, committed: false }
    assert.equal((await client.call(endTxnApi, 3, end)).errorCode, ErrorCode.NONE)
  })

  it('and what was aborted is there for read_uncommitted, with no list of it', async () => {
    const read = async (isolationLevel: number) => {
      const body = fetchBody({ topic: 'transacted', isolationLevel, maxWaitMs: 0 })
      const { responses } = await client.call(fetchApi, 12, body)
      return responses[0]?.partitions[0]
    }
    while ((await read(0))?.lastStableOffset !== 2);
    const uncommitted = await read(0)
    assert.ok(uncommitted?.records?.includes('aborted'))
    assert.equal(uncommitted?.abortedTransactions, null)
    assert.equal((await read(1))?.abortedTransactions?.length, 1)
  })
})

describe('ListGroups with a group type that nobody knows', () => {
  it('has an empty list and no error', async () => {
    const body = { statesFilter: [], typesFilter: ['no-such-type'] }
    const { errorCode, groups } = await client.call(listGroupsApi, 5, body)
    assert.deepEqual([errorCode, groups], [ErrorCode.NONE, []])
  })
})

describe('a request that claims more elements than it has bytes (KAFKA-14063)', () => {
  const header = (apiKey: string, version: string): string => `${apiKey}${version}00000001ffff`
  const frames: readonly (readonly [string, string])[] = [
    ['Metadata v1 with 2147483647 topics', `${header('0003', '0001')}7fffffff`],
    [
      'Fetch v4 with 2147483647 topics',
      `${header('0001', '0004')}ffffffff00000000000000000010000000${'7fffffff'}`,
    ],
    ['CreateTopics v2 with 2147483647 topics', `${header('0013', '0002')}7fffffff`],
    ['ApiVersions v3 with a name of 4 GiB', `${header('0012', '0003')}00ffffffff0f`],
  ]
  for (const [what, hex] of frames) {
    it(`takes no memory and ends its connection alone: ${what}`, async () => {
      const heapBefore = process.memoryUsage().arrayBuffers
      const [host = '', port = ''] = broker.bootstrap.split(':')
      const socket = connect(Number(port), host)
      const body = Buffer.from(hex, 'hex')
      const length = Buffer.alloc(4)
      length.writeInt32BE(body.byteLength)
      socket.write(Buffer.concat([length, body]))
      const received: Buffer[] = []
      socket.on('data', (bytes: Buffer) => received.push(bytes))
      await new Promise((resolve) => socket.once('close', resolve))
      assert.equal(Buffer.concat(received).byteLength, 0)
      assert.ok(process.memoryUsage().arrayBuffers - heapBefore < 32 * 1024 * 1024)
      const named = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
      assert.equal((await client.call(apiVersionsApi, 3, named)).errorCode, ErrorCode.NONE)
    })
  }
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { StorageError } from '../../../../../src/base/errors.ts'
import { listOffsetsApi } from '../../../../../src/wire/kafka/messages/02-list-offsets.ts'
import { ask, produce } from '../ask.ts'
import { batchOf, NOW_MS } from '../requests.ts'
import { TestBroker, TOPIC } from '../test-broker.ts'

const LAST_VERSION = 11

interface Asked {
  readonly version?: number
  readonly isolationLevel?: number
  readonly partition?: number
  readonly topic?: string
  readonly currentLeaderEpoch?: number
}

async function list(broker: TestBroker, timestamp: number, asked: Asked = {}) {
  const { version = LAST_VERSION, isolationLevel = 0, topic = TOPIC } = asked
  const { partition: partitionIndex = 0, currentLeaderEpoch = -1 } = asked
  const partitions = [{ partitionIndex, currentLeaderEpoch, timestamp }]
  const body = { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }] }
  const [found] = (await ask(broker, listOffsetsApi, version, body)).topics[0]?.partitions ?? []
  assert.ok(found)
  return [found.errorCode, found.timestamp, found.offset, found.leaderEpoch]
}

async function filled(): Promise<TestBroker> {
  const broker = await TestBroker.start()
  for (const afterMs of [0, 300, 100]) {
    await produce(broker, { records: batchOf(10, {}, NOW_MS + afterMs) })
  }
  return broker
}

describe('ListOffsets of special times', () => {
  it('gives the latest and the earliest offset in every version', async () => {
    const broker = await filled()
    await broker.log().deleteRecordsBefore(1)
    for (let version = 1; version <= LAST_VERSION; version++) {
      const epoch = version >= 4 ? 0 : -1
      assert.deepEqual(await list(broker, -1, { version }), [0, -1, 3, epoch])
      assert.deepEqual(await list(broker, -2, { version }), [0, -1, 1, epoch])
    }
  })

  it('gives the last stable offset to read_committed, also as the limit of a time', async () => {
    const broker = await filled()
    broker.log().openTransactionOffset = 1
    const isolationLevel = 1
    assert.deepEqual(await list(broker, -1, { isolationLevel }), [0, -1, 1, 0])
    assert.deepEqual(await list(broker, NOW_MS + 200, { isolationLevel }), [0, -1, -1, -1])
    // The newest record is open, so there is none to tell of.
    assert.deepEqual(await list(broker, -3, { isolationLevel }), [0, -1, -1, -1])
    broker.log().openTransactionOffset = 2
    assert.deepEqual(await list(broker, -3, { isolationLevel }), [0, NOW_MS + 300, 1, 0])
  })

  it('gives the record with the largest timestamp, not the last one (KIP-734)', async () => {
    const broker = await filled()
    assert.deepEqual(await list(broker, -3, { version: 7 }), [0, NOW_MS + 300, 1, 0])
    assert.deepEqual(await list(broker, -3, { partition: 1 }), [0, -1, -1, -1])
  })

  it('without tiers has the local log start, and nothing tiered or pending', async () => {
    const broker = await filled()
    await broker.log().deleteRecordsBefore(2)
    assert.deepEqual(await list(broker, -4), [0, -1, 2, 0])
    assert.deepEqual(await list(broker, -5), [0, -1, -1, -1])
    assert.deepEqual(await list(broker, -6), [0, -1, -1, -1])
  })

  it('is refused with 35 below the first version that knows it, and for unknown ones', async () => {
    const broker = await filled()
    const cases = [
      [-3, 6],
      [-4, 7],
      [-5, 8],
      [-6, 10],
      [-7, 11],
      [-100, 1],
    ] as const
    for (const [timestamp, version] of cases) {
      const [errorCode] = await list(broker, timestamp, { version })
      assert.equal(errorCode, ErrorCode.UNSUPPORTED_VERSION, `${timestamp} v${version}`)
    }
  })
})

describe('ListOffsets by time', () => {
  it('gives the first record at or after it', async () => {
    const broker = await filled()
    assert.deepEqual(await list(broker, 0), [0, NOW_MS, 0, 0])
    assert.deepEqual(await list(broker, NOW_MS), [0, NOW_MS, 0, 0])
    assert.deepEqual(await list(broker, NOW_MS + 1), [0, NOW_MS + 300, 1, 0])
  })

  it('finds nothing after the last record: -1 without an error (redpanda#4322)', async () => {
    const broker = await filled()
    assert.deepEqual(await list(broker, NOW_MS + 301), [0, -1, -1, -1])
    assert.deepEqual(await list(broker, NOW_MS, { partition: 1 }), [0, -1, -1, -1])
  })
})

describe('ListOffsets refuses', () => {
  it('unknown partitions, wrong leader epochs and broken disks', async () => {
    const broker = await filled()
    broker.log().setLeaderEpoch(2)
    broker.log(1).isFailed = true
    const cases: readonly [Asked, ErrorCode][] = [
      [{ topic: 'missing' }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [{ partition: 3 }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [{ partition: -1 }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [{ currentLeaderEpoch: 1 }, ErrorCode.FENCED_LEADER_EPOCH],
      [{ currentLeaderEpoch: 3 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
      [{ partition: 1 }, ErrorCode.KAFKA_STORAGE_ERROR],
    ]
    for (const [asked, expected] of cases) {
      assert.deepEqual(await list(broker, -1, asked), [expected, -1, -1, -1])
    }
  })

  it('the partition whose log can not be read, and answers the others', async () => {
    const broker = await filled()
    broker.log().searchError = new StorageError('EIO')
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: NOW_MS }))
    const body = { replicaId: -1, topics: [{ name: TOPIC, partitions }] }
    const { topics } = await ask(broker, listOffsetsApi, LAST_VERSION, body)
    assert.deepEqual(
      topics[0]?.partitions.map(({ errorCode }) => errorCode),
      [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NONE],
    )
    assert.equal((await list(broker, -3))[0], ErrorCode.KAFKA_STORAGE_ERROR)
  })

  it('a partition that is asked twice, once, and answers the others', async () => {
    const broker = await filled()
    const partitions = [0, 1, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -1 }))
    const body = { replicaId: -1, topics: [{ name: TOPIC, partitions }] }
    const { topics } = await ask(broker, listOffsetsApi, LAST_VERSION, body)
    assert.deepEqual(
      topics[0]?.partitions.map(({ errorCode }) => errorCode),
      [ErrorCode.INVALID_REQUEST, ErrorCode.NONE],
    )
  })
})

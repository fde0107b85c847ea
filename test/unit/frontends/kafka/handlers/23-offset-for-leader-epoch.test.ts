import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { offsetForLeaderEpochApi } from '../../../../../src/wire/kafka/messages/23-offset-for-leader-epoch.ts'
import { ask, produce } from '../ask.ts'
import { TestBroker, TOPIC } from '../test-broker.ts'

/** Two records of epoch 0, then one of epoch 3. */
async function filled(): Promise<TestBroker> {
  const broker = await TestBroker.start()
  await produce(broker)
  await produce(broker)
  broker.log().setLeaderEpoch(3)
  await produce(broker)
  return broker
}

interface Asked {
  readonly partition?: number
  readonly topic?: string
  readonly currentLeaderEpoch?: number
  readonly version?: number
}

async function endOf(broker: TestBroker, leaderEpoch: number, asked: Asked = {}) {
  const { partition = 0, topic = TOPIC, currentLeaderEpoch = -1, version = 4 } = asked
  const partitions = [{ partition, currentLeaderEpoch, leaderEpoch }]
  const body = { replicaId: -1, topics: [{ topic, partitions }] }
  const [end] =
    (await ask(broker, offsetForLeaderEpochApi, version, body)).topics[0]?.partitions ?? []
  return [end?.errorCode, end?.leaderEpoch, end?.endOffset]
}

describe('OffsetForLeaderEpoch (KIP-320)', () => {
  it('answers where an epoch ends, in every version', async () => {
    const broker = await filled()
    for (let version = 2; version <= 4; version++) {
      assert.deepEqual(await endOf(broker, 0, { version }), [ErrorCode.NONE, 0, 2])
      assert.deepEqual(await endOf(broker, 3, { version }), [ErrorCode.NONE, 3, 3])
    }
  })

  it('answers the largest epoch below one without records', async () => {
    assert.deepEqual(await endOf(await filled(), 2), [ErrorCode.NONE, 0, 2])
  })

  it('knows nothing of epochs that are to come: -1 and -1, no error', async () => {
    assert.deepEqual(await endOf(await filled(), 4), [ErrorCode.NONE, -1, -1])
  })

  it('refuses unknown partitions, wrong leader epochs and broken disks', async () => {
    const broker = await filled()
    broker.log(1).isFailed = true
    const cases: readonly [Asked, ErrorCode][] = [
      [{ topic: 'missing' }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [{ partition: 7 }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [{ partition: 1 }, ErrorCode.KAFKA_STORAGE_ERROR],
      [{ currentLeaderEpoch: 2 }, ErrorCode.FENCED_LEADER_EPOCH],
      [{ currentLeaderEpoch: 4 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ]
    for (const [asked, expected] of cases) {
      assert.deepEqual(await endOf(broker, 0, asked), [expected, -1, -1])
    }
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { StorageError } from '../../../../../src/base/errors.ts'
import { deleteRecordsApi } from '../../../../../src/wire/kafka/messages/21-delete-records.ts'
import { ask, produce } from '../ask.ts'
import { INTERNAL_TOPIC, TestBroker, TOPIC } from '../test-broker.ts'

async function filled(): Promise<TestBroker> {
  const broker = await TestBroker.start()
  for (let i = 0; i < 3; i++) await produce(broker)
  return broker
}

async function remove(broker: TestBroker, offset: number, partitionIndex = 0, name = TOPIC) {
  const body = { timeoutMs: 1000, topics: [{ name, partitions: [{ partitionIndex, offset }] }] }
  const { topics } = await ask(broker, deleteRecordsApi, 2, body)
  const [answer] = topics[0]?.partitions ?? []
  return [answer?.errorCode, answer?.lowWatermark]
}

describe('DeleteRecords (KIP-107)', () => {
  it('moves the log start up and answers it', async () => {
    const broker = await filled()
    assert.deepEqual(await remove(broker, 2), [ErrorCode.NONE, 2])
    assert.equal(broker.log().logStartOffset, 2)
    assert.deepEqual(await remove(broker, 1), [ErrorCode.NONE, 2], 'it never moves down')
  })

  it('takes -1 as the high watermark', async () => {
    assert.deepEqual(await remove(await filled(), -1), [ErrorCode.NONE, 3])
  })

  it('refuses offsets above the high watermark and other negatives', async () => {
    const broker = await filled()
    for (const offset of [4, -2]) {
      assert.deepEqual(await remove(broker, offset), [ErrorCode.OFFSET_OUT_OF_RANGE, -1])
    }
    assert.equal(broker.log().logStartOffset, 0)
  })

  it('refuses unknown partitions, internal topics and topics that are only compacted', async () => {
    const broker = await filled()
    broker.configure({ isDeleted: false, isCompacted: true })
    assert.deepEqual(await remove(broker, 1), [ErrorCode.POLICY_VIOLATION, -1])
    const unknown = [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1]
    assert.deepEqual(await remove(broker, 1, 9), unknown)
    assert.deepEqual(await remove(broker, 1, 0, 'missing'), unknown)
    const internal = await remove(broker, 0, 0, INTERNAL_TOPIC)
    assert.deepEqual(internal, [ErrorCode.INVALID_TOPIC_EXCEPTION, -1])
  })

  it('answers KAFKA_STORAGE_ERROR when the new start could not be recorded', async () => {
    const broker = await filled()
    broker.log().deleteFailure = new StorageError('the disk is full')
    assert.deepEqual(await remove(broker, 1), [ErrorCode.KAFKA_STORAGE_ERROR, -1])
    broker.log().isFailed = true
    assert.deepEqual(await remove(broker, 1), [ErrorCode.KAFKA_STORAGE_ERROR, -1])
  })
})

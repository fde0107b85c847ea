import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { buildBatch } from '../../../../../src/records/batch-builder.ts'
import {
  Codec,
  partitionLeaderEpochOf,
  patchCrc,
  TimestampType,
} from '../../../../../src/records/record-batch.ts'
import { produceApi } from '../../../../../src/wire/kafka/messages/00-produce.ts'
import { ask, fetch, partitionsOf, produce } from '../ask.ts'
import { settle } from '../peer.ts'
import { batchOf, NOW_MS, produceFrame } from '../requests.ts'
import { INTERNAL_TOPIC, TestBroker, TOPIC } from '../test-broker.ts'

const HOUR_MS = 3_600_000

describe('Produce', () => {
  it('answers the base offset and the log start in every version', async () => {
    const broker = await TestBroker.start()
    for (let version = 3; version <= 13; version++) {
      const { errorCode, baseOffset, logAppendTimeMs, index } = await produce(broker, { version })
      const expected = [ErrorCode.NONE, version - 3, -1, 0]
      assert.deepEqual([errorCode, baseOffset, logAppendTimeMs, index], expected)
    }
    assert.equal(broker.log().logEndOffset, 11)
  })

  it('gives offsets and the leader epoch to the batch, whatever the client put there', async () => {
    const broker = await TestBroker.start()
    broker.log().setLeaderEpoch(4)
    await produce(broker)
    const records = batchOf()
    records.writeInt32BE(99, 12)
    assert.equal((await produce(broker, { records })).baseOffset, 1)
    const [{ records: stored } = {}] = partitionsOf(
      await fetch(broker, { partitions: [{ fetchOffset: 1 }] }),
    )
    assert.ok(stored)
    assert.equal(partitionLeaderEpochOf(stored, 0), 4)
    assert.equal(stored.readBigInt64BE(0), 1n)
  })

  it('appends to several partitions and answers each for itself', async () => {
    const broker = await TestBroker.start()
    const partitionData = [2, 7, 0].map((index) => ({ index, records: batchOf() }))
    const body = { transactionalId: null, acks: -1, timeoutMs: 1000 }
    const topicData = [
      { name: TOPIC, partitionData },
      { name: 'missing', partitionData: [{ index: 0, records: batchOf() }] },
    ]
    const { responses } = await ask(broker, produceApi, 9, { ...body, topicData })
    assert.deepEqual(
      responses.map(({ name, partitionResponses }) => [
        name,
        partitionResponses.map(({ index, errorCode }) => [index, errorCode]),
      ]),
      [
        [
          TOPIC,
          [
            [2, ErrorCode.NONE],
            [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
            [0, ErrorCode.NONE],
          ],
        ],
        ['missing', [[0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]]],
      ],
    )
  })

  it('answers nothing for no topics, and does not hang', async () => {
    const broker = await TestBroker.start()
    const body = { transactionalId: null, acks: -1, timeoutMs: 1000, topicData: [] }
    assert.deepEqual((await ask(broker, produceApi, 9, body)).responses, [])
  })
})

describe('acks of Produce', () => {
  for (const acks of [1, -1]) {
    it(`${acks} waits until the append is safe`, async () => {
      const broker = await TestBroker.start()
      broker.log().isSlow = true
      const peer = broker.connect()
      peer.send(produceFrame({ acks }))
      await settle()
      assert.equal(peer.takeFrames().length, 0)
      broker.log().flush()
      assert.equal(peer.takeFrames().length, 1)
    })
  }

  it('0 gets no answer, and the connection goes on', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.send(produceFrame({ acks: 0, correlationId: 1 }))
    peer.send(produceFrame({ acks: 1, correlationId: 2 }))
    await settle()
    const frames = peer.takeFrames()
    assert.deepEqual(
      frames.map((frame) => frame.readInt32BE(0)),
      [2],
    )
    assert.equal(broker.log().logEndOffset, 2)
    assert.equal(broker.inFlightBytes, 0)
  })

  it('0 closes the connection on an error', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.send(produceFrame({ acks: 0, topic: 'missing' }))
    assert.equal(peer.isDestroyed, true)
    assert.equal(broker.inFlightBytes, 0)
  })

  it('other than 0, 1 and -1 are INVALID_REQUIRED_ACKS', async () => {
    const broker = await TestBroker.start()
    for (const acks of [2, -2, 32_767, -32_768]) {
      const { errorCode } = await produce(broker, { acks })
      assert.equal(errorCode, ErrorCode.INVALID_REQUIRED_ACKS)
    }
    assert.equal(broker.log().logEndOffset, 0)
  })
})

describe('Produce refuses', () => {
  const twice = Buffer.concat([batchOf(), batchOf()])
  const shifted = batchOf()
  shifted.writeBigInt64BE(5n, 0)
  const wrongDelta = batchOf()
  wrongDelta.writeInt32BE(3, 23)
  patchCrc(wrongDelta, 0)
  const corrupt = batchOf()
  corrupt.writeInt8(corrupt.readInt8(70) ^ 1, 70)
  const cases: readonly [string, Buffer | null, ErrorCode][] = [
    ['null records', null, ErrorCode.INVALID_RECORD],
    ['no records', Buffer.alloc(0), ErrorCode.INVALID_RECORD],
    ['two batches', twice, ErrorCode.INVALID_RECORD],
    ['a base offset other than 0', shifted, ErrorCode.INVALID_RECORD],
    ['a wrong last offset delta', wrongDelta, ErrorCode.INVALID_RECORD],
    ['a control batch', batchOf(10, { isControl: true }), ErrorCode.INVALID_RECORD],
    ['a wrong CRC', corrupt, ErrorCode.CORRUPT_MESSAGE],
    ['a batch above max.message.bytes', batchOf(1_048_588), ErrorCode.MESSAGE_TOO_LARGE],
  ]
  for (const [name, records, expected] of cases) {
    it(`${name} with ${expected}, in the first and the last version`, async () => {
      const broker = await TestBroker.start()
      for (const version of [3, 13]) {
        const copy = records === null ? null : Buffer.from(records)
        const answer = await produce(broker, { records: copy, version })
        assert.equal(answer.errorCode, expected)
        assert.equal(answer.baseOffset, -1)
        if (version === 13) assert.ok(answer.errorMessage)
      }
      assert.equal(broker.log().logEndOffset, 0)
    })
  }

  it('internal topics with INVALID_TOPIC_EXCEPTION', async () => {
    const broker = await TestBroker.start()
    const { errorCode } = await produce(broker, { topic: INTERNAL_TOPIC })
    assert.equal(errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION)
  })

  it('unknown topic ids with UNKNOWN_TOPIC_ID, never by falling back to a name', async () => {
    const broker = await TestBroker.start()
    const topicId = 'c3Bvb2wtdG9waWMtaWQwOQ'
    const { errorCode } = await produce(broker, { version: 13, topicId })
    assert.equal(errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
  })

  it('what the log refuses, with its own code', async () => {
    const broker = await TestBroker.start()
    broker.log().nextAppendError = ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    const { errorCode, baseOffset } = await produce(broker)
    assert.deepEqual([errorCode, baseOffset], [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, -1])
  })
})

describe('Produce on a disk that breaks', () => {
  it('answers KAFKA_STORAGE_ERROR for what was waiting and for what comes', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame())
    broker.log().fail()
    const [frame] = peer.takeFrames()
    assert.ok(frame)
    const { errorCode, baseOffset } = await produce(broker)
    assert.deepEqual([errorCode, baseOffset], [ErrorCode.KAFKA_STORAGE_ERROR, -1])
    assert.equal(broker.inFlightBytes, 0)
  })
})

describe('timestamps of Produce', () => {
  it('are the broker clock on a LogAppendTime topic, whatever the client says', async () => {
    const broker = await TestBroker.start()
    broker.configure({ timestampType: TimestampType.LOG_APPEND_TIME })
    const records = batchOf(10, {}, NOW_MS + 365 * 24 * HOUR_MS)
    assert.equal((await produce(broker, { records })).logAppendTimeMs, NOW_MS)
    const [{ records: stored } = {}] = partitionsOf(await fetch(broker))
    assert.ok(stored)
    assert.equal(stored.readInt16BE(21) & 8, 8)
    assert.equal(stored.readBigInt64BE(35), BigInt(NOW_MS))
  })

  it('of the client answer -1 on a CreateTime topic', async () => {
    const broker = await TestBroker.start()
    const records = batchOf(10, { logAppendTime: NOW_MS })
    assert.equal((await produce(broker, { records })).logAppendTimeMs, -1)
  })

  it('too far ahead are INVALID_TIMESTAMP with an error for each record', async () => {
    const broker = await TestBroker.start()
    const records = batchOf(10, {}, NOW_MS + HOUR_MS + 1)
    const answer = await produce(broker, { records })
    assert.equal(answer.errorCode, ErrorCode.INVALID_TIMESTAMP)
    assert.deepEqual(
      answer.recordErrors.map(({ batchIndex }) => batchIndex),
      [0],
    )
    assert.ok(answer.errorMessage)
  })
})

describe('Produce to a compacted topic', () => {
  it('refuses records without a key, each named from version 8 on, in every codec', async () => {
    for (const codec of Object.values(Codec)) {
      const broker = await TestBroker.start()
      broker.configure({ isCompacted: true })
      const value = Buffer.from('value')
      const record = { timestamp: NOW_MS, value }
      const records = () => buildBatch([record, { ...record, key: value }, record], { codec })
      const answer = await produce(broker, { records: records(), version: 8 })
      assert.equal(answer.errorCode, ErrorCode.INVALID_RECORD)
      assert.deepEqual(
        answer.recordErrors.map(({ batchIndex }) => batchIndex),
        [0, 2],
      )
      const older = await produce(broker, { records: records(), version: 7 })
      assert.equal(older.errorCode, ErrorCode.INVALID_RECORD)
      assert.equal(broker.log().logEndOffset, 0)
    }
  })
})

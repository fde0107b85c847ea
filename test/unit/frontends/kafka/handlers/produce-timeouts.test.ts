import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { produceApi } from '../../../../../src/wire/kafka/messages/00-produce.ts'
import { produce } from '../ask.ts'
import { readResponse, requestFrame, settle } from '../peer.ts'
import { batchOf, produceFrame } from '../requests.ts'
import { TestBroker, TOPIC } from '../test-broker.ts'

const VERSION = 9
/** That of `produceFrame`. */
const TIMEOUT_MS = 1000

const answersOf = (frame: Buffer | undefined) => {
  assert.ok(frame)
  const { body } = readResponse(produceApi, VERSION, frame)
  return body.responses.flatMap(({ partitionResponses }) => partitionResponses)
}

describe('timeout.ms of Produce', () => {
  it('answers acks=all with REQUEST_TIMED_OUT when the disk takes longer; the append stays', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame())
    await settle()
    broker.scheduler.advance(TIMEOUT_MS - 200)
    assert.equal(peer.takeFrames().length, 0)
    broker.scheduler.advance(300)
    const [frame, ...others] = peer.takeFrames()
    assert.equal(others.length, 0)
    const [answer] = answersOf(frame)
    assert.deepEqual([answer?.errorCode, answer?.baseOffset], [ErrorCode.REQUEST_TIMED_OUT, 0])
    assert.equal(broker.inFlightBytes, 0)
    broker.log().flush()
    await settle()
    assert.equal(peer.takeFrames().length, 0)
    assert.equal(broker.log().highWatermark, 1)
    broker.log().isSlow = false
    assert.equal((await produce(broker)).baseOffset, 1)
  })

  it('is told only to the partitions that are late', async () => {
    const broker = await TestBroker.start()
    broker.log(2).isSlow = true
    const peer = broker.connect()
    const partitionData = [0, 2, 7].map((index) => ({ index, records: batchOf() }))
    const topicData = [{ name: TOPIC, partitionData }]
    const body = { transactionalId: null, acks: -1, timeoutMs: TIMEOUT_MS, topicData }
    peer.send(requestFrame(produceApi, VERSION, body))
    await settle()
    broker.scheduler.advance(TIMEOUT_MS + 100)
    const answers = answersOf(peer.takeFrames()[0])
    assert.deepEqual(
      answers.map(({ index, errorCode }) => [index, errorCode]),
      [
        [0, ErrorCode.NONE],
        [2, ErrorCode.REQUEST_TIMED_OUT],
        [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      ],
    )
  })

  it('does not end acks=1, which waits for the write alone, as a leader of Kafka does', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ acks: 1 }))
    await settle()
    broker.scheduler.advance(10 * TIMEOUT_MS)
    assert.equal(peer.takeFrames().length, 0)
    assert(broker.inFlightBytes > 0)
    broker.log().flush()
    assert.equal(answersOf(peer.takeFrames()[0])[0]?.errorCode, ErrorCode.NONE)
  })

  it('holds nothing of a connection that is gone, and keeps no timer', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame())
    await settle()
    peer.close()
    broker.scheduler.advance(200)
    assert.equal(broker.scheduler.pendingCount, 0)
    broker.log().flush()
    assert.equal(broker.log().highWatermark, 1)
  })

  it('has no timer while nothing waits', async () => {
    const broker = await TestBroker.start()
    for (let i = 0; i < 10; i++) await produce(broker)
    broker.scheduler.advance(100)
    assert.equal(broker.scheduler.pendingCount, 0)
  })
})

describe('Produce with acks=0 on a slow disk', () => {
  it('counts as memory in use until it is written', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ acks: 0 }))
    await settle()
    assert(broker.inFlightBytes > 0)
    broker.log().flush()
    assert.equal(broker.inFlightBytes, 0)
    assert.equal(peer.takeFrames().length, 0)
  })
})

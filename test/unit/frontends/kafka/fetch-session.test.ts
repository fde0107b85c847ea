import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { fetchApi } from '../../../../src/wire/kafka/messages/01-fetch.ts'
import { answerOf, type FetchAnswer, fetch, partitionsOf, produce } from './ask.ts'
import { settle } from './peer.ts'
import { type FetchOptions, fetchFrame } from './requests.ts'
import { TestBroker } from './test-broker.ts'

const indexesOf = (answer: FetchAnswer | undefined): number[] =>
  partitionsOf(answer).map(({ partitionIndex }) => partitionIndex)

const at = (...offsets: number[]) =>
  offsets.map((fetchOffset, partition) => ({ partition, fetchOffset }))

/** A fetch that waits for its time, if it waits. */
async function poll(broker: TestBroker, options: FetchOptions): Promise<FetchAnswer> {
  const peer = broker.connect()
  peer.send(fetchFrame(options))
  await settle()
  broker.scheduler.advance(500)
  const answer = answerOf(peer, fetchApi, options.version ?? 12)
  assert.ok(answer)
  peer.close()
  return answer
}

async function opened(version = 12): Promise<{ broker: TestBroker; sessionId: number }> {
  const broker = await TestBroker.start()
  const answer = await poll(broker, { version, sessionEpoch: 0, partitions: at(0, 0, 0) })
  assert.notEqual(answer.sessionId, 0)
  assert.deepEqual(indexesOf(answer), [0, 1, 2])
  return { broker, sessionId: answer.sessionId }
}

describe('a fetch session (KIP-227)', () => {
  it('answers only partitions with news, and all its partitions are meant', async () => {
    const { broker, sessionId } = await opened()
    await produce(broker, { partition: 1 })
    const next = await poll(broker, { sessionId, sessionEpoch: 1, partitions: [] })
    assert.equal(next.sessionId, sessionId)
    assert.deepEqual(indexesOf(next), [1])
    const moved = [{ partition: 1, fetchOffset: 1 }]
    const idle = await poll(broker, { sessionId, sessionEpoch: 2, partitions: moved })
    assert.deepEqual(indexesOf(idle), [])
    assert.equal(idle.errorCode, ErrorCode.NONE)
  })

  it('waits when an incremental request names no partitions (redpanda#1123)', async () => {
    const { broker, sessionId } = await opened()
    const peer = broker.connect()
    peer.send(fetchFrame({ sessionId, sessionEpoch: 1, partitions: [], maxWaitMs: 300 }))
    await settle()
    broker.scheduler.advance(299)
    assert.equal(answerOf(peer, fetchApi, 12), undefined)
    broker.scheduler.advance(1)
    assert.ok(answerOf(peer, fetchApi, 12))
  })

  it('repeats data of a partition whose offset was not moved', async () => {
    const { broker, sessionId } = await opened()
    await produce(broker)
    for (const sessionEpoch of [1, 2]) {
      const answer = await poll(broker, { sessionId, sessionEpoch, partitions: [] })
      assert.deepEqual(indexesOf(answer), [0])
    }
  })

  it('tells when only the log start moved', async () => {
    const { broker, sessionId } = await opened()
    await produce(broker)
    const next = { sessionId, sessionEpoch: 1, partitions: [{ fetchOffset: 1 }] }
    assert.deepEqual(indexesOf(await poll(broker, next)), [0])
    await broker.log().deleteRecordsBefore(1)
    const moved = await poll(broker, { sessionId, sessionEpoch: 2, partitions: [] })
    assert.equal(partitionsOf(moved)[0]?.logStartOffset, 1)
    const idle = await poll(broker, { sessionId, sessionEpoch: 3, partitions: [] })
    assert.deepEqual(indexesOf(idle), [])
  })

  it('repeats the error of a partition, and its limits when the error is over', async () => {
    const { broker, sessionId } = await opened()
    const next = (sessionEpoch: number, fetchOffset?: number) => {
      const partitions = fetchOffset === undefined ? [] : [{ fetchOffset }]
      return poll(broker, { sessionId, sessionEpoch, partitions })
    }
    for (const [epoch, answer] of [await next(1, 99), await next(2)].entries()) {
      assert.deepEqual(indexesOf(answer), [0], `epoch ${epoch + 1}`)
      assert.equal(partitionsOf(answer)[0]?.errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
    }
    const [healed] = partitionsOf(await next(3, 0))
    assert.equal(healed?.errorCode, ErrorCode.NONE)
  })

  it('forgets partitions, and ends with the last one', async () => {
    const { broker, sessionId } = await opened()
    await produce(broker, { partition: 1 })
    const forgetting = { sessionId, sessionEpoch: 1, partitions: [], forgotten: [1] }
    assert.deepEqual(indexesOf(await poll(broker, forgetting)), [])
    const last = { sessionId, sessionEpoch: 2, partitions: [], forgotten: [0, 2] }
    assert.equal((await poll(broker, last)).sessionId, 0)
    assert.equal(broker.fetchSessions.count, 0)
  })

  it('serves the partitions that had records last behind the others', async () => {
    const { broker, sessionId } = await opened()
    for (const partition of [0, 1, 2]) await produce(broker, { partition })
    const order: number[] = []
    for (const sessionEpoch of [1, 2, 3]) {
      const answer = await poll(broker, { sessionId, sessionEpoch, partitions: [], maxBytes: 1 })
      const filled = partitionsOf(answer).filter(({ records }) => records?.byteLength)
      order.push(...filled.map(({ partitionIndex }) => partitionIndex))
    }
    assert.deepEqual(order, [0, 1, 2])
  })
})

describe('refusals of fetch sessions', () => {
  it('are 71 for a wrong epoch and 70 for an unknown id, with id 0 and no partitions', async () => {
    const { broker, sessionId } = await opened()
    const cases = [
      [sessionId, 2, ErrorCode.INVALID_FETCH_SESSION_EPOCH],
      [sessionId + 1000, 1, ErrorCode.FETCH_SESSION_ID_NOT_FOUND],
    ] as const
    for (const [id, sessionEpoch, errorCode] of cases) {
      const answer = await fetch(broker, { sessionId: id, sessionEpoch, partitions: at(0) })
      assert.deepEqual([answer.errorCode, answer.sessionId], [errorCode, 0])
      assert.deepEqual(answer.responses, [])
    }
  })

  it('are 106 when names and ids are mixed', async () => {
    const { broker, sessionId } = await opened(12)
    const answer = await fetch(broker, { version: 13, sessionId, sessionEpoch: 1, partitions: [] })
    assert.equal(answer.errorCode, ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
  })

  it('do not end the session: the right epoch still works', async () => {
    const { broker, sessionId } = await opened()
    await fetch(broker, { sessionId, sessionEpoch: 9, partitions: [] })
    const answer = await poll(broker, { sessionId, sessionEpoch: 1, partitions: [] })
    assert.equal(answer.sessionId, sessionId)
  })
})

describe('the cache of fetch sessions', () => {
  it('closes a session that asks for it, or opens a new one in its place', async () => {
    const { broker, sessionId } = await opened()
    const closed = await poll(broker, { sessionId, sessionEpoch: -1, partitions: at(0) })
    assert.deepEqual([closed.sessionId, indexesOf(closed)], [0, [0]])
    assert.equal(broker.fetchSessions.count, 0)
    const first = await poll(broker, { sessionEpoch: 0, partitions: at(0) })
    await poll(broker, { sessionId: first.sessionId, sessionEpoch: 0, partitions: at(0) })
    assert.equal(broker.fetchSessions.count, 1)
  })

  it('gives none when it is full of sessions that are in use', async () => {
    const broker = await TestBroker.start({ maxSessions: 2 })
    const open = () => poll(broker, { sessionEpoch: 0, partitions: at(0, 0) })
    const ids = [await open(), await open(), await open()].map(({ sessionId }) => sessionId)
    assert.deepEqual(
      ids.map((id) => id !== 0),
      [true, true, false],
    )
    assert.equal(broker.fetchSessions.count, 2)
  })

  it('gives the place of a session that was unused for long', async () => {
    const broker = await TestBroker.start({ maxSessions: 1 })
    const open = () => poll(broker, { sessionEpoch: 0, partitions: at(0) })
    const { sessionId } = await open()
    broker.scheduler.advance(121_000)
    assert.notEqual((await open()).sessionId, 0)
    const old = await fetch(broker, { sessionId, sessionEpoch: 1, partitions: [] })
    assert.equal(old.errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { fetchApi } from '../../../../../src/wire/kafka/messages/01-fetch.ts'
import { answerOf, fetch, partitionsOf, produce } from '../ask.ts'
import { settle } from '../peer.ts'
import { batchOf, type FetchOptions, fetchFrame, produceFrame } from '../requests.ts'
import { TestBroker, TOPIC_ID } from '../test-broker.ts'

const BATCH_BYTES = batchOf().byteLength

async function filled(batchCount: number): Promise<TestBroker> {
  const broker = await TestBroker.start()
  for (let i = 0; i < batchCount; i++) await produce(broker)
  return broker
}

/** A fetch on a connection of its own, which may wait. */
async function poll(broker: TestBroker, options: FetchOptions = {}) {
  const peer = broker.connect()
  peer.send(fetchFrame(options))
  await settle()
  return { peer, answer: () => answerOf(peer, fetchApi, options.version ?? 12) }
}

describe('Fetch', () => {
  it('returns whole batches with high watermark and log start in every version', async () => {
    const broker = await filled(2)
    for (let version = 4; version <= 18; version++) {
      const answer = await fetch(broker, { version })
      const [partition] = partitionsOf(answer)
      assert.ok(partition)
      if (version >= 13) assert.equal(answer.responses[0]?.topicId, TOPIC_ID)
      assert.equal(partition.errorCode, ErrorCode.NONE)
      assert.equal(partition.highWatermark, 2)
      assert.equal(partition.lastStableOffset, 2)
      assert.equal(partition.preferredReadReplica, -1)
      assert.equal(partition.abortedTransactions, null)
      assert.equal(partition.records?.byteLength, 2 * BATCH_BYTES)
    }
    assert.equal(broker.log().openSliceCount, 0)
  })

  it('from inside a batch returns the whole batch', async () => {
    const broker = await filled(3)
    const [partition] = partitionsOf(await fetch(broker, { partitions: [{ fetchOffset: 2 }] }))
    assert.equal(partition?.records?.readBigInt64BE(0), 2n)
  })

  it('never answers null records: not empty, not with an error (KAFKA-18646)', async () => {
    const broker = await filled(1)
    for (const version of [4, 11, 12, 13, 18]) {
      for (const fetchOffset of [1, 99]) {
        const { answer } = await poll(broker, { version, partitions: [{ fetchOffset }] })
        broker.scheduler.advance(500)
        assert.deepEqual(partitionsOf(answer())[0]?.records, Buffer.alloc(0))
      }
    }
  })

  it('refuses unknown names with 3, unknown ids with 100, unknown partitions with 3', async () => {
    const broker = await filled(1)
    const cases: readonly [FetchOptions, ErrorCode][] = [
      [{ topic: 'missing' }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [{ partitions: [{ partition: 9 }] }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [{ version: 13, topicId: 'c3Bvb2wtdG9waWMtaWQwOQ' }, ErrorCode.UNKNOWN_TOPIC_ID],
      [{ version: 13, partitions: [{ partition: 9 }] }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ]
    for (const [options, expected] of cases) {
      const { answer } = await poll(broker, options)
      broker.scheduler.advance(500)
      assert.equal(partitionsOf(answer())[0]?.errorCode, expected)
    }
  })
})

describe('offsets and epochs of Fetch', () => {
  it('out of range answers at once with -1 for all three offsets', async () => {
    const broker = await filled(3)
    await broker.log().deleteRecordsBefore(1)
    for (const fetchOffset of [0, 4, -1]) {
      const [partition] = partitionsOf(await fetch(broker, { partitions: [{ fetchOffset }] }))
      assert.ok(partition)
      const { errorCode, highWatermark, lastStableOffset, logStartOffset } = partition
      const offsets = [highWatermark, lastStableOffset, logStartOffset]
      assert.deepEqual([errorCode, ...offsets], [ErrorCode.OFFSET_OUT_OF_RANGE, -1, -1, -1])
    }
  })

  it('checks the leader epoch of the client (KIP-320)', async () => {
    const broker = await filled(1)
    broker.log().setLeaderEpoch(5)
    const cases = [
      [-1, ErrorCode.NONE],
      [5, ErrorCode.NONE],
      [4, ErrorCode.FENCED_LEADER_EPOCH],
      [6, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ] as const
    for (const [currentLeaderEpoch, expected] of cases) {
      const [partition] = partitionsOf(
        await fetch(broker, { partitions: [{ currentLeaderEpoch }] }),
      )
      assert.equal(partition?.errorCode, expected)
    }
  })

  it('names the diverging epoch without data; an unknown one is out of range', async () => {
    const broker = await filled(2)
    broker.log().setLeaderEpoch(3)
    await produce(broker)
    const at = async (fetchOffset: number, lastFetchedEpoch: number) =>
      partitionsOf(await fetch(broker, { partitions: [{ fetchOffset, lastFetchedEpoch }] }))[0]
    const diverging = await at(3, 0)
    assert.deepEqual(diverging?.divergingEpoch, { epoch: 0, endOffset: 2 })
    assert.equal(diverging?.records?.byteLength, 0)
    assert.deepEqual((await at(2, 2))?.divergingEpoch, { epoch: 0, endOffset: 2 })
    assert.equal((await at(2, 0))?.records?.byteLength, BATCH_BYTES)
    assert.equal((await at(1, 9))?.errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
  })

  it('of a follower is refused: every partition has one replica', async () => {
    const broker = await filled(1)
    const { answer } = await poll(broker, { replicaId: 2 })
    broker.scheduler.advance(500)
    assert.equal(partitionsOf(answer())[0]?.errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })
})

describe('a long poll', () => {
  it('at the end of the log waits maxWaitMs, not less (redpanda#1115)', async () => {
    const broker = await filled(1)
    const { answer } = await poll(broker, { maxWaitMs: 1500, partitions: [{ fetchOffset: 1 }] })
    broker.scheduler.advance(1499)
    assert.equal(answer(), undefined)
    broker.scheduler.advance(1)
    const [partition] = partitionsOf(answer())
    assert.equal(partition?.errorCode, ErrorCode.NONE)
    assert.equal(partition?.records?.byteLength, 0)
  })

  it('is answered in the turn in which the records become safe', async () => {
    const broker = await filled(1)
    broker.log().isSlow = true
    const { answer } = await poll(broker, { partitions: [{ fetchOffset: 1 }] })
    const peer = broker.connect()
    peer.send(produceFrame())
    await settle()
    assert.equal(answer(), undefined, 'not yet safe, not yet visible')
    broker.log().flush()
    assert.equal(partitionsOf(answer())[0]?.records?.byteLength, BATCH_BYTES)
    // That of the produce requests finds nothing to do.
    broker.scheduler.advance(100)
    assert.equal(broker.scheduler.pendingCount, 0)
  })

  it('is answered when its topic is deleted', async () => {
    const broker = await filled(1)
    const { answer } = await poll(broker, { partitions: [{ fetchOffset: 1 }] })
    broker.topics.remove('orders')
    const [partition] = partitionsOf(answer())
    assert.equal(partition?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('is answered when the disk breaks', async () => {
    const broker = await filled(1)
    const { answer } = await poll(broker, { partitions: [{ fetchOffset: 1 }] })
    broker.log().fail()
    assert.equal(partitionsOf(answer())[0]?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  })
})

describe('limits of a Fetch answer', () => {
  it('hold over all partitions, but the first one with data gives a batch (KIP-74)', async () => {
    const broker = await filled(2)
    await produce(broker, { partition: 1 })
    const partitions = [{ partition: 2 }, { partition: 0 }, { partition: 1 }]
    const lengthsOf = async (maxBytes: number, partitionMaxBytes = 1_000_000) => {
      const asked = partitions.map((partition) => ({ ...partition, partitionMaxBytes }))
      const answer = await fetch(broker, { maxBytes, partitions: asked })
      return partitionsOf(answer).map(({ records }) => records?.byteLength)
    }
    assert.deepEqual(await lengthsOf(1), [0, BATCH_BYTES, 0])
    assert.deepEqual(await lengthsOf(2 * BATCH_BYTES), [0, 2 * BATCH_BYTES, 0])
    assert.deepEqual(await lengthsOf(3 * BATCH_BYTES), [0, 2 * BATCH_BYTES, BATCH_BYTES])
    assert.deepEqual(await lengthsOf(1_000_000, 1), [0, BATCH_BYTES, 0])
  })

  it('are those of the broker when the client asks for more', async () => {
    const broker = await TestBroker.start({ maxResponseBytes: 2 * BATCH_BYTES })
    for (let i = 0; i < 4; i++) await produce(broker)
    const [partition] = partitionsOf(await fetch(broker))
    assert.equal(partition?.records?.byteLength, 2 * BATCH_BYTES)
  })
})

describe('read_committed', () => {
  it('ends at the last stable offset and lists aborted transactions', async () => {
    const broker = await filled(3)
    broker.log().openTransactionOffset = 1
    broker.log().abortedTransactions = [{ producerId: 7, firstOffset: 0 }]
    const [committed] = partitionsOf(await fetch(broker, { isolationLevel: 1 }))
    assert.equal(committed?.records?.byteLength, BATCH_BYTES)
    assert.equal(committed?.lastStableOffset, 1)
    assert.equal(committed?.highWatermark, 3)
    assert.deepEqual(committed?.abortedTransactions, [{ producerId: 7, firstOffset: 0 }])
    const [uncommitted] = partitionsOf(await fetch(broker))
    assert.equal(uncommitted?.records?.byteLength, 3 * BATCH_BYTES)
    assert.equal(uncommitted?.abortedTransactions, null)
  })

  it('lists none when there is nothing to read, but never null', async () => {
    const broker = await filled(1)
    const partitions = [{ fetchOffset: 1 }]
    const { answer } = await poll(broker, { isolationLevel: 1, partitions })
    broker.scheduler.advance(500)
    assert.deepEqual(partitionsOf(answer())[0]?.abortedTransactions, [])
  })

  it('is woken when the transaction ends', async () => {
    const broker = await filled(1)
    broker.log().openTransactionOffset = 0
    const { answer } = await poll(broker, { isolationLevel: 1 })
    assert.equal(answer(), undefined)
    broker.log().endTransaction()
    assert.equal(partitionsOf(answer())[0]?.records?.byteLength, BATCH_BYTES)
  })
})

describe('Fetch from a slow store (nisshi-io/nisshi#668)', () => {
  it('is answered when the bytes are there', async () => {
    const broker = await filled(2)
    broker.log().isCold = true
    const { answer } = await poll(broker)
    assert.equal(answer(), undefined)
    broker.log().finishReads()
    assert.equal(partitionsOf(answer())[0]?.records?.byteLength, 2 * BATCH_BYTES)
    await settle()
    assert.equal(broker.log().openSliceCount, 0)
  })

  it('answers KAFKA_STORAGE_ERROR when the read fails, and the other partitions', async () => {
    const broker = await filled(1)
    await produce(broker, { partition: 1 })
    broker.log().isCold = true
    const { answer } = await poll(broker, { partitions: [{ partition: 0 }, { partition: 1 }] })
    broker.log().finishReads(new Error('the disk broke'))
    const [broken, fine] = partitionsOf(answer())
    assert.equal(broken?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
    assert.equal(fine?.records?.byteLength, BATCH_BYTES)
  })

  it('leaves nothing behind for 100 clients that hung up', async () => {
    const broker = await filled(1)
    broker.log().isCold = true
    for (let i = 0; i < 100; i++) {
      const { peer } = await poll(broker)
      peer.close()
    }
    broker.log().finishReads()
    assert.equal(broker.log().openSliceCount, 0)
    assert.equal(broker.inFlightBytes, 0)
    assert.equal(broker.connectionCount, 0)
  })
})

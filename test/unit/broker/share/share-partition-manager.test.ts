import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { StorageError } from '../../../../src/base/errors.ts'
import { AcknowledgeType } from '../../../../src/broker/delivery/delivery-state.ts'
import { recordsOf } from '../../../../src/records/records-iterator.ts'
import type { MemoryLog } from '../../support/memory-log.ts'
import { ShareHarness, shown, TOPIC_ID } from './share-harness.ts'

const { ACCEPT, RELEASE, REJECT } = AcknowledgeType
let broker: ShareHarness

beforeEach(async () => {
  broker = new ShareHarness()
  await broker.initialize(0)
  await broker.initialize(1)
})

/** A fetch that loads the share partition, and its answer. */
async function fetched(memberId = 'a', changes = {}, partitions = [0]) {
  const fetching = broker.fetch({ memberId, ...changes }, partitions)
  await broker.settle()
  return shown(fetching)
}

describe('ShareFetch (KIP-932)', () => {
  it('gives records to one member, and waits with nothing for the next', async () => {
    broker.produce(5)
    assert.deepEqual(await fetched('a'), ['0: 0-4 x1'])
    const waiting = broker.fetch({ memberId: 'b' })
    await broker.settle()
    assert.equal(waiting.results, undefined)
    await broker.advance(500)
    assert.deepEqual(shown(waiting), ['0: nothing'])
  })

  it('answers as soon as records come, are released, or time out', async () => {
    const first = broker.fetch({ memberId: 'a', maxWaitMs: 60_000 })
    await broker.settle()
    assert.equal(first.results, undefined)
    broker.produce(3)
    assert.deepEqual(shown(first), ['0: 0-2 x1'])

    const second = broker.fetch({ memberId: 'b', maxWaitMs: 60_000 })
    await broker.acknowledge('a', 0, 2, RELEASE)
    assert.deepEqual(shown(second), ['0: 0-2 x2'])

    const third = broker.fetch({ memberId: 'c', maxWaitMs: 60_000 })
    await broker.advance(30_000)
    assert.deepEqual(shown(third), ['0: 0-2 x3'])
  })

  it('stops at the limit of records over all partitions', async () => {
    broker.produce(10, 0)
    broker.produce(10, 1)
    const answer = await fetched('a', { maxRecordCount: 10 }, [0, 1])
    assert.deepEqual(answer, ['0: 0-9 x1', '1: nothing'])
  })

  it('returns the bytes of the batches that hold what was given, and no others', async () => {
    for (let batch = 0; batch < 3; batch++) broker.produce(5)
    await fetched('a', { maxRecordCount: 5 })
    const fetching = broker.fetch({ memberId: 'b', maxRecordCount: 5 })
    const [result] = fetching.results ?? []
    assert.deepEqual(shown(fetching), ['0: 5-9 x1'])
    const bytes = Buffer.concat(result?.records?.pieces ?? [])
    assert.equal(bytes.byteLength, result?.records?.byteLength)
    assert.deepEqual(
      [...recordsOf(bytes, 0)].map(({ offset }) => offset),
      [5, 6, 7, 8, 9],
    )
    result?.release()
  })

  it('gives nothing of aborted transactions to groups that read committed data', async () => {
    broker.settings = { ...broker.settings, isReadCommitted: true }
    const log = broker.partitions[0]?.log as MemoryLog
    broker.produce(2)
    broker.produce(3, 0, {
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
    })
    broker.produce(2)
    log.abortedTransactions = [{ producerId: 7, firstOffset: 2 }]
    assert.deepEqual(await fetched('a'), ['0: 0-1 x1, 5-6 x1'])
  })
})

describe('ShareFetch of what is not there', () => {
  it('reports a partition without state once, and asks again with the next fetch', async () => {
    const fresh = new ShareHarness()
    const first = fresh.fetch()
    await fresh.settle()
    assert.deepEqual(shown(first), [`0: error ${ErrorCode.UNKNOWN_SERVER_ERROR}`])
    await fresh.initialize(0)
    fresh.produce(1)
    const second = fresh.fetch()
    await fresh.settle()
    assert.deepEqual(shown(second), ['0: 0-0 x1'])
  })

  it('reports a topic that is deleted while it waits', async () => {
    const fetching = broker.fetch({ maxWaitMs: 60_000 })
    await broker.settle()
    broker.partitions[0]?.gone()
    assert.deepEqual(shown(fetching), [`0: error ${ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}`])
  })

  it('acquires nothing for a member whose connection closed while it waited', async () => {
    const fetching = broker.fetch({ memberId: 'a', maxWaitMs: 60_000 })
    await broker.settle()
    fetching.cancel()
    broker.produce(2)
    assert.equal(fetching.results, undefined)
    assert.deepEqual(await fetched('b'), ['0: 0-1 x1'])
  })

  it('begins where share.auto.offset.reset says', async () => {
    broker.produce(4)
    broker.settings = { ...broker.settings, autoOffsetReset: { kind: 'latest' } }
    assert.deepEqual(await fetched('a', { maxWaitMs: 0 }), ['0: nothing'])
    broker.produce(1)
    assert.deepEqual(await fetched('a'), ['0: 4-4 x1'])
  })

  it('begins nowhere while the log can not be searched, and where it should after that', async () => {
    const log = broker.partitions[0]?.log as MemoryLog
    broker.produce(2)
    broker.settings = { ...broker.settings, autoOffsetReset: { kind: 'byDuration', durationMs: 1 } }
    log.searchError = new StorageError('EIO')
    assert.deepEqual(await fetched('a'), ['0: error 56'])
    log.searchError = null
    assert.deepEqual(await fetched('a'), ['0: 0-1 x1'])
  })
})

describe('acknowledgements (KIP-932)', () => {
  it('are durable before they are answered, and hold after a crash', async () => {
    broker.produce(6)
    await fetched('a')
    assert.equal((await broker.acknowledge('a', 0, 1, ACCEPT)).errorCode, ErrorCode.NONE)
    assert.equal((await broker.acknowledge('a', 3, 3, RELEASE)).errorCode, ErrorCode.NONE)
    broker.restart()
    assert.deepEqual(await fetched('b'), ['0: 2-2 x1, 3-3 x2, 4-5 x1'])
  })

  it('are taken back when they can not be kept: the member still has its records', async () => {
    broker.produce(2)
    await fetched('a')
    broker.stateLog.isSlow = true
    const key = { groupId: 'g', topicId: TOPIC_ID, partition: 0 }
    const batches = [{ firstOffset: 0, lastOffset: 1, types: [ACCEPT] }]
    const answer = broker.shares.acknowledge(key, 'a', batches)
    await broker.settle()
    broker.stateLog.fail()
    broker.stateLog.isSlow = false
    // The log is read anew, and the write is tried again.
    for (let second = 0; second < 5; second++) await broker.advance(1_000)
    assert.equal((await answer).errorCode, ErrorCode.NONE)
  })

  it('of a partition that nobody fetched are refused', async () => {
    const outcome = await broker.acknowledge('a', 0, 1, ACCEPT)
    assert.equal(outcome.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('share sessions', () => {
  const open = (memberId: string, changes = {}) =>
    broker.shares.sessions.contextOf({
      ...{ groupId: 'g', memberId, epoch: 0, forgotten: [], hasAcknowledgements: false },
      ...{ partitions: [{ topicId: TOPIC_ID, partition: 0 }], connectionId: 1, ...changes },
    })

  it('go on with the next epoch only, and are limited in number', () => {
    assert.equal(open('a').errorCode, ErrorCode.NONE)
    assert.equal(open('b').errorCode, ErrorCode.NONE)
    assert.equal(open('c').errorCode, ErrorCode.SHARE_SESSION_LIMIT_REACHED)
    assert.equal(open('a', { epoch: 1 }).errorCode, ErrorCode.NONE)
    assert.equal(open('a', { epoch: 1 }).errorCode, ErrorCode.INVALID_SHARE_SESSION_EPOCH)
    assert.equal(open('c', { epoch: 1 }).errorCode, ErrorCode.SHARE_SESSION_NOT_FOUND)
    const withWords = open('a', { hasAcknowledgements: true })
    assert.equal(withWords.errorCode, ErrorCode.INVALID_REQUEST)
    const { sessions } = broker.shares
    assert.equal(sessions.acknowledged('g', 'a', 0), ErrorCode.INVALID_SHARE_SESSION_EPOCH)
    assert.equal(sessions.acknowledged('g', 'a', 2), ErrorCode.NONE)
    assert.equal(sessions.count, 2)
  })

  it('remember partitions, forget those that are named so, and begin with another each time', () => {
    const partitions = [0, 1].map((partition) => ({ topicId: TOPIC_ID, partition }))
    open('a', { partitions })
    const orderAt = (epoch: number, changes = {}) =>
      open('a', { epoch, partitions: [], ...changes }).partitions.map((one) => one.partition)
    assert.deepEqual(orderAt(1), [1, 0])
    assert.deepEqual(orderAt(2), [0, 1])
    assert.deepEqual(orderAt(3, { forgotten: partitions.slice(0, 1) }), [1])
  })

  it('end with their connection, and what the member has goes to others', async () => {
    open('a')
    broker.produce(3)
    await fetched('a')
    const waiting = broker.fetch({ memberId: 'b', maxWaitMs: 60_000 })
    open('b', { connectionId: 2 })
    broker.shares.connectionClosed(1)
    await broker.settle()
    assert.deepEqual(shown(waiting), ['0: 0-2 x2'])
    assert.equal(broker.shares.sessions.count, 1)
    broker.shares.connectionClosed(2)
    await broker.settle()
    assert.equal(broker.shares.partitionCount, 0, 'a group that nobody reads for is forgotten')
  })
})

describe('dead letters (KIP-1191)', () => {
  beforeEach(() => {
    const deadLetterTopic = 'dlq.jobs'
    broker.settings = { ...broker.settings, deadLetterTopic, copiesDeadLetters: true }
  })

  it('are in their topic before the records are archived', async () => {
    broker.produce(3)
    await fetched('a')
    await broker.acknowledge('a', 0, 1, REJECT)
    await broker.settle()
    assert.equal(broker.dead.log.logEndOffset, 2)
    await broker.acknowledge('a', 2, 2, ACCEPT)
    broker.produce(1)
    assert.deepEqual(await fetched('a'), ['0: 3-3 x1'])
  })

  it('go on after a crash that came in between', async () => {
    broker.produce(2)
    await fetched('a')
    broker.isDeadTopicEnabled = true
    const log = broker.dead.log as MemoryLog
    log.isFailed = true
    await broker.acknowledge('a', 0, 1, REJECT)
    assert.equal(log.logEndOffset, 0)
    log.isFailed = false
    broker.restart()
    broker.fetch({ memberId: 'b' })
    await broker.settle()
    assert.equal(log.logEndOffset, 2)
  })

  it('that may not be written hold nobody up', async () => {
    broker.isDeadTopicEnabled = false
    broker.produce(2)
    await fetched('a')
    await broker.acknowledge('a', 0, 1, REJECT)
    await broker.settle()
    assert.equal(broker.dead.log.logEndOffset, 0)
    broker.produce(1)
    assert.deepEqual(await fetched('a'), ['0: 2-2 x1'])
  })
})

describe('what is measured of share groups', () => {
  const counted = (name: string, labels = {}): number =>
    broker.meter.count(`spool_share_${name}_total`, labels)

  it('counts records that are delivered, by what is said of them, and those that run out of time', async () => {
    broker.produce(10)
    await fetched('a')
    assert.equal(counted('delivered_records'), 10)
    assert.equal(broker.meter.read('spool_share_partitions'), 1)
    assert.equal(broker.meter.read('spool_share_in_flight_records'), 10)
    await broker.acknowledge('a', 0, 3, ACCEPT)
    await broker.acknowledge('a', 4, 5, REJECT)
    await broker.acknowledge('a', 6, 6, RELEASE)
    await broker.acknowledge('b', 7, 9, ACCEPT)
    assert.equal(
      counted('acknowledged_records', { type: 'accept' }),
      4,
      'b had none of its records',
    )
    assert.equal(counted('acknowledged_records', { type: 'reject' }), 2)
    assert.equal(counted('acknowledged_records', { type: 'release' }), 1)
    assert.equal(broker.meter.read('spool_share_in_flight_records'), 4)
    await broker.advance(30_000)
    assert.equal(counted('expired_records'), 3)
    await fetched('b')
    assert.equal(counted('delivered_records'), 14)
  })
})

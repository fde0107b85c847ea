import { listOffsetsApi } from '../../../src/wire/kafka/messages/02-list-offsets.ts'
import { offsetFetchApi } from '../../../src/wire/kafka/messages/09-offset-fetch.ts'
import { initProducerIdApi } from '../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { addPartitionsToTxnApi } from '../../../src/wire/kafka/messages/24-add-partitions-to-txn.ts'
import { endTxnApi } from '../../../src/wire/kafka/messages/26-end-txn.ts'
import { writeTxnMarkersApi } from '../../../src/wire/kafka/messages/27-write-txn-markers.ts'
import { describeProducersApi } from '../../../src/wire/kafka/messages/61-describe-producers.ts'
import { describeTransactionsApi } from '../../../src/wire/kafka/messages/65-describe-transactions.ts'
import { listTransactionsApi } from '../../../src/wire/kafka/messages/66-list-transactions.ts'
import type { Broker } from './support/broker.ts'
import { newMember } from './support/group.ts'
import { type Scenario, scenario } from './support/scenario.ts'
import { TransactionalProducer } from './support/transactions.ts'

/** How the partition looks to readers of both isolation levels. */
async function readers(broker: Broker, topic: string) {
  const stable = await broker.fetch(topic, 0, { isolationLevel: 1 })
  const all = await broker.fetch(topic, 0, { isolationLevel: 0 })
  const ends: unknown[] = []
  for (const isolationLevel of [0, 1]) {
    const partitions = [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -1 }]
    const topics = [{ name: topic, partitions }]
    const request = { replicaId: -1, isolationLevel, topics }
    const answer = await broker.call(listOffsetsApi, 5, request)
    ends.push(answer.topics[0]?.partitions[0]?.offset)
  }
  return {
    stableBytes: stable.records?.length,
    bytes: all.records?.length,
    highWatermark: stable.highWatermark,
    lastStableOffset: stable.lastStableOffset,
    aborted: stable.abortedTransactions,
    abortedToAll: all.abortedTransactions,
    ends,
  }
}

async function committedOffset(
  broker: Broker,
  groupId: string,
  topic: string,
  requireStable = false,
) {
  const answer = await broker.call(offsetFetchApi, 8, {
    groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [0] }] }],
    requireStable,
  })
  const partition = answer.groups?.[0]?.topics[0]?.partitions[0]
  return [partition?.errorCode, partition?.committedOffset]
}

/** A marker as it lies in the log: attributes, sequence, key and value of the last batch. */
async function lastBatch(broker: Broker, topic: string) {
  const answer = await broker.fetch(topic, 0)
  const bytes = answer.records ?? Buffer.alloc(0)
  let at = 0
  let last = 0
  while (at + 12 < bytes.length) {
    last = at
    at += 12 + bytes.readInt32BE(at + 8)
  }
  const batch = bytes.subarray(last)
  return {
    attributes: batch.readInt16BE(21),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    record: batch.subarray(61),
  }
}

export const transactions: readonly Scenario[] = [
  scenario('InitProducerId: first, second, recovering, fenced, refused', async (broker) => {
    const a = await TransactionalProducer.open(broker, 'txn-init')
    const answers: unknown[] = [await a.initFully(), await a.init(), await a.init({}, 0)]
    const own = { producerId: a.producerId, producerEpoch: a.producerEpoch }
    answers.push(await a.init(own), await a.init(own), await a.init(own, 3))
    answers.push(await a.init({ ...own, producerEpoch: 0 }))
    answers.push(await a.init({ ...own, producerEpoch: 0 }, 3))
    answers.push(await a.init({ ...own, producerEpoch: 9 }))
    answers.push(await a.init({ producerId: own.producerId + 7, producerEpoch: 0 }))
    answers.push(await a.init({ producerId: own.producerId }))
    answers.push(await a.init({ producerEpoch: 0 }))
    for (const transactionTimeoutMs of [0, -1, 900_000, 900_001]) {
      const request = { transactionalId: 'txn-init', transactionTimeoutMs }
      answers.push(await broker.call(initProducerIdApi, 4, request))
    }
    const empty = { transactionalId: '', transactionTimeoutMs: 1_000 }
    answers.push(await broker.call(initProducerIdApi, 4, empty))
    return answers
  }),

  scenario('a transaction with version 2 from begin to end', async (broker) => {
    await broker.createTopic('txn-v2')
    const a = await TransactionalProducer.open(broker, 'txn-v2')
    const seen: unknown[] = [await a.initFully()]
    seen.push(await a.produce('txn-v2', 'one'), await a.describe())
    seen.push(await a.produce('txn-v2', 'two'), await readers(broker, 'txn-v2'))
    seen.push(await a.end(true), await a.ended(), await readers(broker, 'txn-v2'))
    seen.push(await lastBatch(broker, 'txn-v2'))
    seen.push(
      await broker.until('the next', async () => {
        const sent = await a.produce('txn-v2', 'three')
        return sent.errorCode === 51 ? undefined : sent
      }),
    )
    seen.push(await a.end(false), await a.ended(), await readers(broker, 'txn-v2'))
    seen.push(await lastBatch(broker, 'txn-v2'))
    return seen
  }),

  scenario('a transaction with version 1 from begin to end', async (broker) => {
    await broker.createTopic('txn-v1', { partitions: 2 })
    const a = await TransactionalProducer.open(broker, 'txn-v1')
    const seen: unknown[] = [await a.initFully({}, 4)]
    seen.push(await a.addPartitions({ 'txn-v1': [0] }))
    seen.push(await a.produce('txn-v1', 'one', { version: 11 }))
    seen.push(await a.produce('txn-v1', 'two', { version: 9 }), await a.describe())
    seen.push(await a.end(true, { version: 4 }), await a.ended(), await readers(broker, 'txn-v1'))
    seen.push(await lastBatch(broker, 'txn-v1'))
    seen.push(
      await broker.until('the next', async () => {
        const added = await a.addPartitions({ 'txn-v1': [0] })
        return added[0]?.resultsByPartition[0]?.partitionErrorCode === 51 ? undefined : added
      }),
    )
    seen.push(await a.produce('txn-v1', 'three', { version: 11 }))
    seen.push(await a.end(false, { version: 1 }), await a.ended(), await readers(broker, 'txn-v1'))
    seen.push(await a.end(false, { version: 4 }), await a.end(true, { version: 4 }))
    return seen
  }),

  scenario('EndTxn where there is nothing to end, or again, or the other way', async (broker) => {
    await broker.createTopic('txn-end')
    const a = await TransactionalProducer.open(broker, 'txn-end')
    const seen: unknown[] = [await a.initFully()]
    seen.push(
      await a.end(true),
      await a.end(true, { version: 4 }),
      await a.end(false, { version: 4 }),
    )
    seen.push(await a.end(false), await a.ended())
    const first = { producerId: a.producerId, producerEpoch: a.producerEpoch - 1 }
    seen.push(await a.end(false, first), await a.end(true, first))
    seen.push(
      await broker.until('the next', async () => {
        const sent = await a.produce('txn-end', 'one')
        return sent.errorCode === 51 ? undefined : sent
      }),
    )
    seen.push(await a.end(true, { producerEpoch: a.producerEpoch - 1 }))
    seen.push(await a.end(true, { producerEpoch: a.producerEpoch + 1 }))
    seen.push(await a.end(true, { producerId: a.producerId + 9 }))
    const second = { producerId: a.producerId, producerEpoch: a.producerEpoch }
    seen.push(await a.end(true), await a.ended())
    seen.push(await a.end(true, second), await a.end(false, second), await a.end(true))
    seen.push(
      await a.end(true, { ...second, version: 4 }),
      await a.end(true, { ...second, version: 1 }),
    )
    const request = { producerId: 1, producerEpoch: 0, committed: true }
    seen.push(await broker.call(endTxnApi, 4, { ...request, transactionalId: 'txn-nobody' }))
    seen.push(await broker.call(endTxnApi, 4, { ...request, transactionalId: '' }))
    return seen
  }),

  scenario('AddPartitionsToTxn: what it refuses', async (broker) => {
    await broker.createTopic('txn-add', { partitions: 2 })
    const a = await TransactionalProducer.open(broker, 'txn-add')
    const seen: unknown[] = [await a.initFully()]
    seen.push(await a.addPartitions({ 'txn-add': [0, 7], 'txn-missing': [0] }))
    seen.push(await a.describe())
    seen.push(await a.addPartitions({ 'txn-add': [0, 1] }), await a.describe())
    seen.push(await a.addPartitions({ 'txn-add': [0] }, { producerEpoch: 7 }))
    seen.push(await a.addPartitions({ 'txn-add': [0] }, { producerEpoch: 7, version: 1 }))
    seen.push(await a.addPartitions({ 'txn-add': [0] }, { producerId: 4_000 }))
    seen.push(await a.addPartitions({}))
    const topics = [{ name: 'txn-add', partitions: [0, 1] }]
    const own = { producerId: a.producerId, producerEpoch: a.producerEpoch }
    const transaction = { transactionalId: 'txn-add', ...own, verifyOnly: true, topics }
    for (const changed of [
      {},
      { producerEpoch: 7 },
      { producerId: 4_000 },
      { transactionalId: 'txn-nobody' },
      { transactionalId: '' },
      { verifyOnly: false },
      { topics: [{ name: 'txn-missing', partitions: [0] }, ...topics] },
    ]) {
      const request = { transactions: [{ ...transaction, ...changed }] }
      seen.push(await broker.call(addPartitionsToTxnApi, 5, request))
    }
    seen.push(await a.end(false), await a.ended())
    return seen
  }),

  scenario(
    'Produce outside of a transaction, with a stale epoch, and without its id',
    async (broker) => {
      await broker.createTopic('txn-produce', { partitions: 2 })
      const a = await TransactionalProducer.open(broker, 'txn-produce')
      const seen: unknown[] = [await a.initFully()]
      for (const version of [9, 10, 11]) seen.push(await a.produce('txn-produce', 'x', { version }))
      for (const version of [9, 12]) {
        seen.push(await a.produce('txn-produce', 'x', { version, transactionalId: null }))
        seen.push(await a.produce('txn-produce', 'x', { version, transactionalId: '' }))
        seen.push(await a.produce('txn-produce', 'x', { version, transactionalId: 'txn-nobody' }))
        seen.push(await a.produce('txn-produce', 'x', { version, producerEpoch: 7 }))
        seen.push(await a.produce('txn-produce', 'x', { version, producerId: 4_000 }))
      }
      seen.push(await a.produce('txn-produce', 'x'), await a.describe())
      seen.push(await a.produce('txn-produce', 'x', { isTransactional: false }))
      seen.push(await a.produce('txn-produce', 'x', { isTransactional: false, partition: 1 }))
      seen.push(await a.produce('txn-produce', 'x', { version: 11, partition: 1 }))
      seen.push(await a.produce('txn-produce', 'x', { partition: 1, sequence: 5 }))
      seen.push(await a.describe(), await a.end(false), await a.ended())
      return seen
    },
  ),

  scenario('a second producer with the id aborts and fences the first', async (broker) => {
    await broker.createTopic('txn-fence')
    await broker.coordinatorReady('txn-fence')
    const a = await TransactionalProducer.open(broker, 'txn-fence')
    const seen: unknown[] = [await a.initFully(), await a.produce('txn-fence', 'one')]
    const b = await TransactionalProducer.open(broker, 'txn-fence')
    seen.push(await b.init(), await b.initFully(), await b.describe())
    for (const version of [5, 4, 1]) seen.push(await a.end(true, { version }))
    for (const version of [12, 11, 9]) seen.push(await a.produce('txn-fence', 'two', { version }))
    for (const version of [3, 1]) {
      seen.push(await a.addPartitions({ 'txn-fence': [0] }, { version }))
      seen.push(await a.addOffsets('txn-fence', { version }))
    }
    const own = { producerId: a.producerId, producerEpoch: a.producerEpoch }
    seen.push(await a.init(own), await readers(broker, 'txn-fence'))
    return seen
  }),

  scenario('offsets of a transaction wait for its end', async (broker) => {
    await broker.createTopic('txn-offsets')
    await broker.coordinatorReady('txn-group')
    const a = await TransactionalProducer.open(broker, 'txn-offsets')
    const seen: unknown[] = [await a.initFully()]
    const look = async () => {
      seen.push(await committedOffset(broker, 'txn-group', 'txn-offsets'))
      seen.push(await committedOffset(broker, 'txn-group', 'txn-offsets', true))
    }
    seen.push(await a.commitOffsetFully('txn-group', 'txn-offsets', 5), await a.describe())
    await look()
    seen.push(await a.end(true), await a.ended())
    await look()
    seen.push(await a.commitOffset('txn-group', 'txn-offsets', 9))
    await look()
    seen.push(await a.end(false), await a.ended())
    await look()
    for (const version of [3, 4]) {
      seen.push(await a.commitOffset('txn-group', 'txn-offsets', 11, { version }))
    }
    for (const version of [0, 3, 4]) seen.push(await a.addOffsets('txn-group', { version }))
    for (const version of [0, 2, 3, 4]) {
      seen.push(await a.commitOffset('txn-group', 'txn-offsets', 11, { version }))
    }
    seen.push(await a.describe(), await a.end(true), await a.ended())
    await look()
    return seen
  }),

  scenario('TxnOffsetCommit: what it refuses', async (broker) => {
    const topicId = await broker.createTopic('txn-refuse')
    await broker.coordinatorReady('txn-refused')
    const a = await TransactionalProducer.open(broker, 'txn-refuse')
    const seen: unknown[] = [await a.initFully()]
    const commit = async (
      sent: Parameters<typeof a.commitOffset>[3] = {},
      group = 'txn-refused',
    ) => {
      seen.push(await a.commitOffsetFully(group, 'txn-refuse', 3, sent))
    }
    await commit({ producerEpoch: 7 })
    await commit({ producerId: 4_000 })
    await commit({}, '')
    seen.push(await a.commitOffset('txn-refused', 'txn-missing', 3))
    await commit({ metadata: 'm'.repeat(4_097) })
    await commit({ generation: 3, memberId: 'nobody' }, 'txn-refused-2')
    await commit({ generation: 3, memberId: 'nobody', version: 3 }, 'txn-refused-3')
    await commit({ version: 6, topicId })
    await commit({ version: 6, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    const member = await newMember(broker, 'txn-members')
    await member.joinFully()
    const { memberId, generationId: generation } = member
    await commit({ generation, memberId }, 'txn-members')
    await member.sync()
    await commit({ generation, memberId }, 'txn-members')
    await commit({}, 'txn-members')
    await commit({ generation: generation + 1, memberId }, 'txn-members')
    await commit({ generation, memberId: 'nobody' }, 'txn-members')
    await commit({ memberId }, 'txn-members')
    await commit({ generation, memberId, groupInstanceId: 'other' }, 'txn-members')
    seen.push(await member.leave(), await a.end(false), await a.ended())
    return seen
  }),

  scenario('a transaction that takes too long is aborted', async (broker) => {
    await broker.createTopic('txn-late')
    const a = await TransactionalProducer.open(broker, 'txn-late', 500)
    const seen: unknown[] = [await a.initFully(), await a.produce('txn-late', 'one')]
    const own = { producerId: a.producerId, producerEpoch: a.producerEpoch }
    seen.push(await a.ended(), await readers(broker, 'txn-late'))
    seen.push(await a.end(true), await a.produce('txn-late', 'two'))
    seen.push(await a.end(false), await a.init(own), await a.describe())
    return seen
  }),

  scenario('WriteTxnMarkers ends a transaction in the partition only', async (broker) => {
    await broker.createTopic('txn-marker')
    const a = await TransactionalProducer.open(broker, 'txn-marker')
    const seen: unknown[] = [await a.initFully(), await a.produce('txn-marker', 'one')]
    const write = async (changed: object, version = 2) => {
      const { producerId, producerEpoch } = a
      const topics = [{ name: 'txn-marker', partitionIndexes: [0] }]
      const marker = { producerId, producerEpoch, transactionResult: false, topics }
      const request = {
        markers: [
          {
            ...marker,
            coordinatorEpoch: 1_000,
            ...(version >= 2 ? { transactionVersion: 1 } : {}),
            ...changed,
          },
        ],
      }
      seen.push(await broker.call(writeTxnMarkersApi, version, request))
    }
    const describeIt = async () => {
      const topics = [{ name: 'txn-marker', partitionIndexes: [0] }]
      const { topics: described } = await broker.call(describeProducersApi, 0, { topics })
      const [producer] = described[0]?.partitions[0]?.activeProducers ?? []
      seen.push({ ...producer, lastTimestamp: 0 })
    }
    await describeIt()
    await write({ topics: [{ name: 'txn-missing', partitionIndexes: [0] }] })
    await write({ transactionVersion: 2 })
    await write({}, 1)
    await describeIt()
    await write({})
    await write({ coordinatorEpoch: 1 })
    await write({ coordinatorEpoch: 1 }, 1)
    seen.push(await readers(broker, 'txn-marker'), await a.describe())
    seen.push(await broker.call(writeTxnMarkersApi, 1, { markers: [] }))
    return seen
  }),

  scenario('DescribeTransactions and ListTransactions', async (broker) => {
    await broker.createTopic('txn-list')
    const a = await TransactionalProducer.open(broker, 'txn-list-a')
    const b = await TransactionalProducer.open(broker, 'txn-list-b')
    await a.initFully()
    await b.initFully()
    await b.produce('txn-list', 'x')
    const ids = { transactionalIds: ['txn-nobody', ''] }
    const seen: unknown[] = [await broker.call(describeTransactionsApi, 0, ids)]
    const all = { stateFilters: [], producerIdFilters: [] }
    for (const request of [
      { ...all, stateFilters: ['Ongoing'] },
      { ...all, stateFilters: ['Empty', 'Sleeping', 'Dead', 'PrepareEpochFence', 'empty'] },
      { ...all, stateFilters: ['Sleeping'] },
      { ...all, producerIdFilters: [b.producerId, 4_000] },
    ]) {
      const answer = await broker.call(listTransactionsApi, 0, request)
      const own = answer.transactionStates.filter(({ transactionalId }) =>
        transactionalId.startsWith('txn-list'),
      )
      const unknownStateFilters = answer.unknownStateFilters.toSorted()
      seen.push({ ...answer, unknownStateFilters, transactionStates: own })
    }
    for (const request of [
      { ...all, transactionalIdPattern: 'txn-list-.' },
      { ...all, transactionalIdPattern: 'txn-list' },
      { ...all, transactionalIdPattern: 'txn-list-[' },
      { ...all, transactionalIdPattern: '' },
      { ...all, transactionalIdPattern: 'txn-list-.', durationFilter: 3_600_000 },
      { ...all, transactionalIdPattern: 'txn-list-.', durationFilter: 0 },
    ]) {
      const answer = await broker.call(listTransactionsApi, 2, { durationFilter: -1, ...request })
      const transactionStates = answer.transactionStates.toSorted((one, other) =>
        one.transactionalId < other.transactionalId ? -1 : 1,
      )
      const isAll = request.transactionalIdPattern === ''
      seen.push({ ...answer, transactionStates: isAll ? [] : transactionStates })
    }
    seen.push(await b.end(false), await b.ended())
    return seen
  }),
]

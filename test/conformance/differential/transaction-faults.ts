import { buildBatch } from '../../../src/records/batch-builder.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { listOffsetsApi } from '../../../src/wire/kafka/messages/02-list-offsets.ts'
import { initProducerIdApi } from '../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { addOffsetsToTxnApi } from '../../../src/wire/kafka/messages/25-add-offsets-to-txn.ts'
import { writeTxnMarkersApi } from '../../../src/wire/kafka/messages/27-write-txn-markers.ts'
import { txnOffsetCommitApi } from '../../../src/wire/kafka/messages/28-txn-offset-commit.ts'
import { type Broker, batchOf, recordsOf, untold } from './support/broker.ts'
import { differs, type Scenario, scenario } from './support/scenario.ts'
import { TransactionalProducer } from './support/transactions.ts'

const CONCURRENT_TRANSACTIONS = 51
const { SPOOL_CONFORMANCE_ALL } = process.env

/** All that a producer can ask, in every version whose codes differ. */
async function everything(broker: Broker, producer: TransactionalProducer, topic: string) {
  const seen: unknown[] = []
  for (const version of [1, 3]) {
    seen.push(['add', version, await producer.addPartitions({ [topic]: [0] }, { version })])
    seen.push(['offsets', version, await producer.addOffsets(`${topic}-group`, { version })])
  }
  for (const version of [0, 2, 3, 4, 5]) {
    const code = await producer.commitOffset(`${topic}-group`, topic, 3, { version })
    seen.push(['commit offsets', version, code])
  }
  for (const version of [9, 10, 11, 12]) {
    seen.push(['produce', version, await producer.produce(topic, 'late', { version })])
  }
  for (const version of [1, 2, 4, 5]) {
    for (const committed of [true, false]) {
      seen.push(['end', version, committed, await producer.end(committed, { version })])
    }
  }
  for (const version of [3, 4, 5]) {
    const { producerId, producerEpoch } = producer
    seen.push(['init', version, await producer.init({ producerId, producerEpoch }, version)])
  }
  seen.push(await producer.ended(), await broker.fetch(topic, 0, { isolationLevel: 1 }))
  return seen.map((value) => withoutRecords(value))
}

/** Times are in the bytes, and so are ids. */
function withoutRecords(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('records' in value)) return value
  return { ...value, records: (value.records as Buffer | null)?.length }
}

/** Produces until the markers of the transaction before are written. */
async function produceFully(broker: Broker, producer: TransactionalProducer, topic: string) {
  return broker.until('the next transaction', async () => {
    const sent = await producer.produce(topic, 'x')
    return sent.errorCode === CONCURRENT_TRANSACTIONS ? undefined : sent
  })
}

/** The state that a producer of version 1 or 2 leaves behind when it stalls. */
async function begin(broker: Broker, topic: string, version: 1 | 2, timeoutMs = 60_000) {
  await broker.createTopic(topic)
  await broker.coordinatorReady(`${topic}-group`)
  const producer = await TransactionalProducer.open(broker, topic, timeoutMs)
  const seen: unknown[] = [await producer.initFully({}, version === 1 ? 4 : 5)]
  if (version === 1) seen.push(await producer.addPartitions({ [topic]: [0] }))
  seen.push(await producer.produce(topic, 'begun', { version: version === 1 ? 11 : 12 }))
  return { producer, seen }
}

/** InitProducerId so often, without waiting for each answer. */
async function raiseEpoch(broker: Broker, producer: TransactionalProducer, epoch: number) {
  const { transactionalId, timeoutMs } = producer
  const connection = await broker.connect()
  const request = { transactionalId, transactionTimeoutMs: timeoutMs }
  while (producer.producerEpoch < epoch - 1) {
    const count = Math.min(500, epoch - 1 - producer.producerEpoch)
    for (let sent = 0; sent < count; sent++) connection.send(initProducerIdApi, 4, request)
    for (let heard = 0; heard < count; heard++) {
      const { errorCode, producerEpoch } = await connection.answer(initProducerIdApi, 4)
      if (errorCode === 0) producer.producerEpoch = producerEpoch
    }
  }
  return producer.init()
}

/** A minute of InitProducerId, so it runs with --all only. */
const usedUpEpochs = scenario('the epochs of a producer id are used up', async (broker) => {
  await broker.createTopic('txn-epochs')
  const a = await TransactionalProducer.open(broker, 'txn-epochs')
  const seen: unknown[] = [await a.initFully()]
  seen.push(await raiseEpoch(broker, a, 32_765))
  seen.push(await a.produce('txn-epochs', 'x'), await a.end(true), await a.ended())
  const last = { producerId: a.producerId, producerEpoch: a.producerEpoch }
  seen.push(await produceFully(broker, a, 'txn-epochs'), await a.describe())
  seen.push(await a.end(true), await a.ended())
  seen.push(await a.end(true, last), await a.end(false, last), await a.init(last))
  seen.push(await produceFully(broker, a, 'txn-epochs'), await a.end(true), await a.ended())
  return seen
})

export const transactionFaults: readonly Scenario[] = [
  ...([1, 2] as const).map((version) =>
    scenario(`all that a fenced producer of version ${version} may ask`, async (broker) => {
      const topic = `txn-zombie-${version}`
      const { producer, seen } = await begin(broker, topic, version)
      const other = await TransactionalProducer.open(broker, topic)
      seen.push(await other.initFully())
      return [...seen, ...(await everything(broker, producer, topic))]
    }),
  ),

  ...([1, 2] as const).map((version) =>
    scenario(`all that a producer of version ${version} may ask too late`, async (broker) => {
      const topic = `txn-too-late-${version}`
      const { producer, seen } = await begin(broker, topic, version, 500)
      seen.push(await producer.ended())
      return [...seen, ...(await everything(broker, producer, topic))]
    }),
  ),

  scenario('all requests with a transactional id that nobody has', async (broker) => {
    await broker.createTopic('txn-unknown')
    await broker.coordinatorReady('txn-unknown-group')
    const real = await TransactionalProducer.open(broker, 'txn-unknown')
    const seen: unknown[] = [await real.initFully()]
    for (const transactionalId of ['txn-unknown-nobody', '']) {
      const identity = { transactionalId, producerId: real.producerId, producerEpoch: 0 }
      const groupId = 'txn-unknown-group'
      for (const version of [0, 3, 4]) {
        seen.push(await broker.call(addOffsetsToTxnApi, version, { ...identity, groupId }))
      }
      const partition = { partitionIndex: 0, committedOffset: 1, committedMetadata: '' }
      for (const version of [3, 4, 5]) {
        const member = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
        const partitions = [{ ...partition, committedLeaderEpoch: -1 }]
        const topics = [{ name: 'txn-unknown', partitions }]
        const request = { ...identity, groupId, ...member, topics }
        seen.push(await broker.call(txnOffsetCommitApi, version, request))
      }
    }
    return seen
  }),

  scenario('EndTxn again after its answer was lost, at every point in time', async (broker) => {
    await broker.createTopic('txn-replay')
    const a = await TransactionalProducer.open(broker, 'txn-replay')
    const seen: unknown[] = [await a.initFully()]
    for (const committed of [true, false]) {
      seen.push(await produceFully(broker, a, 'txn-replay'))
      const before = { producerId: a.producerId, producerEpoch: a.producerEpoch }
      seen.push(await a.end(committed), await a.ended())
      seen.push(await a.end(committed, before), await a.end(!committed, before))
      seen.push(await produceFully(broker, a, 'txn-replay'))
      // The next transaction is open: the old end must not end it.
      seen.push(await a.end(committed, before), await a.end(!committed, before), await a.describe())
      seen.push(await a.end(false), await a.ended(), await a.end(committed, before))
    }
    return seen
  }),

  scenario('a producer goes on after an error, and its first answer was lost', async (broker) => {
    await broker.createTopic('txn-recover')
    const a = await TransactionalProducer.open(broker, 'txn-recover')
    const seen: unknown[] = [await a.initFully(), await a.produce('txn-recover', 'x')]
    const before = { producerId: a.producerId, producerEpoch: a.producerEpoch }
    seen.push(await a.init(before), await a.initFully(before), await a.describe())
    seen.push(await a.init(before), await a.init(before, 3), await a.describe())
    seen.push(await a.produce('txn-recover', 'y'), await a.end(true), await a.ended())
    return seen
  }),

  scenario('one Produce request with several producers or kinds of batches', async (broker) => {
    await broker.createTopic('txn-mixed', { partitions: 3 })
    const a = await TransactionalProducer.open(broker, 'txn-mixed')
    const seen: unknown[] = [await a.initFully()]
    const own = { producerId: a.producerId, producerEpoch: a.producerEpoch, baseSequence: 0 }
    const transactional = buildBatch(recordsOf('t'), { ...own, isTransactional: true })
    const other = { ...own, producerId: own.producerId + 90 }
    const foreign = buildBatch(recordsOf('o'), { ...other, isTransactional: true })
    const idempotent = buildBatch(recordsOf('i'), other)
    for (const batches of [
      [transactional, foreign],
      [transactional, idempotent],
      [transactional, batchOf('plain')],
      [batchOf('plain'), transactional],
    ]) {
      for (const version of [11, 12]) {
        const partitionData = batches.map((records, index) => ({
          index,
          records: records.subarray(),
        }))
        const topicData = [{ name: 'txn-mixed', partitionData }]
        const request = { transactionalId: 'txn-mixed', acks: -1, timeoutMs: 10_000, topicData }
        const answer = await broker.call(produceApi, version, request)
        seen.push(answer.responses[0]?.partitionResponses.map(untold))
      }
    }
    seen.push(await a.describe(), await a.end(false), await a.ended())
    return seen
  }),

  scenario(
    'records of an open transaction, to readers of both isolation levels',
    async (broker) => {
      await broker.createTopic('txn-open')
      const a = await TransactionalProducer.open(broker, 'txn-open')
      const seen: unknown[] = [await a.initFully()]
      const startedAt = Date.now()
      const at = (timestamp: number, text: string) => [{ timestamp, value: Buffer.from(text) }]
      seen.push(await broker.produce('txn-open', buildBatch(at(startedAt - 9_000, 'plain'))))
      seen.push(await a.produce('txn-open', 'open'))
      seen.push(await broker.produce('txn-open', buildBatch(at(startedAt + 9_000, 'plain'))))
      const look = async () => {
        for (const isolationLevel of [0, 1]) {
          for (const timestamp of [-1, -2, -3, startedAt - 1, startedAt + 5_000]) {
            const partitions = [{ partitionIndex: 0, timestamp, currentLeaderEpoch: -1 }]
            const topics = [{ name: 'txn-open', partitions }]
            const request = { replicaId: -1, isolationLevel, topics }
            const answer = await broker.call(listOffsetsApi, 8, request)
            const { errorCode, offset } = answer.topics[0]?.partitions[0] ?? {}
            seen.push([isolationLevel, errorCode, offset])
          }
          seen.push(withoutRecords(await broker.fetch('txn-open', 0, { isolationLevel })))
        }
      }
      await look()
      seen.push(await a.end(false), await a.ended())
      await look()
      return seen
    },
  ),

  scenario('markers have a key and a value of their kind', async (broker) => {
    await broker.createTopic('txn-markers')
    const a = await TransactionalProducer.open(broker, 'txn-markers')
    await a.initFully()
    const seen: unknown[] = []
    for (const committed of [true, false]) {
      const { baseOffset } = await produceFully(broker, a, 'txn-markers')
      await a.end(committed)
      await a.ended()
      const { records } = await broker.fetch('txn-markers', baseOffset + 1)
      // The attributes, and what is behind the lengths, offsets and times of the one record.
      seen.push([records?.readInt16BE(21), records?.subarray(61)])
    }
    return seen
  }),

  differs(
    'WriteTxnMarkers with an epoch that none can have',
    [
      [0, 47],
      [9, 3],
    ],
    async (broker) => {
      await broker.createTopic('txn-bad-marker')
      const topics = [{ name: 'txn-bad-marker', partitionIndexes: [0, 9] }]
      const own = {
        producerId: 1,
        producerEpoch: -1,
        transactionResult: false,
        coordinatorEpoch: 0,
      }
      const answer = await broker.call(writeTxnMarkersApi, 1, { markers: [{ ...own, topics }] })
      const partitions = answer.markers[0]?.topics[0]?.partitions ?? []
      return partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode])
    },
  ),

  scenario('WriteTxnMarkers of a zombie coordinator, and for nothing', async (broker) => {
    await broker.createTopic('txn-old-marker')
    const a = await TransactionalProducer.open(broker, 'txn-old-marker')
    const seen: unknown[] = [await a.initFully(), await a.initFully()]
    seen.push(await a.produce('txn-old-marker', 'x'))
    const { producerId, producerEpoch } = a
    for (const [version, changed] of [
      [1, { producerEpoch: producerEpoch - 1 }],
      [1, { producerId: producerId + 70, producerEpoch: 0 }],
      [2, { producerEpoch: producerEpoch - 1, transactionVersion: 2 }],
      [2, { producerEpoch: producerEpoch + 1, transactionVersion: 2 }],
      [2, { producerEpoch: producerEpoch + 1, transactionVersion: 2, transactionResult: true }],
      [1, { producerEpoch: producerEpoch + 1, coordinatorEpoch: -1 }],
    ] as const) {
      const topics = [{ name: 'txn-old-marker', partitionIndexes: [0, 9] }]
      const own = { producerId, producerEpoch, transactionResult: false, coordinatorEpoch: 0 }
      const request = { markers: [{ ...own, topics, ...changed }] }
      seen.push(await broker.call(writeTxnMarkersApi, version, request))
    }
    seen.push(await a.produce('txn-old-marker', 'y'), await a.describe(), await a.init())
    return seen
  }),
  ...(SPOOL_CONFORMANCE_ALL === '1' ? [usedUpEpochs] : []),
]

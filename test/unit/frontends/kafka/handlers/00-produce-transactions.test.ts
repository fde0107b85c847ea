import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { produceApi } from '../../../../../src/wire/kafka/messages/00-produce.ts'
import { ask, produce } from '../ask.ts'
import { settle } from '../peer.ts'
import { batchOf, produceFrame } from '../requests.ts'
import { TestBroker, TOPIC } from '../test-broker.ts'

const PRODUCER_ID = 7

function batch(baseSequence = 0, producerEpoch = 0): Buffer {
  const producer = { producerId: PRODUCER_ID, producerEpoch, baseSequence }
  return batchOf(10, { ...producer, isTransactional: true })
}

/** The log knows an open transaction of the producer. */
function begin(broker: TestBroker, producerEpoch = 0): void {
  broker.log().producers.set(PRODUCER_ID, {
    producerId: PRODUCER_ID,
    producerEpoch,
    lastSequence: 0,
    lastTimestampMs: 0,
    coordinatorEpoch: 0,
    currentTransactionFirstOffset: 0,
  })
}

const send = (broker: TestBroker, version = 12, records = batch()) =>
  produce(broker, { records, version, transactionalId: 'payments' })

describe('Produce in a transaction (KIP-890)', () => {
  it('adds the partition from version 12 on, and only asks whether it was added before', async () => {
    const broker = await TestBroker.start()
    for (const version of [9, 11, 12, 13]) {
      assert.equal((await send(broker, version)).errorCode, ErrorCode.NONE)
    }
    assert.deepEqual(
      broker.admission.requests.map(({ mayAdd, knowsAbortable }) => [mayAdd, knowsAbortable]),
      [
        [false, false],
        [false, true],
        [true, true],
        [true, true],
      ],
    )
    const [request] = broker.admission.requests
    assert.equal(request?.transactionalId, 'payments')
    assert.deepEqual([request?.producerId, request?.producerEpoch], [PRODUCER_ID, 0])
    assert.deepEqual(
      request?.partitions.map(({ topic, partition }) => [topic, partition]),
      [[TOPIC, 0]],
    )
  })

  it('asks nobody while the transaction is open in the partition, with that very epoch', async () => {
    const broker = await TestBroker.start()
    begin(broker)
    assert.equal((await send(broker)).errorCode, ErrorCode.NONE)
    assert.equal(broker.admission.requests.length, 0)
    await send(broker, 12, batch(0, 1))
    assert.equal(broker.admission.requests.length, 1)
  })

  it('appends nothing before the coordinator answers, then in order', async () => {
    const broker = await TestBroker.start()
    broker.admission.isSlow = true
    const peer = broker.connect()
    for (const sequence of [0, 1]) {
      const options = { records: batch(sequence), version: 12, transactionalId: 'payments' }
      peer.send(produceFrame(options))
    }
    await settle()
    assert.equal(broker.log().logEndOffset, 0)
    assert.equal(peer.takeFrames().length, 0)
    broker.admission.decide()
    await settle()
    assert.equal(broker.log().logEndOffset, 2)
    assert.equal(peer.takeFrames().length, 2)
  })

  it('holds only the partitions that are new, and answers all together', async () => {
    const broker = await TestBroker.start()
    begin(broker)
    broker.admission.codes.set(2, ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    const partitionData = [0, 1, 2].map((index) => ({ index, records: batch() }))
    const { responses } = await ask(broker, produceApi, 12, {
      ...{ transactionalId: 'payments', acks: -1, timeoutMs: 1000 },
      topicData: [{ name: TOPIC, partitionData }],
    })
    assert.deepEqual(
      responses[0]?.partitionResponses.map(({ index, errorCode }) => [index, errorCode]),
      [
        [0, ErrorCode.NONE],
        [1, ErrorCode.NONE],
        [2, ErrorCode.INVALID_PRODUCER_ID_MAPPING],
      ],
    )
    assert.equal(broker.admission.requests[0]?.partitions.length, 2)
    assert.equal(broker.log(2).logEndOffset, 0)
  })
})

describe('Produce in a transaction whose coordinator does not admit it', () => {
  it('gives the codes that each version retries while the coordinator can not say', async () => {
    const broker = await TestBroker.start()
    const { CONCURRENT_TRANSACTIONS, NOT_COORDINATOR, NOT_ENOUGH_REPLICAS } = ErrorCode
    for (const [version, code, expected] of [
      [11, CONCURRENT_TRANSACTIONS, NOT_ENOUGH_REPLICAS],
      [12, CONCURRENT_TRANSACTIONS, CONCURRENT_TRANSACTIONS],
      [11, NOT_COORDINATOR, NOT_ENOUGH_REPLICAS],
      [12, NOT_COORDINATOR, NOT_ENOUGH_REPLICAS],
      [12, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, NOT_ENOUGH_REPLICAS],
      [11, ErrorCode.TRANSACTION_ABORTABLE, ErrorCode.TRANSACTION_ABORTABLE],
    ] as const) {
      broker.admission.codes.set(0, code)
      assert.equal((await send(broker, version)).errorCode, expected, `${version} ${code}`)
    }
    assert.equal(broker.log().logEndOffset, 0)
  })
})

describe('a batch of a transaction that was refused for now', () => {
  it('must come again before later ones: they are out of order', async () => {
    const broker = await TestBroker.start()
    broker.admission.codes.set(0, ErrorCode.CONCURRENT_TRANSACTIONS)
    await send(broker, 12, batch(3))
    await send(broker, 12, batch(4))
    broker.admission.codes.clear()
    const late = await send(broker, 12, batch(4))
    assert.equal(late.errorCode, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    assert.equal(broker.log().logEndOffset, 0)
    assert.equal((await send(broker, 12, batch(3))).errorCode, ErrorCode.NONE)
    begin(broker)
    assert.equal((await send(broker, 12, batch(4))).errorCode, ErrorCode.NONE)
  })

  it('does not bind the next epoch of the producer', async () => {
    const broker = await TestBroker.start()
    broker.admission.codes.set(0, ErrorCode.CONCURRENT_TRANSACTIONS)
    await send(broker, 12, batch(3))
    broker.admission.codes.clear()
    assert.equal((await send(broker, 12, batch(5, 1))).errorCode, ErrorCode.NONE)
  })
})

describe('Produce refuses as a whole', () => {
  it('batches of a transaction without its id', async () => {
    const broker = await TestBroker.start()
    const answer = await produce(broker, { records: batch(), version: 12 })
    assert.equal(answer.errorCode, ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    assert.equal(broker.log().logEndOffset, 0)
  })

  it('batches of more than one producer', async () => {
    const broker = await TestBroker.start()
    const partitionData = [0, 1].map((index) => ({ index, records: batch(0, index) }))
    const { responses } = await ask(broker, produceApi, 12, {
      ...{ transactionalId: 'payments', acks: -1, timeoutMs: 1000 },
      topicData: [{ name: TOPIC, partitionData }],
    })
    for (const { errorCode } of responses[0]?.partitionResponses ?? []) {
      assert.equal(errorCode, ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    }
    assert.equal(broker.admission.requests.length, 0)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { StorageError } from '../../../../../src/base/errors.ts'
import { initProducerIdApi } from '../../../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { ask } from '../ask.ts'
import { TestBroker } from '../test-broker.ts'

async function init(broker: TestBroker, version: number, transactionalId: string | null = null) {
  const body = { transactionalId, transactionTimeoutMs: 60_000 }
  const answer = await ask(broker, initProducerIdApi, version, body)
  return [answer.errorCode, answer.producerId, answer.producerEpoch]
}

describe('InitProducerId without a transactional id (KIP-98)', () => {
  it('gives a fresh id with epoch 0 at every call, in every version', async () => {
    const broker = await TestBroker.start()
    for (let version = 0; version <= 5; version++) {
      assert.deepEqual(await init(broker, version), [ErrorCode.NONE, 1000 + version, 0])
    }
  })

  it('answers what clients retry when the ids could not be recorded', async () => {
    const broker = await TestBroker.start()
    broker.nextProducerId = () => Promise.reject(new StorageError('the disk is full'))
    assert.deepEqual(await init(broker, 4), [ErrorCode.COORDINATOR_NOT_AVAILABLE, -1, -1])
  })
})

describe('InitProducerId with a transactional id', () => {
  it('asks the coordinator: for a new producer, or for one that goes on (KIP-360)', async () => {
    const broker = await TestBroker.start()
    assert.deepEqual(await init(broker, 2, 'payments'), [ErrorCode.NONE, 7, 0])
    const body = { transactionalId: 'payments', transactionTimeoutMs: 1_000 }
    await ask(broker, initProducerIdApi, 4, { ...body, producerId: 7, producerEpoch: 3 })
    assert.deepEqual(broker.initRequests, [
      { transactionalId: 'payments', timeoutMs: 60_000, expected: null },
      {
        transactionalId: 'payments',
        timeoutMs: 1_000,
        expected: { producerId: 7, producerEpoch: 3 },
      },
    ])
  })

  it('refuses an id without epoch and the other way round with INVALID_REQUEST', async () => {
    const broker = await TestBroker.start()
    const body = { transactionalId: 'payments', transactionTimeoutMs: 1_000 }
    for (const half of [{ producerId: 7 }, { producerEpoch: 3 }]) {
      const { errorCode } = await ask(broker, initProducerIdApi, 4, { ...body, ...half })
      assert.equal(errorCode, ErrorCode.INVALID_REQUEST)
    }
    assert.deepEqual(broker.initRequests, [])
  })

  it('tells old clients of a fenced producer by INVALID_PRODUCER_EPOCH (KIP-588)', async () => {
    const broker = await TestBroker.start()
    broker.identity = { errorCode: ErrorCode.PRODUCER_FENCED, producerId: -1, producerEpoch: -1 }
    assert.deepEqual(await init(broker, 3, 'a'), [ErrorCode.INVALID_PRODUCER_EPOCH, -1, -1])
    assert.deepEqual(await init(broker, 4, 'a'), [ErrorCode.PRODUCER_FENCED, -1, -1])
  })
})

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
  it('is refused: an empty one is invalid, others find no coordinator here', async () => {
    const broker = await TestBroker.start()
    assert.deepEqual(await init(broker, 4, ''), [ErrorCode.INVALID_REQUEST, -1, -1])
    assert.deepEqual(await init(broker, 4, 'payments'), [ErrorCode.UNSUPPORTED_VERSION, -1, -1])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { addOffsetsToTxnHandler } from '../../../../../src/frontends/kafka/handlers/25-add-offsets-to-txn.ts'
import { addOffsetsToTxnApi } from '../../../../../src/wire/kafka/messages/25-add-offsets-to-txn.ts'
import { GroupHarness } from '../../../broker/groups/group-harness.ts'
import { TransactionHarness } from '../../../broker/transactions/transaction-harness.ts'
import { call } from './group-apis-harness.ts'

async function setUp() {
  const groups = new GroupHarness()
  const transactions = new TransactionHarness()
  const request = { transactionalId: 't', timeoutMs: 60_000, expected: null }
  const begun = transactions.coordinator.initProducerId(request)
  await transactions.settle()
  const { producerId, producerEpoch } = await begun
  const services = { groups: groups.coordinator, transactions: transactions.coordinator }
  const handler = addOffsetsToTxnHandler(services)
  const add = async (version: number, changed: object = {}) => {
    const identity = { transactionalId: 't', producerId, producerEpoch }
    const sent = { ...identity, groupId: 'g', ...changed }
    const answer = call(addOffsetsToTxnApi, handler, version, sent)
    await transactions.settle()
    return (await answer).errorCode
  }
  const partitions = async () => {
    const described = transactions.coordinator.describe('t')
    await transactions.settle()
    return (await described).partitions
  }
  return { groups, add, partitions }
}

describe('AddOffsetsToTxn (KIP-98)', () => {
  it('makes the partition of the group part of the transaction', async () => {
    const { add, partitions } = await setUp()
    for (let version = 0; version <= 4; version++) assert.equal(await add(version), ErrorCode.NONE)
    assert.deepEqual(await partitions(), new Map([['__consumer_offsets', new Set([0])]]))
  })

  it('does so before the offsets topic exists, for clients that could not wait', async () => {
    const { groups, add, partitions } = await setUp()
    groups.topicState = 'creating'
    assert.equal(await add(0), ErrorCode.NONE)
    assert.deepEqual(await partitions(), new Map([['__consumer_offsets', new Set([0])]]))
  })

  it('tells old clients of a fenced producer by INVALID_PRODUCER_EPOCH (KIP-588)', async () => {
    const { add } = await setUp()
    assert.equal(await add(1, { producerEpoch: 7 }), ErrorCode.INVALID_PRODUCER_EPOCH)
    assert.equal(await add(2, { producerEpoch: 7 }), ErrorCode.PRODUCER_FENCED)
    assert.equal(await add(2, { producerId: 70 }), ErrorCode.INVALID_PRODUCER_ID_MAPPING)
    assert.equal(await add(2, { transactionalId: '' }), ErrorCode.INVALID_REQUEST)
  })
})

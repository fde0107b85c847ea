import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  accountOf,
  qualifiedName,
  recordsOf,
} from '../../../../../src/broker/jetstream/coordinator/account-records.ts'
import { consumerTombstone } from '../../../../../src/broker/jetstream/coordinator/consumer-records.ts'
import { JetStreamMachine } from '../../../../../src/broker/jetstream/coordinator/jetstream-machine.ts'
import {
  type KeptStream,
  removalRecords,
  streamRecord,
  streamTombstone,
} from '../../../../../src/broker/jetstream/coordinator/stream-ledger.ts'
import { decodeJetStreamRecord } from '../../../../../src/records/internal/jetstream-records.ts'

function kept(topic: string, topicId: string): KeptStream {
  const config = { name: 'S' } as KeptStream['config']
  return { name: 'S', createdMs: 1, topic, topicId, baseSequence: 1, config, everySubject: [] }
}

const ID_G = 'AAAAAAAAAAAAAAAAAAAAAQ'
const ID_A = 'AAAAAAAAAAAAAAAAAAAAAg'

const SOURCES = [{ source: 'O', sequence: 3, identity: 'x' }]

describe('records of accounts in __jetstream', () => {
  it('are those of the global account when they name no account', () => {
    const machine = new JetStreamMachine(() => undefined)
    const records = [...recordsOf(null, [streamRecord(kept('S', ID_G))])]
    records.push(...recordsOf('A/x', [streamRecord(kept('A__S', ID_A))]))
    for (const { key, value } of records) machine.replay(key, value)
    assert.deepEqual(machine.streams.ofAccount(null).streams.get('S')?.topic, 'S')
    const own = machine.streams.ofAccount('A/x')
    assert.deepEqual([...own.streams.values()], [kept('A__S', ID_A)])
    assert.equal(machine.streams.ofAccount('x').streams.size, 0)
  })

  it('leave what is about topics as it is', () => {
    const machine = new JetStreamMachine(() => undefined)
    const change = { floor: 7, blocks: [[1, Buffer.from([5])] as const] }
    const records = [streamRecord(kept('A__S', ID_A)), ...removalRecords(ID_A, change, SOURCES)]
    for (const { key, value } of recordsOf('A', records)) machine.replay(key, value)
    const removals = machine.streams.ofAccount('A').removalsOf(ID_A)
    assert.equal(removals.floor, 7)
    assert.deepEqual(machine.streams.ofAccount('A').sourcePositionsOf(ID_A), SOURCES)
    assert.deepEqual(removals.blocks.get(1), Buffer.from([5]))
  })

  it('remove only what the account has', () => {
    const machine = new JetStreamMachine(() => undefined)
    const records = [
      ...recordsOf(null, [streamRecord(kept('S', ID_G))]),
      ...recordsOf('A', [streamRecord(kept('A__S', ID_A)), streamTombstone('S')]),
    ]
    for (const { key, value } of records) machine.replay(key, value)
    assert.deepEqual([...machine.streams.streams.keys()], ['S'])
  })

  it('name the account of a consumer too', () => {
    const [record] = recordsOf('A', [consumerTombstone({ stream: 'S', consumer: 'C' })])
    assert.ok(record !== undefined)
    const decoded = decodeJetStreamRecord(record.key, record.value)
    assert.deepEqual(decoded?.key, { stream: qualifiedName('A', 'S'), consumer: 'C' })
    assert.equal(accountOf('A/S'), 'A')
    assert.equal(accountOf('S'), null)
  })
})

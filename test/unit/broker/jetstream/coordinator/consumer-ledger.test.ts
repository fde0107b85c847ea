import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import type { EncodedRecord } from '../../../../../src/broker/coordinator/coordinator-log.ts'
import {
  type ConsumerStateChange,
  initialState,
} from '../../../../../src/broker/jetstream/consumer/consumer-state.ts'
import {
  ConsumerLedger,
  CoordinatedConsumerStore,
} from '../../../../../src/broker/jetstream/coordinator/consumer-ledger.ts'
import { coordinatorRecordDecoder } from '../../../../../src/records/internal/coordinator-record.ts'
import { jetstreamConsumerRecordTypes } from '../../../../../src/records/internal/jetstream-consumer-records.ts'
import { configOf } from '../consumer/consumer-fixture.ts'

const decode = coordinatorRecordDecoder(jetstreamConsumerRecordTypes)

const CHANGE: ConsumerStateChange = {
  isWhole: false,
  delivered: { consumer: 9, stream: 12 },
  ackFloor: { consumer: 3, stream: 4 },
  pending: [{ firstSequence: 5, lastSequence: 8, firstConsumerSequence: 4, deliveryCount: 2 }],
  finished: [{ firstOffset: 1, lastOffset: 4 }],
  exhausted: [2],
}

/** A log that keeps what is committed, or fails. */
class FakeLog {
  records: EncodedRecord[] = []
  isBroken = false
  readonly store = new CoordinatedConsumerStore((records, done) => {
    if (!this.isBroken) this.records.push(...records)
    done(this.isBroken ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE)
  })

  /** Only the last record of each key stays. */
  compact(): void {
    const last = new Map(this.records.map((record) => [record.key.toString('hex'), record]))
    this.records = this.records.filter((record) => last.get(record.key.toString('hex')) === record)
  }

  replay() {
    const ledger = new ConsumerLedger()
    for (const { key, value } of this.records) {
      const record = decode(key, value)
      assert.ok(record !== undefined)
      ledger.replay(record)
    }
    return ledger.consumersOf('S')
  }
}

function consumer(name: string) {
  const config = configOf({ durable_name: name })
  return { stream: 'S', name, config, createdMs: 5, state: [initialState(7)] }
}

describe('consumers in the log of __jetstream', () => {
  it('come back as they were saved, with what changed since', async () => {
    const log = new FakeLog()
    assert.equal(await log.store.save(consumer('c')), true)
    log.store.journalOf('S', 'c').keep(CHANGE, (isKept) => assert.ok(isKept))
    assert.deepEqual(log.replay(), [{ ...consumer('c'), state: [...consumer('c').state, CHANGE] }])
  })

  it('survive compaction in any order of configuration and state', async () => {
    const log = new FakeLog()
    await log.store.save(consumer('c'))
    const journal = log.store.journalOf('S', 'c')
    for (let i = 0; i < 3; i++) journal.keep(CHANGE, () => {})
    journal.keep({ ...CHANGE, isWhole: true }, () => {})
    journal.keep(CHANGE, () => {})
    const config = configOf({ durable_name: 'c', ack_wait: 5 })
    await log.store.save({ ...consumer('c'), config, state: [] })
    const before = log.replay()
    log.compact()
    assert.deepEqual(log.replay(), before)
    assert.equal(before[0]?.state.length, 2)
    assert.equal(before[0]?.config.ack_wait, 5)
  })

  it('leave nothing behind when they are removed', async () => {
    const log = new FakeLog()
    await log.store.save(consumer('c'))
    log.store.journalOf('S', 'c').keep(CHANGE, () => {})
    await log.store.remove('S', 'c')
    assert.deepEqual(log.replay(), [])
    log.compact()
    assert.ok(log.records.every(({ value }) => value === null))
  })

  it('are said not to be kept when the log fails', async () => {
    const log = new FakeLog()
    log.isBroken = true
    assert.equal(await log.store.save(consumer('c')), false)
    log.store.journalOf('S', 'c').keep(CHANGE, (isKept) => assert.equal(isKept, false))
    assert.deepEqual(log.replay(), [])
  })
})

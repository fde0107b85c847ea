import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type {
  StreamConfig,
  WantedStream,
} from '../../../../../src/broker/jetstream/stream/stream-config.ts'
import {
  type AccountLimits,
  UNLIMITED,
} from '../../../../../src/frontends/nats/auth/account-limits.ts'
import { admissionRefusal } from '../../../../../src/frontends/nats/jetstream/stream-admission.ts'

const PRESENT = [
  { name: 'A', storage: 'file', max_bytes: 600 },
  { name: 'B', storage: 'memory', max_bytes: 300 },
  { name: 'C', storage: 'file', max_bytes: -1 },
] as StreamConfig[]

function refused(wanted: Partial<WantedStream>, limits: Partial<AccountLimits>): number {
  const stream = { name: 'N', ...wanted } as WantedStream
  return admissionRefusal(stream, PRESENT, { ...UNLIMITED, ...limits })?.err_code ?? 0
}

describe('the limits of an account for streams', () => {
  it('let everything pass that they do not name', () => {
    assert.equal(refused({ max_bytes: 1e12 }, {}), 0)
  })

  it('count streams, but for one that is there already', () => {
    assert.equal(refused({}, { max_streams: 4 }), 0)
    assert.equal(refused({}, { max_streams: 3 }), 10027)
    assert.equal(refused({ name: 'A' }, { max_streams: 3 }), 0)
  })

  it('count the bytes that streams reserve, of each storage apart', () => {
    assert.equal(refused({ max_bytes: 400 }, { max_storage: 1000 }), 0)
    assert.equal(refused({ max_bytes: 401 }, { max_storage: 1000 }), 10047)
    assert.equal(refused({ max_bytes: 700, storage: 'memory' }, { max_memory: 1000 }), 0)
    assert.equal(refused({ max_bytes: 701, storage: 'memory' }, { max_memory: 1000 }), 10028)
    assert.equal(refused({ name: 'A', max_bytes: 1000 }, { max_storage: 1000 }), 0)
  })

  it('may want each stream to say how large it gets', () => {
    assert.equal(refused({}, { max_bytes_required: true }), 10113)
    assert.equal(refused({ max_bytes: 1 }, { max_bytes_required: true }), 0)
  })
})

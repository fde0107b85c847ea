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
import { DEFAULT_JETSTREAM } from '../../../../../src/frontends/nats/jetstream/jetstream-settings.ts'
import { ServerResources } from '../../../../../src/frontends/nats/jetstream/server-resources.ts'
import {
  admissionRefusal,
  withDuplicateWindow,
} from '../../../../../src/frontends/nats/jetstream/stream-admission.ts'

const PRESENT = [
  { name: 'A', storage: 'file', max_bytes: 600 },
  { name: 'B', storage: 'memory', max_bytes: 300 },
  { name: 'C', storage: 'file', max_bytes: -1 },
] as StreamConfig[]

function refused(
  wanted: Partial<WantedStream>,
  limits: Partial<AccountLimits>,
  resources = new ServerResources(DEFAULT_JETSTREAM),
): number {
  const stream = { name: 'N', ...wanted } as WantedStream
  return admissionRefusal(stream, PRESENT, { ...UNLIMITED, ...limits }, resources)?.err_code ?? 0
}

const NOTHING = { memory: 0, storage: 0, reserved_memory: 0, reserved_storage: 0 }

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

  it('leave a byte for a stream that reserves nothing, unless it is there already', () => {
    assert.equal(refused({}, { max_storage: 601 }), 0)
    assert.equal(refused({}, { max_storage: 600 }), 10047)
    assert.equal(refused({ name: 'C' }, { max_storage: 600 }), 0)
    assert.equal(refused({ storage: 'memory' }, { max_memory: 0 }), 10028)
  })

  it('hold beside what the server has for all accounts', () => {
    const resources = new ServerResources({ ...DEFAULT_JETSTREAM, maxStorage: 1000 })
    resources.add(() => ({ ...NOTHING, reserved_storage: 600 }))
    resources.add(() => ({ ...NOTHING, reserved_storage: 100 }))
    assert.equal(refused({ max_bytes: 300 }, {}, resources), 0)
    assert.equal(refused({ max_bytes: 301 }, {}, resources), 10047)
    assert.equal(refused({ max_bytes: 301, storage: 'memory' }, {}, resources), 0)
    assert.equal(refused({ name: 'A', max_bytes: 900 }, {}, resources), 0)
    assert.equal(refused({ name: 'A', max_bytes: 901 }, {}, resources), 10047)
  })

  it('say how large one stream may get, of each storage apart', () => {
    const limits = { memory_max_stream_bytes: 10, storage_max_stream_bytes: 20 }
    assert.equal(refused({ max_bytes: 20 }, limits), 0)
    assert.equal(refused({ max_bytes: 21 }, limits), 10122)
    assert.equal(refused({ max_bytes: 10, storage: 'memory' }, limits), 0)
    assert.equal(refused({ max_bytes: 11, storage: 'memory' }, limits), 10122)
    assert.equal(refused({ name: 'A', max_bytes: 21 }, limits), 10122)
  })

  it('may want each stream to say how large it gets', () => {
    assert.equal(refused({}, { max_bytes_required: true }), 10113)
    assert.equal(refused({ max_bytes: 1 }, { max_bytes_required: true }), 0)
  })
})

describe('the duplicate window that a server allows', () => {
  const SECOND = 1_000_000_000

  /** Nanoseconds that the stream gets, or why it does not. */
  function windowOf(wanted: Partial<WantedStream>, limit: number): unknown {
    const parsed = { wanted: { name: 'N', ...wanted } as WantedStream, isPedantic: false }
    const admitted = withDuplicateWindow(parsed, limit)
    return 'err_code' in admitted ? admitted.description : admitted.wanted.duplicate_window
  }

  it('is what a stream gets that asks for none, if it is shorter than the usual one', () => {
    assert.equal(windowOf({}, 60 * SECOND), 60 * SECOND)
    assert.equal(windowOf({}, 120 * SECOND), undefined)
    assert.equal(windowOf({}, 0), undefined)
    assert.equal(windowOf({ max_age: SECOND }, 60 * SECOND), undefined)
    assert.equal(windowOf({ mirror: { name: 'O' } }, 60 * SECOND), undefined)
  })

  it('is not exceeded', () => {
    assert.equal(windowOf({ duplicate_window: 60 * SECOND }, 60 * SECOND), 60 * SECOND)
    assert.equal(
      windowOf({ duplicate_window: 61 * SECOND }, 60 * SECOND),
      'duplicates window can not be larger then server limit of 1m0s',
    )
  })
})

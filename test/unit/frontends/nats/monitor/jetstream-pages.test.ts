import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_JETSTREAM } from '../../../../../src/frontends/nats/jetstream/jetstream-settings.ts'
import {
  type JetStreamAccount,
  JetStreamOverview,
} from '../../../../../src/frontends/nats/monitor/jetstream-pages.ts'

function accountOf(name: string, scale: number, max_memory = -1): JetStreamAccount {
  const stats = { memory: scale, storage: 10 * scale, reserved_memory: 0, reserved_storage: scale }
  return {
    name,
    usage: { stats, streams: 1, consumers: 2 * scale, messages: 3 * scale, bytes: 11 * scale },
    apiCounts: { level: 2, total: 5, errors: scale },
    limits: { max_memory, max_storage: 7 },
    streamDetails: (hasConsumers, hasConfig) => [{ name: `${name}-S`, hasConsumers, hasConfig }],
  }
}

const ACCOUNTS = [accountOf('$G', 1), accountOf('B', 100, 64), accountOf('A', 10)]
const overview = new JetStreamOverview(() => ACCOUNTS, DEFAULT_JETSTREAM)

/** The page, as whoever asks reads it. */
function pageOf(options: Record<string, unknown>) {
  const page = overview.page(new Map(Object.entries(options)))
  return page as { account_details?: { name: string; stream_detail?: object[] }[] }
}

function namesOf(options: Record<string, unknown>): string[] | undefined {
  return pageOf(options).account_details?.map(({ name }) => name)
}

const STATS = {
  ...{ memory: 111, storage: 1110, reserved_memory: 0, reserved_storage: 111 },
  ...{ accounts: 3, ha_assets: 0, api: { level: 2, total: 15, errors: 111 } },
}

describe('the pages about JetStream', () => {
  it('add up all accounts', () => {
    const NO_LIMITS = { max_memory: -1, max_storage: -1 }
    assert.deepEqual(overview.summary(), { config: NO_LIMITS, stats: STATS, limits: {} })
    assert.deepEqual(pageOf({}), {
      ...STATS,
      ...{ config: NO_LIMITS, limits: {}, total: 3 },
      ...{ streams: 3, consumers: 222, messages: 333, bytes: 1221 },
    })
  })

  it('say what the configuration of the server does', () => {
    const settings = { ...DEFAULT_JETSTREAM, domain: 'hub', maxStorage: 5, maxRequestBatch: 7 }
    const limited = new JetStreamOverview(() => ACCOUNTS, settings)
    assert.deepEqual(limited.summary(), {
      stats: STATS,
      config: { max_memory: -1, max_storage: 5, domain: 'hub' },
      limits: { max_request_batch: 7 },
    })
  })

  it('have accounts by name when asked, a page of them or one', () => {
    assert.deepEqual(namesOf({ accounts: 'true' }), ['$G', 'A', 'B'])
    assert.deepEqual(namesOf({ accounts: true, offset: 1, limit: 1 }), ['A'])
    assert.equal(namesOf({ accounts: true, offset: 9 }), undefined)
    assert.deepEqual(namesOf({ acc: 'B' }), ['B'])
    assert.deepEqual(namesOf({ account: 'A', accounts: true }), ['A'])
    assert.equal(namesOf({ acc: 'C' }), undefined)
    const [unlimited] = pageOf({ acc: 'A' }).account_details ?? []
    assert.deepEqual({ ...unlimited, reserved_memory: 0 }, unlimited)
    assert.deepEqual(pageOf({ acc: 'B' }).account_details, [
      {
        ...{ name: 'B', id: 'B', memory: 100, storage: 1000 },
        ...{ reserved_memory: 64, reserved_storage: 7, accounts: 0, ha_assets: 0 },
        api: { level: 0, total: 5, errors: 100 },
      },
    ])
  })

  it('have streams, consumers and configurations when asked', () => {
    const detailOf = (options: Record<string, unknown>) =>
      pageOf({ acc: 'A', ...options }).account_details?.[0]?.stream_detail
    const plain = { name: 'A-S', hasConsumers: false, hasConfig: false }
    assert.deepEqual(detailOf({ streams: '1' }), [plain])
    assert.deepEqual(detailOf({ consumers: 'true' }), [{ ...plain, hasConsumers: true }])
    assert.deepEqual(detailOf({ consumer: true }), [{ ...plain, hasConsumers: true }])
    assert.deepEqual(detailOf({ streams: true, config: true }), [{ ...plain, hasConfig: true }])
    assert.deepEqual(namesOf({ streams: true }), ['$G', 'A', 'B'])
  })
})

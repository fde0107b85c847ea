import type { JetStreamSettings } from '../jetstream/jetstream-settings.ts'
import type { JetStreamUsage } from '../jetstream/jetstream-usage.ts'
import {
  flagOption,
  type JetStreamPages,
  numberOption,
  type PageOptions,
  textOption,
} from './monitored-server.ts'

/** JetStream of one account. */
export interface JetStreamAccount {
  readonly name: string
  readonly usage: JetStreamUsage
  readonly apiCounts: ApiCounts
  /** What its account may use of memory and disk; -1: as it likes. */
  readonly limits: { readonly max_memory: number; readonly max_storage: number }
  streamDetails(hasConsumers: boolean, hasConfig: boolean): readonly object[]
}

export interface ApiCounts {
  readonly level: number
  readonly total: number
  readonly errors: number
}

/** Source: Jsz of nats-server. */
const MAX_ACCOUNTS = 1024

/** What JetStream of all accounts holds. */
export class JetStreamOverview implements JetStreamPages {
  readonly #accounts: () => Iterable<JetStreamAccount>
  readonly #settings: JetStreamSettings

  constructor(accounts: () => Iterable<JetStreamAccount>, settings: JetStreamSettings) {
    this.#accounts = accounts
    this.#settings = settings
  }

  /** Source: JetStreamVarz of nats-server. */
  summary(): object {
    const accounts = [...this.#accounts()]
    return { stats: statsOf(accounts), ...settingsJson(this.#settings) }
  }

  /** Source: Jsz and JSInfo of nats-server. */
  page(options: PageOptions): object {
    const accounts = [...this.#accounts()]
    const details = detailsOf(accounts, options)
    return {
      ...statsOf(accounts),
      ...settingsJson(this.#settings),
      streams: sumOf(accounts, ({ usage }) => usage.streams),
      consumers: sumOf(accounts, ({ usage }) => usage.consumers),
      messages: sumOf(accounts, ({ usage }) => usage.messages),
      bytes: sumOf(accounts, ({ usage }) => usage.bytes),
      ...(details.length > 0 && { account_details: details }),
      total: accounts.length,
    }
  }
}

function settingsJson(settings: JetStreamSettings): { config: object; limits: object } {
  const { domain, maxMemory, maxStorage } = settings
  const { maxAckPending, maxRequestBatch, maxDuplicateWindow } = settings
  return {
    config: {
      ...{ max_memory: maxMemory, max_storage: maxStorage },
      ...(domain !== '' && { domain }),
    },
    limits: {
      ...(maxRequestBatch > 0 && { max_request_batch: maxRequestBatch }),
      ...(maxAckPending > 0 && { max_ack_pending: maxAckPending }),
      ...(maxDuplicateWindow > 0 && { max_duplicate_window: maxDuplicateWindow }),
    },
  }
}

function statsOf(accounts: readonly JetStreamAccount[]): object {
  return {
    memory: sumOf(accounts, ({ usage }) => usage.stats.memory),
    storage: sumOf(accounts, ({ usage }) => usage.stats.storage),
    reserved_memory: sumOf(accounts, ({ usage }) => usage.stats.reserved_memory),
    reserved_storage: sumOf(accounts, ({ usage }) => usage.stats.reserved_storage),
    accounts: accounts.length,
    ha_assets: 0,
    api: {
      level: accounts[0]?.apiCounts.level ?? 0,
      total: sumOf(accounts, ({ apiCounts }) => apiCounts.total),
      errors: sumOf(accounts, ({ apiCounts }) => apiCounts.errors),
    },
  }
}

/** Names of options are those of the query, or those of the request. */
function detailsOf(accounts: readonly JetStreamAccount[], options: PageOptions): object[] {
  const hasConsumers = flagOption(options, 'consumers') || flagOption(options, 'consumer')
  const hasStreams = hasConsumers || flagOption(options, 'streams')
  const hasConfig = flagOption(options, 'config')
  const name = textOption(options, 'acc') || textOption(options, 'account')
  const isAll = flagOption(options, 'accounts') || (hasStreams && name === '')
  const one = accounts.find((account) => account.name === name)
  const sorted = [...accounts].sort((a, b) => (a.name < b.name ? -1 : 1))
  const offset = numberOption(options, 'offset', 0)
  const limit = numberOption(options, 'limit', 0) || MAX_ACCOUNTS
  const others = isAll ? sorted.slice(offset, offset + limit) : []
  return (one === undefined ? others : [one]).map((account) => {
    const { max_memory, max_storage } = account.limits
    const { memory, storage } = account.usage.stats
    const streams = hasStreams ? account.streamDetails(hasConsumers, hasConfig) : []
    const { total, errors } = account.apiCounts
    return {
      ...{ name: account.name, id: account.name, memory, storage },
      // Readers take them for unsigned; nats-server writes 2^64 - 1 where there is no limit.
      reserved_memory: Math.max(0, max_memory),
      reserved_storage: Math.max(0, max_storage),
      ...{ accounts: 0, ha_assets: 0, api: { level: 0, total, errors } },
      ...(streams.length > 0 && { stream_detail: streams }),
    }
  })
}

function sumOf(
  accounts: readonly JetStreamAccount[],
  count: (account: JetStreamAccount) => number,
): number {
  return accounts.reduce((sum, account) => sum + count(account), 0)
}

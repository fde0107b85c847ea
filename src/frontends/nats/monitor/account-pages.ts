import { isSubset } from '../../../broker/subjects/subject-subset.ts'
import type { Account } from '../account.ts'
import { detailOf } from './connz.ts'
import {
  flagOption,
  type MonitoredServer,
  numberOption,
  type PageOptions,
  textOption,
  timeText,
} from './monitored-server.ts'

/** Source: DefaultSubListSize of nats-server. */
const DEFAULT_LIMIT = 1024

/** The page `/subsz`: subscriptions of clients. Source: Subsz of nats-server. */
export function subsz(server: MonitoredServer, options: PageOptions, accountName = ''): object {
  const { frontend, nowMs } = server
  const offset = numberOption(options, 'offset', 0)
  const limit = numberOption(options, 'limit', DEFAULT_LIMIT) || DEFAULT_LIMIT
  const account = accountName || textOption(options, 'acc')
  const subject = textOption(options, 'test')
  const found: object[] = []
  let count = 0
  for (const session of frontend.sessions) {
    const name = session.identity?.account.name ?? ''
    if (account !== '' && name !== account) continue
    for (const subscription of session.subscriptions) {
      count++
      if (subject !== '' && !isSubset(subject, subscription.subject)) continue
      found.push(detailOf(subscription, session.origin.info.client_id ?? 0, name))
    }
  }
  const shown = found.slice(offset, offset + limit)
  return {
    server_id: frontend.serverId,
    now: timeText(nowMs),
    num_subscriptions: count,
    num_cache: 0,
    num_inserts: 0,
    num_removes: 0,
    num_matches: 0,
    cache_hit_rate: 0,
    max_fanout: 0,
    avg_fanout: 0,
    total: shown.length,
    offset,
    limit,
    ...(flagOption(options, 'subs') && { subscriptions_list: shown }),
  }
}

/** The page `/accountz`. Source: Accountz of nats-server. */
export function accountz(server: MonitoredServer, options: PageOptions): object {
  const { frontend, nowMs } = server
  const name = textOption(options, 'acc')
  const account = [...frontend.accounts].find((one) => one.name === name)
  return {
    server_id: frontend.serverId,
    now: timeText(nowMs),
    system_account: frontend.authenticator.settings.systemAccount,
    ...(name === '' && { accounts: [...frontend.accounts].map((one) => one.name) }),
    ...(account !== undefined && { account_detail: accountInfo(account, server) }),
  }
}

/** Source: AccountInfo of nats-server. */
export function accountInfo(account: Account, { startedAtMs, jetStream }: MonitoredServer): object {
  return {
    account_name: account.name,
    update_time: timeText(startedAtMs),
    ...(account.isSystem && { is_system: true }),
    expired: false,
    complete: true,
    jetstream_enabled: jetStream !== null && !account.isSystem,
    leafnode_connections: 0,
    client_connections: account.connectionCount,
    subscriptions: account.router.count,
    ...(account.title !== '' && { name_tag: account.title }),
  }
}

/** Source: AccountStat of nats-server. */
export function accountStatz(account: Account): object {
  const { counts } = account
  return {
    acc: account.name,
    name: account.title || account.name,
    conns: account.connectionCount,
    leafnodes: 0,
    total_conns: account.connectionCount,
    num_subscriptions: account.router.count,
    sent: { msgs: counts.sentMessages, bytes: counts.sentBytes },
    received: { msgs: counts.receivedMessages, bytes: counts.receivedBytes },
    slow_consumers: 0,
  }
}

import type { NatsSession } from '../nats-session.ts'
import type { Subscription } from '../subscription.ts'
import {
  flagOption,
  type MonitoredServer,
  numberOption,
  type PageOptions,
  textOption,
  timeText,
  uptimeText,
} from './monitored-server.ts'

/** Source: DefaultConnListSize of nats-server. */
const DEFAULT_LIMIT = 1024

type Sorting = (session: NatsSession) => number

/** Largest first, but for `cid` and `start`. Source: SortOpt of nats-server. */
const SORTINGS: Readonly<Record<string, Sorting>> = {
  cid: ({ origin }) => -(origin.info.client_id ?? 0),
  start: ({ startedAtMs }) => -startedAtMs,
  subs: ({ subscriptions }) => subscriptions.size,
  pending: ({ pendingBytes }) => pendingBytes,
  msgs_to: ({ counts }) => counts.sentMessages,
  msgs_from: ({ counts }) => counts.receivedMessages,
  bytes_to: ({ counts }) => counts.sentBytes,
  bytes_from: ({ counts }) => counts.receivedBytes,
  last: ({ lastActiveMs }) => lastActiveMs,
  idle: ({ lastActiveMs }) => -lastActiveMs,
  uptime: ({ startedAtMs }) => -startedAtMs,
  rtt: ({ liveness }) => liveness.roundTripMs,
}

/** Why a page can't be shown as it is asked for. */
export class PageError extends Error {}

/**
 * The page `/connz`: the clients. Source: Connz of nats-server.
 * @param accountName only those of one account; empty: all
 * @throws PageError for a sort that there is not
 */
export function connz(server: MonitoredServer, options: PageOptions, accountName = ''): object {
  const { frontend, nowMs } = server
  const offset = numberOption(options, 'offset', 0)
  const limit = numberOption(options, 'limit', DEFAULT_LIMIT) || DEFAULT_LIMIT
  const sort = textOption(options, 'sort') || 'cid'
  const sorting = SORTINGS[sort]
  if (sorting === undefined) throw new PageError(`invalid sorting option: ${sort}`)
  const isWanted = filterOf(options, accountName)
  const found = [...frontend.sessions].filter(isWanted).sort((a, b) => sorting(b) - sorting(a))
  const shown = found.slice(offset, offset + limit)
  return {
    server_id: frontend.serverId,
    now: timeText(nowMs),
    num_connections: shown.length,
    total: found.length,
    offset,
    limit,
    connections: shown.map((session) => connectionOf(session, nowMs, options)),
  }
}

function filterOf(options: PageOptions, accountName: string): (session: NatsSession) => boolean {
  const cid = numberOption(options, 'cid', 0)
  const account = accountName || textOption(options, 'acc')
  const user = textOption(options, 'user')
  return ({ origin, identity }) =>
    (cid === 0 || origin.info.client_id === cid) &&
    (account === '' || identity?.account.name === account) &&
    (user === '' || identity?.user === user)
}

function connectionOf(session: NatsSession, nowMs: number, options: PageOptions): object {
  const { origin, counts, identity, subscriptions, liveness, startedAtMs, lastActiveMs } = session
  const { connection, info, kind } = origin
  const { name, lang, version } = session.options
  const { encryption } = connection
  const { roundTripMs } = liveness
  return {
    cid: info.client_id,
    kind: 'Client',
    type: kind === 'WEBSOCKET' ? 'websocket' : 'nats',
    ip: connection.remoteAddress,
    port: connection.remotePort,
    start: timeText(startedAtMs),
    last_activity: timeText(lastActiveMs),
    ...(roundTripMs >= 0 && { rtt: `${Math.round(roundTripMs * 1000)}µs` }),
    uptime: uptimeText(nowMs - startedAtMs),
    idle: uptimeText(nowMs - lastActiveMs),
    pending_bytes: session.pendingBytes,
    in_msgs: counts.receivedMessages,
    out_msgs: counts.sentMessages,
    in_bytes: counts.receivedBytes,
    out_bytes: counts.sentBytes,
    subscriptions: subscriptions.size,
    ...(name !== '' && { name }),
    ...(lang !== '' && { lang }),
    ...(version !== '' && { version }),
    ...(encryption && { tls_version: encryption.version, tls_cipher_suite: encryption.cipher }),
    ...(flagOption(options, 'auth') && {
      authorized_user: identity?.user ?? '',
      account: identity?.account.name ?? '',
    }),
    ...subscriptionLists(session, options),
  }
}

function subscriptionLists(session: NatsSession, options: PageOptions): object {
  const isDetailed = options.get('subs') === 'detail' || flagOption(options, 'subscriptions_detail')
  const isListed = flagOption(options, 'subs') || flagOption(options, 'subscriptions')
  const cid = session.origin.info.client_id ?? 0
  const account = session.identity?.account.name ?? ''
  const subscriptions = [...session.subscriptions]
  if (subscriptions.length === 0) return {}
  if (isDetailed) {
    const detail = subscriptions.map((subscription) => detailOf(subscription, cid, account))
    return { subscriptions_list_detail: detail }
  }
  return isListed ? { subscriptions_list: subscriptions.map(({ subject }) => subject) } : {}
}

/** Source: SubDetail of nats-server. */
export function detailOf(
  { subject, queue, sid, deliveredCount, maxCount }: Subscription,
  cid: number,
  account: string,
): object {
  return {
    account,
    subject,
    ...(queue !== '' && { qgroup: queue }),
    sid,
    msgs: deliveredCount,
    ...(maxCount > 0 && { max: maxCount }),
    cid,
  }
}

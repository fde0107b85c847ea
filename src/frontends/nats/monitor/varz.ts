import { GLOBAL_ACCOUNT } from '../account.ts'
import { NATS_VERSION } from '../server-description.ts'
import { type MonitoredServer, timeText, uptimeText } from './monitored-server.ts'

const NANOSECONDS_PER_MS = 1e6

/** The page `/varz`: the server as a whole. Source: Varz of nats-server. */
export function varz(server: MonitoredServer): object {
  const { frontend } = server
  const { counts } = frontend.accounts
  const { limits, authenticator } = frontend
  return {
    server_id: frontend.serverId,
    server_name: frontend.serverName,
    version: NATS_VERSION,
    proto: 1,
    git_commit: 'spool',
    go: 'node',
    host: server.host,
    port: server.port,
    ...(authenticator.isRequired && { auth_required: true }),
    ...(server.tlsRequired && { tls_required: true }),
    ...(server.tlsVerify && { tls_verify: true }),
    max_connections: server.maxConnections,
    ping_interval: limits.pingIntervalMs * NANOSECONDS_PER_MS,
    ping_max: limits.maxPingsOut,
    http_host: server.httpHost,
    http_port: server.httpPort,
    http_base_path: '',
    https_port: 0,
    auth_timeout: authenticator.settings.timeoutMs / 1000,
    max_control_line: limits.maxControlLineBytes,
    max_payload: limits.maxPayloadBytes,
    max_pending: limits.maxPendingBytes,
    cluster: {},
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: {},
    jetstream: server.jetStream?.summary() ?? {},
    tls_timeout: 2,
    write_deadline: limits.writeDeadlineMs * NANOSECONDS_PER_MS,
    start: timeText(server.startedAtMs),
    now: timeText(server.nowMs),
    uptime: uptimeText(server.nowMs - server.startedAtMs),
    mem: server.memoryBytes,
    cores: server.coreCount,
    gomaxprocs: 1,
    cpu: Math.round(server.cpuPercent),
    connections: countOf(frontend.sessions),
    total_connections: frontend.connectionTotal,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    in_msgs: counts.receivedMessages,
    out_msgs: counts.sentMessages,
    in_bytes: counts.receivedBytes,
    out_bytes: counts.sentBytes,
    slow_consumers: frontend.slowConsumerTotal,
    subscriptions: subscriptionCount(server),
    http_req_stats: {},
    config_load_time: timeText(server.startedAtMs),
    system_account: authenticator.settings.systemAccount,
    global_account: GLOBAL_ACCOUNT,
  }
}

/** What is told in the system account from time to time, and when asked. Source: ServerStats. */
export function statsz(server: MonitoredServer): object {
  const { frontend } = server
  const { counts } = frontend.accounts
  let activeAccountCount = 0
  for (const account of frontend.accounts) if (account.connectionCount > 0) activeAccountCount++
  return {
    start: timeText(server.startedAtMs),
    mem: server.memoryBytes,
    cores: server.coreCount,
    cpu: Math.round(server.cpuPercent),
    connections: countOf(frontend.sessions),
    total_connections: frontend.connectionTotal,
    active_accounts: activeAccountCount,
    subscriptions: subscriptionCount(server),
    sent: { msgs: counts.sentMessages, bytes: counts.sentBytes },
    received: { msgs: counts.receivedMessages, bytes: counts.receivedBytes },
    slow_consumers: frontend.slowConsumerTotal,
    active_servers: 1,
  }
}

/** Those of the server itself too, as nats-server counts them. */
function subscriptionCount({ frontend }: MonitoredServer): number {
  let count = 0
  for (const { router } of frontend.accounts) count += router.count
  return count
}

function countOf(items: Iterable<unknown>): number {
  let count = 0
  for (const _ of items) count++
  return count
}

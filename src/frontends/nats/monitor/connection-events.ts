import type { Account } from '../account.ts'
import type { NatsFrontend } from '../nats-frontend.ts'
import type { NatsSession } from '../nats-session.ts'
import { type MonitoredServer, timeText } from './monitored-server.ts'
import { serverHead } from './server-head.ts'

const CONNECT = 'io.nats.server.advisory.v1.client_connect'
const DISCONNECT = 'io.nats.server.advisory.v1.client_disconnect'

/** Tells the system account who comes and goes. Source: accountConnectEvent of nats-server. */
export class ConnectionEvents {
  readonly #frontend: NatsFrontend
  readonly #read: () => MonitoredServer
  readonly #announced = new WeakSet<NatsSession>()

  /** @param read the server as it is now */
  constructor(frontend: NatsFrontend, read: () => MonitoredServer) {
    this.#frontend = frontend
    this.#read = read
  }

  connected(session: NatsSession): void {
    const { identity } = session
    if (identity === null || this.#announced.has(session)) return
    this.#announced.add(session)
    this.#tell(identity.account, 'CONNECT', () => ({
      type: CONNECT,
      client: clientOf(session, null),
    }))
  }

  gone(session: NatsSession): void {
    const { identity, counts } = session
    if (identity === null || !this.#announced.has(session)) return
    this.#tell(identity.account, 'DISCONNECT', ({ nowMs }) => ({
      type: DISCONNECT,
      client: clientOf(session, nowMs),
      sent: { msgs: counts.sentMessages, bytes: counts.sentBytes },
      received: { msgs: counts.receivedMessages, bytes: counts.receivedBytes },
      reason: session.closeReason || 'Client Closed',
    }))
  }

  #tell(account: Account, what: string, body: (server: MonitoredServer) => object): void {
    const system = this.#systemAccount()
    const subject = `$SYS.ACCOUNT.${account.name}.${what}`
    if (system === undefined || !system.publisher.hasInterest(subject)) return
    const server = this.#read()
    const event = {
      id: system.newToken(),
      timestamp: timeText(server.nowMs),
      server: serverHead(server),
      ...body(server),
    }
    system.publisher.publish(subject, null, null, Buffer.from(JSON.stringify(event), 'utf8'))
  }

  #systemAccount(): Account | undefined {
    for (const account of this.#frontend.accounts) if (account.isSystem) return account
    return undefined
  }
}

/** Source: ClientInfo of nats-server. */
function clientOf(session: NatsSession, stoppedAtMs: number | null): object {
  const { origin, identity, options, startedAtMs } = session
  const { name, lang, version } = options
  return {
    start: timeText(startedAtMs),
    host: origin.connection.remoteAddress,
    id: origin.info.client_id,
    acc: identity?.account.name ?? '',
    ...(identity !== null && identity.user !== '' && { user: identity.user }),
    ...(name !== '' && { name }),
    ...(lang !== '' && { lang }),
    ...(version !== '' && { ver: version }),
    ...(stoppedAtMs !== null && { stop: timeText(stoppedAtMs) }),
    kind: 'Client',
    client_type: origin.kind === 'WEBSOCKET' ? 'websocket' : 'nats',
  }
}

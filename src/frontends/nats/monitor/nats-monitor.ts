import type { NatsFrontend } from '../nats-frontend.ts'
import { ConnectionEvents } from './connection-events.ts'
import { MonitorPort } from './monitor-port.ts'
import type { MonitoredServer } from './monitored-server.ts'
import { serverHead } from './server-head.ts'
import { SystemRequests } from './system-requests.ts'

/** All that tells about a server: pages over HTTP, answers to messages, events of connections. */
export class NatsMonitor {
  readonly #frontend: NatsFrontend
  readonly #requests: SystemRequests
  readonly #port: MonitorPort

  /** @param read the server as it is now */
  constructor(frontend: NatsFrontend, read: () => MonitoredServer) {
    this.#frontend = frontend
    this.#port = new MonitorPort(read)
    this.#requests = new SystemRequests(read)
    const events = new ConnectionEvents(frontend, read)
    frontend.serverHead = () => serverHead(read())
    frontend.onConnected = (session) => events.connected(session)
    frontend.onGone = (session) => events.gone(session)
    frontend.accounts.onNew = (account) => this.#requests.serve(account)
    this.accountsChanged()
  }

  /** Which one is that of the system may be another one now. */
  accountsChanged(): void {
    for (const account of this.#frontend.accounts) this.#requests.serve(account)
  }

  /** @throws Error of the system when the address can't be used */
  async listen(address: { host: string; port: number }): Promise<{ host: string; port: number }> {
    return await this.#port.listen(address)
  }

  close(): void {
    this.#port.close()
  }
}

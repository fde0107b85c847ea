import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '../ports/logger.ts'
import type {
  Connection,
  Listener,
  ListenOptions,
  StreamSession,
  Transport,
} from '../ports/transport.ts'
import { isLoopback } from './loopback.ts'
import { plainAddress } from './node-connection.ts'
import { WebSocketAcceptor } from './web-socket-acceptor.ts'

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** An HTTP port that is there already, and gives away requests for WebSocket. */
export interface UpgradablePort {
  readonly address: { readonly host: string; readonly port: number }
  /** null: none are given away. */
  upgradeHandler: UpgradeHandler | null
}

export interface HttpUpgradeOptions {
  readonly logger: Logger
  readonly port: UpgradablePort
}

/** WebSocket on a port that serves HTTP otherwise, for programs and for pages of that very port. */
export class HttpUpgradeTransport implements Transport {
  readonly #options: HttpUpgradeOptions

  constructor(options: HttpUpgradeOptions) {
    this.#options = options
  }

  async listen(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ): Promise<Listener> {
    const { logger, port } = this.#options
    const acceptor = new WebSocketAcceptor(
      { logger, compresses: true, isAllowed: isFromSameOrigin },
      options,
      accept,
    )
    port.upgradeHandler = (request, socket, head) => acceptor.upgrade(request, socket, head)
    return {
      ...port.address,
      get connectionCount() {
        return acceptor.connectionCount
      },
      stopAccepting: async () => acceptor.stopAccepting(),
      close: () => acceptor.close(),
    }
  }
}

/**
 * Whether a request comes from a page of this port, or from a program that is no browser. A page may
 * have its own name point here once it is loaded: who comes to a loopback address has to say so.
 */
export function isFromSameOrigin({ headers, socket }: IncomingMessage): boolean {
  const { origin, host } = headers
  if (origin === undefined) return true
  const page = URL.parse(origin)
  const here = URL.parse(`http://${host ?? ''}`)
  if (page === null || here === null || page.host !== here.host) return false
  const name = here.hostname.replace(/^\[|\]$/g, '')
  return isLoopback(name) || !isLoopback(plainAddress(socket.localAddress))
}

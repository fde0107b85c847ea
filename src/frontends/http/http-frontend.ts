import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { ConfigError } from '../../base/errors.ts'
import type { HttpServices } from './http-services.ts'

export interface HttpOptions extends HttpServices {
  /** Connections that another protocol may take over, beside those for HTTP. */
  readonly maxUpgraded: number
  /** Says more about an address in use, e.g. the process that has it. */
  readonly describeAddressInUse?: (host: string, port: number) => string
}

/** Takes over the socket of a request for another protocol. */
type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

type RequestListener = (request: IncomingMessage, response: ServerResponse) => void

/** Watching needs few connections, and short ones. */
const MAX_CONNECTIONS = 256
/** Where WebSocket is asked for; `/nats` is for those who pass on a folder of a larger site. */
const UPGRADE_PATHS: ReadonlySet<string | undefined> = new Set(['/', '/nats', '/nats/'])
const REQUEST_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 8 * 1024

/**
 * The HTTP port. The library that serves it is loaded with the first request: a broker that nobody
 * watches starts quicker and is smaller.
 */
export class HttpFrontend {
  /** Gets requests for WebSocket; null: they are answered as all others. */
  upgradeHandler: UpgradeHandler | null = null
  address = { host: '', port: 0 }
  readonly #options: HttpOptions
  readonly #server: Server
  #routing: Promise<RequestListener> | undefined

  constructor(options: HttpOptions) {
    this.#options = options
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
        shouldUpgradeCallback: (request) => this.#isForWebSocket(request),
      },
      (request, response) => this.#serve(request, response),
    )
    this.#server.maxConnections = MAX_CONNECTIONS + options.maxUpgraded
    this.#server.on('upgrade', (request, socket, head) =>
      this.upgradeHandler?.(request, socket, head),
    )
  }

  /** @throws ConfigError when the address can't be used */
  async listen(address: { host: string; port: number }): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(this.#listenError(error, address)))
      this.#server.listen({ ...address }, resolve)
    })
    const { address: host, port } = this.#server.address() as AddressInfo
    this.address = { host, port }
    return this.address
  }

  /** Whoever was given sockets has to close them before. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #isForWebSocket({ headers, url }: IncomingMessage): boolean {
    if (this.upgradeHandler === null) return false
    const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket'
    return isWebSocket && UPGRADE_PATHS.has(url?.split('?')[0])
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#routing ??= this.#loadRoutes()
    this.#routing
      .then((route) => route(request, response))
      .catch((error: unknown) => {
        this.#options.logger.error('HTTP is not served', { error })
        response.destroy()
      })
  }

  async #loadRoutes(): Promise<RequestListener> {
    const { makeRoutes } = await import('./http-routes.ts')
    return await makeRoutes(this.#options)
  }

  #listenError(
    error: NodeJS.ErrnoException,
    { host, port }: { host: string; port: number },
  ): ConfigError {
    const reason =
      error.code === 'EADDRINUSE'
        ? (this.#options.describeAddressInUse?.(host, port) ?? `${host}:${port} is in use`)
        : `cannot listen on ${host}:${port} (${error.code})`
    return new ConfigError(`${reason}: choose another with --http, or --no-http`, { cause: error })
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { PageError } from './connz.ts'
import { PAGES, PATHS } from './monitor-pages.ts'
import type { MonitoredServer } from './monitored-server.ts'

/** Watching needs few connections, and short ones. */
const MAX_CONNECTIONS = 256
const REQUEST_TIMEOUT_MS = 10_000

/** The pages over HTTP, as monitoring tools of NATS read them. */
export class MonitorPort {
  readonly #server: Server
  readonly #read: () => MonitoredServer

  constructor(read: () => MonitoredServer) {
    this.#read = read
    const limits = { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }
    this.#server = createServer(limits, (request, response) => this.#serve(request, response))
    this.#server.maxConnections = MAX_CONNECTIONS
  }

  /** @throws Error of the system when the address can't be used */
  async listen(address: { host: string; port: number }): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ ...address }, resolve)
    })
    const bound = this.#server.address()
    if (bound === null || typeof bound === 'string') return address
    return { host: bound.address, port: bound.port }
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/') {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(listOfPages())
      return
    }
    const page = PAGES[PATHS.get(url.pathname) ?? '']
    if (page === undefined) {
      response.writeHead(404).end('404 page not found\n')
      return
    }
    try {
      const text = `${JSON.stringify(page(this.#read(), new Map(url.searchParams)), null, 2)}\n`
      send(response, text, url.searchParams.get('callback'))
    } catch (error) {
      if (!(error instanceof PageError)) throw error
      response.writeHead(400).end(error.message)
    }
  }
}

/** @param callback the function of a script that reads it (JSONP), or null */
function send(response: ServerResponse, json: string, callback: string | null): void {
  if (callback === null || !/^[\w$.]+$/.test(callback)) {
    response.setHeader('content-type', 'application/json')
    response.end(json)
  } else {
    response.setHeader('content-type', 'application/javascript')
    response.end(`${callback}(${json.trimEnd()})`)
  }
}

function listOfPages(): string {
  const links = [...PATHS.keys()].map((path) => `<li><a href=".${path}">${path.slice(1)}</a></li>`)
  return `<!DOCTYPE html><title>NATS</title><ul>${links.join('')}</ul>\n`
}

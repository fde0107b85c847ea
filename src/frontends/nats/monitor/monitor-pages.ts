import { accountz, subsz } from './account-pages.ts'
import { connz } from './connz.ts'
import type { MonitoredServer, PageOptions } from './monitored-server.ts'
import { statsz, varz } from './varz.ts'

type Page = (server: MonitoredServer, options: PageOptions) => object

/** Pages by the names that requests have. */
export const PAGES: Readonly<Record<string, Page>> = {
  VARZ: varz,
  CONNZ: connz,
  SUBSZ: subsz,
  ACCOUNTZ: accountz,
  STATSZ: statsz,
  HEALTHZ: () => ({ status: 'ok', status_code: 200 }),
  JSZ: ({ jetStream, frontend, nowMs }, options) => ({
    server_id: frontend.serverId,
    now: new Date(nowMs).toISOString(),
    ...(jetStream?.page(options) ?? { disabled: true }),
  }),
  IDZ: ({ frontend, host }) => ({ name: frontend.serverName, host, id: frontend.serverId }),
  ROUTEZ: emptyPage('num_routes', 'routes'),
  LEAFZ: emptyPage('leafnodes', 'leafs'),
  GATEWAYZ: ({ frontend, nowMs }) => ({
    server_id: frontend.serverId,
    now: new Date(nowMs).toISOString(),
    outbound_gateways: {},
    inbound_gateways: {},
  }),
}

/** Of what a single server has none. */
function emptyPage(countName: string, listName: string): Page {
  return ({ frontend, nowMs }) => ({
    server_id: frontend.serverId,
    now: new Date(nowMs).toISOString(),
    [countName]: 0,
    [listName]: [],
  })
}

/** The paths of the pages, and the names that requests have for them. */
export const PATHS: ReadonlyMap<string, string> = new Map([
  ['/varz', 'VARZ'],
  ['/connz', 'CONNZ'],
  ['/subsz', 'SUBSZ'],
  ['/subscriptionsz', 'SUBSZ'],
  ['/accountz', 'ACCOUNTZ'],
  ['/healthz', 'HEALTHZ'],
  ['/jsz', 'JSZ'],
  ['/routez', 'ROUTEZ'],
  ['/leafz', 'LEAFZ'],
  ['/gatewayz', 'GATEWAYZ'],
])

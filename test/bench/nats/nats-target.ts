import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { installNatsServer } from '../../conformance/peers/nats.ts'
import { ServerProcess } from '../../conformance/support/server-process.ts'
import { waitUntil } from './wait-until.ts'

export type NatsKind = 'nats-server' | 'spool'

/** Both servers let this user in, and look at what it may do for each message. */
export const BENCH_USER = { user: 'bench', password: 'bench' } as const

/** The server has this core for itself; its clients have the others. */
const SERVER_CORE = '0'
const START_LIMIT_MS = 60_000

/** The cores for what loads a server. On a machine with one core that is the same one. */
export function clientCores(): string {
  const last = availableParallelism() - 1
  return last === 0 ? SERVER_CORE : `1-${last}`
}

export interface NatsTarget {
  readonly kind: NatsKind
  /** HOST:PORT for clients. */
  readonly address: string
  readonly pid: number
  /** Subscriptions of all clients that are connected now. */
  subscriptionCount(): Promise<number>
  /** Ends the server and removes its files. */
  stop(): Promise<void>
}

/**
 * The configuration of both, read by Spool's own `nats-server`: with permissions and with statistics,
 * and durable before the acknowledgement, which Spool is without being told.
 */
function configuration(directory: string): string {
  const rights = '{ allow: [">"], deny: ["denied.>"] }'
  const user = `user: ${BENCH_USER.user}, password: ${BENCH_USER.password}`
  return [
    'listen: "127.0.0.1:-1"',
    'http: "127.0.0.1:-1"',
    `ports_file_dir: "${directory}"`,
    `jetstream { store_dir: "${join(directory, 'data')}", sync_interval: always }`,
    'authorization {',
    `  users: [ { ${user}, permissions: { publish: ${rights}, subscribe: ${rights} } } ]`,
    '}',
    '',
  ].join('\n')
}

/**
 * Starts a server with an empty directory on one core and waits until it serves.
 * @throws Error with its output if it does not come up
 */
export async function startNatsTarget(kind: NatsKind, profileDir?: string): Promise<NatsTarget> {
  const directory = await mkdtemp(join(tmpdir(), `spool-bench-${kind}-`))
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true })
  const file = join(directory, 'server.conf')
  await writeFile(file, configuration(directory))
  const command = await commandOf(kind, profileDir)
  const server = new ServerProcess('taskset', ['-c', SERVER_CORE, ...command, '-c', file])
  try {
    await server.waitFor(/Server is ready/, START_LIMIT_MS)
    const ports = await readPorts(directory)
    return {
      kind,
      address: new URL(ports.nats).host,
      pid: server.child.pid ?? -1,
      subscriptionCount: () => subscriptionCount(ports.monitoring),
      stop: async () => {
        await server.stop()
        await remove()
      },
    }
  } catch (error) {
    await server.stop('SIGKILL')
    await remove()
    throw error
  }
}

async function commandOf(kind: NatsKind, profileDir: string | undefined): Promise<string[]> {
  if (kind === 'nats-server') return [await installNatsServer()]
  const main = join(import.meta.dirname, '..', '..', '..', 'bin', 'nats-server.mjs')
  const flags = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  return [process.execPath, ...flags, main]
}

interface Ports {
  readonly nats: string
  readonly monitoring: string
}

/** The file appears soon after the word that the server is ready. */
async function readPorts(directory: string): Promise<Ports> {
  let ports: Ports | undefined
  await waitUntil('the file with the ports', async () => {
    const name = (await readdir(directory)).find((one) => one.endsWith('.ports'))
    const text = name === undefined ? '' : await readFile(join(directory, name), 'utf8')
    if (!text.trimEnd().endsWith('}')) return false
    const { nats, monitoring } = JSON.parse(text) as Record<keyof Ports, string[]>
    ports = { nats: nats[0] ?? '', monitoring: monitoring[0] ?? '' }
    return true
  })
  return ports as Ports
}

async function subscriptionCount(monitor: string): Promise<number> {
  const response = await fetch(`${monitor}/connz`)
  const page = (await response.json()) as { connections: { subscriptions: number }[] }
  return page.connections.reduce((sum, { subscriptions }) => sum + subscriptions, 0)
}

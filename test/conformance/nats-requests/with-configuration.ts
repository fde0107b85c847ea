import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { installNatsServer } from '../peers/nats.ts'
import { ServerProcess } from '../support/server-process.ts'

/** A server that runs on a configuration of nats-server. */
export interface ConfiguredServer {
  /** HOST:PORT of its NATS port, and of its WebSocket port if the configuration has one. */
  readonly nats: string
  readonly webSocket: string
}

const START_LIMIT_MS = 60_000
const OURS = new URL('../../../bin/nats-server.mjs', import.meta.url).pathname

/**
 * Starts nats-server, then Spool under its name, on the same configuration, and talks to each.
 * @param configuration without `listen` and where streams are; or what makes it as a server starts
 * @returns what the talks returned
 */
export async function onConfiguration<T>(
  configuration: string | (() => string),
  talk: (server: ConfiguredServer) => Promise<T>,
): Promise<{ readonly ours: T; readonly theirs: T }> {
  const made = typeof configuration === 'string' ? () => configuration : configuration
  const theirs = await on([await installNatsServer()], made(), talk)
  const ours = await on([process.execPath, OURS], made(), talk)
  return { ours, theirs }
}

/** Whether nats-server and Spool start on a configuration: what they say if they do not. */
export async function startOn(
  configuration: string,
): Promise<{ readonly ours: string; readonly theirs: string }> {
  const outcome = ([program = '', ...args]: readonly string[]): Promise<string> =>
    on([program, ...args], configuration, async () => 'ready').catch(
      (error: Error) => error.message,
    )
  return {
    theirs: await outcome([await installNatsServer()]),
    ours: await outcome([process.execPath, OURS]),
  }
}

async function on<T>(
  [program = '', ...args]: readonly string[],
  configuration: string,
  talk: (server: ConfiguredServer) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-nats-'))
  const file = join(directory, 'nats.conf')
  await writeFile(file, `listen: "127.0.0.1:-1"\nports_file_dir: "${directory}"\n${configuration}`)
  const server = new ServerProcess(program, [...args, '-c', file, '-sd', join(directory, 'data')])
  try {
    await server.waitFor(/Server is ready/, START_LIMIT_MS)
    const ports = await portsIn(join(directory, `nats-server_${server.child.pid}.ports`))
    const hostOf = (name: string): string => {
      const [url] = ports[name] ?? []
      return url === undefined ? '' : new URL(url).host
    }
    return await talk({ nats: hostOf('nats'), webSocket: hostOf('websocket') })
  } finally {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** They are written a moment after the server said that it is ready. */
async function portsIn(file: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const limit = AbortSignal.timeout(START_LIMIT_MS)
  for (;;) {
    const text = await readFile(file, 'utf8').catch(() => '')
    if (text.endsWith('}')) return JSON.parse(text)
    if (limit.aborted) throw new Error(`${file} was not written`)
    await setTimeout(10)
  }
}

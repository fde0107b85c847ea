import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ServerProcess } from '../../support/server-process.ts'

/** Parts of a configuration, by where they belong. */
export type Snippets = Readonly<Record<string, string>>

export interface ServerFacts {
  readonly name: string
  /** The file `nats-server`. */
  readonly program: string
  /** For its configuration and its data; of its own. */
  readonly directory: string
  readonly port: number
  /** Ports that a snippet may name. */
  readonly ports: Readonly<Record<string, number>>
  readonly jetstream: boolean
}

const START_LIMIT_MS = 20_000
const RELOAD_MS = 200
const ACCOUNT_COUNT = 5

/** One server of a test. */
export class TestedServer {
  readonly #facts: ServerFacts
  #snippets: Snippets
  #process: ServerProcess | null = null

  constructor(facts: ServerFacts, snippets: Snippets) {
    this.#facts = facts
    this.#snippets = snippets
  }

  get name(): string {
    return this.#facts.name
  }

  get description(): object {
    const { name, port, ports } = this.#facts
    const isWanted = (key: string): boolean => this.#snippets[key] !== undefined
    const wanted = Object.entries(ports).filter(([key]) => isWanted(key))
    const running = this.#process !== null
    return { name, cluster: '', port, ports: Object.fromEntries(wanted), running }
  }

  async start(): Promise<void> {
    if (this.#process !== null) return
    const { program } = this.#facts
    await this.#write()
    const server = new ServerProcess(program, ['-c', this.#file])
    this.#process = server
    try {
      await server.waitFor(/Server is ready/, START_LIMIT_MS)
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    const server = this.#process
    this.#process = null
    await server?.stop()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.#facts.directory, { recursive: true, force: true })
  }

  /** Holds from the next start or reload on. */
  async configure(snippets: Snippets): Promise<void> {
    this.#snippets = snippets
    await this.#write()
  }

  async reload(): Promise<void> {
    this.#process?.child.kill('SIGHUP')
    // It says in no way that a client could wait for that it has read the file.
    await new Promise((resolve) => setTimeout(resolve, RELOAD_MS))
  }

  get #file(): string {
    return join(this.#facts.directory, 'server.conf')
  }

  #write(): Promise<void> {
    return writeFile(this.#file, configurationOf(this.#facts, this.#snippets))
  }
}

/** What the tests expect of a server when they do not say otherwise: five accounts, one for who logs in as nobody. */
export function configurationOf(
  { name, directory, port, ports, jetstream }: ServerFacts,
  snippets: Snippets,
): string {
  const storeDir = join(directory, 'data')
  const jetStream = `jetstream { store_dir: "${storeDir}"\n${snippets['jetstream'] ?? ''} }`
  const text = [
    snippets['top'] ?? '',
    `server_name: ${name}`,
    `listen: 127.0.0.1:${port}`,
    jetstream ? jetStream : '',
    snippets['accounts'] ?? accounts(jetstream),
    snippets['system_account'] ?? 'system_account: "$SYS"',
    snippets['authorization'] ?? 'no_auth_user: user1',
    ...['tls', 'websocket', 'leafnode'].map((key) => snippets[key] ?? ''),
  ].join('\n')
  return text
    .replace(/\{\{\s*\.Ports\.(\w+)\s*\}\}/g, (_, key: string) => String(ports[key]))
    .replace(/\{\{\s*\.StoreDir\s*\}\}/g, storeDir)
}

function accounts(jetstream: boolean): string {
  const enabled = jetstream ? 'jetstream: enabled' : ''
  const lines = ['accounts {']
  for (let i = 1; i <= ACCOUNT_COUNT; i++) {
    lines.push(`USERS${i} { ${enabled}\nusers: [ { user: user${i}, password: pass${i} } ] }`)
  }
  lines.push('$SYS { users: [ { user: system, password: s3cret } ] }', '}')
  return lines.join('\n')
}

/** What a request to the tester says about the configuration of a server. */
export interface Snippets {
  readonly top?: string
  readonly jetstream?: string
  readonly accounts?: string
  readonly system_account?: string
  readonly authorization?: string
  readonly tls?: string
  readonly websocket?: string
  readonly leafnode?: string
}

export interface ServerPlace {
  readonly name: string
  readonly port: number
  /** Ports of other listeners, by the name of their snippet. */
  readonly ports: Readonly<Record<string, number>>
  readonly storeDir: string
}

const ACCOUNT_COUNT = 5
const SYSTEM_ACCOUNT = '$SYS'

/** The accounts that the tests count on: USERS1 to USERS5 with a user each, and one of the system. */
function usualAccounts(hasJetStream: boolean): string {
  const jetStream = hasJetStream ? 'jetstream: enabled, ' : ''
  const accounts = Array.from({ length: ACCOUNT_COUNT }, (_, index) => {
    const user = `{ user: user${index + 1}, password: pass${index + 1} }`
    return `USERS${index + 1}: { ${jetStream}users: [${user}] }`
  })
  const system = `${SYSTEM_ACCOUNT}: { users: [{ user: system, password: s3cret }] }`
  return `accounts {\n${[...accounts, system].join('\n')}\n}`
}

/** The configuration of a single server, as the tester of nats.go writes it. */
export function serverConfig(
  place: ServerPlace,
  hasJetStream: boolean,
  snippets: Snippets,
): string {
  const { name, port, ports, storeDir } = place
  const store = `store_dir: ${JSON.stringify(storeDir)}`
  const parts = [
    snippets.top,
    `server_name: ${name}`,
    `listen: 127.0.0.1:${port}`,
    hasJetStream ? `jetstream {\n${store}\n${snippets.jetstream ?? ''}\n}` : '',
    snippets.accounts ?? usualAccounts(hasJetStream),
    snippets.system_account ?? `system_account: ${JSON.stringify(SYSTEM_ACCOUNT)}`,
    snippets.authorization ?? 'no_auth_user: user1',
    snippets.tls,
    snippets.websocket,
    snippets.leafnode,
  ]
  return parts
    .filter((part) => part !== undefined && part !== '')
    .join('\n')
    .replace(/\{\{\s*\.Ports\.(\w+)\s*\}\}/g, (_, listener) => String(ports[listener]))
    .replace(/\{\{\s*\.StoreDir\s*\}\}/g, storeDir)
}

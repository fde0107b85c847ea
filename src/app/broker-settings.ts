import { readFileSync } from 'node:fs'
import { ConfigError } from '../base/errors.ts'
import { BrokerConfig } from '../broker/configs/broker-config.ts'
import { parseProperties } from '../broker/configs/properties.ts'
import {
  formatAddress,
  type ListenAddress,
  parseListenAddress,
  requireLoopback,
} from './listen-address.ts'

/** What the operator gave; what is left out comes from the config or is the default. */
export interface SettingsInput {
  /** A file in the format of Kafka's `server.properties`. */
  readonly configFile?: string
  /** `name=value` settings; they win over the file. */
  readonly settings?: ReadonlyMap<string, string>
  readonly dataDir?: string
  /** `HOST:PORT` */
  readonly kafka?: string
  /** `HOST:PORT`, or false for none. */
  readonly http?: string | false
  /** `HOST:PORT`, or false for none. */
  readonly nats?: string | false
  readonly allowAnonymous?: boolean
  /** The node that a data directory belongs to, for when no setting says which node this is. */
  readonly nodeIdOf?: (dataDir: string) => number | undefined
}

/** Everything a broker needs to know before it starts. */
export interface BrokerSettings {
  readonly config: BrokerConfig
  readonly dataDir: string
  readonly nodeId: number
  readonly kafka: ListenAddress
  /** null: no HTTP port. */
  readonly http: ListenAddress | null
  /** null: no NATS port. */
  readonly nats: ListenAddress | null
  /** Told to clients; null: the address each client connected to. */
  readonly advertised: ListenAddress | null
}

const DEFAULT_DATA_DIR = './spool-data'
const DEFAULT_KAFKA = '127.0.0.1:9092'
const DEFAULT_HTTP = '127.0.0.1:8080'
const DEFAULT_NATS = '127.0.0.1:4222'
const DEFAULT_NODE_ID = 1

/** Where Kafka's built-in default is not what its own example file, and one node, want. */
const OWN_DEFAULTS: ReadonlyMap<string, string> = new Map([
  // Waiting for more members makes every first consumer 3 s slower.
  ['group.initial.rebalance.delay.ms', '0'],
])

/**
 * Puts the settings together: defaults, then the file, then `settings`, then the other fields.
 * @throws ConfigError naming the first thing that can't be used and the remedy
 */
export function loadSettings(input: SettingsInput): BrokerSettings {
  const given = new Map(OWN_DEFAULTS)
  if (input.configFile !== undefined) {
    for (const [name, value] of readConfigFile(input.configFile)) given.set(name, value)
  }
  for (const [name, value] of input.settings ?? []) given.set(name, value)
  // Checks all names and values before anything is made of them.
  const checked = new BrokerConfig(given)
  const dataDir = input.dataDir ?? dataDirOf(given) ?? DEFAULT_DATA_DIR
  if (checked.getList('cordoned.log.dirs').length > 0) {
    throw new ConfigError(
      'cordoned.log.dirs would close the only data directory to new topics: take it out',
    )
  }
  const nodeId = givenNodeId(given) ?? input.nodeIdOf?.(dataDir) ?? DEFAULT_NODE_ID
  const kafka = kafkaAddressOf(input, given, checked)
  const http =
    input.http === false ? null : parseListenAddress(input.http ?? DEFAULT_HTTP, '--http')
  const nats =
    input.nats === false ? null : parseListenAddress(input.nats ?? DEFAULT_NATS, '--nats')
  const allowAnonymous = input.allowAnonymous ?? false
  requireLoopback(kafka, allowAnonymous)
  for (const address of [http, nats]) {
    if (address !== null) requireLoopback(address, allowAnonymous)
  }
  const advertised = advertisedOf(given)
  // What clients read with DescribeConfigs is what holds.
  given.set('log.dirs', dataDir)
  given.set('node.id', String(nodeId))
  given.set('listeners', `PLAINTEXT://${formatAddress(kafka)}`)
  return { config: new BrokerConfig(given), dataDir, nodeId, kafka, http, nats, advertised }
}

/** Reads `name=value`. */
export function parseSetting(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new ConfigError(`--set "${text}" is not name=value`)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

function readConfigFile(path: string): Map<string, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'is not there' : `can't be read (${code})`
    throw new ConfigError(`the config file ${path} ${reason}`, { cause: error })
  }
  return parseProperties(text)
}

function dataDirOf(given: ReadonlyMap<string, string>): string | undefined {
  const text = given.get('log.dirs') ?? given.get('log.dir')
  if (text === undefined) return undefined
  const directories = text.split(',').map((directory) => directory.trim())
  const [directory] = directories
  if (directory === undefined || directory === '' || directories.length > 1) {
    throw new ConfigError(`log.dirs=${text} must name exactly one directory`)
  }
  return directory
}

/** Kafka has two names for it; the newer one wins. A negative one asks to be given one. */
function givenNodeId(given: ReadonlyMap<string, string>): number | undefined {
  const text = given.get('node.id') ?? given.get('broker.id')
  return text === undefined || Number(text) < 0 ? undefined : Number(text)
}

interface NamedListener {
  readonly name: string
  readonly address: ListenAddress
}

/** Reads `NAME://HOST:PORT,…`. */
function parseListeners(text: string, configName: string): NamedListener[] {
  return text.split(',').map((entry) => {
    const match = /^([A-Za-z][\w.-]*):\/\/(.*)$/.exec(entry.trim())
    if (match === null) {
      throw new ConfigError(`${configName} "${entry.trim()}" is not NAME://HOST:PORT`)
    }
    const [, name = '', address = ''] = match
    return { name, address: parseListenAddress(address, configName) }
  })
}

function kafkaAddressOf(
  input: SettingsInput,
  given: ReadonlyMap<string, string>,
  config: BrokerConfig,
): ListenAddress {
  if (input.kafka !== undefined) return parseListenAddress(input.kafka, '--kafka')
  const text = given.get('listeners')
  if (text === undefined) return parseListenAddress(DEFAULT_KAFKA, '--kafka')
  // One process is the whole cluster, so there is nobody to reach a controller.
  const controllers = config.getList('controller.listener.names')
  const listeners = parseListeners(text, 'listeners').filter(
    ({ name }) => !controllers.includes(name),
  )
  const [listener] = listeners
  if (listener === undefined || listeners.length > 1) {
    throw new ConfigError(`listeners=${text} must have exactly one listener for clients`)
  }
  const protocols = new Map(
    config.getList('listener.security.protocol.map').map((entry) => {
      const [name = '', protocol = ''] = entry.split(':')
      return [name, protocol] as const
    }),
  )
  const protocol = protocols.get(listener.name) ?? listener.name
  if (protocol !== 'PLAINTEXT') {
    throw new ConfigError(
      `the listener ${listener.name} wants ${protocol}: only PLAINTEXT is served`,
    )
  }
  return listener.address
}

function advertisedOf(given: ReadonlyMap<string, string>): ListenAddress | null {
  const text = given.get('advertised.listeners')
  if (text === undefined || text === '') return null
  const [first] = parseListeners(text, 'advertised.listeners')
  if (first === undefined || first.address.host === '0.0.0.0' || first.address.port === 0) {
    throw new ConfigError(`advertised.listeners=${text} must name a host and a port`)
  }
  return first.address
}

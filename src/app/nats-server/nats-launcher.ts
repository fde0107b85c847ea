import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { MemoryFileSystem } from '../../adapters/memory-file-system.ts'
import { ConfigError } from '../../base/errors.ts'
import type { Logger } from '../../ports/logger.ts'
import { loadSettings } from '../broker-settings.ts'
import { nodeIdOnDisk } from '../data-directory/node-on-disk.ts'
import { formatAddress, type ListenAddress } from '../listen-address.ts'
import { type RunningBroker, startBroker } from '../start-broker.ts'
import { parseConfFile } from './conf-parser.ts'
import { ConfReader } from './conf-reader.ts'
import { type NatsFlags, type NatsServerOptions, readNatsOptions } from './nats-options.ts'

export interface LaunchOptions {
  readonly configFile: string | undefined
  readonly flags: NatsFlags
  readonly logger: Logger
}

/** Data directory of a broker whose data is in memory. */
const MEMORY_DIRECTORY = '/spool'

/** Programs that read a configuration of nats-server need no Kafka port, but a broker has one. */
const KAFKA = '127.0.0.1:0'

/** A broker that is started, told and stopped as nats-server is. */
export class NatsLauncher {
  readonly options: NatsServerOptions
  readonly #launch: LaunchOptions
  readonly #broker: RunningBroker

  private constructor(launch: LaunchOptions, options: NatsServerOptions, broker: RunningBroker) {
    this.#launch = launch
    this.options = options
    this.#broker = broker
  }

  /** @throws ConfigError, StorageError for what can't be used */
  static async start(launch: LaunchOptions): Promise<NatsLauncher> {
    const options = readOptions(launch)
    const { storeDir, settings } = options
    if (storeDir !== null) mkdirSync(storeDir, { recursive: true })
    const brokerSettings = loadSettings({
      dataDir: storeDir ?? MEMORY_DIRECTORY,
      kafka: KAFKA,
      http: false,
      nats: formatAddress(settings.address),
      // Whom it lets in is what its configuration says, as in nats-server.
      allowAnonymous: true,
      ...(storeDir !== null && { nodeIdOf: nodeIdOnDisk }),
    })
    const broker = await startBroker({
      settings: brokerSettings,
      logger: launch.logger,
      nats: settings,
      ...(storeDir === null && { fs: new MemoryFileSystem() }),
    })
    const launcher = new NatsLauncher(launch, options, broker)
    launcher.#writeFiles()
    return launcher
  }

  get addresses(): {
    readonly nats: ListenAddress | null
    readonly webSocket: ListenAddress | null
    readonly monitor: ListenAddress | null
  } {
    const { natsServer } = this.#broker
    return {
      nats: this.#broker.nats,
      webSocket: natsServer?.webSocketAddress ?? null,
      monitor: natsServer?.monitorAddress ?? null,
    }
  }

  /** Reads the configuration again. What is wrong with it is said, and changes nothing. */
  reload(): void {
    const { settings } = readOptions(this.#launch)
    this.#broker.natsServer?.reload(settings)
  }

  /** @param closed all clients are gone */
  async enterLameDuck(closed: () => void): Promise<void> {
    await this.#broker.natsServer?.enterLameDuck(closed)
  }

  async stop(): Promise<void> {
    rmSync(this.#portsFile() ?? '', { force: true })
    await this.#broker.stop()
  }

  #portsFile(): string | null {
    const { portsFileDir } = this.options
    return portsFileDir === null ? null : join(portsFileDir, `nats-server_${process.pid}.ports`)
  }

  #writeFiles(): void {
    const { pidFile } = this.options
    if (pidFile !== null) writeFileSync(pidFile, String(process.pid))
    const path = this.#portsFile()
    if (path === null) return
    const { nats, webSocket, monitor } = this.addresses
    const isSecure = this.options.settings.tls !== null
    const webSocketScheme = this.options.settings.webSocket?.tls === null ? 'ws' : 'wss'
    const ports = {
      nats: urlsOf(isSecure ? 'tls' : 'nats', nats),
      monitoring: urlsOf('http', monitor),
      websocket: urlsOf(webSocketScheme, webSocket),
    }
    writeFileSync(path, JSON.stringify(ports))
  }
}

/** Source: portFile of nats-server, which lists each address that can be reached. */
function urlsOf(scheme: string, address: ListenAddress | null): string[] {
  if (address === null) return []
  const { host, port } = address
  if (host !== '0.0.0.0' && host !== '::') return [`${scheme}://${formatAddress(address)}`]
  const hosts = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ family }) => family === 'IPv4').map((one) => one.address),
  )
  return hosts.map((one) => `${scheme}://${one}:${port}`)
}

function readOptions({ configFile, flags }: LaunchOptions): NatsServerOptions {
  const surroundings = {
    readFile: (path: string, from: string) => {
      const full = from === '' ? resolve(path) : resolve(dirname(from), path)
      return { path: full, text: readText(full) }
    },
    environment: (name: string) => process.env[name],
  }
  const conf = configFile === undefined ? new Map() : parseConfFile(configFile, surroundings)
  return readNatsOptions(new ConfReader(conf, ''), flags)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`the configuration file ${path} can't be read`, { cause: error })
  }
}

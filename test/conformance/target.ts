import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installKafka, writeLog4j } from './peers/kafka.ts'
import { mustRun } from './support/command.ts'
import { freePorts } from './support/free-ports.ts'
import { ServerProcess } from './support/server-process.ts'

export type TargetKind = 'spool' | 'kafka'

export interface Target {
  readonly kind: TargetKind
  /** HOST:PORT, for clients. */
  readonly bootstrap: string
  /** HOST:PORT, for NATS clients; null: not served. */
  readonly nats: string | null
  readonly pid: number
  /** The directory that holds the partition directories. */
  readonly dataDir: string
  /** Ends the broker and keeps its files, for tools that read them. Returns the exit status. */
  shutdown(): Promise<number | null>
  /** Milliseconds from the start of the broker's process to its word that it serves. */
  readonly startMs: number
  /** Ends the broker with SIGKILL and keeps its files. */
  kill(): Promise<void>
  /** Ends the broker and removes its files, unless the caller chose the directory. */
  stop(): Promise<void>
}

export interface TargetOptions {
  /** Broker settings by their Kafka names, over those all targets of this tier get. */
  readonly config?: Readonly<Record<string, string>>
  /** Start on this directory, made before, and never remove it; else on a new temporary one. */
  readonly directory?: string
  /** A port to listen on, such as that of a broker before; else a free one. */
  readonly port?: number
  /** Serve NATS as well, on a free port: Spool only. */
  readonly hasNats?: boolean
  /** What stands before the command of the broker: Spool only, to run it in other namespaces. */
  readonly wrapper?: readonly string[]
}

const START_LIMIT_MS = 120_000

/** Both brokers run with these, so that answers can be compared and nobody waits for stragglers. */
const COMMON_CONFIG: Readonly<Record<string, string>> = {
  'num.partitions': '1',
  'auto.create.topics.enable': 'true',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '100',
}

/** What Kafka needs besides to run on one node. */
const KAFKA_CONFIG: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '4',
}

/** Which broker this run of the tier is about; run.ts sets the variable. */
export function targetKind(): TargetKind {
  const { SPOOL_CONFORMANCE_TARGET } = process.env
  return SPOOL_CONFORMANCE_TARGET === 'kafka' ? 'kafka' : 'spool'
}

/**
 * Starts a broker with an empty data directory on a free loopback port and waits until it serves.
 * @throws Error with the broker's output if it does not come up
 */
export async function startTarget(kind: TargetKind, options: TargetOptions = {}): Promise<Target> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), `conformance-${kind}-`)))
  const remove = async (): Promise<void> => {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
  }
  const config = { ...COMMON_CONFIG, ...options.config }
  try {
    const start = kind === 'kafka' ? startKafka : startSpool
    const { server, bootstrap, dataDir, startMs } = await start(directory, config, options)
    return {
      kind,
      bootstrap,
      nats: /^nats (\S+)$/m.exec(server.output)?.[1] ?? null,
      pid: server.child.pid ?? -1,
      dataDir,
      startMs,
      shutdown: () => server.stop(),
      kill: async () => {
        await server.stop('SIGKILL')
      },
      stop: async () => {
        await server.stop()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

interface Started {
  readonly server: ServerProcess
  readonly bootstrap: string
  readonly dataDir: string
  readonly startMs: number
}

async function startSpool(
  directory: string,
  config: Readonly<Record<string, string>>,
  { wrapper = [], port = 0, hasNats = false }: TargetOptions,
): Promise<Started> {
  const main = join(import.meta.dirname, '..', '..', 'bin', 'spool.mjs')
  const nats = hasNats ? ['--nats', '127.0.0.1:0'] : ['--no-nats']
  const listeners = ['--kafka', `127.0.0.1:${port}`, ...nats, '--no-http']
  const settings = Object.entries(config).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const serve = [main, 'serve', '--data-dir', directory, ...listeners, ...settings]
  const [program = '', ...args] = [...wrapper, process.execPath, ...serve]
  const startedAt = performance.now()
  const server = new ServerProcess(program, args)
  try {
    const listener = await server.waitFor(/kafka.*?(\d+\.\d+\.\d+\.\d+:\d+)/, START_LIMIT_MS)
    await server.waitFor(/\bready\b/, START_LIMIT_MS)
    const startMs = performance.now() - startedAt
    return { server, bootstrap: listener[1] ?? '', dataDir: directory, startMs }
  } catch (error) {
    await server.stop('SIGKILL')
    throw error
  }
}

async function startKafka(
  directory: string,
  config: Readonly<Record<string, string>>,
  options: TargetOptions,
): Promise<Started> {
  const libs = await installKafka()
  const [freePort, controllerPort] = await freePorts(2)
  const bootstrap = `127.0.0.1:${options.port ?? freePort}`
  const controller = `127.0.0.1:${controllerPort}`
  const dataDir = join(directory, 'logs')
  const properties = {
    ...KAFKA_CONFIG,
    ...config,
    listeners: `PLAINTEXT://${bootstrap},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${bootstrap}`,
    'controller.quorum.voters': `1@${controller}`,
    'log.dirs': dataDir,
  }
  const file = join(directory, 'server.properties')
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`)
  await writeFile(file, `${lines.join('\n')}\n`)
  const log4j = join(directory, 'log4j2.properties')
  await writeLog4j(log4j, 'warn', 'kafka.server.KafkaRaftServer')

  const java = ['-cp', join(libs, '*'), `-Dlog4j2.configurationFile=${log4j}`, '-Xmx1g']
  const id = ['--cluster-id', 'U3Bvb2xDb25mb3JtYW5jZQ']
  const format = ['format', '--ignore-formatted', ...id, '--config', file]
  await mustRun('java', [...java, 'kafka.tools.StorageTool', ...format])
  const startedAt = performance.now()
  const server = new ServerProcess('java', [...java, 'kafka.Kafka', file])
  try {
    await server.waitFor(/Kafka Server started/, START_LIMIT_MS)
    return { server, bootstrap, dataDir, startMs: performance.now() - startedAt }
  } catch (error) {
    await server.stop('SIGKILL')
    throw error
  }
}

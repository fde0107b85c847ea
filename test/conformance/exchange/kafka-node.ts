import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { installKafka, writeLog4j } from '../peers/kafka.ts'
import { mustRun } from '../support/command.ts'
import { freePorts } from '../support/free-ports.ts'
import { ServerProcess } from '../support/server-process.ts'

/** How the voters of the controller are found: from the configuration, or from the log (KIP-853). */
export type Quorum = 'static' | 'dynamic'

export interface KafkaNodeOptions {
  /** The data directory, formatted when it has no meta.properties; other files go beside it. */
  readonly dataDir: string
  readonly quorum: Quorum
  readonly nodeId?: number
  /** Of the broker, on the loopback interface; a free one by default. */
  readonly port?: number
  readonly config?: Readonly<Record<string, string>>
}

/** A running broker or controller-and-broker on one data directory. */
export interface Node {
  readonly kind: 'kafka' | 'spool'
  readonly bootstrap: string
  readonly startMs: number
  /** All it has printed. */
  output(): string
  /** Asks it to end; returns its exit status. */
  stop(): Promise<number | null>
  kill(): Promise<void>
}

const START_LIMIT_MS = 120_000

const CONFIG: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
  // Without it there are no ACLs to exchange; nobody logs in here.
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'group.initial.rebalance.delay.ms': '0',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '4',
}

/**
 * Starts Apache Kafka on a data directory, on free loopback ports, and waits until it serves.
 * @throws Error with its output if it does not come up
 */
export async function startKafkaNode(options: KafkaNodeOptions): Promise<Node> {
  const { dataDir, quorum, nodeId = 1 } = options
  const libs = await installKafka()
  const [freePort, controllerPort] = await freePorts(2)
  const bootstrap = `127.0.0.1:${options.port ?? freePort}`
  const controller = `127.0.0.1:${controllerPort}`
  const voters =
    quorum === 'static'
      ? { 'controller.quorum.voters': `${nodeId}@${controller}` }
      : { 'controller.quorum.bootstrap.servers': controller }
  const properties = {
    ...CONFIG,
    ...options.config,
    ...voters,
    'node.id': String(nodeId),
    listeners: `PLAINTEXT://${bootstrap},CONTROLLER://${controller}`,
    'advertised.listeners': `PLAINTEXT://${bootstrap}`,
    'log.dirs': dataDir,
  }
  const home = dirname(dataDir)
  const file = join(home, 'server.properties')
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`)
  await writeFile(file, `${lines.join('\n')}\n`)
  const log4j = join(home, 'log4j2.properties')
  await writeLog4j(log4j, 'warn', 'kafka.server.KafkaRaftServer')
  const settings = ['-cp', join(libs, '*'), `-Dlog4j2.configurationFile=${log4j}`]
  // It lives for seconds, so what starts soon is what is fast.
  const java = [...settings, '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  if (!existsSync(join(dataDir, 'meta.properties'))) {
    const standalone = quorum === 'dynamic' ? ['--standalone'] : []
    const format = ['format', '--cluster-id', CLUSTER_ID, '--config', file, ...standalone]
    await mustRun('java', [...java, 'kafka.tools.StorageTool', ...format])
  }
  const startedAt = performance.now()
  const server = new ServerProcess('java', [...java, 'kafka.Kafka', file])
  try {
    await server.waitFor(/Kafka Server started/, START_LIMIT_MS)
  } catch (error) {
    await server.stop('SIGKILL')
    throw error
  }
  return nodeOf('kafka', server, bootstrap, performance.now() - startedAt)
}

const CLUSTER_ID = 'U3Bvb2xDb25mb3JtYW5jZQ'

function nodeOf(
  kind: Node['kind'],
  server: ServerProcess,
  bootstrap: string,
  startMs: number,
): Node {
  return {
    kind,
    bootstrap,
    startMs,
    output: () => server.output,
    stop: () => server.stop(),
    kill: async () => {
      await server.stop('SIGKILL')
    },
  }
}

/** Starts Spool from this checkout on a data directory, on a loopback port. */
export async function startSpoolNode(
  dataDir: string,
  port: number,
  config: Readonly<Record<string, string>> = {},
): Promise<Node> {
  const main = join(import.meta.dirname, '..', '..', '..', 'bin', 'spool.mjs')
  const settings = Object.entries({ ...SPOOL_CONFIG, ...config })
  const args = [
    ...[
      main,
      'serve',
      '--data-dir',
      dataDir,
      '--kafka',
      `127.0.0.1:${port}`,
      '--no-nats',
      '--no-http',
    ],
    ...settings.flatMap(([name, value]) => ['--set', `${name}=${value}`]),
  ]
  const startedAt = performance.now()
  const server = new ServerProcess(process.execPath, args)
  try {
    const listener = await server.waitFor(/kafka.*?(\d+\.\d+\.\d+\.\d+:\d+)/, START_LIMIT_MS)
    await server.waitFor(/\bready\b/, START_LIMIT_MS)
    return nodeOf('spool', server, listener[1] ?? '', performance.now() - startedAt)
  } catch (error) {
    await server.stop('SIGKILL')
    throw error
  }
}

const SPOOL_CONFIG = {
  'num.partitions': '1',
  'offsets.topic.num.partitions': '4',
}

import { type BrokerSettings, loadSettings, parseSetting } from '../../app/broker-settings.ts'
import { nodeIdOnDisk } from '../../app/data-directory/node-on-disk.ts'
import { formatAddress } from '../../app/listen-address.ts'
import { createPinoLogger, type LogLevel } from '../../app/logging.ts'
import { type RunningBroker, startBroker } from '../../app/start-broker.ts'
import { ConfigError } from '../../base/errors.ts'
import { ExitCode, usageFailure } from '../command-failure.ts'
import { boundYoungGeneration } from '../young-generation.ts'

export interface ServeOptions {
  readonly dataDir?: string
  readonly config?: string
  readonly set?: readonly string[]
  readonly kafka?: string
  readonly http: string | boolean
  readonly nats: string | boolean
  readonly allowAnonymous?: boolean
  readonly logLevel: LogLevel
}

/** Runs a broker until a signal ends it. Prints its addresses, then `ready in N ms`. */
export async function serve(options: ServeOptions): Promise<void> {
  boundYoungGeneration()
  const settings = settingsOf(options)
  const logger = createPinoLogger(options.logLevel)
  const broker = await startBroker({ settings, logger })
  const lines = [`kafka ${formatAddress(broker.kafka)}`]
  const others: string[] = []
  if (broker.nats !== null) others.push(`nats ${formatAddress(broker.nats)}`)
  if (broker.http !== null) others.push(`http ${formatAddress(broker.http)}`)
  if (others.length > 0) lines.push(others.join('  '))
  lines.push(`ready in ${Math.round(performance.now())} ms`)
  process.stdout.write(`${lines.join('\n')}\n`)
  stopOnSignals(broker)
  stopOnBugs()
}

function settingsOf(options: ServeOptions): BrokerSettings {
  try {
    return loadSettings({
      settings: new Map((options.set ?? []).map(parseSetting)),
      ...(options.config !== undefined && { configFile: options.config }),
      ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
      ...(options.kafka !== undefined && { kafka: options.kafka }),
      ...(options.http === true ? {} : { http: options.http }),
      ...(options.nats === true ? {} : { nats: options.nats }),
      allowAnonymous: options.allowAnonymous ?? false,
      nodeIdOf: nodeIdOnDisk,
    })
  } catch (error) {
    if (error instanceof ConfigError) throw usageFailure(error.message)
    throw error
  }
}

/** The first signal drains; a second one means now. */
function stopOnSignals(broker: RunningBroker): void {
  let isStopping = false
  const stop = (): void => {
    if (isStopping) process.exit(ExitCode.FAILURE)
    isStopping = true
    broker.stop().then(
      () => process.exit(0),
      (error: unknown) => fail('stopping failed', error),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/** Our own bug: what is on disk is safe, and recovery at the next start is the tested way. */
function stopOnBugs(): void {
  const stop = (error: unknown): void => fail('a bug stopped the broker', error)
  process.on('uncaughtException', stop)
  process.on('unhandledRejection', stop)
}

function fail(what: string, error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`spool: ${what}: ${text}\n`)
  process.exit(ExitCode.FAILURE)
}

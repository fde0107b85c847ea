import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeLog4j } from '../peers/kafka.ts'
import { installKafkaStreams } from '../peers/kafka-streams.ts'
import { mustRun } from '../support/command.ts'
import { ServerProcess } from '../support/server-process.ts'
import { startTarget, type Target, type TargetKind } from '../target.ts'

export interface StreamsRunOptions {
  readonly kind: TargetKind
  /** `copy`: each record as it is; `count`: how often each word came. */
  readonly topology: 'copy' | 'count'
  readonly recordCount: number
  /** `streams`: KIP-1071; tasks are placed, and internal topics made, by the broker. */
  readonly protocol?: 'classic' | 'streams'
  /** How often something is killed while the application works. */
  readonly killCount: number
  readonly log?: (line: string) => void
}

export interface OutputRecord {
  readonly partition: number
  readonly key: string
  readonly value: string
}

export const PARTITION_COUNT = 3
export const WORD_COUNT = 20
/** How long the application takes for a record, so that something is open whenever it is killed. */
const RECORD_MS = 1
const START_LIMIT_MS = 60_000
/** As quick to see that a member is gone as the classic members are, whose clients say so. */
const BROKER_CONFIG = {
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '1000',
  'group.streams.min.session.timeout.ms': '1000',
  'group.streams.session.timeout.ms': '3000',
  'group.streams.min.heartbeat.interval.ms': '100',
  'group.streams.heartbeat.interval.ms': '500',
  'group.streams.initial.rebalance.delay.ms': '0',
}
const STEP_LIMIT_MS = 150_000

/**
 * Runs a topology with exactly_once_v2 while the application and the broker are killed in turn.
 * @returns all committed records of its output
 */
export async function runStreams(options: StreamsRunOptions): Promise<readonly OutputRecord[]> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-streams-'))
  const run = new StreamsRun(options, directory)
  try {
    return await run.run()
  } finally {
    await run.end()
    await rm(directory, { recursive: true, force: true })
  }
}

class StreamsRun {
  readonly #options: StreamsRunOptions
  readonly #directory: string
  #java: readonly string[] = []
  #target: Target | undefined
  #app: ServerProcess | undefined

  constructor(options: StreamsRunOptions, directory: string) {
    this.#options = options
    this.#directory = directory
  }

  async run(): Promise<readonly OutputRecord[]> {
    const { topology, recordCount, killCount } = this.#options
    await mkdir(join(this.#directory, 'broker'))
    const log4j = join(this.#directory, 'log4j2.properties')
    await writeLog4j(log4j, 'error')
    const logging = `-Dlog4j2.configurationFile=${log4j}`
    const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', logging]
    this.#java = [...jvm, '-cp', await installKafkaStreams(), 'StreamsApp']
    this.#target = await this.#startBroker()
    await this.#tool('create', 'in', PARTITION_COUNT)
    await this.#tool('create', 'out', PARTITION_COUNT)
    const step = Math.ceil(recordCount / (killCount + 1))
    for (let kill = 0; kill <= killCount; kill++) {
      const end = Math.min(recordCount, (kill + 1) * step)
      await this.#tool('fill', 'in', kill * step, end, WORD_COUNT)
      if (this.#app === undefined) await this.#startApp()
      if (kill === killCount) break
      // Half of what is new is committed, and more is under way.
      await this.#until(Math.floor((kill + 0.5) * step))
      if (kill % 2 === 0) await this.#killApp()
      else await this.#killBroker()
    }
    await this.#until(recordCount)
    this.#log('all is committed')
    await this.#app?.stop()
    return parseOutput(await this.#tool(topology === 'copy' ? 'read' : 'total', 'out', recordCount))
  }

  async end(): Promise<void> {
    await this.#app?.stop('SIGKILL')
    await this.#target?.stop()
  }

  async #startBroker(): Promise<Target> {
    const bootstrap = this.#target?.bootstrap.split(':')[1]
    return startTarget(this.#options.kind, {
      config: BROKER_CONFIG,
      directory: join(this.#directory, 'broker'),
      ...(bootstrap !== undefined && { port: Number(bootstrap) }),
    })
  }

  async #startApp(): Promise<void> {
    const { topology, protocol = 'classic' } = this.#options
    const names = [topology, 'streams-app', 'in', 'out', join(this.#directory, 'state')]
    const app = new ServerProcess('java', this.#arguments(...names, RECORD_MS, protocol))
    this.#app = app
    await app.waitFor(/state RUNNING/, START_LIMIT_MS)
    this.#log('the application runs')
  }

  async #killApp(): Promise<void> {
    await this.#app?.stop('SIGKILL')
    this.#app = undefined
    this.#log('the application is killed')
  }

  async #killBroker(): Promise<void> {
    await this.#target?.kill()
    this.#log('the broker is killed')
    this.#target = await this.#startBroker()
    this.#log('the broker is back')
  }

  #until(count: number): Promise<string> {
    return this.#tool(this.#options.topology === 'copy' ? 'read' : 'total', 'out', count)
  }

  #tool(...args: readonly (string | number)[]): Promise<string> {
    return mustRun('java', this.#arguments(...args), { limitMs: STEP_LIMIT_MS })
  }

  #arguments(...args: readonly (string | number)[]): string[] {
    return [...this.#java, this.#target?.bootstrap ?? '', ...args.map(String)]
  }

  #log(line: string): void {
    this.#options.log?.(line)
  }
}

function parseOutput(output: string): OutputRecord[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [partition = '', key = '', value = ''] = line.split('\t')
      return { partition: Number(partition), key, value }
    })
}

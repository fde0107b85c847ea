import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ErrorCode, errorName } from '../../src/base/error-code.ts'
import { Codec } from '../../src/records/record-batch.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { startTarget, type Target, type TargetKind } from '../conformance/target.ts'
import { untilServing } from '../support/end-offset.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'
import { OffsetCommitter, TopicChurn } from './coordinator-load.ts'
import { LoadProducer, type ProducerKind } from './producer.ts'
import { SeededRandom } from './random.ts'
import { tearTail } from './torn-tail.ts'
import { checkEndOffsets, verifyTopic } from './verify.ts'

const TOPIC = 'crash'
const PRODUCERS: readonly ProducerKind[] = ['all', 'all', 'one', 'idempotent', 'idempotent']
const SHOWN_PROBLEMS = 10

export interface RoundOptions {
  readonly kind: TargetKind
  readonly seed: number
  readonly killCount: number
}

export interface RoundResult {
  readonly recordCount: number
  readonly ackedCount: number
  readonly retriedBatchCount: number
  readonly commitCount: number
  readonly slowestStartMs: number
}

/** What a seed decides about a round. */
interface Plan {
  readonly random: SeededRandom
  readonly partitionCount: number
  readonly topicConfig: Readonly<Record<string, string>>
  readonly brokerConfig: Readonly<Record<string, string>>
  readonly producers: readonly LoadProducer[]
}

/**
 * Runs one broker directory through several kills and compares what is in it at the end with what
 * clients were told.
 * @throws Error with the first problems, the history and the directory, which is kept
 */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const directory = await mkdtemp(join(tmpdir(), 'spool-crash-'))
  const round = new Round(options, directory)
  try {
    const result = await round.run()
    await rm(directory, { recursive: true, force: true })
    return result
  } catch (error) {
    const history = round.history.map((line) => `  ${line}`).join('\n')
    const text = `${(error as Error).message}\nhistory:\n${history}\ndata directory: ${directory}`
    throw new Error(text, { cause: error })
  } finally {
    await round.end()
  }
}

function planRound({ kind, seed }: RoundOptions): Plan {
  const random = new SeededRandom(seed)
  const partitionCount = random.between(1, 3)
  const topicConfig = random.chance(0.6) ? { 'segment.bytes': '1048576' } : {}
  const durability = random.chance(0.7) ? 'fsync' : 'os'
  const producers = PRODUCERS.map((producerKind, index) => {
    const producerOptions = {
      index,
      kind: producerKind,
      topic: TOPIC,
      partitionCount,
      window: random.between(1, 5),
      codec: random.pick([Codec.NONE, Codec.NONE, Codec.NONE, Codec.LZ4, Codec.ZSTD]),
      maxRecordCount: random.pick([1, 5, 40]),
      maxValueBytes: random.pick([20, 200, 2000]),
      mayForgetOldBatches: kind === 'kafka',
    }
    return new LoadProducer(producerOptions, new SeededRandom(random.between(0, 2 ** 31)))
  })
  const brokerConfig = kind === 'spool' ? { 'spool.durability': durability } : {}
  return { random, partitionCount, topicConfig, brokerConfig, producers }
}

class Round {
  readonly history: string[] = []
  readonly #options: RoundOptions
  readonly #directory: string
  readonly #plan: Plan
  readonly #committer = new OffsetCommitter(TOPIC)
  readonly #churn = new TopicChurn()
  readonly #connections: KafkaConnection[] = []
  #target: Target | undefined
  #slowestStartMs = 0

  constructor(options: RoundOptions, directory: string) {
    this.#options = options
    this.#directory = directory
    this.#plan = planRound(options)
    const { partitionCount, topicConfig, brokerConfig } = this.#plan
    this.history.push(JSON.stringify({ partitionCount, ...topicConfig, ...brokerConfig }))
  }

  async run(): Promise<RoundResult> {
    await this.#start()
    await this.#prepare()
    for (let kill = 1; kill <= this.#options.killCount; kill++) {
      await this.#loadAndKill(kill)
      await this.#start()
      await this.#checkAfterRestart()
    }
    await this.#finishLoad()
    await this.#verify()
    await this.#restartCleanly()
    await this.#verify()
    return this.#result()
  }

  /** Leaves no process behind, however the round went. */
  async end(): Promise<void> {
    await this.#closeConnections()
    await this.#target?.kill()
  }

  async #start(): Promise<void> {
    const { kind } = this.#options
    const config = this.#plan.brokerConfig
    this.#target = await startTarget(kind, { config, directory: this.#directory })
    this.#slowestStartMs = Math.max(this.#slowestStartMs, this.#target.startMs)
    this.history.push(`start on ${this.#target.bootstrap}`)
  }

  async #prepare(): Promise<void> {
    const { partitionCount, topicConfig, producers } = this.#plan
    const connection = await this.#connect()
    const configs = Object.entries(topicConfig).map(([name, value]) => ({ name, value }))
    const topic = { name: TOPIC, numPartitions: partitionCount, replicationFactor: 1 }
    const answer = await connection.call(createTopicsApi, 5, {
      topics: [{ ...topic, assignments: [], configs }],
    })
    const errorCode = answer.topics[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (errorCode !== 0) throw new Error(`CreateTopics: ${errorName(errorCode)}`)
    await untilServing(connection, TOPIC, this.#plan.partitionCount)
    for (const producer of producers) await producer.initialize(connection)
  }

  /** Load on a connection each; SIGKILL at a random moment; then perhaps a torn tail. */
  async #loadAndKill(kill: number): Promise<void> {
    const { random, producers } = this.#plan
    const stopping = new AbortController()
    const loads = [
      ...producers.map(async (producer) => producer.run(await this.#connect())),
      this.#connect().then((connection) => this.#committer.run(connection, stopping.signal)),
      this.#connect().then((connection) => this.#churn.run(connection, stopping.signal)),
    ]
    const killAfterMs = random.between(30, 250)
    const broken = Promise.all(loads)
    // The loads end when the broker dies; one that ends before has found a problem.
    await Promise.race([delay(killAfterMs), broken])
    stopping.abort()
    await this.#target?.kill()
    await broken
    await this.#closeConnections()
    const sent = producers.reduce((sum, { count }) => sum + count, 0)
    this.history.push(`kill ${kill} after ${killAfterMs} ms, ${sent} records sent so far`)
    this.#failOn(producers.flatMap(({ problems }) => problems))
    await this.#tearTails()
  }

  async #tearTails(): Promise<void> {
    const { random, partitionCount } = this.#plan
    for (let partition = 0; partition < partitionCount; partition++) {
      if (!random.chance(0.4)) continue
      const directory = join(this.#target?.dataDir ?? '', `${TOPIC}-${partition}`)
      this.history.push(`partition ${partition}: ${await tearTail(directory, random)}`)
    }
  }

  async #checkAfterRestart(): Promise<void> {
    const connection = await this.#connect()
    await untilServing(connection, TOPIC, this.#plan.partitionCount)
    this.#failOn(await checkEndOffsets(connection, TOPIC, this.#plan.producers))
    this.#failOn(await this.#committer.check(connection))
    this.#failOn(await this.#churn.check(connection))
  }

  /** Lets idempotent producers send again what was never answered, so that all of it must be there. */
  async #finishLoad(): Promise<void> {
    const { producers } = this.#plan
    for (const producer of producers) producer.stop()
    await Promise.all(producers.map(async (producer) => producer.run(await this.#connect())))
    this.#failOn(producers.flatMap(({ problems }) => problems))
  }

  async #verify(): Promise<void> {
    const connection = await this.#connect()
    this.#failOn(await verifyTopic(connection, TOPIC, this.#plan.producers))
    this.#failOn(await this.#committer.check(connection))
    this.#failOn(await this.#churn.check(connection))
  }

  async #restartCleanly(): Promise<void> {
    await this.#closeConnections()
    const code = await this.#target?.shutdown()
    this.history.push(`clean stop with ${code}`)
    // Java reports the signal that ended it even after an orderly stop.
    if (code !== 0 && this.#options.kind === 'spool') throw new Error(`SIGTERM ended with ${code}`)
    await this.#start()
    await untilServing(await this.#connect(), TOPIC, this.#plan.partitionCount)
  }

  async #connect(): Promise<KafkaConnection> {
    const connection = await KafkaConnection.open(this.#target?.bootstrap ?? '')
    this.#connections.push(connection)
    return connection
  }

  async #closeConnections(): Promise<void> {
    await Promise.all(this.#connections.splice(0).map((connection) => connection.close()))
  }

  #failOn(problems: readonly string[]): void {
    if (problems.length === 0) return
    const shown = problems.slice(0, SHOWN_PROBLEMS).join('\n  ')
    throw new Error(`${problems.length} problems:\n  ${shown}`)
  }

  #result(): RoundResult {
    const { producers } = this.#plan
    const acked = producers.flatMap(({ batches }) => batches.filter((b) => b.ackedOffset >= 0))
    return {
      recordCount: producers.reduce((sum, { count }) => sum + count, 0),
      ackedCount: acked.reduce((sum, { recordCount }) => sum + recordCount, 0),
      retriedBatchCount: producers.reduce((sum, { retriedCount }) => sum + retriedCount, 0),
      commitCount: this.#committer.commitCount,
      slowestStartMs: this.#slowestStartMs,
    }
  }
}

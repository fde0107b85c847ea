import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorName } from '../../src/base/error-code.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { startTarget, type Target } from '../conformance/target.ts'
import { endOffsetOf, untilServing } from '../support/end-offset.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'

const PRODUCE_VERSION = 9
const TIMEOUT_MS = 120_000
const VALUE = Buffer.alloc(100, 1)
const KB_PER_MB = 1024

export interface ScaleOptions {
  readonly topicCount: number
  readonly partitionsPerTopic: number
  /** Batches to each partition. */
  readonly batchCount: number
  /** Hard limit of open files for the broker; null: that of this process. */
  readonly openFileLimit: number | null
}

/** What a step took and what the broker held after it. */
export interface ScaleStep {
  readonly step: string
  readonly milliseconds: number
  readonly residentMb: number
  readonly openFiles: number
}

/**
 * A broker with many partitions: creates them, produces to each, kills it, starts it, looks at each
 * end offset, stops it cleanly and starts it once more.
 * @throws Error at the first answer that is wrong
 */
export async function runManyPartitions(options: ScaleOptions): Promise<readonly ScaleStep[]> {
  const directory = await mkdtemp(join(tmpdir(), 'spool-scale-'))
  const run = new ManyPartitions(options, directory)
  try {
    await run.run()
    return run.steps
  } finally {
    await run.end()
    await rm(directory, { recursive: true, force: true })
  }
}

class ManyPartitions {
  readonly steps: ScaleStep[] = []
  readonly #options: ScaleOptions
  readonly #directory: string
  #target: Target | undefined
  #connection: KafkaConnection | undefined

  constructor(options: ScaleOptions, directory: string) {
    this.#options = options
    this.#directory = directory
  }

  async run(): Promise<void> {
    await this.#start('start on an empty directory')
    await this.#measure('create topics', () => this.#create())
    await this.#measure('produce to each partition', () => this.#produce())
    await this.#disconnect()
    await this.#target?.kill()
    await this.#start('start after kill -9')
    await this.#measure('ask each end offset', () => this.#check())
    await this.#disconnect()
    await this.#target?.shutdown()
    await this.#start('start after a clean stop')
    await this.#measure('ask each end offset again', () => this.#check())
  }

  async end(): Promise<void> {
    await this.#disconnect()
    await this.#target?.kill()
  }

  async #start(step: string): Promise<void> {
    const { openFileLimit } = this.#options
    const wrapper =
      openFileLimit === null ? [] : ['prlimit', `--nofile=${openFileLimit}:${openFileLimit}`]
    this.#target = await startTarget('spool', { directory: this.#directory, wrapper })
    this.#connection = await KafkaConnection.open(this.#target.bootstrap)
    this.#note(step, this.#target.startMs)
  }

  async #measure(step: string, work: () => Promise<void>): Promise<void> {
    const startedAt = performance.now()
    await work()
    this.#note(step, performance.now() - startedAt)
  }

  #note(step: string, milliseconds: number): void {
    const pid = this.#target?.pid
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const residentMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / KB_PER_MB
    const openFiles = readdirSync(`/proc/${pid}/fd`).length
    this.steps.push({ step, milliseconds, residentMb, openFiles })
  }

  async #disconnect(): Promise<void> {
    await this.#connection?.close()
    this.#connection = undefined
  }

  async #create(): Promise<void> {
    for (const name of this.#topics()) {
      const topic = { name, numPartitions: this.#options.partitionsPerTopic, replicationFactor: 1 }
      const answer = await this.#connected.call(createTopicsApi, 5, {
        topics: [{ ...topic, assignments: [], configs: [] }],
        timeoutMs: TIMEOUT_MS,
      })
      expectNone(`CreateTopics ${name}`, answer.topics[0]?.errorCode)
    }
  }

  async #produce(): Promise<void> {
    for (let count = 0; count < this.#options.batchCount; count++) {
      for (const name of this.#topics()) {
        const partitionData = this.#partitions().map((index) => ({
          index,
          records: buildBatch([{ timestamp: Date.now(), value: VALUE }], {}),
        }))
        const answer = await this.#connected.call(produceApi, PRODUCE_VERSION, {
          transactionalId: null,
          acks: -1,
          timeoutMs: TIMEOUT_MS,
          topicData: [{ name, partitionData }],
        })
        for (const { index, errorCode } of answer.responses[0]?.partitionResponses ?? [])
          expectNone(`Produce to ${name}-${index}`, errorCode)
      }
    }
  }

  async #check(): Promise<void> {
    for (const name of this.#topics()) {
      await untilServing(this.#connected, name, this.#options.partitionsPerTopic)
      for (const index of this.#partitions()) {
        const { errorCode, offset } = await endOffsetOf(this.#connected, name, index)
        expectNone(`ListOffsets of ${name}-${index}`, errorCode)
        if (offset !== this.#options.batchCount)
          throw new Error(`${name}-${index} ends at ${offset}, not ${this.#options.batchCount}`)
      }
    }
  }

  #topics(): string[] {
    return Array.from({ length: this.#options.topicCount }, (_, index) => `scale-${index}`)
  }

  #partitions(): number[] {
    return Array.from({ length: this.#options.partitionsPerTopic }, (_, index) => index)
  }

  get #connected(): KafkaConnection {
    if (this.#connection === undefined) throw new Error('the broker is not running')
    return this.#connection
  }
}

function expectNone(what: string, errorCode: number | undefined): void {
  if (errorCode !== 0) throw new Error(`${what}: ${errorName(errorCode ?? -1)}`)
}

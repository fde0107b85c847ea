import { errorName } from '../../src/base/error-code.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { endOffsetOf, untilServing } from '../support/end-offset.ts'
import type { KafkaConnection } from '../support/kafka-connection.ts'
import { MeasuredBroker, type ScaleStep } from './measured-broker.ts'

const PRODUCE_VERSION = 9
const TIMEOUT_MS = 120_000
const VALUE = Buffer.alloc(100, 1)

export interface ScaleOptions {
  readonly topicCount: number
  readonly partitionsPerTopic: number
  /** Batches to each partition. */
  readonly batchCount: number
  /** Hard limit of open files for the broker; null: that of this process. */
  readonly openFileLimit: number | null
}

/**
 * A broker with many partitions: creates them, produces to each, kills it, starts it, looks at each
 * end offset, stops it cleanly and starts it once more.
 * @throws Error at the first answer that is wrong
 */
export function runManyPartitions(options: ScaleOptions): Promise<readonly ScaleStep[]> {
  return MeasuredBroker.run(options.openFileLimit, (broker) =>
    new ManyPartitions(options, broker).run(),
  )
}

class ManyPartitions {
  readonly #options: ScaleOptions
  readonly #broker: MeasuredBroker

  constructor(options: ScaleOptions, broker: MeasuredBroker) {
    this.#options = options
    this.#broker = broker
  }

  async run(): Promise<void> {
    const broker = this.#broker
    await broker.start('start on an empty directory')
    await broker.measure('create topics', () => this.#create())
    await broker.measure('produce to each partition', () => this.#produce())
    await broker.kill()
    await broker.start('start after kill -9')
    await broker.measure('ask each end offset', () => this.#check())
    await broker.shutdown()
    await broker.start('start after a clean stop')
    await broker.measure('ask each end offset again', () => this.#check())
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
    return this.#broker.connection
  }
}

function expectNone(what: string, errorCode: number | undefined): void {
  if (errorCode !== 0) throw new Error(`${what}: ${errorName(errorCode ?? -1)}`)
}

import { setTimeout as delay } from 'node:timers/promises'
import { ErrorCode, errorName } from '../../src/base/error-code.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import type { Codec } from '../../src/records/record-batch.ts'
import { produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { initProducerIdApi } from '../../src/wire/kafka/messages/22-init-producer-id.ts'
import { ConnectionLost, type KafkaConnection } from '../support/kafka-connection.ts'
import type { SeededRandom } from './random.ts'

const PRODUCE_VERSION = 9
const INIT_PRODUCER_ID_VERSION = 4
const REQUEST_TIMEOUT_MS = 30_000
const RETRY_MS = 20
/** Every value starts with the producer's index and a count that grows by one per record. */
const VALUE_HEAD_BYTES = 8

/**
 * - `all`, `one`: acks=all and acks=1 without retries: nobody knows about a batch that was not answered.
 * - `idempotent`: acks=all, and what was not answered is sent again, sequence and all, until it is.
 */
export type ProducerKind = 'all' | 'one' | 'idempotent'

export interface SentBatch {
  readonly partition: number
  /** Count of the first record. */
  readonly firstCount: number
  readonly recordCount: number
  readonly bytes: Buffer
  /** Offset of the first record once the broker told; -1 before. */
  ackedOffset: number
}

export interface ProducerOptions {
  readonly index: number
  readonly kind: ProducerKind
  readonly topic: string
  readonly partitionCount: number
  readonly window: number
  readonly codec: Codec
  readonly maxRecordCount: number
  readonly maxValueBytes: number
  /** A retry of an old batch after the crash may be refused, which is Kafka's own behaviour. */
  readonly mayForgetOldBatches: boolean
  /** KAFKA_STORAGE_ERROR is no problem: it ends `run`, as a lost connection does. */
  readonly mayBeRefused?: boolean
}

/** Which record a value belongs to. */
export function parseValue(value: Buffer): { producerIndex: number; count: number } {
  return { producerIndex: value.readUInt32BE(0), count: value.readUInt32BE(4) }
}

/** One client with one connection at a time and a window of requests in flight. */
export class LoadProducer {
  readonly options: ProducerOptions
  readonly batches: SentBatch[] = []
  /** What the broker answered that it must not; the round fails with it. */
  readonly problems: string[] = []
  retriedCount = 0
  /** Batches that KAFKA_STORAGE_ERROR refused. */
  refusedCount = 0
  /** Records so far; the next one gets this count. */
  count = 0
  #producerId = -1
  #isStopping = false
  readonly #random: SeededRandom
  readonly #sequences: number[]
  /** Sent, not answered, to be sent again: in order. Idempotent producers only. */
  #unanswered: SentBatch[] = []

  constructor(options: ProducerOptions, random: SeededRandom) {
    this.options = options
    this.#random = random
    this.#sequences = new Array<number>(options.partitionCount).fill(0)
  }

  get isIdempotent(): boolean {
    return this.options.kind === 'idempotent'
  }

  /** Ends `run` once everything sent so far is answered. */
  stop(): void {
    this.#isStopping = true
  }

  async initialize(connection: KafkaConnection): Promise<void> {
    if (!this.isIdempotent) return
    const body = { transactionalId: null, transactionTimeoutMs: REQUEST_TIMEOUT_MS }
    const ask = () => connection.call(initProducerIdApi, INIT_PRODUCER_ID_VERSION, body)
    let answer = await ask()
    while (answer.errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) {
      await delay(RETRY_MS)
      answer = await ask()
    }
    if (answer.errorCode !== 0) throw new Error(`InitProducerId: ${errorName(answer.errorCode)}`)
    this.#producerId = answer.producerId
  }

  /** Sends until the connection is lost or the disk full, or it may stop; first what needs a retry. */
  async run(connection: KafkaConnection): Promise<void> {
    const retries = this.#unanswered
    this.#unanswered = []
    const inFlight: Promise<boolean>[] = []
    let isLost = false
    while (!isLost) {
      while (inFlight.length < this.options.window) {
        const batch = retries.shift()
        if (batch === undefined && this.#isStopping) break
        if (batch !== undefined) this.retriedCount++
        inFlight.push(this.#send(connection, batch ?? this.#nextBatch()))
      }
      const oldest = inFlight.shift()
      if (oldest === undefined) return
      isLost = !(await oldest)
    }
    await Promise.all(inFlight)
    this.#unanswered.push(...retries)
  }

  /** @returns false when the connection was lost before the answer, or the disk is full */
  async #send(connection: KafkaConnection, batch: SentBatch): Promise<boolean> {
    const { topic, kind } = this.options
    try {
      const answer = await connection.call(produceApi, PRODUCE_VERSION, {
        transactionalId: null,
        acks: kind === 'one' ? 1 : -1,
        timeoutMs: REQUEST_TIMEOUT_MS,
        topicData: [
          { name: topic, partitionData: [{ index: batch.partition, records: batch.bytes }] },
        ],
      })
      const outcome = answer.responses[0]?.partitionResponses[0]
      if (outcome === undefined) this.#complain(batch, 'an answer without its partition')
      else if (this.#isDiskFull(outcome.errorCode)) {
        this.refusedCount++
        if (this.isIdempotent) this.#unanswered.push(batch)
        return false
      } else if (outcome.errorCode !== 0) this.#refused(batch, outcome.errorCode)
      else if (outcome.baseOffset < 0) this.#complain(batch, `offset ${outcome.baseOffset}`)
      else batch.ackedOffset = outcome.baseOffset
      return true
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      if (this.isIdempotent) this.#unanswered.push(batch)
      return false
    }
  }

  #nextBatch(): SentBatch {
    const random = this.#random
    const { index, codec, maxRecordCount, maxValueBytes, partitionCount } = this.options
    const partition = random.between(0, partitionCount - 1)
    const recordCount = random.between(1, maxRecordCount)
    const firstCount = this.count
    const timestamp = Date.now()
    const records = []
    for (let i = 0; i < recordCount; i++) {
      const value = Buffer.alloc(random.between(VALUE_HEAD_BYTES, maxValueBytes), index + 0x61)
      value.writeUInt32BE(index, 0)
      value.writeUInt32BE(firstCount + i, 4)
      records.push({ timestamp, value })
    }
    const bytes = buildBatch(records, { codec, ...this.#identity(partition, recordCount) })
    this.count += recordCount
    const batch = { partition, firstCount, recordCount, bytes, ackedOffset: -1 }
    this.batches.push(batch)
    return batch
  }

  #identity(partition: number, recordCount: number) {
    if (!this.isIdempotent) return {}
    const baseSequence = this.#sequences[partition] as number
    this.#sequences[partition] = baseSequence + recordCount
    return { producerId: this.#producerId, producerEpoch: 0, baseSequence }
  }

  #isDiskFull(errorCode: number): boolean {
    return this.options.mayBeRefused === true && errorCode === ErrorCode.KAFKA_STORAGE_ERROR
  }

  #refused(batch: SentBatch, errorCode: number): void {
    const name = errorName(errorCode)
    if (name === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && this.options.mayForgetOldBatches) return
    this.#complain(batch, name)
  }

  #complain(batch: SentBatch, what: string): void {
    const { index, kind } = this.options
    this.problems.push(
      `producer ${index} (${kind}): ${what} for partition ${batch.partition}, ` +
        `records ${batch.firstCount} to ${batch.firstCount + batch.recordCount - 1}`,
    )
  }
}

import { ErrorCode, errorName } from '../../../src/base/error-code.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { findCoordinatorApi } from '../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { initProducerIdApi } from '../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { endTxnApi } from '../../../src/wire/kafka/messages/26-end-txn.ts'
import { KafkaConnection } from '../../support/kafka-connection.ts'

const TIMEOUT_MS = 30_000
const TRANSACTION_COORDINATOR = 1
/** The markers of the transaction before are being written; the coordinator is not there yet. */
const RETRIABLE: ReadonlySet<number> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])
const RETRY_MS = 1

export interface TransactionLoadOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly partitionCount: number
  /** Each with a transactional id and a connection of its own. */
  readonly producerCount: number
  readonly seconds: number
}

export interface TransactionLoadResult {
  readonly transactionCount: number
  readonly seconds: number
  /** From the first produce to the answer of the commit. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Producers of version 2 that commit one record after the other, each in a transaction. */
export async function runTransactions(
  options: TransactionLoadOptions,
): Promise<TransactionLoadResult> {
  const indexes = Array.from({ length: options.producerCount }, (_, index) => index)
  const producers = await Promise.all(indexes.map((index) => LoadProducer.open(options, index)))
  try {
    const startedAt = performance.now()
    const endAt = startedAt + options.seconds * 1000
    const times = await Promise.all(producers.map((producer) => producer.run(endAt)))
    const seconds = (performance.now() - startedAt) / 1000
    const sorted = times.flat().sort((one, other) => one - other)
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
    return { transactionCount: sorted.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) }
  } finally {
    await Promise.all(producers.map((producer) => producer.close()))
  }
}

class LoadProducer {
  readonly #connection: KafkaConnection
  readonly #topic: string
  readonly #partition: number
  readonly #transactionalId: string
  #producerId = -1
  #producerEpoch = -1

  private constructor(
    connection: KafkaConnection,
    { topic, partitionCount }: TransactionLoadOptions,
    index: number,
  ) {
    this.#connection = connection
    this.#topic = topic
    this.#partition = index % partitionCount
    this.#transactionalId = `${topic}-${index}`
  }

  static async open(options: TransactionLoadOptions, index: number): Promise<LoadProducer> {
    const producer = new LoadProducer(await KafkaConnection.open(options.bootstrap), options, index)
    await producer.#init()
    return producer
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  /** @returns milliseconds of each transaction */
  async run(endAt: number): Promise<number[]> {
    const times: number[] = []
    for (let at = performance.now(); at < endAt; ) {
      await this.#transaction()
      const now = performance.now()
      times.push(now - at)
      at = now
    }
    return times
  }

  async #init(): Promise<void> {
    await untilDone('no transaction coordinator', async () => {
      const request = { key: this.#transactionalId, keyType: TRANSACTION_COORDINATOR }
      return (await this.#connection.call(findCoordinatorApi, 3, request)).errorCode
    })
    await untilDone('no producer id', async () => {
      const request = {
        ...{ transactionalId: this.#transactionalId, transactionTimeoutMs: TIMEOUT_MS },
        ...{ producerId: -1, producerEpoch: -1 },
      }
      const answer = await this.#connection.call(initProducerIdApi, 5, request)
      this.#become(answer)
      return answer.errorCode
    })
  }

  async #transaction(): Promise<void> {
    const identity = { producerId: this.#producerId, producerEpoch: this.#producerEpoch }
    const batch = { ...identity, baseSequence: 0, isTransactional: true }
    const record = { timestamp: Date.now(), value: Buffer.alloc(100, 'transaction ') }
    const records = buildBatch([record], batch)
    const transactionalId = this.#transactionalId
    await untilDone('cannot produce', async () => {
      const partitionData = [{ index: this.#partition, records }]
      const answer = await this.#connection.call(produceApi, 12, {
        ...{ transactionalId, acks: -1, timeoutMs: TIMEOUT_MS },
        topicData: [{ name: this.#topic, partitionData }],
      })
      return answer.responses[0]?.partitionResponses[0]?.errorCode
    })
    await untilDone('cannot commit', async () => {
      const request = { transactionalId, ...identity, committed: true }
      const answer = await this.#connection.call(endTxnApi, 5, request)
      if (answer.errorCode === 0) this.#become(answer)
      return answer.errorCode
    })
  }

  #become(identity: { readonly producerId: number; readonly producerEpoch: number }): void {
    this.#producerId = identity.producerId
    this.#producerEpoch = identity.producerEpoch
  }
}

/** @throws Error with the refusal, unless a later try may be taken */
async function untilDone(what: string, call: () => Promise<number | undefined>): Promise<void> {
  const limit = performance.now() + TIMEOUT_MS
  for (;;) {
    const errorCode = await call()
    if (errorCode === 0) return
    const isFinal = errorCode === undefined || !RETRIABLE.has(errorCode)
    if (isFinal || performance.now() > limit) {
      throw new Error(`${what}: ${errorName(errorCode as ErrorCode)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

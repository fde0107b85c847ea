import { ErrorCode } from '../../../src/base/error-code.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { initProducerIdApi } from '../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { addPartitionsToTxnApi } from '../../../src/wire/kafka/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnApi } from '../../../src/wire/kafka/messages/25-add-offsets-to-txn.ts'
import { endTxnApi } from '../../../src/wire/kafka/messages/26-end-txn.ts'
import { txnOffsetCommitApi } from '../../../src/wire/kafka/messages/28-txn-offset-commit.ts'
import {
  TRANSACTION_PARTITIONS,
  TRANSACTION_TOPIC,
  type Transaction,
  type TransactionLedger,
} from '../ledger/transaction-ledger.ts'
import type { KafkaClient } from './kafka-client.ts'
import { PoisonedLease } from './poisoned-lease.ts'
import type { Session } from './session.ts'

/** Answers after which the same is asked again. */
const RETRIABLE: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])
const TIMEOUTS_MS = [200, 60_000] as const
const NO_ID = { producerId: -1, producerEpoch: -1 }

export const groupOf = (transactionalId: string): string => `group-of-${transactionalId}`

/**
 * A producer of transactions in the life of one broker. It begins as one that was restarted: with
 * InitProducerId, which ends what the one before left. As clients do, it gives a transaction up at
 * the first error and begins anew.
 */
export class TransactionalProducer {
  readonly transactionalId: string
  /** What earlier lives left is over: decided one way or the other. */
  isInitialized = false
  /** It only ends what was left. */
  isLast = false
  readonly #session: Session
  readonly #client: KafkaClient
  readonly #ledger: TransactionLedger
  /** Partitions join with the first batch, and each transaction has an epoch (KIP-890 part 2). */
  readonly #isVersion2: boolean
  #identity = NO_ID
  #sequences: number[] = []

  constructor(
    session: Session,
    client: KafkaClient,
    ledger: TransactionLedger,
    transactionalId: string,
  ) {
    this.#session = session
    this.#client = client
    this.#ledger = ledger
    this.transactionalId = transactionalId
    this.#isVersion2 = session.random.oneIn(2)
  }

  start(): void {
    this.#run().catch((error: Error) => this.#session.machine.fail(error))
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#initialize()
      if (this.isLast) return
      while (await this.#transact()) await this.#pause(40)
    }
  }

  async #initialize(): Promise<void> {
    const { transactionalId } = this
    const transactionTimeoutMs = this.#session.random.pick(TIMEOUTS_MS)
    for (;;) {
      // As FindCoordinator does, which makes the topic.
      const { transactions, groups } = this.#session.core
      transactions.coordinator.locate(transactionalId)
      groups.locate(groupOf(transactionalId))
      const flags = { enable2Pc: false, keepPreparedTxn: false }
      const request = { transactionalId, transactionTimeoutMs, ...NO_ID, ...flags }
      const answer = await this.#client.ask(initProducerIdApi, 4, request)
      this.#trace(() => `init is told ${answer.errorCode}`)
      if (answer.errorCode === ErrorCode.NONE) {
        this.#took({ producerId: answer.producerId ?? -1, producerEpoch: answer.producerEpoch })
        // What nobody asked to commit is aborted by it.
        for (const one of this.#ledger.transactions)
          if (one.transactionalId === transactionalId && one.state === 'open') one.state = 'aborted'
        this.isInitialized = true
        return
      }
      await this.#pause(30)
    }
  }

  #took(identity: typeof NO_ID): void {
    const isSame =
      identity.producerId === this.#identity.producerId &&
      identity.producerEpoch === this.#identity.producerEpoch
    if (!isSame) this.#sequences = Array<number>(TRANSACTION_PARTITIONS).fill(0)
    this.#identity = identity
  }

  /** @returns false when the producer has to begin anew */
  async #transact(): Promise<boolean> {
    const { random } = this.#session
    const transaction = this.#ledger.begin(this.transactionalId)
    const batchCount = 1 + random.int(3)
    for (let index = 0; index < batchCount; index++) {
      if (!(await this.#produce(transaction, index))) return false
      await this.#pause(10)
    }
    if (random.oneIn(3) && !(await this.#commitOffset(transaction))) return false
    if (random.oneIn(3)) return await this.#end(transaction, false)
    this.#ledger.commitAsked(transaction)
    return await this.#end(transaction, true)
  }

  async #produce(transaction: Transaction, index: number): Promise<boolean> {
    const { random, machine } = this.#session
    const partition = random.int(TRANSACTION_PARTITIONS)
    const values = Array.from(
      { length: 1 + random.int(3) },
      (_, record) => `${transaction.id}.${index}.${record}`,
    )
    const baseSequence = this.#sequences[partition] as number
    const timestamp = machine.clock.nowMs()
    const records = buildBatch(
      values.map((value) => ({ timestamp, value: Buffer.from(value) })),
      { ...this.#identity, baseSequence, isTransactional: true },
    )
    this.#sequences[partition] = baseSequence + values.length
    const batch = { partition, values, isAcknowledged: false }
    transaction.batches.push(batch)
    if (!this.#isVersion2 && !(await this.#addPartition(partition))) return false
    for (;;) {
      // The log writes its offsets into the bytes, so each try has its own.
      const copy = Buffer.from(records)
      const lease = new PoisonedLease(copy)
      const request = {
        transactionalId: this.transactionalId,
        acks: -1,
        timeoutMs: 30_000,
        topicData: [
          {
            name: TRANSACTION_TOPIC,
            topicId: '',
            partitionData: [{ index: partition, records: copy }],
          },
        ],
      }
      const answer = await this.#client.ask(produceApi, this.#isVersion2 ? 12 : 11, request, {
        lease,
      })
      lease.release()
      const [told] = answer.responses[0]?.partitionResponses ?? []
      const errorCode = (told?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR) as ErrorCode
      this.#trace(() => `batch ${values} to ${partition} at ${told?.baseOffset}: ${errorCode}`)
      batch.isAcknowledged = errorCode === ErrorCode.NONE
      if (!RETRIABLE.has(errorCode)) return batch.isAcknowledged
      await this.#pause(20)
    }
  }

  #addPartition(partition: number): Promise<boolean> {
    const { transactionalId } = this
    const topics = [{ name: TRANSACTION_TOPIC, partitions: [partition] }]
    return this.#until('add a partition', async () => {
      const request = {
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: this.#identity.producerId,
        v3AndBelowProducerEpoch: this.#identity.producerEpoch,
        v3AndBelowTopics: topics,
        transactions: [],
      }
      const answer = await this.#client.ask(addPartitionsToTxnApi, 3, request)
      const [told] = answer.resultsByTopicV3AndBelow?.[0]?.resultsByPartition ?? []
      return (told?.partitionErrorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR) as ErrorCode
    })
  }

  async #commitOffset(transaction: Transaction): Promise<boolean> {
    const { transactionalId } = this
    const groupId = groupOf(transactionalId)
    const identity = { transactionalId, ...this.#identity }
    const isAdded =
      this.#isVersion2 ||
      (await this.#until('add offsets', async () => {
        const request = { ...identity, groupId }
        return (await this.#client.ask(addOffsetsToTxnApi, 3, request)).errorCode as ErrorCode
      }))
    if (!isAdded) return false
    const offset = this.#ledger.nextOffset()
    transaction.offset = offset
    return await this.#until(`commit offset ${offset}`, async () => {
      const request = {
        ...identity,
        groupId,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        topics: [
          {
            name: TRANSACTION_TOPIC,
            topicId: '',
            partitions: [
              {
                partitionIndex: 0,
                committedOffset: offset,
                committedLeaderEpoch: -1,
                committedMetadata: null,
              },
            ],
          },
        ],
      }
      const answer = await this.#client.ask(txnOffsetCommitApi, this.#isVersion2 ? 5 : 4, request)
      const [told] = answer.topics[0]?.partitions ?? []
      return (told?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR) as ErrorCode
    })
  }

  async #end(transaction: Transaction, committed: boolean): Promise<boolean> {
    const what = `${committed ? 'commit' : 'abort'} ${transaction.id}`
    return await this.#until(what, async () => {
      const request = { transactionalId: this.transactionalId, ...this.#identity, committed }
      const answer = await this.#client.ask(endTxnApi, this.#isVersion2 ? 5 : 4, request)
      const errorCode = answer.errorCode as ErrorCode
      if (errorCode !== ErrorCode.NONE) return errorCode
      if (committed) this.#ledger.committed(transaction)
      else transaction.state = 'aborted'
      if (this.#isVersion2)
        this.#took({
          producerId: answer.producerId ?? -1,
          producerEpoch: answer.producerEpoch ?? -1,
        })
      return errorCode
    })
  }

  /** Asks until there is an answer that stays. @returns whether it was a success */
  async #until(what: string, ask: () => Promise<ErrorCode>): Promise<boolean> {
    for (;;) {
      const errorCode = await ask()
      this.#trace(() => `${what}: ${errorCode}`)
      if (!RETRIABLE.has(errorCode)) return errorCode === ErrorCode.NONE
      await this.#pause(20)
    }
  }

  #pause(maxMs: number): Promise<void> {
    const { machine, random } = this.#session
    const delayMs = 1 + random.int(maxMs)
    return new Promise((resolve) => void machine.scheduler.after(delayMs, resolve))
  }

  #trace(line: () => string): void {
    const { producerId, producerEpoch } = this.#identity
    this.#session.machine.trace(
      () => `${this.transactionalId} (${producerId}, ${producerEpoch}): ${line()}`,
    )
  }
}

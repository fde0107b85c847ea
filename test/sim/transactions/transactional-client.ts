import { ErrorCode, errorName } from '../../../src/base/error-code.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { initProducerIdApi } from '../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { addPartitionsToTxnApi } from '../../../src/wire/kafka/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnApi } from '../../../src/wire/kafka/messages/25-add-offsets-to-txn.ts'
import { endTxnApi } from '../../../src/wire/kafka/messages/26-end-txn.ts'
import { txnOffsetCommitApi } from '../../../src/wire/kafka/messages/28-txn-offset-commit.ts'
import {
  groupOf,
  type LedgerTransaction,
  recordValue,
  type TransactionLedger,
  Violation,
} from './transaction-ledger.ts'
import {
  ConnectionLost,
  DATA_PARTITION_COUNT,
  DATA_TOPIC,
  type TransactionMachine,
} from './transaction-machine.ts'

/** The same request again, later. */
const RETRIABLE: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.CONCURRENT_TRANSACTIONS,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.REQUEST_TIMED_OUT,
])

/** Another producer has the id, or the transaction took too long. */
const FENCED: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.INVALID_PRODUCER_EPOCH,
])

export interface ClientOptions {
  readonly index: number
  readonly transactionalId: string
  /** 2: an epoch for each transaction (KIP-890); 1: as before. */
  readonly version: 1 | 2
  readonly timeoutMs: number
}

interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** A producer as the clients of Kafka are: one request at a time, retries, recovery, zombies. */
export class TransactionalClient {
  readonly #machine: TransactionMachine
  readonly #ledger: TransactionLedger
  readonly #options: ClientOptions
  #identity: Identity = { producerId: -1, producerEpoch: -1 }
  #sequences = new Map<number, number>()
  isStopping = false

  constructor(machine: TransactionMachine, ledger: TransactionLedger, options: ClientOptions) {
    this.#machine = machine
    this.#ledger = ledger
    this.#options = options
  }

  /** Until `isStopping`; what is open then stays open. */
  async run(): Promise<void> {
    const { random } = this.#machine
    try {
      while (!this.isStopping) {
        if (!(await this.#init())) continue
        const count = 1 + random.int(8)
        for (let done = 0; done < count && !this.isStopping; done++) {
          if (!(await this.#transaction())) break
        }
      }
    } catch (error) {
      this.#ledger.fail(error as Error)
    }
  }

  /** @returns false when it must begin anew */
  async #init(): Promise<boolean> {
    const { transactionalId, timeoutMs, version } = this.#options
    const isRecovering = this.#identity.producerId !== -1 && this.#machine.random.oneIn(3)
    const expected = isRecovering ? this.#identity : { producerId: -1, producerEpoch: -1 }
    const answer = await this.#insist(async () => {
      const request = { transactionalId, transactionTimeoutMs: timeoutMs, ...expected }
      const found = await this.#machine.ask(initProducerIdApi, version === 2 ? 5 : 4, request)
      return [found.errorCode as ErrorCode, found] as const
    })
    if (answer === null) return false
    const { errorCode, producerId, producerEpoch } = answer
    if (errorCode !== ErrorCode.NONE) {
      this.#allow('InitProducerId', errorCode, isRecovering ? FENCED : new Set())
      this.#become({ producerId: -1, producerEpoch: -1 })
      return false
    }
    this.#trace(`is ${producerId}/${producerEpoch}`)
    this.#ledger.taken(transactionalId)
    this.#become({ producerId, producerEpoch })
    return true
  }

  /** @returns false when the producer must begin anew */
  async #transaction(): Promise<boolean> {
    const { index, transactionalId } = this.#options
    const { random } = this.#machine
    const transaction = this.#ledger.begin(transactionalId, index)
    const batchCount = 1 + random.int(3)
    const added = new Set<number>()
    for (let number = 0; number < batchCount; number++) {
      const partition = random.int(DATA_PARTITION_COUNT)
      if (!(await this.#add(partition, added))) return false
      if (!(await this.#produce(transaction, partition, number))) return false
      if (random.oneIn(20)) await this.#sleep()
    }
    if (random.oneIn(2) && !(await this.#commitOffset(transaction))) return false
    // It is gone, or so slow that others think so.
    if (random.oneIn(12)) return false
    if (random.oneIn(12)) await this.#sleep()
    return this.#end(transaction, random.oneIn(3) ? 'abort' : 'commit')
  }

  async #add(partition: number, added: Set<number>): Promise<boolean> {
    if (this.#options.version === 2 || added.has(partition)) return true
    const { producerId, producerEpoch } = this.#identity
    const code = await this.#codeOf(async () => {
      const answer = await this.#machine.ask(addPartitionsToTxnApi, 3, {
        v3AndBelowTransactionalId: this.#options.transactionalId,
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: [{ name: DATA_TOPIC, partitions: [partition] }],
      })
      return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode
    })
    if (code === ErrorCode.NONE) added.add(partition)
    return this.#goesOn('AddPartitionsToTxn', code)
  }

  async #produce(
    transaction: LedgerTransaction,
    partition: number,
    number: number,
  ): Promise<boolean> {
    const { transactionalId, version } = this.#options
    const value = recordValue(transaction, number)
    const baseSequence = this.#sequences.get(partition) ?? 0
    const records = [{ timestamp: this.#machine.clock.nowMs(), value: Buffer.from(value) }]
    const sent = { ...this.#identity, baseSequence, isTransactional: true }
    let offset = -1
    const code = await this.#codeOf(async () => {
      const answer = await this.#machine.ask(produceApi, version === 2 ? 12 : 11, {
        ...{ transactionalId, acks: -1, timeoutMs: 60_000 },
        topicData: [
          {
            name: DATA_TOPIC,
            partitionData: [{ index: partition, records: buildBatch(records, sent) }],
          },
        ],
      })
      const response = answer.responses[0]?.partitionResponses[0]
      offset = response?.baseOffset ?? -1
      return response?.errorCode
    })
    if (code === ErrorCode.NONE) {
      transaction.acknowledged.set(value, { partition, offset })
      this.#sequences.set(partition, baseSequence + 1)
    }
    return this.#goesOn(`Produce of ${value}`, code)
  }

  async #commitOffset(transaction: LedgerTransaction): Promise<boolean> {
    const { transactionalId, version } = this.#options
    const groupId = groupOf(transactionalId)
    const own = { transactionalId, ...this.#identity, groupId }
    if (version === 1) {
      const added = await this.#codeOf(
        async () => (await this.#machine.ask(addOffsetsToTxnApi, 3, own)).errorCode,
      )
      if (!this.#goesOn('AddOffsetsToTxn', added)) return false
    }
    const offset = { value: transaction.id, isAcknowledged: false }
    transaction.offset = offset
    const partition = { partitionIndex: 0, committedOffset: offset.value, committedMetadata: '' }
    const code = await this.#codeOf(async () => {
      const answer = await this.#machine.ask(txnOffsetCommitApi, version === 2 ? 5 : 3, {
        ...own,
        ...{ generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null },
        topics: [{ name: DATA_TOPIC, partitions: [{ ...partition, committedLeaderEpoch: -1 }] }],
      })
      return answer.topics[0]?.partitions[0]?.errorCode
    })
    if (code === ErrorCode.NONE) offset.isAcknowledged = true
    return this.#goesOn('TxnOffsetCommit', code)
  }

  async #end(transaction: LedgerTransaction, asked: 'commit' | 'abort'): Promise<boolean> {
    const { transactionalId, version } = this.#options
    transaction.asked = asked
    this.#trace(`asks for ${asked} of ${transaction.id}`)
    const answer = await this.#insist(async () => {
      const request = { transactionalId, ...this.#identity, committed: asked === 'commit' }
      const found = await this.#machine.ask(endTxnApi, version === 2 ? 5 : 4, request)
      return [found.errorCode as ErrorCode, found] as const
    })
    if (answer === null) return false
    const { errorCode, producerId, producerEpoch } = answer
    this.#trace(`was told of ${transaction.id}: ${errorName(errorCode as ErrorCode)}`)
    if (errorCode === ErrorCode.NONE) {
      transaction.told = asked
      if (version === 2) this.#become({ producerId, producerEpoch })
      return true
    }
    // It took too long, and the abort was done already.
    const isLateCommit = asked === 'commit' && errorCode === ErrorCode.INVALID_TXN_STATE
    if (!isLateCommit) this.#allow('EndTxn', errorCode, FENCED)
    return false
  }

  #become(identity: Identity): void {
    const { producerId, producerEpoch } = this.#identity
    if (producerId !== identity.producerId || producerEpoch !== identity.producerEpoch) {
      this.#sequences = new Map()
    }
    this.#identity = identity
  }

  #goesOn(what: string, code: ErrorCode | null): boolean {
    if (code === ErrorCode.NONE) return true
    if (code !== null) this.#allow(what, code, FENCED)
    return false
  }

  #allow(what: string, code: number, allowed: ReadonlySet<ErrorCode>): void {
    const name = errorName(code as ErrorCode)
    this.#trace(`${what}: ${name}`)
    if (allowed.has(code as ErrorCode)) return
    const { producerId, producerEpoch } = this.#identity
    const who = `client ${this.#options.index} with ${producerId}/${producerEpoch}`
    throw new Violation(`${what} of ${who} got ${name}`)
  }

  #codeOf(call: () => Promise<number | undefined>): Promise<ErrorCode | null> {
    return this.#insist(async () => {
      const code = (await call()) as ErrorCode
      return [code, code] as const
    })
  }

  /** Asks until the answer is final. null: it gave up, and knows nothing. */
  async #insist<T>(call: () => Promise<readonly [ErrorCode, T]>): Promise<T | null> {
    const { random } = this.#machine
    while (!this.isStopping) {
      try {
        const [code, answer] = await call()
        if (!RETRIABLE.has(code)) return answer
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
      if (random.oneIn(30)) return null
      await this.#machine.pause()
    }
    return null
  }

  async #sleep(): Promise<void> {
    const turns = this.#machine.random.int(60)
    for (let turn = 0; turn < turns && !this.isStopping; turn++) await this.#machine.pause()
  }

  #trace(line: string): void {
    this.#machine.trace(`client ${this.#options.index} (${this.#options.transactionalId}) ${line}`)
  }
}

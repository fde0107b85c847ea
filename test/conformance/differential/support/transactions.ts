import { buildBatch } from '../../../../src/records/batch-builder.ts'
import { produceApi } from '../../../../src/wire/kafka/messages/00-produce.ts'
import { findCoordinatorApi } from '../../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { initProducerIdApi } from '../../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { addPartitionsToTxnApi } from '../../../../src/wire/kafka/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnApi } from '../../../../src/wire/kafka/messages/25-add-offsets-to-txn.ts'
import { endTxnApi } from '../../../../src/wire/kafka/messages/26-end-txn.ts'
import { txnOffsetCommitApi } from '../../../../src/wire/kafka/messages/28-txn-offset-commit.ts'
import { describeTransactionsApi } from '../../../../src/wire/kafka/messages/65-describe-transactions.ts'
import { type Broker, recordsOf, untold } from './broker.ts'

/** What a call uses in place of what the producer holds. */
export interface Identity {
  readonly producerId?: number
  readonly producerEpoch?: number
}

interface SentBatch extends Identity {
  readonly version?: number
  readonly partition?: number
  readonly sequence?: number
  readonly isTransactional?: boolean
  readonly transactionalId?: string | null
}

interface SentOffsets extends Identity {
  readonly version?: number
  readonly topicId?: string
  readonly generation?: number
  readonly memberId?: string
  readonly groupInstanceId?: string | null
  readonly metadata?: string
}

const CONCURRENT_TRANSACTIONS = 51
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR. */
const NOT_READY = [14, 15, 16]

/** Waits until the broker coordinates the transactional id. */
async function transactionsReady(broker: Broker, transactionalId: string): Promise<void> {
  await broker.until(`coordinator of ${transactionalId}`, async () => {
    const request = { key: transactionalId, keyType: 1 }
    const { errorCode } = await broker.call(findCoordinatorApi, 3, request)
    return errorCode === 0 ? true : undefined
  })
}

/** A transactional producer that does only what it is told; it keeps its id, epoch and sequences. */
export class TransactionalProducer {
  readonly #broker: Broker
  readonly transactionalId: string
  readonly timeoutMs: number
  producerId = -1
  producerEpoch = -1
  readonly #sequences = new Map<string, number>()

  private constructor(broker: Broker, transactionalId: string, timeoutMs: number) {
    this.#broker = broker
    this.transactionalId = transactionalId
    this.timeoutMs = timeoutMs
  }

  static async open(
    broker: Broker,
    transactionalId: string,
    timeoutMs = 60_000,
  ): Promise<TransactionalProducer> {
    await transactionsReady(broker, transactionalId)
    return new TransactionalProducer(broker, transactionalId, timeoutMs)
  }

  /** One InitProducerId; a success becomes the identity of this producer. */
  async init(identity: Identity = {}, version = 5) {
    const { producerId = -1, producerEpoch = -1 } = identity
    const request = { transactionalId: this.transactionalId, transactionTimeoutMs: this.timeoutMs }
    const answer = await this.#broker.call(initProducerIdApi, version, {
      ...request,
      ...(version >= 3 ? { producerId, producerEpoch } : {}),
    })
    if (answer.errorCode === 0) this.#become(answer.producerId, answer.producerEpoch)
    return answer
  }

  /** InitProducerId until the transaction that was open is ended. */
  async initFully(identity: Identity = {}, version = 5) {
    return this.#broker.until('a producer id', async () => {
      const answer = await this.init(identity, version)
      return [CONCURRENT_TRANSACTIONS, ...NOT_READY].includes(answer.errorCode) ? undefined : answer
    })
  }

  async addPartitions(
    topics: Readonly<Record<string, readonly number[]>>,
    identity: Identity & { readonly version?: number } = {},
  ) {
    const answer = await this.#broker.call(addPartitionsToTxnApi, identity.version ?? 3, {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: identity.producerId ?? this.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch ?? this.producerEpoch,
      v3AndBelowTopics: Object.entries(topics).map(([name, partitions]) => ({ name, partitions })),
    })
    return answer.resultsByTopicV3AndBelow
  }

  async addOffsets(groupId: string, identity: Identity & { readonly version?: number } = {}) {
    const answer = await this.#broker.call(addOffsetsToTxnApi, identity.version ?? 3, {
      ...this.#identity(identity),
      groupId,
    })
    return answer.errorCode
  }

  /** One batch of one record to a partition; the sequence moves on when it succeeds. */
  async produce(topic: string, value: string, sent: SentBatch = {}) {
    const { version = 12, partition = 0, isTransactional = true } = sent
    const key = `${topic}-${partition}`
    const baseSequence = sent.sequence ?? this.#sequences.get(key) ?? 0
    const { producerId, producerEpoch } = this.#identity(sent)
    const records = buildBatch(recordsOf(value), {
      ...{ producerId, producerEpoch, baseSequence, isTransactional },
    })
    const answer = await this.#broker.call(produceApi, version, {
      transactionalId:
        sent.transactionalId === undefined ? this.transactionalId : sent.transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    })
    const found = answer.responses[0]?.partitionResponses[0]
    if (found === undefined) throw new Error('the answer lacks the partition')
    if (found.errorCode === 0) this.#sequences.set(key, baseSequence + 1)
    return untold(found)
  }

  /** TxnOffsetCommit of one offset of partition 0. */
  async commitOffset(groupId: string, topic: string, offset: number, sent: SentOffsets = {}) {
    const { version = 5, generation = -1, memberId = '', groupInstanceId = null } = sent
    const member = { generationIdOrMemberEpoch: generation, memberId, groupInstanceId }
    const answer = await this.#broker.call(txnOffsetCommitApi, version, {
      ...this.#identity(sent),
      groupId,
      ...(version >= 3 ? member : {}),
      topics: [
        {
          ...(version >= 6 ? { topicId: sent.topicId ?? '' } : { name: topic }),
          partitions: [
            {
              partitionIndex: 0,
              committedOffset: offset,
              ...(version >= 2 ? { committedLeaderEpoch: -1 } : {}),
              committedMetadata: sent.metadata ?? 'text',
            },
          ],
        },
      ],
    })
    return answer.topics[0]?.partitions[0]?.errorCode
  }

  /** The same until the group's coordinator is there. */
  async commitOffsetFully(...commit: Parameters<TransactionalProducer['commitOffset']>) {
    return this.#broker.until('a coordinator of the group', async () => {
      const errorCode = await this.commitOffset(...commit)
      return errorCode !== undefined && NOT_READY.includes(errorCode) ? undefined : errorCode
    })
  }

  /** EndTxn; version 5 gives the identity for the next transaction. */
  async end(committed: boolean, identity: Identity & { readonly version?: number } = {}) {
    const { version = 5 } = identity
    const request = { ...this.#identity(identity), committed }
    const answer = await this.#broker.call(endTxnApi, version, request)
    if (answer.errorCode === 0 && version >= 5)
      this.#become(answer.producerId, answer.producerEpoch)
    return answer
  }

  /** The transaction as the coordinator describes it. */
  async describe() {
    const request = { transactionalIds: [this.transactionalId] }
    const { transactionStates } = await this.#broker.call(describeTransactionsApi, 0, request)
    const [state] = transactionStates
    if (state === undefined) throw new Error('the answer lacks the transactional id')
    const topics = state.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.toSorted((one, other) => one - other),
    }))
    const transactionStartTimeMs = state.transactionStartTimeMs > 0 ? 'set' : 'unset'
    return { ...state, topics, transactionStartTimeMs }
  }

  /** Waits until the transaction has ended in all its partitions. */
  async ended() {
    return this.#broker.until(`the end of ${this.transactionalId}`, async () => {
      const state = await this.describe()
      return /^(Complete|Empty)/.test(state.transactionState) ? state : undefined
    })
  }

  #become(producerId: number, producerEpoch: number): void {
    if (producerId !== this.producerId || producerEpoch !== this.producerEpoch) {
      this.#sequences.clear()
    }
    this.producerId = producerId
    this.producerEpoch = producerEpoch
  }

  #identity(identity: Identity) {
    return {
      transactionalId: this.transactionalId,
      producerId: identity.producerId ?? this.producerId,
      producerEpoch: identity.producerEpoch ?? this.producerEpoch,
    }
  }
}

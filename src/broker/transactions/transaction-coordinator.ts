import { ErrorCode } from '../../base/error-code.ts'
import type { MetadataChange, MetadataListener } from '../../ports/metadata-store.ts'
import type { CoordinatorLog } from '../coordinator/coordinator-log.ts'
import { type CoordinatorPorts, CoordinatorShard } from '../coordinator/coordinator-shard.ts'
import type { Reply, Turn } from '../coordinator/coordinator-turn.ts'
import {
  type InternalTopics,
  partitionForKey,
  TRANSACTIONS_TOPIC,
} from '../coordinator/internal-topics.ts'
import { PartitionCoordinatorLog } from '../coordinator/partition-coordinator-log.ts'
import { type ProducerIdSource, SpareProducerId } from './spare-producer-id.ts'
import type { TransactionConfig } from './transaction-config.ts'
import {
  TransactionCoordinatorShard,
  type TransactionTimerEvent,
} from './transaction-coordinator-shard.ts'
import { type MarkerWriter, TransactionMarkerSender } from './transaction-marker-sender.ts'
import {
  type AddPartitionsRequest,
  type DescribedTransaction,
  describeTransactionError,
  type EndedTransaction,
  type EndTransactionRequest,
  type InitProducerIdRequest,
  identityError,
  type ListedTransaction,
  type ListTransactionsFilter,
  type ProducerIdentityResult,
  type VerifyPartitionsRequest,
} from './transaction-requests.ts'

export interface TransactionCoordinatorOptions extends CoordinatorPorts {
  readonly topics: InternalTopics
  /** Read for every step, so that changed settings hold at once. */
  readonly config: () => TransactionConfig
  readonly producerIds: ProducerIdSource
  readonly writer: MarkerWriter
  /** The log of a partition of `__transaction_state`; by default the one that `topics` gives. */
  readonly openLog?: (index: number) => CoordinatorLog | undefined
}

export interface ListTransactionsResult {
  readonly errorCode: ErrorCode
  readonly transactions: readonly ListedTransaction[]
}

interface Shard {
  readonly runtime: CoordinatorShard<TransactionCoordinatorShard, TransactionTimerEvent>
  readonly sender: TransactionMarkerSender
}

type Step<T> = (
  machine: TransactionCoordinatorShard,
  turn: Turn<TransactionTimerEvent>,
  reply: Reply<T>,
) => void

/**
 * The coordinator of transactions (KIP-98, KIP-890), on all partitions of `__transaction_state` that
 * this broker leads. Answers come when what they say is durable, in the order of the requests.
 */
export class TransactionCoordinator implements MetadataListener {
  readonly #options: TransactionCoordinatorOptions
  readonly #spareId: SpareProducerId
  readonly #shards = new Map<number, Shard>()
  #isClosed = false

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options
    this.#spareId = new SpareProducerId(options.producerIds)
  }

  /** Loads all shards, if the topic exists; call it once its logs are open. */
  start(): void {
    const count = this.#options.topics.partitionCount(TRANSACTIONS_TOPIC)
    for (let index = 0; index < count; index++) this.#shard(index)
  }

  /** True while a shard still replays its log. */
  get isLoading(): boolean {
    return [...this.#shards.values()].some(({ runtime }) => runtime.isLoading)
  }

  /** NONE when this broker coordinates the id, COORDINATOR_NOT_AVAILABLE until it can. */
  locate(_transactionalId: string): ErrorCode {
    const state = this.#options.topics.ensure(TRANSACTIONS_TOPIC)
    return state === 'ready' ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE
  }

  async initProducerId(request: InitProducerIdRequest): Promise<ProducerIdentityResult> {
    const { transactionalId, timeoutMs } = request
    if (transactionalId === '') return identityError(ErrorCode.INVALID_REQUEST)
    if (timeoutMs <= 0 || timeoutMs > this.#options.config().maxTimeoutMs) {
      return identityError(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    }
    await this.#spareId.ready()
    return this.#ask(transactionalId, identityError, (machine, turn, reply) =>
      machine.initProducerId(request, reply, turn),
    )
  }

  /**
   * Partitions become part of the transaction.
   * @param done told once, in this turn or later: what the producer appends then is before any
   *   marker of this transaction
   */
  addPartitions(request: AddPartitionsRequest, done: (errorCode: ErrorCode) => void): void {
    if (request.transactionalId === '') {
      done(ErrorCode.INVALID_REQUEST)
      return
    }
    this.#run<ErrorCode>(
      request.transactionalId,
      { answer: done, refuse: done },
      (machine, turn, reply) => machine.addPartitions(request, reply, turn),
    )
  }

  /** @param done told as that of `addPartitions`: a code for each partition */
  verifyPartitions(
    request: VerifyPartitionsRequest,
    done: (errorCodes: readonly ErrorCode[]) => void,
  ): void {
    const refuse = (code: ErrorCode): void => done(request.partitions.map(() => code))
    if (request.transactionalId === '') {
      refuse(ErrorCode.INVALID_REQUEST)
      return
    }
    this.#run<readonly ErrorCode[]>(
      request.transactionalId,
      { answer: done, refuse },
      (machine, turn, reply) => machine.verifyPartitions(request, reply, turn),
    )
  }

  endTransaction(request: EndTransactionRequest): Promise<ProducerIdentityResult> {
    if (request.transactionalId === '') {
      return Promise.resolve(identityError(ErrorCode.INVALID_REQUEST))
    }
    return this.#ask(request.transactionalId, identityError, (machine, turn, reply) =>
      machine.endTransaction(request, reply, turn),
    )
  }

  describe(transactionalId: string): Promise<DescribedTransaction> {
    const refused = (code: ErrorCode): DescribedTransaction =>
      describeTransactionError(transactionalId, code)
    if (transactionalId === '') return Promise.resolve(refused(ErrorCode.INVALID_REQUEST))
    return this.#ask(transactionalId, refused, (machine, turn, reply) =>
      machine.describe(transactionalId, reply, turn),
    )
  }

  /** Ids of all shards. While one loads the list would have holes, so it is refused. */
  async list(filter: ListTransactionsFilter): Promise<ListTransactionsResult> {
    type Outcome = readonly ListedTransaction[] | ErrorCode
    const outcomes = await Promise.all(
      [...this.#shards.values()].map(
        ({ runtime }) =>
          new Promise<Outcome>((resolve) => {
            const reply: Reply<Outcome> = { answer: resolve, refuse: resolve }
            runtime.run(reply, (machine, turn) => machine.list(filter, reply, turn))
          }),
      ),
    )
    const transactions: ListedTransaction[] = []
    for (const outcome of outcomes) {
      if (typeof outcome === 'number') return { errorCode: outcome, transactions: [] }
      transactions.push(...outcome)
    }
    return { errorCode: ErrorCode.NONE, transactions }
  }

  metadataChanged(changes: readonly MetadataChange[]): void {
    for (const change of changes) {
      if (change.kind === 'topicDeleted' && change.name === TRANSACTIONS_TOPIC) this.#closeShards()
    }
  }

  /** Refuses what waits. What was answered is in the log already. */
  close(): void {
    this.#isClosed = true
    this.#closeShards()
  }

  #closeShards(): void {
    const shards = [...this.#shards.values()]
    this.#shards.clear()
    for (const { runtime, sender } of shards) {
      sender.stop()
      runtime.close()
    }
  }

  #ask<T>(
    transactionalId: string,
    refused: (errorCode: ErrorCode) => T,
    step: Step<T>,
  ): Promise<T> {
    return new Promise<T>((resolve) => {
      const refuse = (code: ErrorCode): void => resolve(refused(code))
      this.#run(transactionalId, { answer: resolve, refuse }, step)
    })
  }

  #run<T>(transactionalId: string, reply: Reply<T>, step: Step<T>): void {
    const count = this.#options.topics.partitionCount(TRANSACTIONS_TOPIC)
    const shard = count === 0 ? undefined : this.#shard(partitionForKey(transactionalId, count))
    if (shard === undefined) reply.refuse(ErrorCode.NOT_COORDINATOR)
    else shard.runtime.run(reply, step)
  }

  #shard(index: number): Shard | undefined {
    const known = this.#shards.get(index)
    if (known !== undefined || this.#isClosed) return known
    const log = this.#openLog(index)
    if (log === undefined) return undefined
    const { config } = this.#options
    const sender = new TransactionMarkerSender(this.#options)
    const markers: Reply<EndedTransaction> = {
      answer: (ended) => {
        sender.send(ended, this.#coordinatorEpoch(index), () => {
          const unheard: Reply<null> = { answer() {}, refuse() {} }
          runtime.run(unheard, (machine, turn) => machine.markersWritten(ended, turn))
        })
      },
      // The decision is not in the log, or will be found there.
      refuse() {},
    }
    const takeProducerId = (): number | undefined => this.#spareId.take()
    const runtime: Shard['runtime'] = new CoordinatorShard(
      log,
      () => new TransactionCoordinatorShard({ config, markers, takeProducerId }),
      this.#options,
    )
    const shard = { runtime, sender }
    this.#shards.set(index, shard)
    runtime.load()
    return shard
  }

  /** It goes up with each start, so markers of an earlier life are known. */
  #coordinatorEpoch(index: number): number {
    return this.#options.topics.partition(TRANSACTIONS_TOPIC, index)?.log.leaderEpoch ?? 0
  }

  #openLog(index: number): CoordinatorLog | undefined {
    const { openLog, topics } = this.#options
    if (openLog !== undefined) return openLog(index)
    const partition = topics.partition(TRANSACTIONS_TOPIC, index)
    return partition === undefined ? undefined : new PartitionCoordinatorLog(partition)
  }
}

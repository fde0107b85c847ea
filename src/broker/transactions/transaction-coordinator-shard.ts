import { ErrorCode } from '../../base/error-code.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/record-batch.ts'
import type { CoordinatorMachine, Reply, Turn } from '../coordinator/coordinator-turn.ts'
import { decideEnd } from './end-transaction.ts'
import type { TransactionConfig } from './transaction-config.ts'
import {
  readTransactionRecord,
  transactionRecord,
  transactionTombstone,
} from './transaction-log.ts'
import {
  completed,
  fenced,
  hasPartition,
  isEpochExhausted,
  isPrepared,
  newTransaction,
  prepared,
  type TransactionMetadata,
  withNewProducerId,
  withNextEpoch,
  withPartitions,
} from './transaction-metadata.ts'
import {
  type AddPartitionsRequest,
  type DescribedTransaction,
  describeTransactionError,
  type EndedTransaction,
  type EndTransactionRequest,
  type InitProducerIdRequest,
  identityError,
  identityResult,
  type ListedTransaction,
  type ListTransactionsFilter,
  type ProducerIdentity,
  type ProducerIdentityResult,
  type VerifyPartitionsRequest,
} from './transaction-requests.ts'
import { TransactionState, transactionStateName } from './transaction-state.ts'

export type TransactionTimerEvent = { readonly kind: 'abortCheck' | 'expiryCheck' }

export interface TransactionShardOptions {
  readonly config: () => TransactionConfig
  /**
   * Gets each decided transaction once the decision is durable, and writes its markers; tells
   * `markersWritten` when all are.
   */
  readonly markers: Reply<EndedTransaction>
  /** A producer id nobody had before, undefined when there is none right now. */
  readonly takeProducerId: () => number | undefined
}

type TransactionTurn = Turn<TransactionTimerEvent>

/** A transaction whose participants decide its end (KIP-939) never times out. */
const NO_TIMEOUT_MS = 0x7fff_ffff

/**
 * The transactional ids of one partition of `__transaction_state`, as one state machine: (state,
 * event, time) to (records, answers, timers). Loading replays the records into the same state.
 * A change holds at once, and its answer waits for the log; so there is no state in between, for
 * which Kafka answers CONCURRENT_TRANSACTIONS. Between the decision and the last marker there is:
 * then, as in Kafka, that answer comes before any about ids and epochs.
 */
export class TransactionCoordinatorShard implements CoordinatorMachine<TransactionTimerEvent> {
  readonly #options: TransactionShardOptions
  readonly #transactions = new Map<string, TransactionMetadata>()

  constructor(options: TransactionShardOptions) {
    this.#options = options
  }

  /** Everything, for tests. */
  get transactions(): Iterable<TransactionMetadata> {
    return this.#transactions.values()
  }

  /**
   * Gives the producer its id and the next epoch. A transaction that another producer left open is
   * aborted first: CONCURRENT_TRANSACTIONS, and the client asks again.
   */
  initProducerId(
    request: InitProducerIdRequest,
    reply: Reply<ProducerIdentityResult>,
    turn: TransactionTurn,
  ): void {
    const known = this.#transactions.get(request.transactionalId) ?? this.#make(request, turn)
    if (known === undefined) {
      turn.reply(reply, identityError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS))
    } else if (isPrepared(known)) {
      turn.reply(reply, identityError(ErrorCode.CONCURRENT_TRANSACTIONS))
    } else if (request.expected !== null && !mayGoOn(known, request.expected)) {
      turn.reply(reply, identityError(ErrorCode.PRODUCER_FENCED))
    } else if (known.state === TransactionState.ONGOING) {
      this.#abort(known, turn)
      turn.reply(reply, identityError(ErrorCode.CONCURRENT_TRANSACTIONS))
    } else {
      turn.reply(reply, this.#nextIdentity(known, request, turn))
    }
  }

  addPartitions(
    request: AddPartitionsRequest,
    reply: Reply<ErrorCode>,
    turn: TransactionTurn,
  ): void {
    const known = this.#transactions.get(request.transactionalId)
    // First: a producer whose epochs are used up already has an id that holds from the end on.
    const mustWait = known !== undefined && isPrepared(known)
    const refusal = mustWait ? ErrorCode.CONCURRENT_TRANSACTIONS : refusalOf(known, request)
    if (known === undefined || refusal !== ErrorCode.NONE) {
      turn.reply(reply, refusal)
      return
    }
    const { partitions, clientTransactionVersion } = request
    const isOngoing = known.state === TransactionState.ONGOING
    if (!isOngoing || !partitions.every((partition) => hasPartition(known, partition))) {
      this.#set(withPartitions(known, partitions, clientTransactionVersion, turn.nowMs), turn)
    }
    turn.reply(reply, ErrorCode.NONE)
  }

  /** Codes in the order of the partitions: TRANSACTION_ABORTABLE for one that was not added. */
  verifyPartitions(
    request: VerifyPartitionsRequest,
    reply: Reply<readonly ErrorCode[]>,
    turn: TransactionTurn,
  ): void {
    const known = this.#transactions.get(request.transactionalId)
    const refusal = refusalOf(known, request)
    const codes = request.partitions.map((partition) => {
      if (known === undefined || refusal !== ErrorCode.NONE) return refusal
      return hasPartition(known, partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE
    })
    turn.reply(reply, codes)
  }

  /** Commits or aborts. The answer says who the producer is in its next transaction. */
  endTransaction(
    request: EndTransactionRequest,
    reply: Reply<ProducerIdentityResult>,
    turn: TransactionTurn,
  ): void {
    const known = this.#transactions.get(request.transactionalId)
    if (known === undefined) {
      turn.reply(reply, identityError(ErrorCode.INVALID_PRODUCER_ID_MAPPING))
      return
    }
    const decision = decideEnd(known, request)
    if (decision.kind === 'answer') {
      const { errorCode } = decision
      const isDone = errorCode === ErrorCode.NONE
      turn.reply(reply, isDone ? identityResult(known) : identityError(errorCode))
      return
    }
    const nextProducerId = decision.needsNewProducerId
      ? this.#options.takeProducerId()
      : NO_PRODUCER_ID
    if (nextProducerId === undefined) {
      turn.reply(reply, identityError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS))
      return
    }
    const { isCommit, clientTransactionVersion } = request
    const ended = prepared(known, isCommit, clientTransactionVersion, nextProducerId, turn.nowMs)
    this.#decided(ended, turn)
    turn.reply(reply, identityResult(completed(ended, turn.nowMs)))
  }

  /** All markers of this transaction are durable. Told twice or late, it changes nothing. */
  markersWritten(
    { transactionalId, producerId, producerEpoch }: EndedTransaction,
    turn: TransactionTurn,
  ): void {
    const known = this.#transactions.get(transactionalId)
    if (known === undefined || !isPrepared(known)) return
    if (known.producerId !== producerId || known.producerEpoch !== producerEpoch) return
    this.#set(completed(known, turn.nowMs), turn)
  }

  describe(
    transactionalId: string,
    reply: Reply<DescribedTransaction>,
    turn: TransactionTurn,
  ): void {
    const known = this.#transactions.get(transactionalId)
    if (known === undefined) {
      const errorCode = ErrorCode.TRANSACTIONAL_ID_NOT_FOUND
      turn.reply(reply, describeTransactionError(transactionalId, errorCode))
      return
    }
    const { timeoutMs, startTimestampMs, producerId, producerEpoch, partitions } = known
    turn.reply(reply, {
      errorCode: ErrorCode.NONE,
      transactionalId,
      state: transactionStateName(known.state),
      timeoutMs,
      startTimestampMs,
      producerId,
      producerEpoch,
      partitions,
    })
  }

  list(
    filter: ListTransactionsFilter,
    reply: Reply<readonly ListedTransaction[]>,
    turn: TransactionTurn,
  ): void {
    const { states, producerIds, durationMs, matchesId } = filter
    const listed: ListedTransaction[] = []
    for (const { transactionalId, producerId, state, startTimestampMs } of this.transactions) {
      const name = transactionStateName(state)
      if (producerIds.length > 0 && !producerIds.includes(producerId)) continue
      if (states.length > 0 && !states.includes(name)) continue
      if (durationMs >= 0 && turn.nowMs - startTimestampMs <= durationMs) continue
      if (matchesId !== null && !matchesId(transactionalId)) continue
      listed.push({ transactionalId, producerId, state: name })
    }
    turn.reply(reply, listed)
  }

  replay(key: Buffer, value: Buffer | null): void {
    const replayed = readTransactionRecord(key, value)
    if (replayed === undefined) return
    const { transactionalId, transaction } = replayed
    if (transaction === null) this.#transactions.delete(transactionalId)
    else this.#transactions.set(transactionalId, transaction)
  }

  /** Nobody writes to this log in a transaction. */
  replayTransactionEnd(): void {}

  /** Decided transactions may lack some of their markers: all are written again. */
  loaded(turn: TransactionTurn): void {
    for (const transaction of [...this.transactions]) {
      if (isPrepared(transaction)) this.#finish(transaction, turn)
    }
    this.#schedule('abortCheck', turn)
    this.#schedule('expiryCheck', turn)
  }

  timerFired({ kind }: TransactionTimerEvent, turn: TransactionTurn): void {
    if (kind === 'abortCheck') this.#abortTimedOut(turn)
    else this.#expire(turn)
    this.#schedule(kind, turn)
  }

  parkedReplies(): readonly Reply<never>[] {
    return []
  }

  /** An id is not kept before its first producer gets an epoch. */
  #make(request: InitProducerIdRequest, turn: TransactionTurn): TransactionMetadata | undefined {
    const producerId = this.#options.takeProducerId()
    if (producerId === undefined) return undefined
    return newTransaction(request.transactionalId, producerId, request.timeoutMs, turn.nowMs)
  }

  #nextIdentity(
    known: TransactionMetadata,
    { timeoutMs, expected }: InitProducerIdRequest,
    turn: TransactionTurn,
  ): ProducerIdentityResult {
    const { producerEpoch } = known
    const isCurrent = expected === null || expected.producerEpoch === producerEpoch
    let next: TransactionMetadata | null
    if (isEpochExhausted(producerEpoch)) {
      // A producer with another epoch than the last one is an old one.
      if (!isCurrent) return identityError(ErrorCode.PRODUCER_FENCED)
      const producerId = this.#options.takeProducerId()
      if (producerId === undefined) return identityError(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
      next = withNewProducerId(known, producerId, timeoutMs, expected !== null, turn.nowMs)
    } else {
      next = withNextEpoch(known, timeoutMs, expected?.producerEpoch ?? null, turn.nowMs)
    }
    if (next === null) return identityError(ErrorCode.PRODUCER_FENCED)
    this.#set(next, turn)
    return identityResult(next)
  }

  #abort(transaction: TransactionMetadata, turn: TransactionTurn): void {
    const { transactionVersion } = this.#options.config()
    this.#decided(fenced(transaction, transactionVersion, turn.nowMs), turn)
  }

  #decided(transaction: TransactionMetadata, turn: TransactionTurn): void {
    // Without markers there is nothing between the decision and the end.
    if (transaction.partitions.size > 0) this.#set(transaction, turn)
    this.#finish(transaction, turn)
  }

  #finish(transaction: TransactionMetadata, turn: TransactionTurn): void {
    const { transactionalId, producerId, producerEpoch, state, partitions } = transaction
    if (partitions.size === 0) {
      this.#set(completed(transaction, turn.nowMs), turn)
      return
    }
    const isCommit = state === TransactionState.PREPARE_COMMIT
    const ended = { transactionalId, producerId, producerEpoch, isCommit, partitions }
    turn.reply(this.#options.markers, ended)
  }

  #abortTimedOut(turn: TransactionTurn): void {
    for (const transaction of [...this.transactions]) {
      const { state, timeoutMs, startTimestampMs } = transaction
      if (state !== TransactionState.ONGOING || timeoutMs === NO_TIMEOUT_MS) continue
      if (startTimestampMs + timeoutMs < turn.nowMs) this.#abort(transaction, turn)
    }
  }

  #expire(turn: TransactionTurn): void {
    const { idExpirationMs } = this.#options.config()
    for (const transaction of [...this.transactions]) {
      const { transactionalId, state, lastUpdateTimestampMs } = transaction
      if (state === TransactionState.ONGOING || isPrepared(transaction)) continue
      if (lastUpdateTimestampMs > turn.nowMs - idExpirationMs) continue
      this.#transactions.delete(transactionalId)
      turn.append(transactionTombstone(transactionalId))
    }
  }

  #set(transaction: TransactionMetadata, turn: TransactionTurn): void {
    const { transactionVersion } = this.#options.config()
    this.#transactions.set(transaction.transactionalId, transaction)
    turn.append(transactionRecord(transaction, transactionVersion))
  }

  #schedule(kind: TransactionTimerEvent['kind'], turn: TransactionTurn): void {
    const { abortCheckIntervalMs, expiryCheckIntervalMs } = this.#options.config()
    const delayMs = kind === 'abortCheck' ? abortCheckIntervalMs : expiryCheckIntervalMs
    turn.schedule(kind, delayMs, { kind })
  }
}

/**
 * Whether a producer that says who it is may be the present one. Its epoch is looked at later, but
 * not that of an id that was just made: the id of the producer expired here, so it gets a new one.
 */
function mayGoOn(
  { producerId, previousProducerId, producerEpoch }: TransactionMetadata,
  expected: ProducerIdentity,
): boolean {
  if (producerEpoch === NO_PRODUCER_EPOCH || expected.producerId === producerId) return true
  return expected.producerId === previousProducerId && isEpochExhausted(expected.producerEpoch)
}

/** Why a producer can't take part in a transaction now. */
function refusalOf(
  known: TransactionMetadata | undefined,
  { producerId, producerEpoch }: ProducerIdentity,
): ErrorCode {
  if (known === undefined || known.producerId !== producerId) {
    return ErrorCode.INVALID_PRODUCER_ID_MAPPING
  }
  if (known.producerEpoch !== producerEpoch) return ErrorCode.PRODUCER_FENCED
  return isPrepared(known) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE
}

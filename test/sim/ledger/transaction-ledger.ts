import { expect } from '../world/sim-failure.ts'
import { NO_OFFSET } from './ledger.ts'
import { Register } from './register.ts'

export const TRANSACTION_TOPIC = 'tx'
export const TRANSACTION_PARTITIONS = 2

/**
 * `open`: the producer did not ask for an end; `ending`: it asked for a commit and was not told;
 * `committed`, `aborted`: as told, or as was seen, which holds just as well.
 */
export type TransactionState = 'open' | 'ending' | 'committed' | 'aborted'

export interface TransactionBatch {
  readonly partition: number
  /** Of each record; nobody else sends them. */
  readonly values: readonly string[]
  isAcknowledged: boolean
}

export interface Transaction {
  readonly id: number
  readonly transactionalId: string
  readonly batches: TransactionBatch[]
  /** What it commits for the group of its producer; -1: nothing. */
  offset: number
  state: TransactionState
}

/** What the producers of transactions were told. */
export class TransactionLedger {
  readonly transactions: Transaction[] = []
  /** By transactional id, what its group may have committed. */
  readonly #offsets = new Map<string, Register<number>>()
  readonly #highWatermarks: number[] = []
  readonly #lastStableOffsets: number[] = []
  #commitCount = 0

  begin(transactionalId: string): Transaction {
    const id = this.transactions.length
    const transaction: Transaction = {
      id,
      transactionalId,
      batches: [],
      offset: NO_OFFSET,
      state: 'open',
    }
    this.transactions.push(transaction)
    return transaction
  }

  nextOffset(): number {
    return ++this.#commitCount
  }

  offsetsOf(transactionalId: string): Register<number> {
    const known = this.#offsets.get(transactionalId)
    if (known !== undefined) return known
    const register = new Register(NO_OFFSET)
    this.#offsets.set(transactionalId, register)
    return register
  }

  /** From here on it may be committed. */
  commitAsked(transaction: Transaction): void {
    transaction.state = 'ending'
    const { offset, transactionalId } = transaction
    if (offset !== NO_OFFSET) this.offsetsOf(transactionalId).ask(offset)
  }

  committed(transaction: Transaction): void {
    transaction.state = 'committed'
    const { offset, transactionalId } = transaction
    if (offset !== NO_OFFSET) this.offsetsOf(transactionalId).acknowledge(offset)
  }

  /** Offsets below were shown, or safe to show; neither may go back. */
  seen(partition: number, highWatermark: number, lastStableOffset: number): void {
    const before = this.#highWatermarks[partition] ?? 0
    const stableBefore = this.#lastStableOffsets[partition] ?? 0
    expect(
      highWatermark >= before,
      () => `tx-${partition}: the high watermark went back to ${highWatermark} from ${before}`,
    )
    expect(
      lastStableOffset >= stableBefore,
      () =>
        `tx-${partition}: the last stable offset went back to ${lastStableOffset} ` +
        `from ${stableBefore}`,
    )
    this.#highWatermarks[partition] = highWatermark
    this.#lastStableOffsets[partition] = lastStableOffset
  }
}

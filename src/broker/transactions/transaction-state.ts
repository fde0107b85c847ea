/** Where a transactional id is in its life; the numbers are those of `__transaction_state`. */
export const TransactionState = {
  /** No transaction since the producer got its id. */
  EMPTY: 0,
  ONGOING: 1,
  /** The end is decided and in the log; markers are being written. */
  PREPARE_COMMIT: 2,
  PREPARE_ABORT: 3,
  COMPLETE_COMMIT: 4,
  COMPLETE_ABORT: 5,
} as const
export type TransactionState = (typeof TransactionState)[keyof typeof TransactionState]

/** Names that tools see. Source: org.apache.kafka.coordinator.transaction.TransactionState */
const NAMES: Readonly<Record<TransactionState, string>> = {
  [TransactionState.EMPTY]: 'Empty',
  [TransactionState.ONGOING]: 'Ongoing',
  [TransactionState.PREPARE_COMMIT]: 'PrepareCommit',
  [TransactionState.PREPARE_ABORT]: 'PrepareAbort',
  [TransactionState.COMPLETE_COMMIT]: 'CompleteCommit',
  [TransactionState.COMPLETE_ABORT]: 'CompleteAbort',
}

/** Kafka has two more states in memory; Spool goes through them within one step. */
const KNOWN_NAMES: ReadonlySet<string> = new Set([
  ...Object.values(NAMES),
  'Dead',
  'PrepareEpochFence',
])

export const transactionStateName = (state: TransactionState): string => NAMES[state]

/** Whether ListTransactions may filter by this name. */
export const isTransactionStateName = (name: string): boolean => KNOWN_NAMES.has(name)

/** undefined: no state has this number, or none that Kafka writes to its log. */
export function transactionStateOf(id: number): TransactionState | undefined {
  return Object.values(TransactionState).find((state) => state === id)
}

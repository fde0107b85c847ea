/** Settings of the transaction coordinator, read anew for every step; the names are Kafka's. */
export interface TransactionConfig {
  /** `transaction.max.timeout.ms` */
  readonly maxTimeoutMs: number
  /** `transactional.id.expiration.ms` */
  readonly idExpirationMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` */
  readonly abortCheckIntervalMs: number
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` */
  readonly expiryCheckIntervalMs: number
  /** Finalized level of the feature `transaction.version`. */
  readonly transactionVersion: number
}

/** The defaults of Kafka 4.4. */
export const DEFAULT_TRANSACTION_CONFIG: TransactionConfig = {
  maxTimeoutMs: 900_000,
  idExpirationMs: 604_800_000,
  abortCheckIntervalMs: 10_000,
  expiryCheckIntervalMs: 3_600_000,
  transactionVersion: 2,
}

/** What a producer did in one transaction, and what it was told. */
export interface LedgerTransaction {
  readonly id: number
  readonly transactionalId: string
  readonly client: number
  /** Records whose produce was answered with success, by value. */
  readonly acknowledged: Map<string, { readonly partition: number; readonly offset: number }>
  /** The offset that it sent for its group, and whether that was answered with success. */
  offset: { readonly value: number; isAcknowledged: boolean } | null
  /** How it asked for the end; null: it never did. */
  asked: 'commit' | 'abort' | null
  /** How it was told that it ended. */
  told: 'commit' | 'abort' | null
  /** Another producer got the id before this one asked for the end. */
  isFenced: boolean
}

/** A promise was broken. */
export class Violation extends Error {}

export function expect(condition: boolean, text: () => string): void {
  if (!condition) throw new Violation(text())
}

/** All transactions of all clients. */
export class TransactionLedger {
  readonly transactions: LedgerTransaction[] = []
  #violation: Error | null = null

  begin(transactionalId: string, client: number): LedgerTransaction {
    const transaction: LedgerTransaction = {
      id: this.transactions.length,
      ...{ transactionalId, client, acknowledged: new Map(), offset: null },
      ...{ asked: null, told: null, isFenced: false },
    }
    this.transactions.push(transaction)
    return transaction
  }

  /** A client was told that the id is its own now: what others have open can't be committed. */
  taken(transactionalId: string): void {
    for (const transaction of this.transactions) {
      if (transaction.transactionalId !== transactionalId || transaction.asked !== null) continue
      transaction.isFenced = true
    }
  }

  /** What a client finds wrong on its way; the driver throws it. */
  fail(error: Error): void {
    this.#violation ??= error
  }

  throwIfBroken(): void {
    if (this.#violation !== null) throw this.#violation
  }

  byId(id: number): LedgerTransaction {
    const found = this.transactions[id]
    if (found === undefined) throw new Violation(`nobody began transaction ${id}`)
    return found
  }
}

export const recordValue = (transaction: LedgerTransaction, number: number): string =>
  `${transaction.id} ${number}`

export const transactionOfValue = (value: string): number => Number(value.split(' ')[0])

export const groupOf = (transactionalId: string): string => `group-${transactionalId}`

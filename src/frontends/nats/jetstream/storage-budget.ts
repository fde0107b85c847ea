import { type NewMessage, sizeOf } from '../../../broker/jetstream/stream/record-mapping.ts'
import type { StreamRefusal } from '../../../broker/jetstream/stream/stream-refusal.ts'

const EXCEEDED: StreamRefusal = {
  code: 400,
  err_code: 10002,
  description: 'resource limits exceeded for account',
}

/** What messages have to fit in. */
export interface Budget {
  /** @returns null: the message may be stored, and counts from now on */
  take(message: NewMessage): StreamRefusal | null
}

/** Several budgets in one: the first that has no room refuses. */
export function together(budgets: readonly (Budget | null)[]): Budget | null {
  const limited = budgets.filter((budget) => budget !== null)
  const [only] = limited
  if (only === undefined || limited.length === 1) return only ?? null
  return {
    take(message) {
      for (const budget of limited) {
        const refusal = budget.take(message)
        if (refusal !== null) return refusal
      }
      return null
    },
  }
}

/**
 * What streams of an account may hold together. Messages that were let in are counted, and the streams
 * are asked only when that count is above the limit: what they removed since is room again.
 * Source: wouldExceedLimits of nats-server.
 */
export class StorageBudget implements Budget {
  readonly #limit: number
  readonly #heldBytes: () => number
  #countedBytes = Number.POSITIVE_INFINITY

  /**
   * @param limit bytes
   * @param heldBytes of all streams it is about, with overhead as streams count it
   */
  constructor(limit: number, heldBytes: () => number) {
    this.#limit = limit
    this.#heldBytes = heldBytes
  }

  take(message: NewMessage): StreamRefusal | null {
    const byteCount = sizeOf(message)
    if (this.#countedBytes + byteCount > this.#limit) this.#countedBytes = this.#heldBytes()
    if (this.#countedBytes + byteCount > this.#limit) return EXCEEDED
    this.#countedBytes += byteCount
    return null
  }
}

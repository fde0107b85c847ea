import { type NewMessage, sizeOf } from '../../../broker/jetstream/stream/record-mapping.ts'
import type { StreamRefusal } from '../../../broker/jetstream/stream/stream-refusal.ts'

const EXCEEDED: StreamRefusal = {
  code: 400,
  err_code: 10002,
  description: 'resource limits exceeded for account',
}

const EXHAUSTED: StreamRefusal = {
  code: 503,
  err_code: 10023,
  description: 'insufficient resources',
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
 * What streams may hold together. Messages that were let in are counted, and the streams are asked only
 * when that count is above the limit: what they removed since is room again.
 */
class CountingBudget implements Budget {
  readonly #limit: number
  readonly #heldBytes: () => number
  readonly #mustFit: boolean
  readonly #refusal: StreamRefusal
  #countedBytes = Number.POSITIVE_INFINITY

  /**
   * @param limit bytes
   * @param heldBytes of all streams it is about, with overhead as streams count it
   * @param mustFit the message that is asked about counts too
   */
  constructor(limit: number, heldBytes: () => number, mustFit: boolean, refusal: StreamRefusal) {
    this.#limit = limit
    this.#heldBytes = heldBytes
    this.#mustFit = mustFit
    this.#refusal = refusal
  }

  take(message: NewMessage): StreamRefusal | null {
    const byteCount = sizeOf(message)
    const neededBytes = this.#mustFit ? byteCount : 0
    if (this.#countedBytes + neededBytes > this.#limit) this.#countedBytes = this.#heldBytes()
    if (this.#countedBytes + neededBytes > this.#limit) return this.#refusal
    this.#countedBytes += byteCount
    return null
  }
}

/** Of an account: its messages fit in the limit. Source: wouldExceedLimits of nats-server. */
export class StorageBudget extends CountingBudget {
  constructor(limit: number, heldBytes: () => number) {
    super(limit, heldBytes, true, EXCEEDED)
  }
}

/** Of the server: messages are let in until it has more than its limit. Source: limitsExceeded of nats-server. */
export class ServerBudget extends CountingBudget {
  constructor(limit: number, heldBytes: () => number) {
    super(limit, heldBytes, false, EXHAUSTED)
  }
}

/** How much of batches there may be. */
export interface BatchLimits {
  readonly maxMessageCount: number
  /** Open at one time. */
  readonly maxAtomicPerStream: number
  readonly maxAtomicCount: number
  readonly maxFastPerStream: number
  readonly maxFastCount: number
  /** Messages of all batches that are not durable yet, with what keeping them costs. */
  readonly maxHeldBytes: number
  /** A batch that nothing comes for is given up. */
  readonly idleMs: number
}

/** Source: streamDefaultMax* of nats-server; it holds messages in files, which are not limited. */
export const DEFAULT_BATCH_LIMITS: BatchLimits = {
  maxMessageCount: 1000,
  maxAtomicPerStream: 50,
  maxAtomicCount: 1000,
  maxFastPerStream: 1000,
  maxFastCount: 50_000,
  maxHeldBytes: 128 * 1024 * 1024,
  idleMs: 10_000,
}

/** What all batches of a server take together. */
export class BatchQuota {
  readonly limits: BatchLimits
  atomicCount = 0
  fastCount = 0
  heldBytes = 0

  constructor(limits: BatchLimits = DEFAULT_BATCH_LIMITS) {
    this.limits = limits
  }

  /** @returns whether there is room; then `release` gives it back */
  hold(byteCount: number): boolean {
    if (this.heldBytes + byteCount > this.limits.maxHeldBytes) return false
    this.heldBytes += byteCount
    return true
  }

  release(byteCount: number): void {
    this.heldBytes -= byteCount
  }
}

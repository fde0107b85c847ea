import { assert } from '../../../src/base/assert.ts'
import type { Lease } from '../../../src/base/lease.ts'

/** Bytes of a request: who looks at them after the last release sees rubbish. */
export class PoisonedLease implements Lease {
  readonly heldBytes: number
  readonly #bytes: Buffer
  #holderCount = 1

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.heldBytes = bytes.byteLength
  }

  retain(): void {
    assert(this.#holderCount > 0, 'a lease that ended is not retained')
    this.#holderCount++
  }

  release(): void {
    assert(this.#holderCount > 0, 'a lease is released as often as it was retained')
    if (--this.#holderCount === 0) this.#bytes.fill(0xee)
  }
}

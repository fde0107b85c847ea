/**
 * A shared hold on bytes. Whoever keeps the bytes past the call it got them in retains the lease and
 * releases it once; after the last release the memory is used again for something else.
 */
export interface Lease {
  /**
   * Bytes of memory that stay taken while anybody holds it: often more than the bytes one holder
   * looks at, since small requests share a slab. Caches count this, once for each lease.
   */
  readonly heldBytes: number
  retain(): void
  release(): void
}

/** For bytes that the garbage collector owns. */
export const UNPOOLED: Lease = { heldBytes: 0, retain() {}, release() {} }

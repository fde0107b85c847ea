/**
 * A shared hold on bytes. Whoever keeps the bytes past the call it got them in retains the lease and
 * releases it once; after the last release the memory is used again for something else.
 */
export interface Lease {
  retain(): void
  release(): void
}

/** For bytes that the garbage collector owns. */
export const UNPOOLED: Lease = { retain() {}, release() {} }

/** Time as the domain sees it. A simulation gives a seeded one. */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970. It can jump either way. */
  nowMs(): number
  /** Milliseconds since some fixed moment, with fractions. It never goes back. */
  monotonicMs(): number
}

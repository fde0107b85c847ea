/** A count that only grows. */
export interface Counter {
  add(amount?: number): void
}

/** Durations or sizes, kept as a distribution. */
export interface Histogram {
  record(value: number): void
}

/**
 * Where measurements go. Instruments are made once at start and kept: recording allocates nothing.
 * Names follow Prometheus: unit last, `_total` for counters.
 */
export interface Meter {
  counter(name: string, help: string, labels?: Readonly<Record<string, string>>): Counter
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: Readonly<Record<string, string>>,
  ): Histogram
  /** `read` is called whenever somebody looks. */
  gauge(
    name: string,
    help: string,
    read: () => number,
    labels?: Readonly<Record<string, string>>,
  ): void
}

/**
 * How hard a broker works on compaction; bytes and milliseconds. Read again for each run, so a
 * change holds from the next one on. Source: Kafka's `log.cleaner.*` configs.
 */
export interface CleanerConfig {
  /** `log.cleaner.enable`: false, and nothing is compacted. */
  readonly isEnabled: boolean
  /** `log.cleaner.threads`: logs that are compacted at the same time; 0: none. */
  readonly threadCount: number
  /** `log.cleaner.dedupe.buffer.size`: memory for the offset maps of all threads. */
  readonly dedupeBufferBytes: number
  /** `log.cleaner.io.buffer.load.factor`: how full an offset map may get; above 0, at most 1. */
  readonly dedupeLoadFactor: number
  /** `log.cleaner.io.buffer.size`: memory for the buffers of all threads that read and write. */
  readonly ioBufferBytes: number
  /** `log.cleaner.io.max.bytes.per.second`: reads and writes together; Infinity: no limit. */
  readonly maxIoBytesPerSecond: number
  /** `log.cleaner.backoff.ms`: rest after a look that found nothing to do. */
  readonly backoffMs: number
}

import type { Counter, Meter } from '../../ports/meter.ts'

/** The instruments of log compaction. */
export interface CleaningMetrics {
  readonly rounds: Counter
  readonly failures: Counter
  readonly readBytes: Counter
  readonly writtenBytes: Counter
}

/** @param uncleanableCount logs that are not compacted any more because something is wrong */
export function makeCleaningMetrics(meter: Meter, uncleanableCount: () => number): CleaningMetrics {
  meter.gauge(
    'spool_log_cleaner_uncleanable',
    'Logs that are not compacted until the broker is restarted, because of an error.',
    uncleanableCount,
  )
  return {
    rounds: meter.counter('spool_log_cleaner_rounds_total', 'Compactions of a log.'),
    failures: meter.counter('spool_log_cleaner_failures_total', 'Compactions that failed.'),
    readBytes: meter.counter('spool_log_cleaner_read_bytes_total', 'Bytes that compaction read.'),
    writtenBytes: meter.counter(
      'spool_log_cleaner_written_bytes_total',
      'Bytes that compaction kept.',
    ),
  }
}

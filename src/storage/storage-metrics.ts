import type { Counter, Histogram, Meter } from '../ports/meter.ts'

const SYNC_BUCKETS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
]

/** The instruments of the storage engine. */
export interface StorageMetrics {
  readonly writtenBytes: Counter
  readonly writes: Counter
  readonly syncSeconds: Histogram
  readonly failedLogs: Counter
  readonly refusedAppends: Counter
  readonly deletedSegments: Counter
  readonly cutBytes: Counter
  readonly tailReads: Counter
  readonly fileReads: Counter
}

export function makeStorageMetrics(meter: Meter): StorageMetrics {
  return {
    writtenBytes: meter.counter('spool_log_written_bytes_total', 'Bytes written to segments.'),
    writes: meter.counter('spool_log_writes_total', 'Vectored writes to segments.'),
    syncSeconds: meter.histogram(
      'spool_log_sync_seconds',
      'Time of one fdatasync of a segment.',
      SYNC_BUCKETS_SECONDS,
    ),
    failedLogs: meter.counter('spool_log_failed_total', 'Logs that went offline on an error.'),
    refusedAppends: meter.counter(
      'spool_log_refused_appends_total',
      'Batches refused because the disk was full.',
    ),
    deletedSegments: meter.counter(
      'spool_log_deleted_segments_total',
      'Segments that retention took out.',
    ),
    cutBytes: meter.counter(
      'spool_log_cut_bytes_total',
      'Bytes that recovery cut off the ends of logs.',
    ),
    tailReads: meter.counter('spool_log_tail_reads_total', 'Reads answered from memory.'),
    fileReads: meter.counter('spool_log_file_reads_total', 'Reads answered from files.'),
  }
}

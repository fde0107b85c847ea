import type { Counter, Meter } from '../../ports/meter.ts'
import type { AcknowledgementBatch } from '../delivery/acknowledge.ts'
import { AcknowledgeType, type OffsetSpan } from '../delivery/delivery-state.ts'

/** What share groups do. Records are counted, not batches. */
export interface ShareMetrics {
  readonly deliveredRecords: Counter
  /** By what a member said of them. */
  readonly acknowledgedRecords: Readonly<Record<AcknowledgeType, Counter>>
  readonly expiredRecords: Counter
  readonly deadLetters: Counter
  readonly failedDeadLetters: Counter
}

/** Counts that are read when somebody looks. */
export interface ShareCounts {
  readonly partitionCount: number
  readonly sessionCount: number
  readonly inFlightCount: number
}

export function makeShareMetrics(meter: Meter, counts: () => ShareCounts): ShareMetrics {
  const acknowledged = (type: string): Counter =>
    meter.counter(
      'spool_share_acknowledged_records_total',
      'Records that members of share groups spoke of, by what they said.',
      { type },
    )
  meter.gauge(
    'spool_share_partitions',
    'Partitions that share groups read, counted for each group.',
    () => counts().partitionCount,
  )
  meter.gauge(
    'spool_share_sessions',
    'Members that have a share session.',
    () => counts().sessionCount,
  )
  meter.gauge(
    'spool_share_in_flight_records',
    'Records of share groups that were delivered and are not finished.',
    () => counts().inFlightCount,
  )
  return {
    deliveredRecords: meter.counter(
      'spool_share_delivered_records_total',
      'Records given to members of share groups, each time they are.',
    ),
    acknowledgedRecords: {
      [AcknowledgeType.GAP]: acknowledged('gap'),
      [AcknowledgeType.ACCEPT]: acknowledged('accept'),
      [AcknowledgeType.RELEASE]: acknowledged('release'),
      [AcknowledgeType.REJECT]: acknowledged('reject'),
      [AcknowledgeType.RENEW]: acknowledged('renew'),
    },
    expiredRecords: meter.counter(
      'spool_share_expired_records_total',
      'Records that a member of a share group had for too long.',
    ),
    deadLetters: meter.counter(
      'spool_share_dead_letters_total',
      'Records that were given up: rejected or delivered too often.',
    ),
    failedDeadLetters: meter.counter(
      'spool_share_dead_letters_failed_total',
      'Records that could not be written to their dead-letter topic.',
    ),
  }
}

export function recordCountOf(spans: readonly OffsetSpan[]): number {
  return spans.reduce((sum, { firstOffset, lastOffset }) => sum + lastOffset - firstOffset + 1, 0)
}

/** Acknowledgements that were taken. */
export function countAcknowledged(
  { acknowledgedRecords }: ShareMetrics,
  batches: readonly AcknowledgementBatch[],
): void {
  for (const { firstOffset, lastOffset, types } of batches) {
    const [only] = types
    if (types.length === 1) {
      acknowledgedRecords[only as AcknowledgeType].add(lastOffset - firstOffset + 1)
    } else for (const type of types) acknowledgedRecords[type as AcknowledgeType].add()
  }
}

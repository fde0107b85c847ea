import type { DeliveryLimits } from '../delivery/delivery-state.ts'

/** Where a group begins to read a partition that it did not read before. */
export type AutoOffsetReset =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  /** Records of the last `durationMs`. */
  | { readonly kind: 'byDuration'; readonly durationMs: number }

/** Settings of one share group; its own ones are named, those of the broker begin with `group.`. */
export interface ShareGroupSettings {
  /** `share.record.lock.duration.ms` */
  readonly recordLockDurationMs: number
  /** `share.delivery.count.limit` */
  readonly deliveryCountLimit: number
  /** `share.partition.max.record.locks` */
  readonly partitionMaxRecordLocks: number
  /** `share.auto.offset.reset` */
  readonly autoOffsetReset: AutoOffsetReset
  /** `share.isolation.level` */
  readonly isReadCommitted: boolean
  /** `share.renew.acknowledge.enable` */
  readonly canRenew: boolean
  /** `errors.deadletterqueue.topic.name`; null: there is none. */
  readonly deadLetterTopic: string | null
  /** `errors.deadletterqueue.copy.record.enable` */
  readonly copiesDeadLetters: boolean
}

/** Settings of share groups, read anew for every step. */
export interface ShareConfig {
  /** `group.share.max.share.sessions` */
  readonly maxSessions: number
  /** `fetch.max.bytes` */
  readonly maxFetchBytes: number
  readonly ofGroup: (groupId: string) => ShareGroupSettings
}

/** The defaults of Kafka 4.4. */
export const DEFAULT_SHARE_SETTINGS: ShareGroupSettings = {
  recordLockDurationMs: 30_000,
  deliveryCountLimit: 5,
  partitionMaxRecordLocks: 2_000,
  autoOffsetReset: { kind: 'latest' },
  isReadCommitted: false,
  canRenew: true,
  deadLetterTopic: null,
  copiesDeadLetters: false,
}

export function deliveryLimitsOf(settings: ShareGroupSettings): DeliveryLimits {
  return {
    maxInFlightCount: settings.partitionMaxRecordLocks,
    maxDeliveryCount: settings.deliveryCountLimit,
    lockDurationMs: () => settings.recordLockDurationMs,
    hasDeadLetters: settings.deadLetterTopic !== null,
  }
}

const DAY_MS = 86_400_000

/** @param text of `share.auto.offset.reset`; it was checked when it was set */
export function parseAutoOffsetReset(text: string): AutoOffsetReset {
  const lower = text.toLowerCase()
  if (lower === 'earliest') return { kind: 'earliest' }
  const parts = /^by_duration:p(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?)?$/.exec(
    lower,
  )
  if (parts === null) return { kind: 'latest' }
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = parts
  const durationMs =
    Number(days) * DAY_MS +
    Number(hours) * 3_600_000 +
    Number(minutes) * 60_000 +
    Math.trunc(Number(seconds) * 1_000)
  return { kind: 'byDuration', durationMs }
}

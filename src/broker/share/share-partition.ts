import { ErrorCode } from '../../base/error-code.ts'
import { LinkedList, type ListNode } from '../../base/linked-list.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { AcknowledgementBatch } from '../delivery/acknowledge.ts'
import type { Acquired, AcquireRequest } from '../delivery/acquire.ts'
import type { OffsetSpan } from '../delivery/delivery-state.ts'
import { type DeadLetter, DeliveryUpdate } from '../delivery/delivery-update.ts'
import { DeliveryWindow } from '../delivery/delivery-window.ts'
import type { Partition } from '../topics/partition.ts'
import type { SharePartitionKey } from './coordinator/share-partition-key.ts'
import { NO_START_OFFSET, type ShareOutcome } from './coordinator/share-state.ts'
import type { DeadLetterWriter } from './dead-letter-writer.ts'
import { deliveryLimitsOf, type ShareGroupSettings } from './share-config.ts'
import { countAcknowledged, recordCountOf, type ShareMetrics } from './share-metrics.ts'
import type { SharePersister } from './share-persister.ts'

export interface SharePartitionPorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly persister: SharePersister
  readonly deadLetters: DeadLetterWriter
  readonly metrics: ShareMetrics
}

/** Told in the turn in which records may have become available, or the partition is closed. */
export interface SharePartitionWatcher {
  sharePartitionChanged(): void
}

const DONE: ShareOutcome = { errorCode: ErrorCode.NONE, errorMessage: null }
/** A lock that runs out is not taken back earlier than this, so that many go together. */
const MIN_TIMER_MS = 1

/** After these nothing that is known of the partition is right any more. */
const FENCING = new Set<ErrorCode>([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_STATE_EPOCH,
  ErrorCode.GROUP_ID_NOT_FOUND,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
])

/**
 * A partition as a share group reads it: its delivery window, kept by the share coordinator.
 * Source: SharePartition of Kafka 4.4 (KIP-932).
 */
export class SharePartition {
  readonly key: SharePartitionKey
  readonly partition: Partition
  readonly #ports: SharePartitionPorts
  readonly #settings: () => ShareGroupSettings
  readonly #leaderEpoch: number
  readonly #watchers = new LinkedList<SharePartitionWatcher>()
  /** null until it is loaded. */
  #window: DeliveryWindow | null = null
  #loading: Promise<ShareOutcome> | null = null
  #stateEpoch = 0
  #isClosed = false
  #timer: Timer | null = null
  #timerDueMs = Number.POSITIVE_INFINITY
  /** A fetch reads it: what comes next is known when that is done. */
  isFetchLocked = false

  constructor(
    key: SharePartitionKey,
    partition: Partition,
    settings: () => ShareGroupSettings,
    ports: SharePartitionPorts,
  ) {
    this.key = key
    this.partition = partition
    this.#settings = settings
    this.#ports = ports
    this.#leaderEpoch = partition.log.leaderEpoch
  }

  get isActive(): boolean {
    return this.#window !== null && !this.#isClosed
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get settings(): ShareGroupSettings {
    return this.#settings()
  }

  /** Records that were given to somebody, or come before such ones, and are not finished. */
  get inFlightCount(): number {
    return this.#window?.inFlightCount ?? 0
  }

  /** Where readers of this group must stop: what is not durable, or not committed, is not theirs. */
  get endOffset(): number {
    const { log } = this.partition
    return this.#settings().isReadCommitted ? log.lastStableOffset : log.highWatermark
  }

  /** Reads the state, once; the same promise for all who ask meanwhile. */
  load(): Promise<ShareOutcome> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  async #load(): Promise<ShareOutcome> {
    const state = await this.#ports.persister.readState(this.key, this.#leaderEpoch)
    if (state.errorCode !== ErrorCode.NONE) return persisterError(state)
    if (this.#isClosed) return NOT_LEADER
    const startOffset =
      state.startOffset === NO_START_OFFSET ? await this.#resetOffset() : state.startOffset
    if (startOffset === null) return UNREADABLE
    this.#stateEpoch = state.stateEpoch
    this.#window = DeliveryWindow.restore(startOffset, state.stateBatches, () =>
      deliveryLimitsOf(this.#settings()),
    )
    this.#resumeDeadLetters(this.#window)
    this.#changed()
    return DONE
  }

  /** null: the log can't be searched. */
  async #resetOffset(): Promise<number | null> {
    const reset = this.#settings().autoOffsetReset
    const { log } = this.partition
    if (reset.kind === 'earliest') return log.logStartOffset
    if (reset.kind === 'latest') return log.highWatermark
    const timestampMs = this.#ports.clock.nowMs() - reset.durationMs
    try {
      const found = await log.offsetForTimestamp(timestampMs, log.highWatermark)
      return found?.offset ?? log.highWatermark
    } catch (error) {
      this.#ports.logger.error('a share group could not find where to begin', {
        ...this.key,
        error,
      })
      return null
    }
  }

  /** Where to read what can be given next; null: nothing can be given now. */
  nextFetchOffset(): number | null {
    const window = this.#window
    if (window === null || this.#isClosed || this.isFetchLocked) return null
    const nowMs = this.#ports.clock.monotonicMs()
    window.logStartMoved(this.partition.log.logStartOffset)
    return window.canAcquire(nowMs) ? window.nextFetchOffset(nowMs) : null
  }

  /** @param missing batches of what was read that hold nothing to deliver */
  acquire(request: AcquireRequest, missing: readonly OffsetSpan[]): Acquired {
    const window = this.#window
    if (window === null || this.#isClosed) return { spans: [], recordCount: 0 }
    const acquired = window.acquire(request, this.#ports.clock.monotonicMs(), missing)
    this.#ports.metrics.deliveredRecords.add(acquired.recordCount)
    this.#schedule()
    return acquired
  }

  /** INVALID_RECORD_STATE, INVALID_REQUEST, or why it could not be kept. */
  async acknowledge(
    memberId: string,
    batches: readonly AcknowledgementBatch[],
  ): Promise<ShareOutcome> {
    if (this.#window === null || this.#isClosed) return NOT_LEADER
    const { canRenew } = this.#settings()
    const request = { owner: memberId, batches, canRenew }
    const update = this.#window.acknowledge(request, this.#ports.clock.monotonicMs())
    this.#schedule()
    if (!(update instanceof DeliveryUpdate)) return update
    countAcknowledged(this.#ports.metrics, batches)
    return this.#keep(update)
  }

  /** What the member has can be given to others. */
  async release(memberId: string): Promise<ShareOutcome> {
    if (this.#window === null || this.#isClosed) return DONE
    return this.#keep(this.#window.releaseAll(memberId))
  }

  /** @returns what `unwatch` takes */
  watch(watcher: SharePartitionWatcher): ListNode<SharePartitionWatcher> {
    return this.#watchers.add(watcher)
  }

  unwatch(watch: ListNode<SharePartitionWatcher>): void {
    this.#watchers.remove(watch)
  }

  /** Another one takes its place, or nobody reads it any more. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#changed()
  }

  /** A fetch is done with it. */
  unlock(): void {
    this.isFetchLocked = false
    this.#changed()
  }

  async #keep(update: DeliveryUpdate): Promise<ShareOutcome> {
    const window = this.#window
    if (window === null || update.isEmpty) return DONE
    const outcome = await this.#ports.persister.writeState(this.key, {
      stateEpoch: this.#stateEpoch,
      leaderEpoch: this.#leaderEpoch,
      startOffset: window.startOffset,
      deliveryCompleteCount: window.completeCount,
      stateBatches: update.batches,
    })
    const isKept = outcome.errorCode === ErrorCode.NONE
    window.settle(update, isKept, this.#ports.clock.monotonicMs())
    this.#schedule()
    this.#changed()
    // What ran out of time is archived even if that could not be kept.
    if (isKept || update.transitions.length === 0) {
      for (const letter of update.deadLetters) void this.#bury(letter)
    }
    return isKept ? DONE : persisterError(outcome)
  }

  /** Records that were on their way to the dead-letter topic when the broker stopped. */
  #resumeDeadLetters(window: DeliveryWindow): void {
    const { deliveryCountLimit } = this.#settings()
    for (const batch of window.deadLetters) {
      const isExhausted = batch.deliveryCount >= deliveryCountLimit
      void this.#bury({ ...batch, cause: isExhausted ? 'exhausted' : 'rejected' })
    }
  }

  /** To the dead-letter topic, and out of the way; also when it can't be written there. */
  async #bury(letter: DeadLetter): Promise<void> {
    const { deadLetterTopic: topic, copiesDeadLetters: copiesRecords } = this.#settings()
    const { groupId } = this.key
    const { deadLetters, failedDeadLetters } = this.#ports.metrics
    deadLetters.add(recordCountOf([letter]))
    try {
      if (topic !== null) {
        const request = { groupId, source: this.partition, topic, copiesRecords, letter }
        await this.#ports.deadLetters.write(request)
      }
    } catch (error) {
      failedDeadLetters.add(recordCountOf([letter]))
      const facts = { ...this.key, ...letter, topic, error }
      this.#ports.logger.error('records could not be written to the dead-letter topic', facts)
    }
    if (this.#window === null || this.#isClosed) return
    const { errorCode, errorMessage } = await this.#keep(this.#window.archiveDeadLetters(letter))
    if (errorCode === ErrorCode.NONE) return
    const facts = { ...this.key, reason: errorMessage }
    this.#ports.logger.warn('dead letters could not be kept as archived', facts)
  }

  /** One timer for the lock that runs out first. */
  #schedule(): void {
    const dueMs = this.#window?.nextDueMs ?? Number.POSITIVE_INFINITY
    if (this.#isClosed || dueMs === Number.POSITIVE_INFINITY || dueMs >= this.#timerDueMs) return
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    const delayMs = Math.max(MIN_TIMER_MS, dueMs - this.#ports.clock.monotonicMs())
    this.#timer = this.#ports.scheduler.after(delayMs, () => this.#expire())
  }

  #expire(): void {
    this.#timerDueMs = Number.POSITIVE_INFINITY
    const window = this.#window
    if (window === null || this.#isClosed) return
    const update = window.expire(this.#ports.clock.monotonicMs())
    this.#ports.metrics.expiredRecords.add(recordCountOf(update.batches))
    this.#schedule()
    // It holds whether it is kept or not: after a restart nobody has anything anyway.
    void this.#keep(update).then(({ errorCode, errorMessage }) => {
      if (errorCode === ErrorCode.NONE) return
      this.#ports.logger.warn(
        'records that were not acknowledged in time could not be kept as such',
        {
          ...this.key,
          reason: errorMessage,
        },
      )
    })
    this.#changed()
  }

  #changed(): void {
    for (const { item } of this.#watchers.nodes()) item.sharePartitionChanged()
  }
}

const NOT_LEADER: ShareOutcome = {
  errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
  errorMessage: 'The share partition was closed.',
}

const UNREADABLE: ShareOutcome = {
  errorCode: ErrorCode.KAFKA_STORAGE_ERROR,
  errorMessage: 'The log could not be read.',
}

/** True when the share partition has to be read anew. */
export function isFencing({ errorCode }: ShareOutcome): boolean {
  return FENCING.has(errorCode)
}

/** What a client is told of an error of the share coordinator. Source: fetchPersisterError. */
function persisterError({ errorCode, errorMessage }: ShareOutcome): ShareOutcome {
  switch (errorCode) {
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, errorMessage }
    case ErrorCode.FENCED_LEADER_EPOCH:
    case ErrorCode.FENCED_STATE_EPOCH:
      return { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, errorMessage }
    case ErrorCode.GROUP_ID_NOT_FOUND:
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
      return { errorCode, errorMessage }
    default:
      return { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, errorMessage }
  }
}

import { ErrorCode } from '../../base/error-code.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataChange, MetadataListener } from '../../ports/metadata-store.ts'
import type { Meter } from '../../ports/meter.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import type { AcknowledgementBatch } from '../delivery/acknowledge.ts'
import type { PartitionLookup } from '../topics/partition-lookup.ts'
import { coordinatorKeyOf, type SharePartitionKey } from './coordinator/share-partition-key.ts'
import type { ShareOutcome } from './coordinator/share-state.ts'
import type { DeadLetterWriter } from './dead-letter-writer.ts'
import {
  DelayedShareFetch,
  type ShareFetchParams,
  type ShareFetchResult,
} from './delayed-share-fetch.ts'
import type { ShareConfig } from './share-config.ts'
import { makeShareMetrics } from './share-metrics.ts'
import { isFencing, SharePartition, type SharePartitionPorts } from './share-partition.ts'
import type { SharePersister } from './share-persister.ts'
import { type ShareSession, ShareSessions, type TopicIdPartition } from './share-sessions.ts'

export interface SharePartitionManagerOptions {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly meter: Meter
  readonly persister: SharePersister
  readonly deadLetters: DeadLetterWriter
  readonly partitions: PartitionLookup
  /** Read for every step, so that changed settings hold at once. */
  readonly config: () => ShareConfig
}

/** A fetch that runs, for its caller to stop it. */
export interface RunningShareFetch {
  cancel(): void
}

const UNKNOWN_PARTITION: ShareOutcome = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
}

/** The partitions that share groups read from this broker, and the sessions of their members. */
export class SharePartitionManager implements MetadataListener {
  readonly sessions: ShareSessions
  readonly #options: SharePartitionManagerOptions
  readonly #shares = new Map<string, SharePartition>()
  readonly #ports: SharePartitionPorts

  constructor(options: SharePartitionManagerOptions) {
    this.#options = options
    this.sessions = new ShareSessions(() => options.config().maxSessions)
    const metrics = makeShareMetrics(options.meter, () => ({
      partitionCount: this.#shares.size,
      sessionCount: this.sessions.count,
      inFlightCount: [...this.#shares.values()].reduce((sum, one) => sum + one.inFlightCount, 0),
    }))
    this.#ports = { ...options, metrics }
  }

  get config(): ShareConfig {
    return this.#options.config()
  }

  /** Partitions that are being read. */
  get partitionCount(): number {
    return this.#shares.size
  }

  /**
   * Fetches for a member.
   * @param done called once, in this turn or later, unless the fetch is cancelled: results of
   *   partitions that were read or failed
   */
  fetch(
    groupId: string,
    partitions: readonly TopicIdPartition[],
    params: ShareFetchParams,
    done: (results: ShareFetchResult[]) => void,
  ): RunningShareFetch {
    const failed: ShareFetchResult[] = []
    const shares: SharePartition[] = []
    const isWanted = params.maxRecordCount > 0 && params.maxBytes > 0
    for (const { topicId, partition } of isWanted ? partitions : []) {
      const share = this.#open({ groupId, topicId, partition })
      if (share === undefined) failed.push(failure({ topicId, partition }, UNKNOWN_PARTITION))
      else shares.push(share)
    }
    const fetch = new DelayedShareFetch(params, shares, (results) => done([...failed, ...results]))
    let isCancelled = false
    const loading = shares.filter((share) => !share.isActive)
    const start = (): void => {
      if (!isCancelled) fetch.start(this.#options.scheduler)
    }
    if (loading.length === 0) start()
    else
      void this.#loadAll(loading, failed).then((isFailed) => {
        if (isCancelled) return
        // An error is told at once; the others are asked for with the next fetch.
        if (isFailed) done(failed)
        else start()
      })
    return {
      cancel: () => {
        isCancelled = true
        fetch.cancel()
      },
    }
  }

  async #loadAll(loading: readonly SharePartition[], failed: ShareFetchResult[]): Promise<boolean> {
    const outcomes = await Promise.all(loading.map((share) => share.load()))
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.errorCode === ErrorCode.NONE) continue
      const share = loading[index] as SharePartition
      this.#drop(share)
      failed.push(failure(share.key, outcome))
    }
    return failed.length > 0
  }

  /** UNKNOWN_TOPIC_OR_PARTITION for what nobody fetched from this broker. */
  async acknowledge(
    key: SharePartitionKey,
    memberId: string,
    batches: readonly AcknowledgementBatch[],
  ): Promise<ShareOutcome> {
    const share = this.#shares.get(coordinatorKeyOf(key))
    if (share === undefined) return UNKNOWN_PARTITION
    const outcome = await share.acknowledge(memberId, batches)
    if (isFencing(outcome)) this.#drop(share)
    return outcome
  }

  /**
   * Ends the session of a member: what it has goes to others. A group that nobody else of reads here
   * is forgotten.
   */
  async releaseSession(groupId: string, memberId: string): Promise<void> {
    const session = this.sessions.remove(groupId, memberId)
    if (session === undefined) return
    await this.#release(session)
    this.#dropIdle(groupId)
  }

  /** The client is gone, and so are its members. */
  connectionClosed(connectionId: number): void {
    for (const session of this.sessions.ofConnection(connectionId)) {
      const { groupId, memberId } = session
      this.releaseSession(groupId, memberId).catch((error: unknown) => {
        const facts = { groupId, memberId, error }
        this.#options.logger.error('the records of a member could not be released', facts)
      })
    }
  }

  /** The state was changed by an administrator: what is known of it is old. */
  forget(key: SharePartitionKey): void {
    const share = this.#shares.get(coordinatorKeyOf(key))
    if (share !== undefined) this.#drop(share)
  }

  metadataChanged(changes: readonly MetadataChange[]): void {
    for (const change of changes) {
      if (change.kind !== 'topicDeleted') continue
      for (const share of [...this.#shares.values()]) {
        if (share.key.topicId === change.topicId) this.#drop(share)
      }
    }
  }

  close(): void {
    for (const share of [...this.#shares.values()]) this.#drop(share)
  }

  async #release({ groupId, memberId, partitions }: ShareSession): Promise<void> {
    const released = [...partitions.values()].map(async ({ topicId, partition }) => {
      const share = this.#shares.get(coordinatorKeyOf({ groupId, topicId, partition }))
      if (share === undefined) return
      const outcome = await share.release(memberId)
      if (isFencing(outcome)) this.#drop(share)
    })
    await Promise.all(released)
  }

  #dropIdle(groupId: string): void {
    if (this.sessions.memberCount(groupId) > 0) return
    for (const share of [...this.#shares.values()]) {
      if (share.key.groupId === groupId) this.#drop(share)
    }
  }

  #open(key: SharePartitionKey): SharePartition | undefined {
    const name = coordinatorKeyOf(key)
    const known = this.#shares.get(name)
    if (known !== undefined) return known
    const { partitions, config } = this.#options
    const partition = partitions.partitionById(key.topicId, key.partition)
    if (partition === undefined) return undefined
    const settings = () => config().ofGroup(key.groupId)
    const share = new SharePartition(key, partition, settings, this.#ports)
    this.#shares.set(name, share)
    return share
  }

  #drop(share: SharePartition): void {
    const name = coordinatorKeyOf(share.key)
    if (this.#shares.get(name) === share) this.#shares.delete(name)
    share.close()
  }
}

function failure(
  { topicId, partition }: TopicIdPartition,
  outcome: ShareOutcome,
): ShareFetchResult {
  return { topicId, partition, ...outcome, records: null, acquired: [], release() {} }
}

import { ErrorCode } from '../../base/error-code.ts'
import type { Logger } from '../../ports/logger.ts'
import type { MetadataImage } from '../../ports/metadata-store.ts'
import type { GroupCoordinator } from '../groups/group-coordinator.ts'
import type { ShareDeletion, ShareRefusal } from '../groups/share/share-group-manager.ts'
import {
  type DescribedShareGroup,
  describeShareError,
  type ShareHeartbeatRequest,
  type ShareHeartbeatResult,
  type ShareInitialization,
} from '../groups/share/share-group-requests.ts'
import type { PartitionsByTopic } from '../groups/share/share-partitions.ts'
import type { PartitionLookup } from '../topics/partition-lookup.ts'
import type { SharePartitionKey } from './coordinator/share-partition-key.ts'
import { NO_COMPLETE_COUNT, NO_START_OFFSET, type ShareOutcome } from './coordinator/share-state.ts'
import type { SharePersister } from './share-persister.ts'

export interface ShareGroupServiceOptions {
  readonly groups: GroupCoordinator
  readonly persister: SharePersister
  readonly metadata: () => MetadataImage
  readonly partitions: PartitionLookup
  readonly logger: Logger
  /** The state of a share partition was set or deleted: what its leader knows is old. */
  readonly stateChanged?: (key: SharePartitionKey) => void
}

export interface SharePartitionOffset {
  readonly partition: number
  /** -1: nothing was read yet. */
  readonly startOffset: number
  readonly leaderEpoch: number
  /** Records that were neither acknowledged nor archived; -1: not known. */
  readonly lag: number
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export interface ShareTopicOffsets {
  readonly topicId: string
  readonly topicName: string
  readonly partitions: readonly SharePartitionOffset[]
}

export interface ShareTopicOutcome extends ShareOutcome {
  readonly topicId: string
  readonly topicName: string
}

export interface ShareDeletionResult extends ShareOutcome {
  readonly topics: readonly ShareTopicOutcome[]
}

export interface ShareAlterResult extends ShareOutcome {
  readonly topics: readonly {
    readonly topicId: string
    readonly topicName: string
    readonly partitions: readonly (ShareOutcome & { readonly partition: number })[]
  }[]
}

/** Offsets to set, of one topic. */
export interface ShareTopicAlteration {
  readonly topicName: string
  readonly partitions: readonly { readonly partition: number; readonly startOffset: number }[]
}

const DONE: ShareOutcome = { errorCode: ErrorCode.NONE, errorMessage: null }
export const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const UNKNOWN_PARTITION: ShareOutcome = {
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
}

/**
 * Share groups (KIP-932) as clients and administrators see them: the members are with the group
 * coordinator, what was read is with the share coordinator, and both have to agree.
 */
export class ShareGroupService {
  readonly #options: ShareGroupServiceOptions

  constructor(options: ShareGroupServiceOptions) {
    this.#options = options
  }

  async heartbeat(request: ShareHeartbeatRequest): Promise<ShareHeartbeatResult> {
    const { result, initialization } = await this.#options.groups.shareHeartbeat(request)
    // The member does not wait for it: it is told of its partitions when they have state.
    if (initialization !== null) this.#initializeLater(initialization)
    return result
  }

  /** Of a group that is no share group: GROUP_ID_NOT_FOUND. */
  describe(groupId: string): Promise<DescribedShareGroup> {
    return this.#options.groups.run<DescribedShareGroup>(
      groupId,
      (code) => describeShareError(groupId, code, null),
      (machine, turn, reply) =>
        machine.share((groups, step) => groups.describe(groupId, step), reply, turn),
    )
  }

  /** @param topics null: all that the group reads */
  async describeOffsets(
    groupId: string,
    topics:
      | readonly { readonly topicName: string; readonly partitions: readonly number[] }[]
      | null,
  ): Promise<readonly ShareTopicOffsets[] | ErrorCode> {
    if (topics !== null) {
      return Promise.all(
        topics.map(({ topicName, partitions }) =>
          this.#offsetsOfTopic(groupId, topicName, partitions),
        ),
      )
    }
    const read = await this.#options.groups.run<PartitionsByTopic | ErrorCode>(
      groupId,
      (code) => code,
      (machine, turn, reply) =>
        machine.share((groups) => groups.initializedPartitions(groupId), reply, turn),
    )
    if (typeof read === 'number') return read
    const { topicsById } = this.#options.metadata()
    const known = [...read].flatMap(([topicId, partitions]) => {
      const name = topicsById.get(topicId)?.name
      return name === undefined ? [] : [this.#offsetsOfTopic(groupId, name, [...partitions])]
    })
    return Promise.all(known)
  }

  /** NON_EMPTY_GROUP while it has members. A group that does not exist is made. */
  async alterOffsets(
    groupId: string,
    topics: readonly ShareTopicAlteration[],
  ): Promise<ShareAlterResult> {
    if (groupId === '')
      return { errorCode: ErrorCode.INVALID_GROUP_ID, errorMessage: null, topics: [] }
    const image = this.#options.metadata()
    const isPartition = (topicName: string, partition: number): boolean =>
      partition >= 0 && partition < (image.topics.get(topicName)?.partitions.length ?? 0)
    const altered = new Map<string, ReadonlySet<number>>()
    for (const { topicName, partitions } of topics) {
      const topicId = image.topics.get(topicName)?.topicId
      if (topicId === undefined) continue
      const known = partitions.filter(({ partition }) => isPartition(topicName, partition))
      altered.set(topicId, new Set(known.map(({ partition }) => partition)))
    }
    type Prepared = ShareRefusal & { readonly stateEpoch: number }
    const prepared = await this.#options.groups.run<Prepared>(
      groupId,
      (errorCode) => ({ errorCode, errorMessage: null, stateEpoch: 0 }),
      (machine, turn, reply) =>
        machine.share((groups, step) => groups.prepareAlter(groupId, altered, step), reply, turn),
    )
    const { errorCode, errorMessage, stateEpoch } = prepared
    if (errorCode !== ErrorCode.NONE) return { errorCode, errorMessage, topics: [] }
    const asked = topics.flatMap(({ topicName, partitions }) => {
      const topicId = image.topics.get(topicName)?.topicId
      if (topicId === undefined) return []
      return partitions
        .filter(({ partition }) => isPartition(topicName, partition))
        .map(({ partition, startOffset }) => ({ topicId, partition, startOffset }))
    })
    const outcomes = await this.#initialize({ groupId, stateEpoch, partitions: asked })
    return {
      ...DONE,
      topics: topics.map(({ topicName, partitions }) => {
        const topicId = image.topics.get(topicName)?.topicId ?? NO_TOPIC_ID
        return {
          topicId,
          topicName,
          partitions: partitions.map(({ partition }) => {
            const outcome = outcomes.get(`${topicId}-${partition}`) ?? UNKNOWN_PARTITION
            return { partition, ...outcome }
          }),
        }
      }),
    }
  }

  /** GROUP_ID_NOT_FOUND, or NON_EMPTY_GROUP while it has members. */
  async deleteOffsets(
    groupId: string,
    topicNames: readonly string[],
  ): Promise<ShareDeletionResult> {
    if (groupId === '')
      return { errorCode: ErrorCode.INVALID_GROUP_ID, errorMessage: null, topics: [] }
    const deletion = await this.#options.groups.run<ShareDeletion>(
      groupId,
      noDeletion,
      (machine, turn, reply) =>
        machine.share(
          (groups, step) => groups.prepareOffsetDelete(groupId, topicNames, step),
          reply,
          turn,
        ),
    )
    const { errorCode, errorMessage } = deletion
    if (errorCode !== ErrorCode.NONE) return { errorCode, errorMessage, topics: [] }
    const missing = deletion.missing.map(({ name, errorMessage: reason }) => ({
      topicId: NO_TOPIC_ID,
      topicName: name,
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: reason,
    }))
    const outcomes = await this.#delete(groupId, deletion.partitions)
    const gone = [...outcomes].filter(([, outcome]) => outcome.errorCode === ErrorCode.NONE)
    if (gone.length > 0)
      await this.#offsetsDeleted(
        groupId,
        gone.map(([topicId]) => topicId),
      )
    const { topicsById } = this.#options.metadata()
    const deleted = [...outcomes].map(([topicId, outcome]) => ({
      topicId,
      topicName: topicsById.get(topicId)?.name ?? '',
      ...outcome,
    }))
    return { ...DONE, topics: [...deleted, ...missing] }
  }

  /**
   * Deletes what a group read, before the group itself is deleted; nothing for other groups.
   * @returns NON_EMPTY_GROUP while it has members, or why the state is still there
   */
  async prepareDelete(groupId: string): Promise<ErrorCode> {
    const deletion = await this.#options.groups.run<ShareDeletion>(
      groupId,
      noDeletion,
      (machine, turn, reply) =>
        machine.share((groups, step) => groups.prepareDelete(groupId, step), reply, turn),
    )
    // Other groups are the group coordinator's alone.
    if (deletion.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return ErrorCode.NONE
    if (deletion.errorCode !== ErrorCode.NONE) return deletion.errorCode
    const outcomes = await this.#delete(groupId, deletion.partitions)
    const failed = [...outcomes.values()].find(({ errorCode }) => errorCode !== ErrorCode.NONE)
    return failed?.errorCode ?? ErrorCode.NONE
  }

  #initializeLater(initialization: ShareInitialization): void {
    this.#initialize(initialization).catch((error: unknown) => {
      const { groupId } = initialization
      this.#options.logger.error('the state of a share group could not be made', { groupId, error })
    })
  }

  /** @returns outcomes by topic id and partition */
  async #initialize({
    groupId,
    stateEpoch,
    partitions,
  }: ShareInitialization): Promise<ReadonlyMap<string, ShareOutcome>> {
    const { persister, groups } = this.#options
    const outcomes = new Map<string, ShareOutcome>()
    await Promise.all(
      partitions.map(async ({ topicId, partition, startOffset }) => {
        const key = { groupId, topicId, partition }
        const outcome = await persister.initializeState(key, stateEpoch, startOffset)
        this.#options.stateChanged?.(key)
        outcomes.set(`${topicId}-${partition}`, outcome)
      }),
    )
    const isDone = [...outcomes.values()].every(({ errorCode }) => errorCode === ErrorCode.NONE)
    const byTopic = new Map<string, Set<number>>()
    for (const { topicId, partition } of partitions) {
      byTopic.set(topicId, (byTopic.get(topicId) ?? new Set()).add(partition))
    }
    await groups.run<unknown>(
      groupId,
      (code) => code,
      (machine, turn, reply) =>
        machine.share(
          (shares, step) =>
            isDone
              ? shares.initialized(groupId, byTopic, step)
              : shares.notInitialized(groupId, byTopic, step),
          reply,
          turn,
        ),
    )
    return outcomes
  }

  /** @returns an outcome by topic id: the first error of its partitions, or none */
  async #delete(
    groupId: string,
    partitions: PartitionsByTopic,
  ): Promise<ReadonlyMap<string, ShareOutcome>> {
    const { persister } = this.#options
    const outcomes = [...partitions].map(async ([topicId, indices]) => {
      const all = await Promise.all(
        [...indices].map(async (partition) => {
          const key = { groupId, topicId, partition }
          const outcome = await persister.deleteState(key)
          this.#options.stateChanged?.(key)
          return outcome
        }),
      )
      const failed = all.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
      return [topicId, failed ?? DONE] as const
    })
    return new Map(await Promise.all(outcomes))
  }

  async #offsetsDeleted(groupId: string, topicIds: readonly string[]): Promise<void> {
    await this.#options.groups.run<unknown>(
      groupId,
      (code) => code,
      (machine, turn, reply) =>
        machine.share(
          (groups, step) => groups.offsetsDeleted(groupId, topicIds, step),
          reply,
          turn,
        ),
    )
  }

  async #offsetsOfTopic(
    groupId: string,
    topicName: string,
    partitions: readonly number[],
  ): Promise<ShareTopicOffsets> {
    const topicId = this.#options.metadata().topics.get(topicName)?.topicId
    if (topicId === undefined) {
      return {
        topicId: NO_TOPIC_ID,
        topicName,
        partitions: partitions.map((partition) => ({
          partition,
          startOffset: NO_START_OFFSET,
          leaderEpoch: 0,
          lag: -1,
          ...DONE,
        })),
      }
    }
    const offsets = partitions.map((one) => this.#offsetOf(groupId, topicId, one))
    return { topicId, topicName, partitions: await Promise.all(offsets) }
  }

  async #offsetOf(
    groupId: string,
    topicId: string,
    partition: number,
  ): Promise<SharePartitionOffset> {
    const key = { groupId, topicId, partition }
    const summary = await this.#options.persister.readSummary(key)
    if (summary.errorCode !== ErrorCode.NONE) {
      return { partition, startOffset: NO_START_OFFSET, leaderEpoch: 0, lag: -1, ...DONE }
    }
    const { startOffset, leaderEpoch, deliveryCompleteCount } = summary
    const isRead = startOffset !== NO_START_OFFSET && deliveryCompleteCount !== NO_COMPLETE_COUNT
    if (!isRead) return { partition, startOffset, leaderEpoch, lag: -1, ...DONE }
    const log = this.#options.partitions.partitionById(topicId, partition)?.log
    if (log === undefined) {
      return { partition, startOffset: 0, leaderEpoch: 0, lag: -1, ...UNKNOWN_PARTITION }
    }
    const lag = log.highWatermark - startOffset - deliveryCompleteCount
    return { partition, startOffset, leaderEpoch, lag, ...DONE }
  }
}

const noDeletion = (errorCode: ErrorCode): ShareDeletion => ({
  errorCode,
  errorMessage: null,
  partitions: new Map(),
  missing: [],
})

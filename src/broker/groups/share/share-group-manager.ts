import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { TopicsChange } from '../consumer/consumer-group-manager.ts'
import { TopicHashes } from '../consumer/metadata-hash.ts'
import type { GroupStep, GroupTopics } from '../group-step.ts'
import { recordSharePartitions } from './share-changes.ts'
import { ShareGroup } from './share-group.ts'
import type { ShareGroupMember } from './share-group-member.ts'
import {
  type DescribedShareGroup,
  type DescribedShareMember,
  describeShareError,
  type ShareHeartbeatRequest,
  shareHeartbeatError,
} from './share-group-requests.ts'
import {
  existingShareGroup,
  fenceShareMember,
  openShareGroup,
  type ShareHeartbeatOutcome,
  type ShareStep,
  scheduleSession,
  shareHeartbeat,
} from './share-heartbeat.ts'
import {
  allDeleting,
  type PartitionsByTopic,
  sharesOf,
  withInitialized,
  withInitializing,
  without,
  withoutInitializing,
  withoutTopics,
} from './share-partitions.ts'
import { replayShareGroupRecord, type ShareGroupRecord } from './share-replay.ts'

/** The only assignor of share groups. */
const ASSIGNOR_NAME = 'simple'

/** Where the groups of a shard are. */
interface Groups {
  group(groupId: string): { readonly type: string } | undefined
  put(group: ShareGroup): void
  remove(groupId: string): void
}

/** The answer to a change of a group that has no members. */
export interface ShareRefusal {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

/** What a group without members wants deleted, and topics for which there is nothing to delete. */
export interface ShareDeletion extends ShareRefusal {
  readonly partitions: PartitionsByTopic
  readonly missing: readonly { readonly name: string; readonly errorMessage: string }[]
}

/** The share groups among the groups of one shard (KIP-932). */
export class ShareGroupManager {
  readonly #groups: Groups
  readonly #hashes = new TopicHashes()

  constructor(groups: Groups) {
    this.#groups = groups
  }

  heartbeat(request: ShareHeartbeatRequest, step: GroupStep): ShareHeartbeatOutcome {
    try {
      return shareHeartbeat(request, this.#step(step))
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      return { result: shareHeartbeatError(error.code, error.message), initialization: null }
    }
  }

  /** Of what is no share group: GROUP_ID_NOT_FOUND. */
  describe(groupId: string, step: GroupStep): DescribedShareGroup {
    const known = this.#existing(groupId, step)
    if (!(known instanceof ShareGroup)) {
      return describeShareError(groupId, known.errorCode, known.errorMessage)
    }
    return {
      groupId,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      state: known.state,
      groupEpoch: known.groupEpoch,
      assignmentEpoch: known.assignmentEpoch,
      assignorName: ASSIGNOR_NAME,
      members: [...known.members.values()].map((member) => describeMember(member, step.topics)),
    }
  }

  /** The state of partitions was made: members may have them from the next heartbeat on. */
  initialized(groupId: string, made: PartitionsByTopic, step: GroupStep): void {
    const group = this.#groups.group(groupId)
    if (!(group instanceof ShareGroup)) return
    const { topics, turn } = step
    const shares = withInitialized(sharesOf(group), made, topics, turn.nowMs)
    recordSharePartitions(group, shares, step)
  }

  /** The state of partitions could not be made. */
  notInitialized(groupId: string, failed: PartitionsByTopic, step: GroupStep): void {
    const group = this.#groups.group(groupId)
    if (!(group instanceof ShareGroup) || sharesOf(group).initializing.size === 0) return
    recordSharePartitions(group, withoutInitializing(sharesOf(group), failed), step)
  }

  initializedPartitions(groupId: string): PartitionsByTopic {
    const group = this.#groups.group(groupId)
    if (!(group instanceof ShareGroup)) return new Map()
    return new Map([...sharesOf(group).initialized].map(([id, { partitions }]) => [id, partitions]))
  }

  /**
   * Offsets of a group without members, which is made if there is none, are about to be set.
   * @returns the state epoch to set them with; GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP
   */
  prepareAlter(
    groupId: string,
    altered: PartitionsByTopic,
    step: GroupStep,
  ): ShareRefusal & { readonly stateEpoch: number } {
    const shareStep = this.#step(step)
    const known = orRefusal(() => openShareGroup(groupId, true, shareStep))
    if (!(known instanceof ShareGroup)) return { ...known, stateEpoch: 0 }
    if (!known.isEmpty) return { ...NON_EMPTY, stateEpoch: 0 }
    this.#groups.put(known)
    const { topicsById } = step.topics
    const topics = [...altered].map(([topicId, partitions]) => {
      const name = topicsById.get(topicId)?.name ?? ''
      return [topicId, { name, partitions, timestampMs: step.turn.nowMs }] as const
    })
    const shares = withInitializing(sharesOf(known), new Map(topics))
    recordSharePartitions(known, shares, shareStep)
    return { ...NO_REFUSAL, stateEpoch: known.groupEpoch }
  }

  /** A group without members is about to be deleted; GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP. */
  prepareDelete(groupId: string, step: GroupStep): ShareDeletion {
    const known = this.#existingEmpty(groupId, step)
    if (!(known instanceof ShareGroup)) return { ...known, ...NOTHING_TO_DELETE }
    if (known.sharePartitions === null) return { ...NO_REFUSAL, ...NOTHING_TO_DELETE }
    const { shares, partitions } = allDeleting(known.sharePartitions, step.topics)
    recordSharePartitions(known, shares, step)
    return { ...NO_REFUSAL, partitions, missing: [] }
  }

  /** Offsets of topics are about to be deleted; GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP. */
  prepareOffsetDelete(
    groupId: string,
    topicNames: readonly string[],
    step: GroupStep,
  ): ShareDeletion {
    const known = this.#existingEmpty(groupId, step)
    if (!(known instanceof ShareGroup)) return { ...known, ...NOTHING_TO_DELETE }
    if (known.sharePartitions === null) return { ...NO_REFUSAL, ...NOTHING_TO_DELETE }
    const { initialized, deleting } = known.sharePartitions
    const partitions = new Map<string, ReadonlySet<number>>()
    const missing: { name: string; errorMessage: string }[] = []
    const names = new Map(deleting)
    for (const name of topicNames) {
      const topic = step.topics.topics.get(name)
      const state = topic === undefined ? undefined : initialized.get(topic.topicId)
      if (topic === undefined) {
        missing.push({ name, errorMessage: 'This server does not host this topic-partition.' })
      } else if (state !== undefined) {
        partitions.set(topic.topicId, state.partitions)
        names.set(topic.topicId, name)
      } else if (deleting.has(topic.topicId)) {
        const all = topic.partitions.map(({ partition }) => partition)
        partitions.set(topic.topicId, new Set(all))
      } else {
        missing.push({ name, errorMessage: 'There is no offset information to delete.' })
      }
    }
    const left = without(initialized, partitions.keys())
    const shares = { ...known.sharePartitions, initialized: left, deleting: names }
    recordSharePartitions(known, shares, step)
    return { ...NO_REFUSAL, partitions, missing }
  }

  /** The state of topics is gone. */
  offsetsDeleted(groupId: string, topicIds: readonly string[], step: GroupStep): void {
    const group = this.#groups.group(groupId)
    if (!(group instanceof ShareGroup) || group.sharePartitions === null) return
    const deleting = without(group.sharePartitions.deleting, topicIds)
    recordSharePartitions(group, { ...group.sharePartitions, deleting }, step)
  }

  memberExpired(group: ShareGroup, memberId: string, step: GroupStep): void {
    if (group.members.has(memberId)) fenceShareMember(group, memberId, this.#step(step))
  }

  /** Sessions start anew: nobody could send heartbeats while there was no coordinator. */
  loaded(group: ShareGroup, step: GroupStep): void {
    for (const memberId of group.members.keys()) scheduleSession(group.groupId, memberId, step)
  }

  /** The groups that read these topics look at them again with the next heartbeat. */
  topicsChanged({ names }: TopicsChange, groups: Iterable<{ readonly type: string }>): void {
    for (const name of names) this.#hashes.forget(name)
    for (const group of groups) {
      if (!(group instanceof ShareGroup)) continue
      if (names.some((name) => group.isSubscribedTo(name))) group.metadataRefreshDeadlineMs = 0
    }
  }

  /** Their state goes by itself: the share coordinator sees that they are deleted. */
  topicsDeleted(
    topicIds: readonly string[],
    groups: Iterable<{ readonly type: string }>,
    step: GroupStep,
  ): void {
    for (const group of groups) {
      if (!(group instanceof ShareGroup) || group.sharePartitions === null) continue
      const shares = withoutTopics(group.sharePartitions, topicIds)
      if (shares !== null) recordSharePartitions(group, shares, step)
    }
  }

  replay(record: ShareGroupRecord): void {
    replayShareGroupRecord(record, this.#groups)
  }

  #existing(groupId: string, step: GroupStep): ShareGroup | ShareRefusal {
    return orRefusal(() => existingShareGroup(groupId, this.#step(step)))
  }

  #existingEmpty(groupId: string, step: GroupStep): ShareGroup | ShareRefusal {
    const known = this.#existing(groupId, step)
    return known instanceof ShareGroup && !known.isEmpty ? NON_EMPTY : known
  }

  #step(step: GroupStep): ShareStep {
    return { ...step, groups: this.#groups, hashes: this.#hashes }
  }
}

const NO_REFUSAL: ShareRefusal = { errorCode: ErrorCode.NONE, errorMessage: null }
const NON_EMPTY: ShareRefusal = {
  errorCode: ErrorCode.NON_EMPTY_GROUP,
  errorMessage: 'The group is not empty.',
}
const NOTHING_TO_DELETE = { partitions: new Map<string, ReadonlySet<number>>(), missing: [] }

function orRefusal(open: () => ShareGroup): ShareGroup | ShareRefusal {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return { errorCode: error.code, errorMessage: error.message }
  }
}

function describeMember(
  member: ShareGroupMember,
  { topicsById }: GroupTopics,
): DescribedShareMember {
  const { memberId, rackId, memberEpoch, clientId, clientHost, subscribedTopicNames } = member
  const assignment = [...member.assigned].flatMap(([topicId, partitions]) => {
    const topicName = topicsById.get(topicId)?.name
    return topicName === undefined ? [] : [{ topicId, topicName, partitions: [...partitions] }]
  })
  const facts = { memberId, rackId, memberEpoch, clientId, clientHost }
  return { ...facts, subscribedTopicNames, assignment }
}

import type { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import {
  type HeartbeatRequest,
  type JoinGroupRequest,
  type JoinGroupResult,
  joinError,
  type LeaveGroupRequest,
  type LeaveGroupResult,
  type SyncGroupRequest,
  type SyncGroupResult,
  syncError,
} from '../classic/classic-group-requests.ts'
import type { GroupStep, GroupTimerEvent } from '../group-step.ts'
import {
  heartbeatWithClassicProtocol,
  joinWithClassicProtocol,
  leaveWithClassicProtocol,
  syncWithClassicProtocol,
} from './classic-requests.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { MemberState } from './consumer-group-member.ts'
import {
  type ConsumerHeartbeatRequest,
  type ConsumerHeartbeatResult,
  type DescribedConsumerGroup,
  describeConsumerError,
  heartbeatError,
} from './consumer-group-requests.ts'
import type { ConsumerStep, GroupTable } from './consumer-step.ts'
import { describeConsumerGroup } from './describe.ts'
import { consumerHeartbeat } from './heartbeat.ts'
import { existingConsumerGroup, memberExpired } from './leave.ts'
import { scheduleMemberSession, scheduleRebalance } from './member-timers.ts'
import { TopicHashes } from './metadata-hash.ts'
import { type ConsumerGroupRecord, replayConsumerGroupRecord } from './replay.ts'

/** What changed in the topics. */
export interface TopicsChange {
  /** Created, deleted, or with more partitions. */
  readonly names: readonly string[]
  readonly hasCreated: boolean
}

/** The consumer groups among the groups of one shard (KIP-848). */
export class ConsumerGroupManager {
  readonly #groups: GroupTable
  readonly #hashes = new TopicHashes()
  /** null: not known since this shard was loaded, so everything may be new. */
  #newTopicsVersion: number | null = null

  constructor(groups: GroupTable) {
    this.#groups = groups
  }

  heartbeat(request: ConsumerHeartbeatRequest, step: GroupStep): ConsumerHeartbeatResult {
    return orRefusal(
      () => consumerHeartbeat(request, this.#step(step)),
      ({ code, message }) => heartbeatError(code, message),
    )
  }

  join(group: ConsumerGroup, request: JoinGroupRequest, step: GroupStep): JoinGroupResult {
    return orRefusal(
      () => joinWithClassicProtocol(group, request, this.#step(step)),
      ({ code }) => joinError(code, request.memberId),
    )
  }

  sync(group: ConsumerGroup, request: SyncGroupRequest, step: GroupStep): SyncGroupResult {
    return orRefusal(
      () => syncWithClassicProtocol(group, request, this.#step(step)),
      ({ code }) => syncError(code),
    )
  }

  heartbeatOfClassicMember(
    group: ConsumerGroup,
    request: HeartbeatRequest,
    step: GroupStep,
  ): ErrorCode {
    return orRefusal(
      () => heartbeatWithClassicProtocol(group, request, this.#step(step)),
      ({ code }) => code,
    )
  }

  leave(group: ConsumerGroup, request: LeaveGroupRequest, step: GroupStep): LeaveGroupResult {
    return leaveWithClassicProtocol(group, request, this.#step(step))
  }

  /** Of what is no consumer group: GROUP_ID_NOT_FOUND. */
  describe(groupId: string, step: GroupStep): DescribedConsumerGroup {
    return orRefusal(
      () => describeConsumerGroup(existingConsumerGroup(groupId, this.#step(step)), step),
      ({ code, message }) => describeConsumerError(groupId, code, message),
    )
  }

  timerFired(
    group: ConsumerGroup,
    event: Exclude<GroupTimerEvent, { kind: 'retentionCheck' }>,
    step: GroupStep,
  ): void {
    switch (event.kind) {
      case 'rebalanceExpired':
        memberExpired(group, event.memberId, this.#step(step), event.memberEpoch)
        return
      case 'rejoinExpired':
        group.membersToRejoin.delete(event.memberId)
        memberExpired(group, event.memberId, this.#step(step))
        return
      case 'sessionExpired':
      case 'memberSyncExpired':
        memberExpired(group, event.memberId, this.#step(step))
    }
  }

  /** Sessions start anew: nobody could send heartbeats while there was no coordinator. */
  loaded(group: ConsumerGroup, step: GroupStep): void {
    for (const member of group.members.values()) {
      scheduleMemberSession(group, member, step)
      if (member.state === MemberState.UNREVOKED_PARTITIONS) {
        scheduleRebalance(group.groupId, member, step)
      }
    }
  }

  /** The groups that read these topics look at them again with the next heartbeat. */
  topicsChanged(
    { names, hasCreated }: TopicsChange,
    groups: Iterable<{ readonly type: string }>,
    step: GroupStep,
  ): void {
    if (hasCreated) this.#newTopicsVersion = step.topics.offset
    for (const name of names) this.#hashes.forget(name)
    for (const group of groups) {
      if (group.type !== 'consumer') continue
      const consumerGroup = group as ConsumerGroup
      if (names.some((name) => consumerGroup.isSubscribedTo(name))) {
        consumerGroup.metadataRefreshDeadlineMs = 0
      }
    }
  }

  replay(record: ConsumerGroupRecord): void {
    replayConsumerGroupRecord(record, this.#groups)
  }

  #step(step: GroupStep): ConsumerStep {
    this.#newTopicsVersion ??= step.topics.offset
    return {
      ...step,
      groups: this.#groups,
      hashes: this.#hashes,
      newTopicsVersion: this.#newTopicsVersion,
    }
  }
}

function orRefusal<T>(run: () => T, refused: (error: BrokerError) => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return refused(error)
  }
}

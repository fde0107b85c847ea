import { ErrorCode } from '../../base/error-code.ts'
import type { OffsetsRecord } from '../../records/internal/offsets-records.ts'
import type { Reply } from '../coordinator/coordinator-turn.ts'
import { ClassicGroup } from './classic/classic-group.ts'
import { describeMember, makeMember } from './classic/classic-group-member.ts'
import {
  type DescribedGroup,
  describeError,
  type HeartbeatRequest,
  type JoinGroupRequest,
  type JoinGroupResult,
  joinError,
  type LeaveGroupRequest,
  type LeaveGroupResult,
  type SyncGroupRequest,
  type SyncGroupResult,
  syncError,
} from './classic/classic-group-requests.ts'
import { joinClassicGroup } from './classic/classic-join.ts'
import {
  heartbeatClassicGroup,
  leaveClassicGroup,
  syncClassicGroup,
} from './classic/classic-members.ts'
import {
  completeJoin,
  initialDelayExpired,
  prepareRebalance,
  scheduleSession,
  sessionExpired,
  syncExpired,
} from './classic/classic-rebalance.ts'
import { ConsumerGroup } from './consumer/consumer-group.ts'
import { ConsumerGroupManager } from './consumer/consumer-group-manager.ts'
import { recordGroupGone } from './consumer/recorded-changes.ts'
import type { Group } from './group.ts'
import { groupMetadataRecord, groupTombstone } from './group-coordinator-records.ts'
import type { GroupStep, GroupTimerEvent } from './group-step.ts'
import { recordShareGroupGone } from './share/share-changes.ts'
import { ShareGroup } from './share/share-group.ts'
import { ShareGroupManager } from './share/share-group-manager.ts'
import { StreamsGroup } from './streams/streams-group.ts'
import { StreamsGroupManager } from './streams/streams-group-manager.ts'

type GroupType = Group['type']

export interface ListedGroup {
  readonly groupId: string
  readonly protocolType: string
  readonly state: string
  readonly type: GroupType
}

type GroupMetadataRecord = Extract<OffsetsRecord, { name: 'GroupMetadata' }>

/** The groups of one shard. Pure state: everything it does goes through the step. */
export class GroupMetadataManager {
  readonly #groups = new Map<string, Group>()
  readonly consumerGroups = new ConsumerGroupManager(this)
  readonly shareGroups = new ShareGroupManager(this)
  readonly streamsGroups = new StreamsGroupManager(this)

  group(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  put(group: Group): void {
    this.#groups.set(group.groupId, group)
  }

  remove(groupId: string): void {
    this.#groups.delete(groupId)
  }

  get groups(): IterableIterator<Group> {
    return this.#groups.values()
  }

  /** A group that only keeps offsets, unless there is one already. */
  ensureSimpleGroup(groupId: string): Group {
    const known = this.#groups.get(groupId)
    if (known !== undefined) return known
    const group = new ClassicGroup(groupId)
    this.#groups.set(groupId, group)
    return group
  }

  join(request: JoinGroupRequest, reply: Reply<JoinGroupResult>, step: GroupStep): void {
    const { groupId, memberId } = request
    const known = this.#groups.get(groupId)
    const errorCode = this.#checkJoin(request, step)
    if (errorCode !== ErrorCode.NONE) {
      step.turn.reply(reply, joinError(errorCode, memberId))
    } else if (known instanceof ConsumerGroup && !known.isEmpty) {
      step.turn.reply(reply, this.consumerGroups.join(known, request, step))
    } else {
      const group = known instanceof ClassicGroup ? known : this.#create(groupId, step)
      joinClassicGroup(group, request, reply, step)
    }
  }

  #checkJoin(request: JoinGroupRequest, { config }: GroupStep): ErrorCode {
    const { groupId, memberId, sessionTimeoutMs, protocolType, protocols } = request
    if (groupId === '') return ErrorCode.INVALID_GROUP_ID
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = config
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return ErrorCode.INVALID_SESSION_TIMEOUT
    }
    const known = this.#groups.get(groupId)
    if (known instanceof ShareGroup) return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    if (known instanceof StreamsGroup && !known.isEmpty) {
      return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    }
    if (known instanceof ClassicGroup || known?.isEmpty === false) return ErrorCode.NONE
    if (memberId !== '') return ErrorCode.UNKNOWN_MEMBER_ID
    // No group is made for a member that could not be in it.
    const isJoinable = protocolType !== '' && protocols.length > 0
    return isJoinable ? ErrorCode.NONE : ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }

  /** A new group is recorded at once, as Kafka does; an empty group of members that spoke another
   * protocol makes room for it. */
  #create(groupId: string, step: GroupStep): ClassicGroup {
    const { turn } = step
    const known = this.#groups.get(groupId)
    if (known instanceof ConsumerGroup) recordGroupGone(known, step)
    else if (known instanceof StreamsGroup) this.streamsGroups.remove(known, step)
    const group = new ClassicGroup(groupId, { stateTimestampMs: turn.nowMs })
    this.#groups.set(groupId, group)
    turn.append(groupMetadataRecord(group))
    return group
  }

  sync(request: SyncGroupRequest, reply: Reply<SyncGroupResult>, step: GroupStep): void {
    const group = this.#groups.get(request.groupId)
    if (request.groupId === '') {
      step.turn.reply(reply, syncError(ErrorCode.INVALID_GROUP_ID))
    } else if (group === undefined || group.isEmpty || isNeverClassic(group)) {
      step.turn.reply(reply, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
    } else if (group instanceof ConsumerGroup) {
      step.turn.reply(reply, this.consumerGroups.sync(group, request, step))
    } else {
      syncClassicGroup(group, request, reply, step)
    }
  }

  heartbeat(request: HeartbeatRequest, step: GroupStep): ErrorCode {
    if (request.groupId === '') return ErrorCode.INVALID_GROUP_ID
    const group = this.#groups.get(request.groupId)
    if (group === undefined || isNeverClassic(group)) return ErrorCode.UNKNOWN_MEMBER_ID
    if (group instanceof ConsumerGroup) {
      return this.consumerGroups.heartbeatOfClassicMember(group, request, step)
    }
    return heartbeatClassicGroup(group, request, step)
  }

  leave(request: LeaveGroupRequest, step: GroupStep): LeaveGroupResult {
    if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID, members: [] }
    const group = this.#groups.get(request.groupId)
    if (group instanceof ConsumerGroup) return this.consumerGroups.leave(group, request, step)
    if (group instanceof ClassicGroup) return leaveClassicGroup(group, request, step)
    const errorCode = ErrorCode.UNKNOWN_MEMBER_ID
    return {
      errorCode: ErrorCode.NONE,
      members: request.members.map((member) => ({ ...member, errorCode })),
    }
  }

  /** Assignments and metadata are told of stable groups only; of consumer groups nothing is. */
  describe(groupId: string): DescribedGroup {
    const group = this.#groups.get(groupId)
    if (group === undefined) return describeError(groupId, ErrorCode.GROUP_ID_NOT_FOUND, 'Dead')
    if (!(group instanceof ClassicGroup)) {
      const error = describeError(groupId, ErrorCode.GROUP_ID_NOT_FOUND, 'Dead')
      return { ...error, errorMessage: `Group ${groupId} is not a classic group.` }
    }
    const protocolName = group.state === 'Stable' ? group.protocolName : null
    return {
      groupId,
      errorCode: ErrorCode.NONE,
      state: group.state,
      protocolType: group.protocolType ?? '',
      protocolName: protocolName ?? '',
      members: [...group.members.values()].map((member) => describeMember(member, protocolName)),
    }
  }

  /** Filters ignore case; an empty one lets all pass, an unknown word none. */
  list(states: readonly string[], types: readonly string[]): ListedGroup[] {
    const wantedStates = new Set(states.map((state) => state.trim().toLowerCase()))
    const wantedTypes = new Set(types.map((type) => type.toLowerCase()))
    const listed: ListedGroup[] = []
    for (const { groupId, protocolType, state, type } of this.#groups.values()) {
      if (wantedStates.size > 0 && !wantedStates.has(filterWordOf(state))) continue
      if (wantedTypes.size > 0 && !wantedTypes.has(type)) continue
      listed.push({ groupId, protocolType: protocolType ?? '', state, type })
    }
    return listed
  }

  /** NONE, GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP. */
  checkDelete(groupId: string): ErrorCode {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ErrorCode.GROUP_ID_NOT_FOUND
    return group.isEmpty ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP
  }

  /** Only after `checkDelete`; the offsets are the caller's. */
  delete(groupId: string, step: GroupStep): void {
    const group = this.#groups.get(groupId)
    if (group instanceof ConsumerGroup) recordGroupGone(group, step)
    else if (group instanceof ShareGroup) recordShareGroupGone(group, step)
    else if (group instanceof StreamsGroup) this.streamsGroups.remove(group, step)
    else step.turn.append(groupTombstone(groupId))
    this.#groups.delete(groupId)
  }

  timerFired(event: Exclude<GroupTimerEvent, { kind: 'retentionCheck' }>, step: GroupStep): void {
    const group = this.#groups.get(event.groupId)
    if (group === undefined) return
    if (group instanceof ConsumerGroup) {
      this.consumerGroups.timerFired(group, event, step)
    } else if (group instanceof StreamsGroup) {
      this.streamsGroups.timerFired(group, event, step)
    } else if (group instanceof ShareGroup) {
      if (event.kind === 'sessionExpired') {
        this.shareGroups.memberExpired(group, event.memberId, step)
      }
    } else if (event.kind === 'sessionExpired') {
      sessionExpired(group, step, event.memberId)
    } else if (event.kind === 'syncExpired') {
      syncExpired(group, step, event.generationId)
    } else if (event.kind === 'initialDelayExpired') {
      initialDelayExpired(group, step, event.delayMs, event.remainingMs)
    } else if (event.kind === 'joinExpired' && group.state === 'PreparingRebalance') {
      completeJoin(group, step)
    }
  }

  /** Sessions start anew: nobody could send heartbeats while there was no coordinator. */
  loaded(step: GroupStep): void {
    for (const group of this.#groups.values()) {
      if (group instanceof ConsumerGroup) {
        this.consumerGroups.loaded(group, step)
        continue
      }
      if (group instanceof ShareGroup) {
        this.shareGroups.loaded(group, step)
        continue
      }
      if (group instanceof StreamsGroup) {
        this.streamsGroups.loaded(group, step)
        continue
      }
      for (const member of group.members.values()) scheduleSession(group, member, step)
      if (group.members.size > step.config.maxSize) prepareRebalance(group, step)
    }
  }

  replay({ key: { group: groupId }, value }: GroupMetadataRecord): void {
    if (value === null) {
      if (this.#groups.get(groupId) instanceof ClassicGroup) this.#groups.delete(groupId)
      return
    }
    const protocolType = value.protocolType === '' ? null : value.protocolType
    const group = new ClassicGroup(groupId, {
      state: value.members.length === 0 ? 'Empty' : 'Stable',
      generationId: value.generation,
      protocolType,
      protocolName: value.protocol,
      leaderId: value.leader,
      stateTimestampMs: value.currentStateTimestamp,
    })
    for (const member of value.members) {
      const metadata = Buffer.from(member.subscription)
      const facts = {
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        client: { clientId: member.clientId, clientHost: member.clientHost },
        sessionTimeoutMs: member.sessionTimeout,
        rebalanceTimeoutMs:
          member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
        protocols: [{ name: value.protocol ?? '', metadata }],
        assignment: Buffer.from(member.assignment),
      }
      group.add(makeMember(facts), value.protocolType)
    }
    group.refreshSubscribedTopics()
    this.#groups.set(groupId, group)
  }

  parkedReplies(): Reply<never>[] {
    return [...this.#groups.values()].flatMap((group) =>
      group instanceof ClassicGroup ? group.parkedReplies() : [],
    )
  }
}

/** No member of such a group can speak the classic protocol. */
function isNeverClassic(group: Group): group is ShareGroup | StreamsGroup {
  return group instanceof ShareGroup || group instanceof StreamsGroup
}

/** What filters call a state; the two words of a streams group that is not ready are kept apart. */
function filterWordOf(state: string): string {
  return state === 'NotReady' ? 'not_ready' : state.toLowerCase()
}

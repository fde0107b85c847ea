import { BrokerError } from '../../../base/errors.ts'
import type { TopicsChange } from '../consumer/consumer-group-manager.ts'
import { TopicHashes } from '../consumer/metadata-hash.ts'
import type { GroupStep, GroupTimerEvent } from '../group-step.ts'
import { describeStreamsGroup } from './describe.ts'
import { streamsHeartbeat } from './heartbeat.ts'
import { existingStreamsGroup, fenceStreamsMember } from './leave.ts'
import { recordStreamsGroupGone } from './streams-changes.ts'
import { StreamsGroup } from './streams-group.ts'
import {
  type DescribedStreamsGroup,
  describeStreamsError,
  type StreamsHeartbeatOutcome,
  type StreamsHeartbeatRequest,
  streamsHeartbeatError,
} from './streams-group-requests.ts'
import { replayStreamsGroupRecord, type StreamsGroupRecord } from './streams-replay.ts'
import type { StreamsStep } from './streams-step.ts'
import {
  cancelInitialDelay,
  scheduleStreamsSession,
  updateStreamsRebalance,
} from './streams-timers.ts'
import { updateStreamsTarget } from './target-assignment.ts'

/** Where the groups of a shard are. */
interface Groups {
  group(groupId: string): { readonly type: string; readonly isEmpty: boolean } | undefined
  put(group: StreamsGroup): void
  remove(groupId: string): void
}

/** The streams groups among the groups of one shard (KIP-1071). */
export class StreamsGroupManager {
  readonly #groups: Groups
  readonly #hashes = new TopicHashes()

  constructor(groups: Groups) {
    this.#groups = groups
  }

  heartbeat(request: StreamsHeartbeatRequest, step: GroupStep): StreamsHeartbeatOutcome {
    return orRefusal(
      () => streamsHeartbeat(request, this.#step(step)),
      ({ code, message }) => streamsHeartbeatError(code, message),
    )
  }

  /** Of what is no streams group: GROUP_ID_NOT_FOUND. */
  describe(groupId: string, step: GroupStep): DescribedStreamsGroup {
    return orRefusal(
      () => describeStreamsGroup(existingStreamsGroup(groupId, this.#step(step))),
      ({ code, message }) => describeStreamsError(groupId, code, message),
    )
  }

  timerFired(
    group: StreamsGroup,
    event: Exclude<GroupTimerEvent, { kind: 'retentionCheck' }>,
    step: GroupStep,
  ): void {
    if (event.kind === 'streamsDelayExpired') {
      group.isInitialDelayActive = false
      if (!group.isEmpty && group.configured !== null) updateStreamsTarget(group, step)
    } else if (event.kind === 'sessionExpired') {
      const member = group.members.get(event.memberId)
      if (member !== undefined) fenceStreamsMember(group, member, step)
    } else if (event.kind === 'rebalanceExpired') {
      const member = group.members.get(event.memberId)
      if (member?.memberEpoch === event.memberEpoch) fenceStreamsMember(group, member, step)
    }
  }

  /** Sessions start anew: nobody could send heartbeats while there was no coordinator. */
  loaded(group: StreamsGroup, step: GroupStep): void {
    for (const member of group.members.values()) {
      scheduleStreamsSession(group.groupId, member.memberId, step)
      updateStreamsRebalance(group.groupId, member, step)
    }
  }

  /** The groups that need these topics look at them again with the next heartbeat. */
  topicsChanged({ names }: TopicsChange, groups: Iterable<{ readonly type: string }>): void {
    for (const name of names) this.#hashes.forget(name)
    for (const group of groups) {
      if (!(group instanceof StreamsGroup)) continue
      if (names.some((name) => group.needsTopic(name))) group.metadataRefreshDeadlineMs = 0
    }
  }

  /** Takes a group without members away; what it left in the log too. */
  remove(group: StreamsGroup, step: GroupStep): void {
    cancelInitialDelay(group, step)
    recordStreamsGroupGone(group, step)
    this.#groups.remove(group.groupId)
  }

  replay(record: StreamsGroupRecord): void {
    replayStreamsGroupRecord(record, this.#groups)
  }

  #step(step: GroupStep): StreamsStep {
    return { ...step, groups: this.#groups, hashes: this.#hashes }
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

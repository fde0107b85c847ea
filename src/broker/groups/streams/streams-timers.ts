import { type GroupStep, rebalanceTimer, sessionTimer } from '../group-step.ts'
import type { StreamsGroup } from './streams-group.ts'
import { type StreamsGroupMember, StreamsMemberState } from './streams-group-member.ts'

const initialDelayTimer = (groupId: string): string => `streams-initial-delay ${groupId}`

/** The member has to be heard of within the session timeout from now. */
export function scheduleStreamsSession(
  groupId: string,
  memberId: string,
  { turn, config }: GroupStep,
): void {
  const timeoutMs =
    config.ofGroup(groupId).streamsSessionTimeoutMs ?? config.streamsSessionTimeoutMs
  const event = { kind: 'sessionExpired', groupId, memberId } as const
  turn.schedule(sessionTimer(groupId, memberId), timeoutMs, event)
}

/** A member that has to give up tasks has its rebalance timeout for it. */
export function updateStreamsRebalance(
  groupId: string,
  { memberId, memberEpoch, rebalanceTimeoutMs, state }: StreamsGroupMember,
  { turn }: GroupStep,
): void {
  if (state !== StreamsMemberState.UNREVOKED_TASKS) {
    turn.cancel(rebalanceTimer(groupId, memberId))
    return
  }
  const event = { kind: 'rebalanceExpired', groupId, memberId, memberEpoch } as const
  turn.schedule(rebalanceTimer(groupId, memberId), rebalanceTimeoutMs, event)
}

export function cancelStreamsTimers(groupId: string, memberId: string, { turn }: GroupStep): void {
  turn.cancel(sessionTimer(groupId, memberId))
  turn.cancel(rebalanceTimer(groupId, memberId))
}

/** A group that was empty waits for more members before it gives out tasks. */
export function startInitialDelay(group: StreamsGroup, { turn, config }: GroupStep): void {
  const { groupId } = group
  const delayMs =
    config.ofGroup(groupId).streamsInitialRebalanceDelayMs ?? config.streamsInitialRebalanceDelayMs
  if (delayMs === 0 || group.isInitialDelayActive) return
  group.isInitialDelayActive = true
  turn.schedule(initialDelayTimer(groupId), delayMs, { kind: 'streamsDelayExpired', groupId })
}

export function cancelInitialDelay({ groupId }: StreamsGroup, { turn }: GroupStep): void {
  turn.cancel(initialDelayTimer(groupId))
}

import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { type StreamsGroupMember, StreamsMemberState } from './streams-group-member.ts'
import {
  eachTask,
  hasNoTasks,
  hasTask,
  NO_OWNED_TASKS,
  type OwnedTasks,
  overlaps,
  type TaskRole,
  type Tasks,
} from './tasks.ts'

/** What decides the next step of a member towards its target. */
export interface StreamsReconciliation {
  readonly member: StreamsGroupMember
  readonly targetEpoch: number
  readonly target: Tasks
  /** What the member says it has; null: it did not say. */
  readonly owned: Tasks | null
  /** The processes that have a task, also while they have to give it up. */
  readonly processesOf: (role: TaskRole, id: string, partition: number) => readonly string[]
}

/** Tasks of a member while its next state is made. */
interface Draft {
  readonly active: Map<string, Map<number, number>>
  readonly standby: Map<string, Set<number>>
  readonly warmup: Map<string, Set<number>>
}

/** Roles without epochs. */
type CopyRole = 'standby' | 'warmup'

/** The three sides of a difference between what a member has and what it shall have. */
interface Difference {
  readonly kept: Draft
  readonly revoked: Draft
  /** Shall be added, and nothing is in the way. */
  readonly added: Draft
  /** Something that shall be added is still another's. */
  readonly hasUnreleased: boolean
}

/**
 * The next state of a member, or the same when it can't move on. First it gives up what it shall not
 * have; when it has confirmed that, it goes to the epoch of the target and gets what is free; what
 * others still have follows when they let go. So no active task ever has two owners, and no process
 * has a task twice. A member that has a copy of a task may run it, or go back to a copy, at once.
 * @throws BrokerError FENCED_MEMBER_EPOCH for a member in a state that this version does not know
 * Source: CurrentAssignmentBuilder of Kafka 4.4.
 */
export function reconcileStreamsMember(facts: StreamsReconciliation): StreamsGroupMember {
  const { member, owned, targetEpoch } = facts
  switch (member.state) {
    case StreamsMemberState.STABLE:
      return member.memberEpoch === targetEpoch ? member : next(facts, member.memberEpoch)
    case StreamsMemberState.UNREVOKED_TASKS:
      if (hasNotReleased(owned, member.pendingRevocation)) return member
      return next(facts, member.memberEpoch + 1)
    case StreamsMemberState.UNRELEASED_TASKS:
      return next(facts, member.memberEpoch)
    case StreamsMemberState.UNKNOWN:
      if (owned === null || !hasNoTasks(owned)) {
        throw new BrokerError(
          ErrorCode.FENCED_MEMBER_EPOCH,
          'The streams group member is in a unknown state. ' +
            'The member must abandon all its tasks and rejoin.',
        )
      }
      return next(facts, targetEpoch)
  }
}

/** A member that does not say what it has may have anything. */
function hasNotReleased(owned: Tasks | null, tasks: OwnedTasks): boolean {
  return owned === null || overlaps(owned, tasks)
}

function next(facts: StreamsReconciliation, memberEpoch: number): StreamsGroupMember {
  const { member, targetEpoch, owned } = facts
  const { kept, revoked, added, hasUnreleased } = differenceOf(facts)
  changeRoles(member.assigned, kept, revoked, added)
  eachPromoted(facts, (role, id, partition) => drop(revoked[role], id, partition))
  const mustRevoke = !hasNoTasks(revoked) && hasNotReleased(owned, revoked)
  eachPromoted(facts, (role, id, partition) => {
    const isPromoted = !mustRevoke && hasTask(added.active, id, partition)
    if (!isPromoted) put(kept[role], id, partition)
  })
  const epochs = { previousMemberEpoch: member.memberEpoch }
  if (mustRevoke) {
    const state = StreamsMemberState.UNREVOKED_TASKS
    return { ...member, ...epochs, state, memberEpoch, assigned: kept, pendingRevocation: revoked }
  }
  return {
    ...member,
    ...epochs,
    state: hasUnreleased ? StreamsMemberState.UNRELEASED_TASKS : StreamsMemberState.STABLE,
    memberEpoch: targetEpoch,
    assigned: merged(kept, added),
    pendingRevocation: NO_OWNED_TASKS,
  }
}

const emptyDraft = (): Draft => ({ active: new Map(), standby: new Map(), warmup: new Map() })

function differenceOf(facts: StreamsReconciliation): Difference {
  const { member, target, targetEpoch } = facts
  const { assigned } = member
  const kept = emptyDraft()
  const revoked = emptyDraft()
  const added = emptyDraft()
  let hasUnreleased = false
  for (const [id, epochs] of assigned.active) {
    for (const [partition, epoch] of epochs) {
      const side = hasTask(target.active, id, partition) ? kept : revoked
      putEpoch(side.active, id, partition, epoch)
    }
  }
  for (const role of ['standby', 'warmup'] as const) {
    for (const [id, partition] of eachTask(assigned[role])) {
      const side = hasTask(target[role], id, partition) ? kept : revoked
      put(side[role], id, partition)
    }
  }
  for (const role of ['active', 'standby', 'warmup'] as const) {
    for (const [id, partition] of eachTask(target[role])) {
      if (hasTask(assigned[role], id, partition)) continue
      if (isUnreleased(facts, role, id, partition)) hasUnreleased = true
      else if (role === 'active') putEpoch(added.active, id, partition, targetEpoch)
      else put(added[role], id, partition)
    }
  }
  return { kept, revoked, added, hasUnreleased }
}

/** True when somebody has the task in a way that the member can't have it beside. */
function isUnreleased(
  { member, processesOf }: StreamsReconciliation,
  role: TaskRole,
  id: string,
  partition: number,
): boolean {
  const { processId, assigned } = member
  const isHere = (of: TaskRole): boolean => processesOf(of, id, partition).includes(processId)
  const isElsewhereHere = (of: TaskRole): boolean =>
    isHere(of) && !hasTask(assigned[of], id, partition)
  switch (role) {
    case 'active': {
      const isRun = processesOf('active', id, partition).length > 0
      return isRun || isElsewhereHere('standby') || isElsewhereHere('warmup')
    }
    case 'standby':
      return isElsewhereHere('active') || isHere('standby') || isElsewhereHere('warmup')
    case 'warmup':
      return isHere('active') || isElsewhereHere('standby') || isHere('warmup')
  }
}

/** What the member has in one role and gets in another needs no other member to let go. */
function changeRoles(assigned: OwnedTasks, kept: Draft, revoked: Draft, added: Draft): void {
  const grant = (role: CopyRole, id: string, partition: number): boolean => {
    if (!hasTask(added[role], id, partition)) return false
    drop(added[role], id, partition)
    put(kept[role], id, partition)
    return true
  }
  for (const [id, partition] of eachTask(assigned.active)) grant('standby', id, partition)
  for (const [id, partition] of eachTask(assigned.standby)) {
    if (grant('warmup', id, partition)) drop(revoked.standby, id, partition)
  }
  for (const [id, partition] of eachTask(assigned.warmup)) {
    if (grant('standby', id, partition)) drop(revoked.warmup, id, partition)
  }
}

/** Copies of tasks that the member shall run: it keeps them until it may. */
function eachPromoted(
  { member, target }: StreamsReconciliation,
  run: (role: CopyRole, id: string, partition: number) => void,
): void {
  for (const role of ['standby', 'warmup'] as const) {
    for (const [id, partition] of eachTask(member.assigned[role])) {
      if (hasTask(target.active, id, partition)) run(role, id, partition)
    }
  }
}

function putEpoch(
  tasks: Map<string, Map<number, number>>,
  id: string,
  partition: number,
  epoch: number,
): void {
  tasks.set(id, (tasks.get(id) ?? new Map()).set(partition, epoch))
}

function put(tasks: Map<string, Set<number>>, id: string, partition: number): void {
  tasks.set(id, (tasks.get(id) ?? new Set()).add(partition))
}

function drop(tasks: Map<string, Set<number>>, id: string, partition: number): void {
  const partitions = tasks.get(id)
  partitions?.delete(partition)
  if (partitions?.size === 0) tasks.delete(id)
}

function merged(kept: Draft, added: Draft): OwnedTasks {
  for (const [id, epochs] of added.active) {
    for (const [partition, epoch] of epochs) putEpoch(kept.active, id, partition, epoch)
  }
  for (const role of ['standby', 'warmup'] as const) {
    for (const [id, partition] of eachTask(added[role])) put(kept[role], id, partition)
  }
  return kept
}

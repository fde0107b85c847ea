import { assert } from '../../../base/assert.ts'
import { nameOfTask, ProcessLoad, type TaskId } from './process-load.ts'
import type { MemberTaskOffsets } from './streams-group.ts'
import { type AnyTasks, eachTask, hasTask, type OwnedTasks, type Tasks } from './tasks.ts'

/** A member as the assignor sees it. */
export interface TaskAssignorMember {
  readonly memberId: string
  readonly processId: string
  /** What it has now: it should keep as much of that as it can. */
  readonly assigned: OwnedTasks
  readonly taskOffsets: MemberTaskOffsets
}

export interface TaskAssignorSpec {
  readonly members: readonly TaskAssignorMember[]
  readonly subtopologies: readonly {
    readonly subtopologyId: string
    readonly taskCount: number
    /** It has stores, so a copy of it elsewhere is worth something. */
    readonly isStateful: boolean
  }[]
  /** Copies of each stateful task, besides the active one. */
  readonly standbyCount: number
}

/** How much each member may get before another is asked. Shrinks as members are full. */
class Quota {
  #taskCount: number
  #memberCount: number

  constructor(taskCount: number, memberCount: number) {
    this.#taskCount = taskCount
    this.#memberCount = memberCount
  }

  get perMember(): number {
    return this.#memberCount === 0 ? 0 : Math.ceil(this.#taskCount / this.#memberCount)
  }

  /** A member has so many tasks now. */
  reached(taskCount: number): void {
    if (taskCount !== this.perMember) return
    this.#memberCount--
    this.#taskCount -= taskCount
  }
}

interface Candidate {
  readonly member: TaskAssignorMember
  readonly isStandby: boolean
  readonly offset: number
}

interface Assigning {
  readonly spec: TaskAssignorSpec
  readonly processes: ReadonlyMap<string, ProcessLoad>
  readonly lastActive: ReadonlyMap<string, TaskAssignorMember>
  /** Members with state of a task, the best first. */
  readonly lastStandbys: ReadonlyMap<string, readonly TaskAssignorMember[]>
  readonly activeQuota: Quota
  readonly quota: Quota
}

/**
 * Gives every task to a member, and copies of those with state to members of other processes: evenly,
 * but tasks stay where they are or where their state is.
 * Source: StickyTaskAssignor of Kafka 4.4.
 */
export function assignTasks(spec: TaskAssignorSpec): Map<string, Tasks> {
  const state = startOf(spec)
  if (spec.members.length > 0) {
    assignActive(state, tasksOfSpec(spec, false))
    if (spec.standbyCount > 0) assignStandby(state, tasksOfSpec(spec, true))
  }
  const assigned = new Map<string, Tasks>()
  for (const process of state.processes.values()) {
    for (const [memberId, { active, standby }] of process.members) {
      assigned.set(memberId, {
        active: idsOf(active),
        standby: idsOf(standby),
        warmup: new Map(),
      })
    }
  }
  return assigned
}

function startOf(spec: TaskAssignorSpec): Assigning {
  const { members, subtopologies, standbyCount } = spec
  const processes = new Map<string, ProcessLoad>()
  const lastActive = new Map<string, TaskAssignorMember>()
  const candidates = new Map<string, Candidate[]>()
  for (const member of members) {
    const process = processes.get(member.processId) ?? new ProcessLoad()
    process.addMember(member.memberId)
    processes.set(member.processId, process)
    for (const task of each(member.assigned.active)) lastActive.set(nameOfTask(task), member)
    for (const [task, candidate] of candidatesOf(member)) {
      const known = candidates.get(nameOfTask(task)) ?? []
      candidates.set(nameOfTask(task), [...known, candidate])
    }
  }
  const activeCount = subtopologies.reduce((sum, { taskCount }) => sum + taskCount, 0)
  const copyCount = subtopologies.reduce(
    (sum, { taskCount, isStateful }) => sum + (isStateful ? taskCount * standbyCount : 0),
    0,
  )
  return {
    ...{ spec, processes, lastActive },
    lastStandbys: new Map([...candidates].map(([task, list]) => [task, ranked(list)])),
    activeQuota: new Quota(activeCount, members.length),
    quota: new Quota(activeCount + copyCount, members.length),
  }
}

/** Standbys, and members that came back with state on their disk. */
function* candidatesOf(
  member: TaskAssignorMember,
): Generator<readonly [task: TaskId, candidate: Candidate]> {
  const { standby } = member.assigned
  const { offsets } = member.taskOffsets
  for (const task of each(standby)) {
    const offset = offsets.get(task.subtopologyId)?.get(task.partition) ?? 0
    yield [task, { member, isStandby: true, offset }]
  }
  for (const [subtopologyId, byPartition] of offsets) {
    for (const [partition, offset] of byPartition) {
      if (hasTask(standby, subtopologyId, partition)) continue
      yield [
        { subtopologyId, partition },
        { member, isStandby: false, offset },
      ]
    }
  }
}

function ranked(candidates: readonly Candidate[]): TaskAssignorMember[] {
  return [...candidates]
    .sort((a, b) => Number(b.isStandby) - Number(a.isStandby) || b.offset - a.offset)
    .map(({ member }) => member)
}

function* each(tasks: AnyTasks): Generator<TaskId> {
  for (const [subtopologyId, partition] of eachTask(tasks)) yield { subtopologyId, partition }
}

function tasksOfSpec({ subtopologies }: TaskAssignorSpec, isStatefulOnly: boolean): TaskId[] {
  return subtopologies
    .filter(({ isStateful }) => isStateful || !isStatefulOnly)
    .flatMap(({ subtopologyId, taskCount }) =>
      Array.from({ length: taskCount }, (_, partition) => ({ subtopologyId, partition })),
    )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const byPartition = (a: TaskId, b: TaskId): number =>
  a.partition - b.partition || compare(a.subtopologyId, b.subtopologyId)
const bySubtopology = (a: TaskId, b: TaskId): number =>
  compare(a.subtopologyId, b.subtopologyId) || a.partition - b.partition

function assignActive(state: Assigning, tasks: readonly TaskId[]): void {
  let left = [...tasks].sort(byPartition)
  const isGiven = (task: TaskId, member: TaskAssignorMember | undefined): boolean => {
    if (member === undefined || !hasRoom(state, member, state.activeQuota)) return false
    give(state, member, task, 'active')
    return true
  }
  left = left.filter((task) => !isGiven(task, state.lastActive.get(nameOfTask(task))))
  left = left.filter((task) => !isGiven(task, lastStandbyOf(state, task, true)))
  for (const task of left.sort(bySubtopology)) {
    const [process] = byLoad(state)
    assert(process !== undefined, 'there are members to give tasks to')
    giveToProcess(state, process, task, 'active')
  }
}

function assignStandby(state: Assigning, tasks: readonly TaskId[]): void {
  const left: { task: TaskId; count: number }[] = []
  for (const task of [...tasks].sort((a, b) => byPartition(b, a))) {
    let count = state.spec.standbyCount
    while (count > 0 && giveToLast(state, task)) count--
    if (count > 0) left.push({ task, count })
  }
  for (const { task, count } of left.sort((a, b) => bySubtopology(b.task, a.task))) {
    for (let copy = 0; copy < count; copy++) {
      const process = byLoad(state).find((one) => !one.hasTask(task))
      // There are more copies than processes: the others wait for more members.
      if (process === undefined) break
      giveToProcess(state, process, task, 'standby')
    }
  }
}

/** A copy goes to where the task ran, or to where a copy was. */
function giveToLast(state: Assigning, task: TaskId): boolean {
  const active = state.lastActive.get(nameOfTask(task))
  if (active !== undefined && !processOf(state, active).hasTask(task)) {
    if (hasRoom(state, active, state.quota)) {
      give(state, active, task, 'standby')
      return true
    }
  }
  const standby = lastStandbyOf(state, task, false)
  if (standby === undefined || !hasRoom(state, standby, state.quota)) return false
  give(state, standby, task, 'standby')
  return true
}

/** The least loaded of those with a copy; `mayHaveTask`: also if its process has the task already. */
function lastStandbyOf(
  state: Assigning,
  task: TaskId,
  mayHaveTask: boolean,
): TaskAssignorMember | undefined {
  let best: TaskAssignorMember | undefined
  let bestLoad = 0
  let bestCount = 0
  for (const member of state.lastStandbys.get(nameOfTask(task)) ?? []) {
    const process = processOf(state, member)
    if (!mayHaveTask && process.hasTask(task)) continue
    const count = process.taskCount(member.memberId)
    if (best !== undefined && (process.load >= bestLoad || count >= bestCount)) continue
    best = member
    bestLoad = process.load
    bestCount = count
  }
  return best
}

function processOf({ processes }: Assigning, { processId }: TaskAssignorMember): ProcessLoad {
  const process = processes.get(processId)
  assert(process !== undefined, 'every member has its process')
  return process
}

function hasRoom(state: Assigning, member: TaskAssignorMember, quota: Quota): boolean {
  return processOf(state, member).taskCount(member.memberId) < quota.perMember
}

function give(
  state: Assigning,
  member: TaskAssignorMember,
  task: TaskId,
  role: 'active' | 'standby',
): void {
  account(state, processOf(state, member).addTask(member.memberId, task, role), role)
}

function giveToProcess(
  state: Assigning,
  process: ProcessLoad,
  task: TaskId,
  role: 'active' | 'standby',
): void {
  account(state, process.addTask(process.leastLoadedMember(), task, role), role)
}

function account({ activeQuota, quota }: Assigning, taskCount: number, role: string): void {
  if (role === 'active') activeQuota.reached(taskCount)
  quota.reached(taskCount)
}

/** Least loaded first. */
function byLoad({ processes }: Assigning): ProcessLoad[] {
  return [...processes.values()].sort((a, b) => a.load - b.load)
}

function idsOf(tasks: readonly TaskId[]): Map<string, Set<number>> {
  const ids = new Map<string, Set<number>>()
  for (const { subtopologyId, partition } of tasks) {
    ids.set(subtopologyId, (ids.get(subtopologyId) ?? new Set()).add(partition))
  }
  return ids
}

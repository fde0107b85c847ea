/** Partitions of tasks by subtopology id. */
export type TaskIds = ReadonlyMap<string, ReadonlySet<number>>
/** By subtopology id and partition: the group epoch at which a member got the task. */
export type TaskEpochs = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Tasks of one subtopology, as members report them and are told of them. */
export interface TaskList {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
}

/** What a member shall have. */
export interface Tasks {
  readonly active: TaskIds
  readonly standby: TaskIds
  readonly warmup: TaskIds
}

/** What a member has: a commit of an older epoch is its own if it had the task by then (KIP-1251). */
export interface OwnedTasks {
  readonly active: TaskEpochs
  readonly standby: TaskIds
  readonly warmup: TaskIds
}

export type TaskRole = keyof Tasks
export const TASK_ROLES: readonly TaskRole[] = ['active', 'standby', 'warmup']

export const NO_TASKS: Tasks = { active: new Map(), standby: new Map(), warmup: new Map() }
export const NO_OWNED_TASKS: OwnedTasks = NO_TASKS as unknown as OwnedTasks

/** Partitions of one subtopology, whether they come with epochs or not. */
interface Partitions {
  readonly size: number
  has(partition: number): boolean
  keys(): Iterable<number>
}

/** Tasks of one role, with epochs or without. */
export type AnyTasks = ReadonlyMap<string, Partitions>

export function hasTask(tasks: AnyTasks, subtopologyId: string, partition: number): boolean {
  return tasks.get(subtopologyId)?.has(partition) === true
}

/** Every task of one role. */
export function* eachTask(tasks: AnyTasks): Generator<readonly [string, number]> {
  for (const [subtopologyId, partitions] of tasks) {
    for (const partition of partitions.keys()) yield [subtopologyId, partition]
  }
}

export function hasNoTasks(tasks: OwnedTasks | Tasks): boolean {
  return TASK_ROLES.every((role) => tasks[role].size === 0)
}

export function tasksOf(lists: readonly TaskList[]): TaskIds {
  const tasks = new Map<string, Set<number>>()
  for (const { subtopologyId, partitions } of lists) {
    const known = tasks.get(subtopologyId) ?? new Set()
    for (const partition of partitions) known.add(partition)
    tasks.set(subtopologyId, known)
  }
  return tasks
}

/** Sorted, so that the same tasks are always the same bytes. */
export function listOfTasks(tasks: AnyTasks): { subtopologyId: string; partitions: number[] }[] {
  return [...tasks]
    .map(([subtopologyId, partitions]) => ({
      subtopologyId,
      partitions: [...partitions.keys()].sort((a, b) => a - b),
    }))
    .sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1))
}

/** True when every reported task is among those. */
export function isSubsetOf(lists: readonly TaskList[] | null, tasks: AnyTasks): boolean {
  if (lists === null) return false
  return lists.every(({ subtopologyId, partitions }) => {
    const known = tasks.get(subtopologyId)
    return known !== undefined && partitions.every((partition) => known.has(partition))
  })
}

/** True when a task is in both, in the same role. */
export function overlaps(a: Tasks, b: OwnedTasks): boolean {
  return TASK_ROLES.some((role) => {
    for (const [subtopologyId, partition] of eachTask(a[role])) {
      if (hasTask(b[role], subtopologyId, partition)) return true
    }
    return false
  })
}

export function isSameTasks(a: Tasks, b: Tasks): boolean {
  return TASK_ROLES.every((role) => isSameIds(a[role], b[role]))
}

/** True when also the epochs are the same. */
export function isSameOwned(a: OwnedTasks, b: OwnedTasks): boolean {
  if (a === b) return true
  if (!(isSameIds(a.standby, b.standby) && isSameIds(a.warmup, b.warmup))) return false
  if (!isSameIds(a.active, b.active)) return false
  for (const [subtopologyId, epochs] of a.active) {
    const others = b.active.get(subtopologyId)
    for (const [partition, epoch] of epochs) if (others?.get(partition) !== epoch) return false
  }
  return true
}

function isSameIds(a: AnyTasks, b: AnyTasks): boolean {
  if (a.size !== b.size) return false
  for (const [subtopologyId, partitions] of a) {
    if (b.get(subtopologyId)?.size !== partitions.size) return false
    for (const partition of partitions.keys()) {
      if (!hasTask(b, subtopologyId, partition)) return false
    }
  }
  return true
}

/** The same tasks, as if the member had had them for ever. */
export function withoutEpochs({ active, standby, warmup }: OwnedTasks): OwnedTasks {
  const forgotten = [...active].map(
    ([subtopologyId, epochs]) =>
      [subtopologyId, new Map([...epochs.keys()].map((partition) => [partition, 0]))] as const,
  )
  return { active: new Map(forgotten), standby, warmup }
}

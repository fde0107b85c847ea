import { assert } from '../../../base/assert.ts'

/** One task: a partition of a subtopology. */
export interface TaskId {
  readonly subtopologyId: string
  readonly partition: number
}

export const nameOfTask = ({ subtopologyId, partition }: TaskId): string =>
  `${partition} ${subtopologyId}`

interface MemberTasks {
  readonly active: TaskId[]
  readonly standby: TaskId[]
}

/** What an assignment gave to one process so far, and to the members in it. */
export class ProcessLoad {
  readonly #members = new Map<string, MemberTasks>()
  readonly #tasks = new Set<string>()

  addMember(memberId: string): void {
    this.#members.set(memberId, { active: [], standby: [] })
  }

  get members(): ReadonlyMap<string, MemberTasks> {
    return this.#members
  }

  /** Tasks a member, on average. */
  get load(): number {
    return this.#tasks.size / this.#members.size
  }

  /** In whatever role: a process has no use for a task twice. */
  hasTask(task: TaskId): boolean {
    return this.#tasks.has(nameOfTask(task))
  }

  taskCount(memberId: string): number {
    const tasks = this.#members.get(memberId)
    return tasks === undefined ? 0 : tasks.active.length + tasks.standby.length
  }

  /** @returns how many tasks the member has with it */
  addTask(memberId: string, task: TaskId, role: 'active' | 'standby'): number {
    const tasks = this.#members.get(memberId)
    assert(tasks !== undefined, 'tasks are given to members of the process')
    tasks[role].push(task)
    this.#tasks.add(nameOfTask(task))
    return tasks.active.length + tasks.standby.length
  }

  leastLoadedMember(): string {
    let least: string | undefined
    for (const memberId of this.#members.keys()) {
      if (least === undefined || this.taskCount(memberId) < this.taskCount(least)) least = memberId
    }
    assert(least !== undefined, 'a process has members')
    return least
  }
}

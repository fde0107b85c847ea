/**
 * Who gets a message: all of `plain`, and one of each group. A queue group is all subscriptions with
 * one queue name that match, whatever their subjects are, as in nats-server.
 */
export class Matches<T> {
  readonly plain: T[] = []
  readonly groups: T[][] = []
  readonly #groupNames: string[] = []

  get isEmpty(): boolean {
    return this.plain.length === 0 && this.groups.length === 0
  }

  clear(): void {
    empty(this.plain)
    empty(this.groups)
    empty(this.#groupNames)
  }

  group(name: string): T[] {
    const at = this.#groupNames.indexOf(name)
    if (at !== -1) return this.groups[at] as T[]
    const group: T[] = []
    this.#groupNames.push(name)
    this.groups.push(group)
    return group
  }
}

/** A `length` that is set is a call into the runtime, also where it is 0 before. */
function empty(list: unknown[]): void {
  while (list.length > 0) list.pop()
}

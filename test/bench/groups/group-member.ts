/** A client of a group that does one thing after the other, when it is told to. */
export interface GroupMember {
  /** Generation, or member epoch; -1 before it is in the group. */
  readonly generation: number
  /** Partitions that it may read. */
  readonly partitionCount: number
  join(): Promise<void>
  /** Learns what changed in its group and goes along. @returns whether there was anything */
  follow(): Promise<boolean>
  leave(): Promise<void>
  commit(offset: number): Promise<void>
  close(): Promise<void>
}

const LIMIT_MS = 60_000
/** Between two heartbeats of a member that has nothing to do. */
const PAUSE_MS = 10

/**
 * Does something to a group and lets its members follow until all are in one new generation and
 * have all partitions.
 * @param trigger resolves when the change is made, and may wait for the others to follow
 * @returns milliseconds that it took
 * @throws Error when that takes too long
 */
export async function rebalance(
  members: readonly GroupMember[],
  partitionCount: number,
  trigger: () => Promise<void>,
): Promise<number> {
  const before = Math.max(...members.map(({ generation }) => generation))
  const isSettled = (): boolean => {
    const generation = members[0]?.generation ?? -1
    if (generation <= before) return false
    if (members.some((member) => member.generation !== generation)) return false
    return members.reduce((sum, member) => sum + member.partitionCount, 0) === partitionCount
  }
  const startedAt = performance.now()
  let tookMs = Number.NaN
  let isOver = false
  const follow = async (member: GroupMember): Promise<void> => {
    while (!isOver) {
      const nowMs = performance.now() - startedAt
      if (nowMs > LIMIT_MS) throw new Error('a rebalance does not end')
      // One that is on its way in is moved by the trigger.
      const isBusy = member.generation >= 0 && (await member.follow())
      if (isSettled() && !isOver) {
        tookMs = performance.now() - startedAt
        isOver = true
      } else if (!isBusy) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
  const work = [trigger(), ...members.map(follow)]
  try {
    await Promise.all(work)
  } finally {
    isOver = true
    await Promise.allSettled(work)
  }
  return tookMs
}

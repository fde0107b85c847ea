/** Partitions by topic id. A topic without partitions is not in it. */
export type Assignment = ReadonlyMap<string, ReadonlySet<number>>

/** The same, while it is being made. */
export type MutableAssignment = Map<string, Set<number>>

export const NO_ASSIGNMENT: Assignment = new Map()

export function copyAssignment(assignment: Assignment): MutableAssignment {
  return new Map([...assignment].map(([topicId, partitions]) => [topicId, new Set(partitions)]))
}

export function addPartition(to: MutableAssignment, topicId: string, partition: number): void {
  const partitions = to.get(topicId)
  if (partitions === undefined) to.set(topicId, new Set([partition]))
  else partitions.add(partition)
}

export function removePartition(from: MutableAssignment, topicId: string, partition: number): void {
  const partitions = from.get(topicId)
  partitions?.delete(partition)
  if (partitions?.size === 0) from.delete(topicId)
}

export function isSameAssignment(a: Assignment, b: Assignment): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId)
    if (others === undefined || others.size !== partitions.size) return false
    for (const partition of partitions) if (!others.has(partition)) return false
  }
  return true
}

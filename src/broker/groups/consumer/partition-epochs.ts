import type { Assignment } from '../assignors/assignment.ts'

/**
 * Partitions that a member has, by topic id and partition, each with the member epoch at which it
 * got the partition: a commit of that epoch or a later one is its own (KIP-1251).
 */
export type PartitionEpochs = ReadonlyMap<string, ReadonlyMap<number, number>>

export const NO_PARTITIONS: PartitionEpochs = new Map()

/** Partitions of one topic, as a member reports them. */
export interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export function withEpoch(assignment: Assignment, epoch: number): PartitionEpochs {
  return new Map(
    [...assignment].map(([topicId, partitions]) => [
      topicId,
      new Map([...partitions].map((partition) => [partition, epoch])),
    ]),
  )
}

export function topicPartitionsOf(partitions: PartitionEpochs): TopicPartitions[] {
  return [...partitions].map(([topicId, epochs]) => ({ topicId, partitions: [...epochs.keys()] }))
}

export function isSameEpochs(a: PartitionEpochs, b: PartitionEpochs): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [topicId, epochs] of a) {
    const others = b.get(topicId)
    if (others === undefined || others.size !== epochs.size) return false
    for (const [partition, epoch] of epochs) if (others.get(partition) !== epoch) return false
  }
  return true
}

/** True when every reported partition is among those. */
export function isSubset(reported: readonly TopicPartitions[], of: PartitionEpochs): boolean {
  return reported.every(({ topicId, partitions }) => {
    const epochs = of.get(topicId)
    return epochs !== undefined && partitions.every((partition) => epochs.has(partition))
  })
}

/** True when a reported partition is among those. */
export function overlaps(reported: readonly TopicPartitions[], with_: PartitionEpochs): boolean {
  return reported.some(({ topicId, partitions }) => {
    const epochs = with_.get(topicId)
    return epochs !== undefined && partitions.some((partition) => epochs.has(partition))
  })
}

import type { Partition } from './partition.ts'

/** Finds the partitions this broker leads: what produce, fetch and the offset calls need. */
export interface PartitionLookup {
  /** undefined: unknown topic or partition. */
  partition(topic: string, index: number): Partition | undefined
  partitionById(topicId: string, index: number): Partition | undefined
  /** undefined: no such topic id. */
  topicName(topicId: string): string | undefined
  /** undefined: no such topic. */
  topicId(topic: string): string | undefined
}

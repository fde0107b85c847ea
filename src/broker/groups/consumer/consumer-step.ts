import type { Group } from '../group.ts'
import type { GroupStep } from '../group-step.ts'
import type { TopicHashes } from './metadata-hash.ts'

/** The groups of a shard, by id. */
export interface GroupTable {
  group(groupId: string): Group | undefined
  put(group: Group): void
  remove(groupId: string): void
}

/** One step of the consumer protocol. */
export interface ConsumerStep extends GroupStep {
  readonly groups: GroupTable
  readonly hashes: TopicHashes
  /** Version of the metadata when a topic was last created: a regex may match it. */
  readonly newTopicsVersion: number
}

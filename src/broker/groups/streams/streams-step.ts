import type { TopicHashes } from '../consumer/metadata-hash.ts'
import type { GroupStep } from '../group-step.ts'
import type { StreamsGroup } from './streams-group.ts'

/** One step of a streams group. */
export interface StreamsStep extends GroupStep {
  readonly groups: {
    group(groupId: string): { readonly type: string; readonly isEmpty: boolean } | undefined
    put(group: StreamsGroup): void
  }
  readonly hashes: TopicHashes
}

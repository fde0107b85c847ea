import type { MetadataChange } from '../../../ports/metadata-store.ts'
import type { GroupTopics } from '../group-step.ts'
import type { TopicsChange } from './consumer-group-manager.ts'

/** What a change of the metadata means to groups that read topics; null: nothing. */
export function topicsChangeOf(
  changes: readonly MetadataChange[],
  topics: GroupTopics | undefined,
): TopicsChange | null {
  const names = new Set<string>()
  let hasCreated = false
  for (const change of changes) {
    if (change.kind === 'topicCreated') {
      names.add(change.topic.name)
      hasCreated = true
    } else if (change.kind === 'topicDeleted') {
      names.add(change.name)
    } else if (change.kind === 'partitionsAdded') {
      const name = topics?.topicsById.get(change.topicId)?.name
      if (name !== undefined) names.add(name)
    }
  }
  return names.size === 0 ? null : { names: [...names], hasCreated }
}

import type { GroupTopics } from '../group-step.ts'
import {
  NO_SHARE_PARTITIONS,
  type ShareGroup,
  type SharePartitions,
  type ShareTopic,
} from './share-group.ts'

type Topics = ReadonlyMap<string, ShareTopic>
/** Partitions by topic id. */
export type PartitionsByTopic = ReadonlyMap<string, ReadonlySet<number>>

/** State that was asked for is asked for again after this. */
const INITIALIZE_RETRY_MS = 30_000

export function sharesOf(group: ShareGroup): SharePartitions {
  return group.sharePartitions ?? NO_SHARE_PARTITIONS
}

/** Partitions of subscribed topics that have no state, and for which none was just asked for. */
export function missingShares(
  group: ShareGroup,
  { topics }: GroupTopics,
  nowMs: number,
): Map<string, ShareTopic> {
  const { initialized, initializing } = sharesOf(group)
  const missing = new Map<string, ShareTopic>()
  for (const name of group.subscribedTopicNames) {
    const topic = topics.get(name)
    if (topic === undefined) continue
    const asked = initializing.get(topic.topicId)
    const isFresh = asked !== undefined && nowMs - asked.timestampMs < INITIALIZE_RETRY_MS
    const known = new Set([
      ...(initialized.get(topic.topicId)?.partitions ?? []),
      ...(isFresh ? asked.partitions : []),
    ])
    if (known.size >= topic.partitions.length) continue
    const partitions = topic.partitions
      .map(({ partition }) => partition)
      .filter((partition) => !known.has(partition))
    missing.set(topic.topicId, { name, partitions: new Set(partitions), timestampMs: nowMs })
  }
  return missing
}

/** What was asked for is being made; it is not being deleted any more. */
export function withInitializing(shares: SharePartitions, added: Topics): SharePartitions {
  const initializing = merged(shares.initializing, added)
  const deleting = without(shares.deleting, initializing.keys())
  return { ...shares, initializing, deleting }
}

/** The share coordinator made the state. */
export function withInitialized(
  shares: SharePartitions,
  made: PartitionsByTopic,
  { topicsById }: GroupTopics,
  nowMs: number,
): SharePartitions {
  const added = new Map<string, ShareTopic>()
  for (const [topicId, partitions] of made) {
    const name = topicsById.get(topicId)?.name ?? '<UNKNOWN>'
    added.set(topicId, { name, partitions, timestampMs: nowMs })
  }
  return {
    ...shares,
    initializing: withoutPartitions(shares.initializing, made),
    initialized: merged(shares.initialized, added),
  }
}

/** The share coordinator could not make the state: it is asked again. */
export function withoutInitializing(
  shares: SharePartitions,
  failed: PartitionsByTopic,
): SharePartitions {
  return { ...shares, initializing: withoutPartitions(shares.initializing, failed) }
}

/** null when none of the topics is in it. */
export function withoutTopics(
  shares: SharePartitions,
  topicIds: readonly string[],
): SharePartitions | null {
  const { initializing, initialized, deleting } = shares
  const isThere = (topicId: string): boolean =>
    initializing.has(topicId) || initialized.has(topicId) || deleting.has(topicId)
  if (!topicIds.some(isThere)) return null
  return {
    initializing: without(initializing, topicIds),
    initialized: without(initialized, topicIds),
    deleting: without(deleting, topicIds),
  }
}

/** All that has state, or is about to have it, or should have lost it; now it shall go. */
export function allDeleting(
  shares: SharePartitions,
  { topicsById }: GroupTopics,
): { shares: SharePartitions; partitions: PartitionsByTopic } {
  const candidates = merged(shares.initialized, shares.initializing)
  for (const topicId of shares.deleting.keys()) {
    const topic = topicsById.get(topicId)
    if (topic === undefined) continue
    const partitions = new Set(topic.partitions.map(({ partition }) => partition))
    candidates.set(topicId, { name: topic.name, partitions, timestampMs: 0 })
  }
  const deleting = new Map([...candidates].map(([topicId, { name }]) => [topicId, name]))
  const partitions = new Map([...candidates].map(([id, topic]) => [id, topic.partitions]))
  return { shares: { initializing: new Map(), initialized: new Map(), deleting }, partitions }
}

export function merged(known: Topics, added: Topics): Map<string, ShareTopic> {
  const all = new Map(known)
  for (const [topicId, topic] of added) {
    const partitions = new Set([...(known.get(topicId)?.partitions ?? []), ...topic.partitions])
    all.set(topicId, { ...topic, partitions })
  }
  return all
}

function withoutPartitions(topics: Topics, gone: PartitionsByTopic): Topics {
  const left = new Map<string, ShareTopic>()
  for (const [topicId, topic] of topics) {
    const taken = gone.get(topicId)
    const partitions = [...topic.partitions].filter((one) => taken?.has(one) !== true)
    if (partitions.length > 0) left.set(topicId, { ...topic, partitions: new Set(partitions) })
  }
  return left
}

export function without<T>(all: ReadonlyMap<string, T>, keys: Iterable<string>): Map<string, T> {
  const left = new Map(all)
  for (const key of keys) left.delete(key)
  return left
}

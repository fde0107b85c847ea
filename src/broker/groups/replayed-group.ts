/** Where the groups of a shard are that replays its log. */
export interface ReplayedGroups<G> {
  group(groupId: string): { readonly type: string } | undefined
  put(group: G): void
  remove(groupId: string): void
}

interface GroupRecord {
  readonly key: { readonly groupId: string }
  readonly value: object | null
}

/**
 * The group that a record is about, which the first of its records makes. Undefined for a tombstone
 * of what is not there: compaction may have dropped what it was about.
 */
export function replayedGroup<G>(
  { key, value }: GroupRecord,
  groups: ReplayedGroups<G>,
  Group: new (groupId: string) => G,
): G | undefined {
  const known = groups.group(key.groupId)
  if (known instanceof Group) return known
  if (value === null) return undefined
  const group = new Group(key.groupId)
  groups.put(group)
  return group
}

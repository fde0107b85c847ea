/** A topic that the application makes for itself, as it describes it. */
export interface TopologyTopic {
  readonly name: string
  /** 0: as many as its inputs have. */
  readonly partitions: number
  /** 0: the default of the broker. */
  readonly replicationFactor: number
  readonly topicConfigs: readonly { readonly key: string; readonly value: string }[]
}

/** Topics that need the same number of partitions, by their place in the lists of the subtopology. */
interface CopartitionGroup {
  readonly sourceTopics: readonly number[]
  readonly sourceTopicRegex: readonly number[]
  readonly repartitionSourceTopics: readonly number[]
}

/** A part of a topology that is connected: its tasks, one a partition, are what members get. */
export interface Subtopology {
  readonly subtopologyId: string
  readonly sourceTopics: readonly string[]
  readonly sourceTopicRegex: readonly string[]
  /** Kept in step with its stores: there is one where the subtopology has state. */
  readonly stateChangelogTopics: readonly TopologyTopic[]
  readonly repartitionSinkTopics: readonly string[]
  readonly repartitionSourceTopics: readonly TopologyTopic[]
  readonly copartitionGroups: readonly CopartitionGroup[]
}

/** What the application of a streams group is made of (KIP-1071), as its first member told. */
export interface StreamsTopology {
  readonly epoch: number
  /** By id; a member sends them in any order. */
  readonly subtopologies: ReadonlyMap<string, Subtopology>
}

export function topologyOf(epoch: number, subtopologies: readonly Subtopology[]): StreamsTopology {
  return { epoch, subtopologies: new Map(subtopologies.map((one) => [one.subtopologyId, one])) }
}

/** Source and internal topics: everything that has to be there before tasks can run. */
export function requiredTopics({ subtopologies }: StreamsTopology): Set<string> {
  const names = new Set<string>()
  for (const one of subtopologies.values()) {
    for (const name of one.sourceTopics) names.add(name)
    for (const { name } of one.repartitionSourceTopics) names.add(name)
    for (const { name } of one.stateChangelogTopics) names.add(name)
  }
  return names
}

/** The subtopology that reads a topic. */
export function readerOf(
  { subtopologies }: StreamsTopology,
  topic: string,
): Subtopology | undefined {
  for (const one of subtopologies.values()) {
    if (one.sourceTopics.includes(topic)) return one
    if (one.repartitionSourceTopics.some(({ name }) => name === topic)) return one
  }
  return undefined
}

export function isSameTopology(a: StreamsTopology, b: StreamsTopology): boolean {
  return textOf(a) === textOf(b)
}

/** Plain data with a fixed order of fields, so its text tells whether it is the same. */
function textOf({ epoch, subtopologies }: StreamsTopology): string {
  const sorted = [...subtopologies.keys()].sort()
  return JSON.stringify([epoch, sorted.map((id) => valuesOf(subtopologies.get(id)))])
}

function valuesOf(subtopology: Subtopology | undefined): unknown {
  if (subtopology === undefined) return null
  const topicsOf = (topics: readonly TopologyTopic[]) =>
    topics.map(({ name, partitions, replicationFactor, topicConfigs }) => [
      name,
      partitions,
      replicationFactor,
      topicConfigs.map(({ key, value }) => [key, value]),
    ])
  return [
    subtopology.subtopologyId,
    subtopology.sourceTopics,
    subtopology.sourceTopicRegex,
    topicsOf(subtopology.stateChangelogTopics),
    subtopology.repartitionSinkTopics,
    topicsOf(subtopology.repartitionSourceTopics),
    subtopology.copartitionGroups.map((group) => [
      group.sourceTopics,
      group.sourceTopicRegex,
      group.repartitionSourceTopics,
    ]),
  ]
}

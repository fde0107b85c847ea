import type { TopicImage } from '../../../ports/metadata-store.ts'
import { decidePartitionCounts, inputsOf, invalidTopology } from './partition-counts.ts'
import { StatusCode, type StreamsStatus, TopicProblem } from './streams-status.ts'
import {
  requiredTopics,
  type StreamsTopology,
  type Subtopology,
  type TopologyTopic,
} from './streams-topology.ts'

/** A part of a topology with the numbers that its topics really have. */
export interface ConfiguredSubtopology {
  readonly taskCount: number
  readonly sourceTopics: readonly string[]
  readonly repartitionSinkTopics: readonly string[]
  readonly repartitionSourceTopics: readonly TopologyTopic[]
  readonly stateChangelogTopics: readonly TopologyTopic[]
}

/** A topology held against the topics that there are. */
export interface ConfiguredTopology {
  readonly epoch: number
  /** By id, sorted; null: the topics do not fit. */
  readonly subtopologies: ReadonlyMap<string, ConfiguredSubtopology> | null
  /** Internal topics that have to be created. */
  readonly missingTopics: readonly TopologyTopic[]
  /** null: tasks can be given out. */
  readonly problem: StreamsStatus | null
}

type Topics = ReadonlyMap<string, TopicImage>

/** How many names of topics a text has at the most. */
const MAX_NAMES = 3

/**
 * Decides how many tasks and which internal topics a topology has.
 * @throws BrokerError STREAMS_INVALID_TOPOLOGY for a topology that can't be
 * Source: InternalTopicManager.configureTopics of Kafka 4.4.
 */
export function configureTopology(topology: StreamsTopology, topics: Topics): ConfiguredTopology {
  const { epoch } = topology
  try {
    refuseMissingSources(topology, topics)
    const existing = (topic: string) => topics.get(topic)?.partitions.length
    const decided = decidePartitionCounts(topology, existing)
    const countOf = (topic: string): number => existing(topic) ?? decided.get(topic) ?? 0
    const ids = [...topology.subtopologies.keys()].sort()
    const subtopologies = new Map<string, ConfiguredSubtopology>()
    for (const id of ids) {
      const subtopology = topology.subtopologies.get(id)
      if (subtopology !== undefined)
        subtopologies.set(id, configured(subtopology, decided, countOf))
    }
    const missingTopics = missingInternalTopics(topology, subtopologies, topics)
    return { epoch, subtopologies, missingTopics, problem: problemOf(missingTopics) }
  } catch (error) {
    if (!(error instanceof TopicProblem)) throw error
    return { epoch, subtopologies: null, missingTopics: [], problem: error.status }
  }
}

function refuseMissingSources({ subtopologies }: StreamsTopology, topics: Topics): void {
  const missing = new Set<string>()
  for (const { sourceTopics } of subtopologies.values()) {
    for (const topic of sourceTopics) if (!topics.has(topic)) missing.add(topic)
  }
  if (missing.size === 0) return
  const names = namesOf([...missing].sort())
  throw new TopicProblem(StatusCode.MISSING_SOURCE_TOPICS, `Source topics ${names} are missing.`)
}

function configured(
  subtopology: Subtopology,
  decided: ReadonlyMap<string, number>,
  countOf: (topic: string) => number,
): ConfiguredSubtopology {
  const withCount = (topic: TopologyTopic): TopologyTopic => {
    const partitions = topic.partitions === 0 ? (decided.get(topic.name) ?? 0) : topic.partitions
    if (partitions >= 1) return { ...topic, partitions }
    throw invalidTopology(`Number of partitions of topic ${topic.name} must be at least 1.`)
  }
  return {
    taskCount: Math.max(...inputsOf(subtopology).map(countOf)),
    sourceTopics: [...new Set(subtopology.sourceTopics)],
    repartitionSinkTopics: [...new Set(subtopology.repartitionSinkTopics)],
    repartitionSourceTopics: subtopology.repartitionSourceTopics.map(withCount),
    stateChangelogTopics: subtopology.stateChangelogTopics.map(withCount),
  }
}

function missingInternalTopics(
  topology: StreamsTopology,
  subtopologies: ReadonlyMap<string, ConfiguredSubtopology>,
  topics: Topics,
): TopologyTopic[] {
  const missing = new Map<string, TopologyTopic>()
  for (const { repartitionSourceTopics, stateChangelogTopics } of subtopologies.values()) {
    for (const topic of repartitionSourceTopics) missing.set(topic.name, topic)
    for (const topic of stateChangelogTopics) missing.set(topic.name, topic)
  }
  for (const name of requiredTopics(topology)) {
    const found = topics.get(name)?.partitions.length
    const expected = missing.get(name)
    if (found === undefined || expected === undefined) continue
    missing.delete(name)
    if (found === expected.partitions) continue
    throw new TopicProblem(
      StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
      `Existing topic ${name} has different number of partitions: expected ` +
        `${expected.partitions}, found ${found}`,
    )
  }
  return [...missing.values()]
}

function problemOf(missing: readonly TopologyTopic[]): StreamsStatus | null {
  if (missing.length === 0) return null
  const names = namesOf(missing.map(({ name }) => name))
  return {
    statusCode: StatusCode.MISSING_INTERNAL_TOPICS,
    statusDetail: `Internal topics are missing: ${names}`,
  }
}

function namesOf(topics: readonly string[]): string {
  const names = topics.slice(0, MAX_NAMES).join(', ')
  const others = topics.length - MAX_NAMES
  return others > 0 ? `${names} and ${others} additional topics` : names
}

import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { StatusCode, TopicProblem } from './streams-status.ts'
import type { StreamsTopology, Subtopology } from './streams-topology.ts'

/** How many partitions a topic has, or shall have; undefined: not known. */
export type PartitionCountOf = (topic: string) => number | undefined

/**
 * How many partitions each internal topic of a topology shall have. A repartition topic takes the
 * count of what is written to it, or of what it is joined with; a changelog has one partition a task.
 * @param existing how many partitions the topics have that are there
 * @throws TopicProblem INCORRECTLY_PARTITIONED_TOPICS where topics that are joined differ
 * @throws BrokerError STREAMS_INVALID_TOPOLOGY for a topology that can't be
 * Source: InternalTopicManager.decidePartitionCounts of Kafka 4.4.
 */
export function decidePartitionCounts(
  topology: StreamsTopology,
  existing: PartitionCountOf,
): Map<string, number> {
  const subtopologies = [...topology.subtopologies.values()]
  const decided = repartitionCounts(subtopologies, existing)
  const countOf: PartitionCountOf = (topic) => existing(topic) ?? decided.get(topic)
  for (const subtopology of subtopologies) {
    for (const topics of copartitionGroupsOf(subtopology)) {
      for (const [topic, count] of copartitioned(topics, subtopologies, countOf)) {
        decided.set(topic, count)
      }
    }
  }
  for (const subtopology of subtopologies) {
    const counts = inputsOf(subtopology).map((topic) => countOf(topic) ?? 0)
    if (counts.length === 0) {
      throw invalidTopology(`No source topics found for subtopology ${subtopology.subtopologyId}`)
    }
    for (const { name } of subtopology.stateChangelogTopics) decided.set(name, Math.max(...counts))
  }
  return decided
}

export function inputsOf(subtopology: Subtopology): string[] {
  const repartitioned = subtopology.repartitionSourceTopics.map(({ name }) => name)
  return [...subtopology.sourceTopics, ...repartitioned]
}

export function invalidTopology(message: string): BrokerError {
  return new BrokerError(ErrorCode.STREAMS_INVALID_TOPOLOGY, message)
}

/** Goes on from subtopology to subtopology, as the counts of the ones before become known. */
function repartitionCounts(
  subtopologies: readonly Subtopology[],
  existing: PartitionCountOf,
): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { repartitionSourceTopics } of subtopologies) {
    for (const { name, partitions } of repartitionSourceTopics) {
      if (partitions !== 0) counts.set(name, partitions)
    }
  }
  let isComplete = false
  while (!isComplete) {
    isComplete = true
    let hasProgressed = false
    for (const subtopology of subtopologies) {
      for (const sink of subtopology.repartitionSinkTopics) {
        if (counts.has(sink)) continue
        const count = largestInput(subtopology, counts, existing)
        if (count === undefined) {
          isComplete = false
        } else {
          counts.set(sink, count)
          hasProgressed = true
        }
      }
    }
    if (!isComplete && !hasProgressed) {
      throw invalidTopology(
        'Failed to compute number of partitions for all repartition topics. ' +
          'There may be loops in the topology that cannot be resolved.',
      )
    }
  }
  const isUnwritten = ({ repartitionSourceTopics }: Subtopology): boolean =>
    repartitionSourceTopics.some(({ name }) => !counts.has(name))
  if (subtopologies.some(isUnwritten)) {
    throw invalidTopology(
      'Failed to compute number of partitions for all repartition topics, ' +
        'because a repartition source topic is never used as a sink topic.',
    )
  }
  return counts
}

function largestInput(
  { repartitionSourceTopics, sourceTopics }: Subtopology,
  counts: ReadonlyMap<string, number>,
  existing: PartitionCountOf,
): number | undefined {
  const known = [
    ...repartitionSourceTopics.map(({ name }) => counts.get(name)),
    ...sourceTopics.map(existing),
  ].filter((count) => count !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

function copartitionGroupsOf(subtopology: Subtopology): Set<string>[] {
  const { copartitionGroups, sourceTopics, repartitionSourceTopics, subtopologyId } = subtopology
  return copartitionGroups.map((group) => {
    const topics = [
      ...group.sourceTopics.map((index) => sourceTopics[index]),
      ...group.repartitionSourceTopics.map((index) => repartitionSourceTopics[index]?.name),
    ]
    const known = topics.filter((topic) => topic !== undefined)
    if (known.length === topics.length) return new Set(known)
    throw invalidTopology(
      `A copartition group of subtopology ${subtopologyId} names a topic that the subtopology ` +
        'does not read.',
    )
  })
}

/** The count for the repartition topics among topics that have to have the same. */
function copartitioned(
  topics: ReadonlySet<string>,
  subtopologies: readonly Subtopology[],
  countOf: PartitionCountOf,
): Map<string, number> {
  if (topics.size === 0) return new Map()
  const declared = subtopologies.flatMap(({ repartitionSourceTopics }) => repartitionSourceTopics)
  const fixed = new Set(
    declared.filter(({ partitions }) => partitions !== 0).map(({ name }) => name),
  )
  const isRepartition = (topic: string): boolean => declared.some(({ name }) => name === topic)
  const withCount = (topic: string) => [topic, countOf(topic) ?? 0] as const
  const repartition = new Map([...topics].filter(isRepartition).map(withCount))
  const external = new Map([...topics].filter((topic) => !isRepartition(topic)).map(withCount))
  const count = commonCount(repartition, external, new Map([...fixed].map(withCount)))
  for (const [topic, own] of repartition) {
    if (!fixed.has(topic) || own === count) continue
    throw new TopicProblem(
      StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
      `Number of partitions [${own}] of repartition topic [${topic}] doesn't match number of ` +
        `partitions [${count}] of the source topic.`,
    )
  }
  return new Map([...repartition.keys()].map((topic) => [topic, count]))
}

type Counts = ReadonlyMap<string, number>

/** Topics from outside decide; then counts that the application fixed; then the largest. */
function commonCount(repartition: Counts, external: Counts, fixed: Counts): number {
  if (external.size > 0) return sameCount(external, external)
  if (fixed.size > 0) return sameCount(fixed, repartition)
  return Math.max(...repartition.values())
}

function sameCount(counts: Counts, named: Counts): number {
  const [first = 0, ...others] = counts.values()
  if (others.every((count) => count === first)) return first
  const texts = [...named].sort(([a], [b]) => (a < b ? -1 : 1)).map(([topic, n]) => `${topic}=${n}`)
  throw new TopicProblem(
    StatusCode.INCORRECTLY_PARTITIONED_TOPICS,
    `Following topics do not have the same number of partitions: [{${texts.join(', ')}}]`,
  )
}

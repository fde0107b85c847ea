import type { CommittedOffset } from './offset-requests.ts'

export type PartitionOffsets = ReadonlyMap<number, CommittedOffset>
export type TopicOffsets = ReadonlyMap<string, PartitionOffsets>

const NO_TOPICS: TopicOffsets = new Map()

/** Offsets by group, topic and partition. What is empty is not kept. */
export class OffsetMap {
  readonly #groups = new Map<string, Map<string, Map<number, CommittedOffset>>>()

  get(group: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  set(group: string, topic: string, partition: number, committed: CommittedOffset): void {
    const topics = this.#groups.get(group) ?? new Map<string, Map<number, CommittedOffset>>()
    const partitions = topics.get(topic) ?? new Map<number, CommittedOffset>()
    partitions.set(partition, committed)
    topics.set(topic, partitions)
    this.#groups.set(group, topics)
  }

  delete(group: string, topic: string, partition: number): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) topics?.delete(topic)
    if (topics?.size === 0) this.#groups.delete(group)
  }

  hasGroup(group: string): boolean {
    return this.#groups.has(group)
  }

  topicsOf(group: string): TopicOffsets {
    return this.#groups.get(group) ?? NO_TOPICS
  }

  partitionsOf(group: string, topic: string): PartitionOffsets | undefined {
    return this.#groups.get(group)?.get(topic)
  }

  *entries(): Generator<readonly [string, string, number, CommittedOffset]> {
    for (const [group, topics] of this.#groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, committed] of partitions) yield [group, topic, partition, committed]
      }
    }
  }
}

import type { TopicConfig } from '../configs/topic-config.ts'
import type { Partition } from './partition.ts'

/** Topics that the broker keeps for itself; clients can't produce to them. */
const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '__jetstream',
])

export const isInternalTopic = (name: string): boolean => INTERNAL_TOPICS.has(name)

/** One topic with the partitions that this broker leads. */
export class Topic {
  readonly name: string
  /** 22 characters base64url. */
  readonly topicId: string
  readonly isInternal: boolean
  /** Index = partition number. */
  readonly partitions: Partition[] = []
  /** The configs as they are now; replaced when they change. */
  config: TopicConfig

  constructor(name: string, topicId: string, config: TopicConfig) {
    this.name = name
    this.topicId = topicId
    this.isInternal = isInternalTopic(name)
    this.config = config
  }
}

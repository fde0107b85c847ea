import type { GroupTopics } from '../../../../../src/broker/groups/group-step.ts'
import type { TopicImage } from '../../../../../src/ports/metadata-store.ts'

/** Topics of a cluster that the test makes, grows and deletes. */
export class TestTopics implements GroupTopics {
  readonly topics = new Map<string, TopicImage>()
  readonly topicsById = new Map<string, TopicImage>()
  offset = 0

  /** Creates a topic, or gives one that is there more partitions. */
  set(name: string, partitionCount: number): void {
    this.offset++
    const topicId = this.topics.get(name)?.topicId ?? topicIdOf(`${name} ${this.offset}`)
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({
      partition,
      replicas: [1],
      isr: [1],
      leaderId: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
    }))
    const topic = { name, topicId, partitions }
    this.topics.set(name, topic)
    this.topicsById.set(topicId, topic)
  }

  delete(name: string): void {
    this.offset++
    this.topicsById.delete(this.topics.get(name)?.topicId ?? '')
    this.topics.delete(name)
  }

  id(name: string): string {
    return this.topics.get(name)?.topicId ?? ''
  }
}

/** 16 bytes of the text, as ids are written. */
function topicIdOf(text: string): string {
  return Buffer.alloc(16, text.padEnd(16, '.')).toString('base64url')
}

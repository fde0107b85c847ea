import { ErrorCode } from '../../../base/error-code.ts'
import type { Partition } from '../../topics/partition.ts'
import type { TopicAdmin } from '../../topics/topic-admin.ts'
import { problemOfTopicName } from '../../topics/topic-name.ts'
import type { TopicRegistry } from '../../topics/topic-registry.ts'
import { createFailed, type StreamRefusal, StreamRefusals } from './stream-refusal.ts'

/** Messages of NATS are no larger than this; Kafka's limit is of a batch, with all that is around it. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024

const CONFIGS = [
  { name: 'cleanup.policy', value: 'delete' },
  { name: 'retention.ms', value: '-1' },
  { name: 'retention.bytes', value: '-1' },
  { name: 'message.timestamp.type', value: 'LogAppendTime' },
  { name: 'max.message.bytes', value: String(MAX_MESSAGE_BYTES) },
]

/** A name that Kafka allows. No stream's name has a period, so a byte behind one is another character. */
export function topicNameOf(stream: string): string {
  if (problemOfTopicName(stream) === null) return stream
  const bytes = Buffer.from(stream, 'utf8').toString('latin1')
  return bytes.replace(
    /[^A-Za-z0-9_-]/g,
    (character) => `.${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/**
 * The topic of a stream. Those of named accounts have the account in front of them.
 * @param account null: the one of clients that name none
 */
function topicOf(account: string | null, stream: string): string {
  return account === null ? topicNameOf(stream) : topicNameOf(`${account}__${stream}`)
}

/** Whose streams they are. */
export interface TopicOwner {
  /** null: the one of clients that name none. */
  readonly account: string | null
  /** There is a stream in the topic, of whatever account. */
  isTaken(topicId: string): boolean
}

/** The topics that streams of an account are in: one partition each. */
export class StreamTopics {
  readonly #registry: TopicRegistry
  readonly #admin: TopicAdmin
  readonly #owner: TopicOwner

  constructor(registry: TopicRegistry, admin: TopicAdmin, owner: TopicOwner) {
    this.#registry = registry
    this.#admin = admin
    this.#owner = owner
  }

  /** undefined: the topic is gone, or another one has its name */
  partition(topic: string, topicId: string): Partition | undefined {
    const found = this.#registry.topic(topic)
    return found?.topicId === topicId ? found.partitions[0] : undefined
  }

  /** Makes the topic of a stream, or takes the one that is there if it has one partition. */
  async make(stream: string): Promise<Partition | StreamRefusal> {
    const name = topicOf(this.#owner.account, stream)
    const present = this.#registry.topic(name)
    if (present === undefined) {
      const counts = { partitionCount: 1, replicationFactor: 1, assignments: [] }
      const wanted = { name, ...counts, configs: CONFIGS }
      const [result] = await this.#admin.createTopics([wanted], false)
      if (result?.errorCode !== ErrorCode.NONE) {
        return createFailed(result?.errorMessage ?? `the topic ${name} could not be made`)
      }
    }
    const topic = this.#registry.topic(name)
    const [partition] = topic?.partitions ?? []
    if (topic === undefined || partition === undefined) return createFailed('the topic is gone')
    if (this.#owner.isTaken(topic.topicId)) {
      const description = `the topic ${name} is that of a stream of another account`
      return { ...StreamRefusals.nameInUse, description }
    }
    if (topic.partitions.length === 1 && !topic.isInternal) return partition
    const reason = topic.isInternal
      ? `the topic ${name} is the server's own`
      : `the topic ${name} has ${topic.partitions.length} partitions, a stream needs one`
    return { ...StreamRefusals.nameInUse, description: reason }
  }

  /** @returns null, or why it is still there */
  async remove(topicId: string): Promise<string | null> {
    const [result] = await this.#admin.deleteTopics([{ name: null, topicId }])
    const errorCode = result?.errorCode ?? ErrorCode.NONE
    return errorCode === ErrorCode.NONE ? null : (result?.errorMessage ?? 'refused')
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { ErrorCode, errorName } from '../../src/base/error-code.ts'
import { metadataApi } from '../../src/wire/kafka/messages/03-metadata.ts'
import { offsetCommitApi } from '../../src/wire/kafka/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../src/wire/kafka/messages/09-offset-fetch.ts'
import { findCoordinatorApi } from '../../src/wire/kafka/messages/10-find-coordinator.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../src/wire/kafka/messages/20-delete-topics.ts'
import { ConnectionLost, type KafkaConnection } from '../support/kafka-connection.ts'

const GROUPS = ['crash-a', 'crash-b', 'crash-c']
const RETRY_MS = 20
const RETRY_LIMIT_MS = 30_000
const TOPIC_PAUSE_MS = 10

/** The coordinator is reading its log again, or its topic was never made. */
const COORDINATOR_RETRIES: readonly number[] = [
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
]

/** Swallows the end of the connection, which is how a load ends here. */
async function untilLost(load: () => Promise<void>): Promise<void> {
  try {
    await load()
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error
  }
}

/** Commits ever larger offsets for groups without members, one request in flight. */
export class OffsetCommitter {
  readonly #topic: string
  readonly #acked = new Map<string, number>()
  readonly #sent = new Map<string, number>()
  #next = 1
  commitCount = 0

  constructor(topic: string) {
    this.#topic = topic
  }

  run(connection: KafkaConnection, signal: AbortSignal): Promise<void> {
    return untilLost(async () => {
      await this.#findCoordinator(connection)
      while (!signal.aborted) await this.#commit(connection)
    })
  }

  /** As clients do first; it makes Kafka create the topic of the offsets. */
  async #findCoordinator(connection: KafkaConnection): Promise<void> {
    const [key = ''] = GROUPS
    while ((await connection.call(findCoordinatorApi, 3, { key })).errorCode !== 0) {
      await delay(RETRY_MS)
    }
  }

  async #commit(connection: KafkaConnection): Promise<void> {
    const committedOffset = this.#next++
    const groupId = GROUPS[committedOffset % GROUPS.length] as string
    this.#sent.set(groupId, committedOffset)
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: 'crash' }]
    const answer = await connection.call(offsetCommitApi, 8, {
      groupId,
      memberId: '',
      topics: [{ name: this.#topic, partitions }],
    })
    const errorCode = answer.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (errorCode === ErrorCode.NONE) {
      this.#acked.set(groupId, committedOffset)
      this.commitCount++
    } else if (COORDINATOR_RETRIES.includes(errorCode)) {
      await delay(RETRY_MS)
    } else {
      throw new Error(`OffsetCommit for ${groupId}: ${errorName(errorCode)}`)
    }
  }

  /** Compares what the broker has with what it acknowledged. Returns the problems. */
  async check(connection: KafkaConnection): Promise<string[]> {
    const problems: string[] = []
    for (const [groupId, sent] of this.#sent) {
      const acked = this.#acked.get(groupId)
      if (acked === undefined) continue
      const committed = await this.#fetch(connection, groupId)
      if (committed < acked) problems.push(`group ${groupId}: ${committed} after ack of ${acked}`)
      if (committed > sent) problems.push(`group ${groupId}: ${committed}, only ${sent} was sent`)
    }
    return problems
  }

  async #fetch(connection: KafkaConnection, groupId: string): Promise<number> {
    const deadline = performance.now() + RETRY_LIMIT_MS
    while (true) {
      const topics = [{ name: this.#topic, partitionIndexes: [0] }]
      const answer = await connection.call(offsetFetchApi, 7, { groupId, topics })
      if (answer.errorCode === ErrorCode.NONE) {
        return answer.topics?.[0]?.partitions[0]?.committedOffset ?? -1
      }
      if (!COORDINATOR_RETRIES.includes(answer.errorCode) || performance.now() > deadline) {
        throw new Error(`OffsetFetch for ${groupId}: ${errorName(answer.errorCode)}`)
      }
      await delay(RETRY_MS)
    }
  }
}

/** Creates topics, and deletes every third again, one request in flight. */
export class TopicChurn {
  /** What the broker said last; undefined while a request is unanswered. */
  readonly #isPresent = new Map<string, boolean | undefined>()
  #next = 0

  run(connection: KafkaConnection, signal: AbortSignal): Promise<void> {
    return untilLost(async () => {
      while (!signal.aborted) {
        const name = `made-${this.#next++}`
        await this.#create(connection, name)
        if (this.#next % 3 === 0) await this.#delete(connection, name)
        await delay(TOPIC_PAUSE_MS)
      }
    })
  }

  async #create(connection: KafkaConnection, name: string): Promise<void> {
    this.#isPresent.set(name, undefined)
    const answer = await connection.call(createTopicsApi, 5, {
      topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    })
    const errorCode = answer.topics[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (errorCode !== 0) throw new Error(`CreateTopics: ${errorName(errorCode)}`)
    this.#isPresent.set(name, true)
  }

  async #delete(connection: KafkaConnection, name: string): Promise<void> {
    this.#isPresent.set(name, undefined)
    const body = { topicNames: [name], timeoutMs: RETRY_LIMIT_MS }
    const answer = await connection.call(deleteTopicsApi, 4, body)
    const errorCode = answer.responses[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (errorCode !== 0) throw new Error(`DeleteTopics: ${errorName(errorCode)}`)
    this.#isPresent.set(name, false)
  }

  async check(connection: KafkaConnection): Promise<string[]> {
    const body = { topics: null, allowAutoTopicCreation: false }
    const { topics } = await connection.call(metadataApi, 8, body)
    const names = new Set(topics.map((topic) => topic.name))
    const problems: string[] = []
    for (const [name, isPresent] of this.#isPresent) {
      if (isPresent === undefined || isPresent === names.has(name)) continue
      problems.push(
        `topic ${name} was ${isPresent ? 'created and is gone' : 'deleted and is back'}`,
      )
    }
    return problems
  }
}

import { randomUUID } from 'node:crypto'
import { consumerGroupHeartbeatApi } from '../../../src/wire/kafka/messages/68-consumer-group-heartbeat.ts'
import type { KafkaConnection } from '../../support/kafka-connection.ts'
import type { GroupMember } from './group-member.ts'
import {
  commitOffsets,
  type MemberOptions,
  mustBeNone,
  openToCoordinator,
} from './member-connection.ts'

const REBALANCE_TIMEOUT_MS = 60_000
const JOINING = 0
const LEAVING = -1

interface Changes {
  readonly memberEpoch: number
  readonly subscribedTopicNames?: readonly string[]
  /** What it has, told when that changed. */
  readonly owned?: readonly number[]
}

/** A member by ConsumerGroupHeartbeat (KIP-848). */
export class ConsumerMember implements GroupMember {
  readonly #connection: KafkaConnection
  readonly #options: MemberOptions
  readonly #memberId = randomUUID()
  #partitions: readonly number[] = []
  /** It gave partitions up, or got some, and did not say so yet. */
  #hasNews = false
  generation = -1

  private constructor(connection: KafkaConnection, options: MemberOptions) {
    this.#connection = connection
    this.#options = options
  }

  static async open(options: MemberOptions): Promise<ConsumerMember> {
    return new ConsumerMember(await openToCoordinator(options), options)
  }

  get partitionCount(): number {
    return this.#partitions.length
  }

  async join(): Promise<void> {
    const subscribedTopicNames = [this.#options.topic]
    await this.#heartbeat({ memberEpoch: JOINING, subscribedTopicNames, owned: [] })
  }

  async follow(): Promise<boolean> {
    const epoch = this.generation
    const owned = this.#hasNews ? { owned: this.#partitions } : {}
    this.#hasNews = false
    await this.#heartbeat({ memberEpoch: epoch, ...owned })
    return this.#hasNews || this.generation !== epoch
  }

  async leave(): Promise<void> {
    await this.#heartbeat({ memberEpoch: LEAVING })
    this.generation = -1
    this.#partitions = []
    this.#hasNews = false
  }

  commit(offset: number): Promise<void> {
    const member = { memberId: this.#memberId, generation: this.generation }
    return commitOffsets(this.#connection, this.#options, member, this.#partitions, offset)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #heartbeat({ memberEpoch, subscribedTopicNames, owned }: Changes): Promise<void> {
    const { groupId, topicId } = this.#options
    const answer = await this.#connection.call(consumerGroupHeartbeatApi, 1, {
      groupId,
      memberId: this.#memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: memberEpoch === JOINING ? REBALANCE_TIMEOUT_MS : -1,
      subscribedTopicNames: subscribedTopicNames ?? null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: owned === undefined ? null : topicPartitionsOf(topicId, owned),
    })
    mustBeNone('heartbeat', answer.errorCode)
    this.generation = answer.memberEpoch
    if (answer.assignment === null) return
    this.#partitions = answer.assignment.topicPartitions.flatMap(({ partitions }) => partitions)
    this.#hasNews = true
  }
}

function topicPartitionsOf(topicId: string, partitions: readonly number[]) {
  return partitions.length === 0 ? [] : [{ topicId, partitions }]
}

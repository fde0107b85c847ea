import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeConsumerProtocol,
  encodeConsumerProtocol,
} from '../../../../src/records/internal/consumer-protocol.ts'
import type { Decoded, Encodable } from '../../../../src/wire/kafka/codec.ts'
import { offsetCommitApi } from '../../../../src/wire/kafka/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../../../src/wire/kafka/messages/09-offset-fetch.ts'
import { joinGroupApi } from '../../../../src/wire/kafka/messages/11-join-group.ts'
import { heartbeatApi } from '../../../../src/wire/kafka/messages/12-heartbeat.ts'
import { leaveGroupApi } from '../../../../src/wire/kafka/messages/13-leave-group.ts'
import { syncGroupApi } from '../../../../src/wire/kafka/messages/14-sync-group.ts'
import { consumerGroupHeartbeatApi } from '../../../../src/wire/kafka/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribeApi } from '../../../../src/wire/kafka/messages/69-consumer-group-describe.ts'
import type { Broker } from './broker.ts'

type Request = Encodable<typeof consumerGroupHeartbeatApi.request>
type Answer = Decoded<typeof consumerGroupHeartbeatApi.response>

/** A member of a consumer group (KIP-848), which does only what it is told. */
export class Consumer {
  readonly #broker: Broker
  readonly #groupId: string
  readonly #base: Partial<Request>
  readonly memberId: string
  epoch = 0
  /** As the broker told it last. */
  owned: NonNullable<Answer['assignment']>['topicPartitions'] = []

  constructor(broker: Broker, groupId: string, memberId: string, base: Partial<Request> = {}) {
    this.#broker = broker
    this.#groupId = groupId
    this.memberId = memberId
    this.#base = base
  }

  /** Sends just this, in version 1, and remembers what it is told. */
  async send(request: Partial<Request>, version = 1): Promise<Answer> {
    const answer = await this.#broker.call(consumerGroupHeartbeatApi, version, {
      groupId: this.#groupId,
      memberId: this.memberId,
      memberEpoch: this.epoch,
      ...(this.#base.instanceId == null ? {} : { instanceId: this.#base.instanceId }),
      ...request,
    } as Request)
    if (answer.errorCode === 0) this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment.topicPartitions
    return answer
  }

  join(request: Partial<Request> = {}): Promise<Answer> {
    return this.send({
      memberEpoch: 0,
      rebalanceTimeoutMs: 30_000,
      topicPartitions: [],
      ...(this.#base.subscribedTopicRegex == null ? { subscribedTopicNames: ['ck'] } : {}),
      ...this.#base,
      ...request,
    })
  }

  /** Says what it has, as clients do after they were told something new. */
  beat(request: Partial<Request> = {}): Promise<Answer> {
    return this.send({ topicPartitions: this.owned, ...request })
  }

  leave(memberEpoch = -1): Promise<Answer> {
    return this.send({ memberEpoch })
  }

  /** Beats until it has so many partitions, and the broker says that it is done. */
  async until(count: number): Promise<number> {
    await this.#broker.until(`${count} partitions for ${this.memberId}`, async () => {
      const { errorCode } = await this.beat()
      if (errorCode !== 0) throw new Error(`heartbeat has error ${errorCode}`)
      return this.count === count ? true : undefined
    })
    return this.count
  }

  get count(): number {
    return this.owned.reduce((sum, { partitions }) => sum + partitions.length, 0)
  }

  async commit(epoch: number, version = 9, memberId = this.memberId) {
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
    const answer = await this.#broker.call(offsetCommitApi, version, {
      groupId: this.#groupId,
      generationIdOrMemberEpoch: epoch,
      memberId,
      topics: [{ name: 'ck', partitions }],
    })
    return answer.topics[0]?.partitions[0]?.errorCode
  }

  async fetchOffsets(memberEpoch: number, memberId: string | null = this.memberId) {
    const answer = await this.#broker.call(offsetFetchApi, 9, {
      groups: [{ groupId: this.#groupId, memberId, memberEpoch, topics: null }],
      requireStable: false,
    })
    return answer.groups[0]?.errorCode
  }

  async describe(version = 1) {
    const answer = await this.#broker.call(consumerGroupDescribeApi, version, {
      groupIds: [this.#groupId],
      includeAuthorizedOperations: false,
    })
    const group = answer.groups[0]
    // Members have no order of their own, and some of their ids are random.
    return group && { ...group, members: group.members.toSorted(byTypeAndName) }
  }
}

type DescribedMember = Decoded<
  typeof consumerGroupDescribeApi.response
>['groups'][number]['members'][number]

const byTypeAndName = (a: DescribedMember, b: DescribedMember): number =>
  a.memberType - b.memberType || (a.memberId < b.memberId ? -1 : 1)

interface Owned {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** A consumer that speaks the classic protocol, with the bytes of real ones. */
export class ClassicConsumer {
  readonly #broker: Broker
  readonly #groupId: string
  readonly #instance: string | null
  memberId = ''
  generationId = -1
  owned: readonly Owned[] = []

  constructor(broker: Broker, groupId: string, groupInstanceId: string | null = null) {
    this.#broker = broker
    this.#groupId = groupId
    this.#instance = groupInstanceId
  }

  async join() {
    const send = () => {
      const subscription = { topics: ['ck'], userData: null, ownedPartitions: [...this.owned] }
      const metadata = encodeConsumerProtocol(consumerProtocolSubscription, 1, subscription)
      return this.#broker.call(joinGroupApi, 9, {
        ...{ groupId: this.#groupId, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 },
        ...{ memberId: this.memberId, groupInstanceId: this.#instance, protocolType: 'consumer' },
        protocols: [{ name: 'range', metadata }],
      })
    }
    const first = await send()
    if (first.memberId !== '') this.memberId = first.memberId
    const answer = first.errorCode === 79 ? await send() : first
    if (answer.errorCode === 0) {
      this.memberId = answer.memberId
      this.generationId = answer.generationId
    }
    const { members, ...facts } = answer
    return { ...facts, memberCount: members.length }
  }

  /** @param partitions what it gives itself, when it leads */
  async sync(partitions: readonly number[] | null = null) {
    const assigned = { assignedPartitions: [{ topic: 'ck', partitions: [...(partitions ?? [])] }] }
    const assignment = encodeConsumerProtocol(consumerProtocolAssignment, 1, {
      ...assigned,
      userData: null,
    })
    const { memberId } = this
    const answer = await this.#broker.call(syncGroupApi, 5, {
      ...{ groupId: this.#groupId, generationId: this.generationId, memberId },
      ...{ groupInstanceId: this.#instance, protocolType: 'consumer', protocolName: 'range' },
      assignments: partitions === null ? [] : [{ memberId, assignment }],
    })
    if (answer.assignment.length > 0) {
      const decoded = decodeConsumerProtocol(consumerProtocolAssignment, answer.assignment)
      this.owned = decoded.assignedPartitions
    }
    return [answer.errorCode, answer.protocolName, this.owned]
  }

  async heartbeat() {
    const { memberId, generationId } = this
    const answer = await this.#broker.call(heartbeatApi, 4, {
      ...{ groupId: this.#groupId, generationId, memberId, groupInstanceId: this.#instance },
    })
    return answer.errorCode
  }

  leave() {
    const member = { memberId: this.memberId, groupInstanceId: this.#instance }
    return this.#broker.call(leaveGroupApi, 5, { groupId: this.#groupId, members: [member] })
  }
}

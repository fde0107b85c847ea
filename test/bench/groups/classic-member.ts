import { ErrorCode } from '../../../src/base/error-code.ts'
import { joinGroupApi } from '../../../src/wire/kafka/messages/11-join-group.ts'
import { heartbeatApi } from '../../../src/wire/kafka/messages/12-heartbeat.ts'
import { leaveGroupApi } from '../../../src/wire/kafka/messages/13-leave-group.ts'
import { syncGroupApi } from '../../../src/wire/kafka/messages/14-sync-group.ts'
import type { KafkaConnection } from '../../support/kafka-connection.ts'
import type { GroupMember } from './group-member.ts'
import {
  commitOffsets,
  type MemberOptions,
  mustBeNone,
  openToCoordinator,
} from './member-connection.ts'

const SESSION_TIMEOUT_MS = 45_000
const REBALANCE_TIMEOUT_MS = 60_000
const PROTOCOL = { protocolType: 'consumer', protocolName: 'range' }

/** A member by JoinGroup and SyncGroup, as consumers were before KIP-848. */
export class ClassicMember implements GroupMember {
  readonly #connection: KafkaConnection
  readonly #options: MemberOptions
  readonly #metadata: Buffer
  #memberId = ''
  #partitions: readonly number[] = []
  generation = -1

  private constructor(connection: KafkaConnection, options: MemberOptions) {
    this.#connection = connection
    this.#options = options
    this.#metadata = subscriptionOf(options.topic)
  }

  static async open(options: MemberOptions): Promise<ClassicMember> {
    return new ClassicMember(await openToCoordinator(options), options)
  }

  get partitionCount(): number {
    return this.#partitions.length
  }

  async join(): Promise<void> {
    let answer = await this.#sendJoin()
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.#memberId = answer.memberId
      answer = await this.#sendJoin()
    }
    mustBeNone('cannot join', answer.errorCode)
    this.generation = answer.generationId
    this.#partitions = []
    const isLeader = answer.leader === this.#memberId
    const memberIds = answer.members.map(({ memberId }) => memberId)
    const synced = await this.#connection.call(syncGroupApi, 5, {
      ...this.#identity(answer.generationId),
      ...PROTOCOL,
      assignments: isLeader ? assign(memberIds, this.#options) : [],
    })
    // Somebody came or went meanwhile: the next heartbeat says so too.
    if (synced.errorCode === ErrorCode.REBALANCE_IN_PROGRESS) return
    mustBeNone('cannot sync', synced.errorCode)
    this.#partitions = partitionsOf(synced.assignment)
  }

  async follow(): Promise<boolean> {
    const identity = this.#identity(this.generation)
    const { errorCode } = await this.#connection.call(heartbeatApi, 4, identity)
    if (errorCode === 0) return false
    if (errorCode !== ErrorCode.REBALANCE_IN_PROGRESS && errorCode !== ErrorCode.ILLEGAL_GENERATION)
      mustBeNone('heartbeat', errorCode)
    await this.join()
    return true
  }

  async leave(): Promise<void> {
    const { groupId } = this.#options
    const members = [{ memberId: this.#memberId, groupInstanceId: null }]
    const { errorCode } = await this.#connection.call(leaveGroupApi, 5, { groupId, members })
    mustBeNone('cannot leave', errorCode)
    this.generation = -1
    this.#memberId = ''
    this.#partitions = []
  }

  commit(offset: number): Promise<void> {
    const member = { memberId: this.#memberId, generation: this.generation }
    return commitOffsets(this.#connection, this.#options, member, this.#partitions, offset)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  #sendJoin() {
    const { groupId } = this.#options
    return this.#connection.call(joinGroupApi, 9, {
      groupId,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType: PROTOCOL.protocolType,
      protocols: [{ name: PROTOCOL.protocolName, metadata: this.#metadata }],
      reason: null,
    })
  }

  #identity(generationId: number) {
    const { groupId } = this.#options
    return { groupId, generationId, memberId: this.#memberId, groupInstanceId: null }
  }
}

/** ConsumerProtocolSubscription version 0. */
function subscriptionOf(topic: string): Buffer {
  const bytes = Buffer.alloc(2 + 4 + 2 + topic.length + 4)
  bytes.writeInt32BE(1, 2)
  bytes.writeInt16BE(topic.length, 6)
  bytes.write(topic, 8)
  bytes.writeInt32BE(-1, 8 + topic.length)
  return bytes
}

/** What the range assignor does with one topic, as ConsumerProtocolAssignment version 0. */
function assign(memberIds: readonly string[], { topic, partitionCount }: MemberOptions) {
  const head = 2 + 4 + 2 + topic.length
  return memberIds.map((memberId, index) => {
    const from = Math.floor((partitionCount * index) / memberIds.length)
    const to = Math.floor((partitionCount * (index + 1)) / memberIds.length)
    const assignment = Buffer.alloc(head + 4 + (to - from) * 4 + 4)
    assignment.writeInt32BE(1, 2)
    assignment.writeInt16BE(topic.length, 6)
    assignment.write(topic, 8)
    assignment.writeInt32BE(to - from, head)
    for (let partition = from; partition < to; partition++)
      assignment.writeInt32BE(partition, head + 4 + (partition - from) * 4)
    assignment.writeInt32BE(-1, assignment.length - 4)
    return { memberId, assignment }
  })
}

function partitionsOf(assignment: Buffer): number[] {
  if (assignment.length === 0) return []
  const head = 8 + assignment.readInt16BE(6)
  const count = assignment.readInt32BE(head)
  return Array.from({ length: count }, (_, index) => assignment.readInt32BE(head + 4 + index * 4))
}

import { ErrorCode } from '../../../src/base/error-code.ts'
import { joinGroupApi } from '../../../src/wire/kafka/messages/11-join-group.ts'
import { heartbeatApi } from '../../../src/wire/kafka/messages/12-heartbeat.ts'
import { syncGroupApi } from '../../../src/wire/kafka/messages/14-sync-group.ts'
import { consumerGroupHeartbeatApi } from '../../../src/wire/kafka/messages/68-consumer-group-heartbeat.ts'
import { expect } from '../world/sim-failure.ts'
import { GroupMember, NOT_JOINED } from './group-member.ts'
import { StreamsMember, StreamsTasks } from './streams-member.ts'

const SESSION_TIMEOUT_MS = 45_000

/** Of the consumer protocol (KIP-848). */
class ConsumerMember extends GroupMember {
  protected override join(): Promise<ErrorCode> {
    return this.#heartbeat(0, ['a', 'b', 'tx'])
  }

  protected override heartbeat(): Promise<ErrorCode> {
    const { random } = this.session
    const names = random.oneIn(4) ? [random.pick(['a', 'b', 'c']), 'tx'] : null
    return this.#heartbeat(this.epoch, names)
  }

  async #heartbeat(memberEpoch: number, subscribedTopicNames: string[] | null): Promise<ErrorCode> {
    const answer = await this.client.ask(consumerGroupHeartbeatApi, 1, {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: memberEpoch === 0 ? 60_000 : -1,
      subscribedTopicNames,
      subscribedTopicRegex: null,
      serverAssignor: null,
      // What it owns it gives back at once, so it may always go on.
      topicPartitions: [],
    })
    const errorCode = answer.errorCode as ErrorCode
    if (errorCode !== ErrorCode.NONE) return errorCode
    expect(
      answer.memberEpoch >= memberEpoch,
      () => `${this.groupId}: the epoch of ${this.memberId} went back to ${answer.memberEpoch}`,
    )
    this.epoch = answer.memberEpoch
    return errorCode
  }
}

/** Of the classic protocol, alone in its group. */
class ClassicMember extends GroupMember {
  protected override async join(): Promise<ErrorCode> {
    const joined = await this.client.ask(joinGroupApi, 9, {
      groupId: this.groupId,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: 60_000,
      memberId: this.memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      reason: null,
    })
    this.memberId = joined.memberId
    const errorCode = joined.errorCode as ErrorCode
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.memberId = ''
    if (errorCode !== ErrorCode.NONE) return errorCode
    const generationId = joined.generationId ?? -1
    const synced = await this.client.ask(syncGroupApi, 5, {
      groupId: this.groupId,
      generationId,
      memberId: this.memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId: this.memberId, assignment: Buffer.from('all') }],
    })
    if (synced.errorCode === ErrorCode.NONE) this.epoch = generationId
    return synced.errorCode as ErrorCode
  }

  protected override async heartbeat(): Promise<ErrorCode> {
    // Now and then it wants another round, which is a new generation.
    if (this.session.random.oneIn(8)) {
      this.epoch = NOT_JOINED
      return this.join()
    }
    const { groupId, memberId, epoch: generationId } = this
    const request = { groupId, generationId, memberId, groupInstanceId: null }
    return (await this.client.ask(heartbeatApi, 4, request)).errorCode as ErrorCode
  }
}

/** The members of a seed: two groups of two that share it, and one alone. */
export function makeMembers(): GroupMember[] {
  const tasks = new StreamsTasks()
  return [
    new StreamsMember('streams-group', 'xX-first-streams-0000', tasks),
    new StreamsMember('streams-group', 'xX-second-streams-000', tasks),
    new ConsumerMember('consumer-group', 'xX-first-member-1-0000'),
    new ConsumerMember('consumer-group', 'xX-second-member-2-000'),
    new ClassicMember('classic-group', ''),
  ]
}

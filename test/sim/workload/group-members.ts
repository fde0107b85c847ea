import { ErrorCode } from '../../../src/base/error-code.ts'
import { joinGroupApi } from '../../../src/wire/kafka/messages/11-join-group.ts'
import { heartbeatApi } from '../../../src/wire/kafka/messages/12-heartbeat.ts'
import { syncGroupApi } from '../../../src/wire/kafka/messages/14-sync-group.ts'
import { consumerGroupHeartbeatApi } from '../../../src/wire/kafka/messages/68-consumer-group-heartbeat.ts'
import { expect } from '../world/sim-failure.ts'
import type { KafkaClient } from './kafka-client.ts'
import type { Session } from './session.ts'

/** A member that was heard of since may not be unknown; the session is some seconds longer. */
const SAFE_SESSION_MS = 40_000
const SESSION_TIMEOUT_MS = 45_000
const RETRIABLE: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])
const NOT_JOINED = -1

/** A member of a group, through all lives of the broker: what it was told must be known to the next. */
abstract class GroupMember {
  readonly groupId: string
  memberId: string
  /** Epoch or generation that the member was told; -1: it has to join. */
  protected epoch = NOT_JOINED
  protected session!: Session
  protected client!: KafkaClient
  #lastContactMs = 0
  /** Since the last success; each may have given it another epoch. */
  #unheardCount = 0

  constructor(groupId: string, memberId: string) {
    this.groupId = groupId
    this.memberId = memberId
  }

  /** The broker is there again. */
  begin(session: Session, client: KafkaClient): void {
    this.session = session
    this.client = client
    // Sessions begin anew with the broker.
    this.#lastContactMs = session.machine.clock.monotonicMs()
    this.#run().catch((error: Error) => session.machine.fail(error))
  }

  /** @returns the error that the broker gave */
  protected abstract join(): Promise<ErrorCode>
  protected abstract heartbeat(): Promise<ErrorCode>

  protected trace(line: () => string): void {
    const { groupId, memberId } = this
    this.session.machine.trace(() => `${groupId} ${memberId} (${this.epoch}): ${line()}`)
  }

  async #run(): Promise<void> {
    const { machine, random, core } = this.session
    for (;;) {
      const isJoining = this.epoch === NOT_JOINED
      if (isJoining) core.groups.locate(this.groupId)
      this.#unheardCount++
      const errorCode = await (isJoining ? this.join() : this.heartbeat())
      this.trace(() => `${isJoining ? 'join' : 'heartbeat'} is told ${errorCode}`)
      const nowMs = machine.clock.monotonicMs()
      if (errorCode === ErrorCode.NONE) {
        this.#lastContactMs = nowMs
        this.#unheardCount = 0
      } else if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.epoch = NOT_JOINED
      else if (!isJoining && !RETRIABLE.has(errorCode)) {
        // The broker knows the epoch before the last one too (KIP-848), but none before that.
        const isBehind = errorCode === ErrorCode.FENCED_MEMBER_EPOCH && this.#unheardCount > 2
        expect(
          isBehind || nowMs - this.#lastContactMs > SAFE_SESSION_MS,
          () => `${this.groupId}: ${this.memberId} in epoch ${this.epoch} got ${errorCode}`,
        )
        this.epoch = NOT_JOINED
      }
      const delayMs = 10 + random.int(100)
      await new Promise<void>((resolve) => void machine.scheduler.after(delayMs, resolve))
    }
  }
}

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

/** The members of a seed: two that share a group, and one alone. */
export function makeMembers(): GroupMember[] {
  return [
    new ConsumerMember('consumer-group', 'xX-first-member-1-0000'),
    new ConsumerMember('consumer-group', 'xX-second-member-2-000'),
    new ClassicMember('classic-group', ''),
  ]
}

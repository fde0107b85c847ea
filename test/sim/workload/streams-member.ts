import { ErrorCode } from '../../../src/base/error-code.ts'
import { streamsGroupHeartbeatApi } from '../../../src/wire/kafka/messages/88-streams-group-heartbeat.ts'
import { expect } from '../world/sim-failure.ts'
import { GroupMember, NOT_JOINED } from './group-member.ts'

const SOURCE_TOPIC = 'a'
const SUBTOPOLOGY_ID = '0'
/** Longer than any life: a member that never heard what to give up is not thrown out for that. */
const REBALANCE_TIMEOUT_MS = 600_000

/** The active tasks that members of one streams group believe to have. */
export class StreamsTasks {
  readonly #owned = new Map<StreamsMember, readonly number[]>()

  ownedBy(member: StreamsMember): readonly number[] {
    return this.#owned.get(member) ?? []
  }

  gaveUp(member: StreamsMember): void {
    this.#owned.delete(member)
  }

  /** A task that somebody else of the group has, and did not give up, is nobody's to give. */
  told(member: StreamsMember, partitions: readonly number[], nowMs: number): void {
    for (const [other, owned] of this.#owned) {
      if (other === member || !other.isSafe(nowMs)) continue
      const shared = partitions.filter((partition) => owned.includes(partition))
      expect(
        shared.length === 0,
        () => `${member.memberId} is given tasks ${shared}, which ${other.memberId} has`,
      )
    }
    this.#owned.set(member, partitions)
  }
}

/** Of the streams protocol (KIP-1071): it has the tasks that it is told, and says so. */
export class StreamsMember extends GroupMember {
  readonly #tasks: StreamsTasks

  constructor(groupId: string, memberId: string, tasks: StreamsTasks) {
    super(groupId, memberId)
    this.#tasks = tasks
  }

  protected override join(): Promise<ErrorCode> {
    this.#tasks.gaveUp(this)
    return this.#beat(0)
  }

  protected override async heartbeat(): Promise<ErrorCode> {
    // Now and then the application stops, and starts again under the same id.
    if (this.session.random.oneIn(12)) return this.#leave()
    const errorCode = await this.#beat(this.epoch)
    if (errorCode !== ErrorCode.INVALID_REQUEST) return errorCode
    // The topic was made anew with fewer partitions, and so has fewer tasks.
    this.#tasks.gaveUp(this)
    return ErrorCode.REBALANCE_IN_PROGRESS
  }

  async #leave(): Promise<ErrorCode> {
    this.#tasks.gaveUp(this)
    // Whether it is heard or not: it has to join again.
    this.epoch = NOT_JOINED
    const errorCode = await this.#beat(-1)
    return errorCode === ErrorCode.NONE ? ErrorCode.REBALANCE_IN_PROGRESS : errorCode
  }

  async #beat(memberEpoch: number): Promise<ErrorCode> {
    const isJoining = memberEpoch === 0
    const partitions = [...this.#tasks.ownedBy(this)]
    const { machine } = this.session
    const answer = await this.client.ask(streamsGroupHeartbeatApi, 1, {
      ...{ groupId: this.groupId, memberId: this.memberId, memberEpoch },
      ...{ endpointInformationEpoch: 0, instanceId: null, rackId: null },
      rebalanceTimeoutMs: isJoining ? REBALANCE_TIMEOUT_MS : -1,
      topology: isJoining ? TOPOLOGY : null,
      activeTasks: partitions.length === 0 ? [] : [{ subtopologyId: SUBTOPOLOGY_ID, partitions }],
      ...{ standbyTasks: [], warmupTasks: [] },
      processId: isJoining ? `process of ${this.memberId}` : null,
      ...{ userEndpoint: null, clientTags: null, taskOffsets: null, taskEndOffsets: null },
      shutdownApplication: false,
    })
    const errorCode = answer.errorCode as ErrorCode
    if (errorCode !== ErrorCode.NONE || memberEpoch < 0) {
      if (errorCode !== ErrorCode.NONE) this.#lost(errorCode)
      return errorCode
    }
    expect(
      answer.memberEpoch >= memberEpoch,
      () => `${this.groupId}: the epoch of ${this.memberId} went back to ${answer.memberEpoch}`,
    )
    this.epoch = answer.memberEpoch
    if (answer.activeTasks) {
      const told = answer.activeTasks.flatMap((task) => task.partitions)
      this.trace(() => `has tasks ${told}`)
      this.#tasks.told(this, told, machine.clock.monotonicMs())
    }
    return errorCode
  }

  /** Who is told that it is not in the group any more has no tasks either. */
  #lost(errorCode: ErrorCode): void {
    const isOut =
      errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_MEMBER_EPOCH
    if (isOut) this.#tasks.gaveUp(this)
  }
}

const TOPOLOGY = {
  epoch: 0,
  subtopologies: [
    {
      subtopologyId: SUBTOPOLOGY_ID,
      sourceTopics: [SOURCE_TOPIC],
      sourceTopicRegex: [],
      ...{ stateChangelogTopics: [], repartitionSinkTopics: [], repartitionSourceTopics: [] },
      copartitionGroups: [],
    },
  ],
}

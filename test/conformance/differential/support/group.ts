import type { Decoded } from '../../../../src/wire/kafka/codec.ts'
import { joinGroupApi } from '../../../../src/wire/kafka/messages/11-join-group.ts'
import { heartbeatApi } from '../../../../src/wire/kafka/messages/12-heartbeat.ts'
import { leaveGroupApi } from '../../../../src/wire/kafka/messages/13-leave-group.ts'
import { syncGroupApi } from '../../../../src/wire/kafka/messages/14-sync-group.ts'
import type { Broker } from './broker.ts'
import type { RawConnection } from './raw-connection.ts'

export interface MemberOptions {
  /** Version of JoinGroup; the other calls use the version of the same time. */
  readonly version?: number
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly memberId?: string
  readonly groupInstanceId?: string
  readonly protocolType?: string
  readonly protocols?: readonly string[]
}

type Joined = Decoded<typeof joinGroupApi.response>
type Synced = Decoded<typeof syncGroupApi.response>

export interface Overrides {
  readonly generationId?: number
  readonly memberId?: string
  readonly protocolType?: string
  readonly protocolName?: string
  readonly metadata?: string
  readonly assignmentFor?: string
}

/** A member of a classic group on a connection of its own, which does only what it is told. */
export class Member {
  readonly #connection: RawConnection
  readonly #groupId: string
  readonly #options: MemberOptions
  readonly #version: number
  readonly #instance: string | null
  memberId: string
  generationId = -1
  #protocolName: string | null = null

  constructor(connection: RawConnection, groupId: string, options: MemberOptions) {
    this.#connection = connection
    this.#groupId = groupId
    this.#options = options
    this.#version = options.version ?? 9
    this.#instance = options.groupInstanceId ?? null
    this.memberId = options.memberId ?? ''
  }

  async join(overrides: Overrides = {}): Promise<Joined> {
    const { protocols = ['range'], protocolType = 'consumer' } = this.#options
    const { sessionTimeoutMs = 10_000, rebalanceTimeoutMs = 10_000 } = this.#options
    const metadata = Buffer.from(overrides.metadata ?? 'metadata')
    const answer = await this.#connection.call(joinGroupApi, this.#version, {
      ...{ groupId: this.#groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId: this.memberId },
      ...{ protocolType, groupInstanceId: this.#instance },
      protocols: protocols.map((name) => ({ name, metadata })),
    })
    if (answer.memberId !== '') this.memberId = answer.memberId
    if (answer.errorCode === 0) {
      this.generationId = answer.generationId
      this.#protocolName = answer.protocolName
    }
    return answer
  }

  /** Joins with the id that the first answer gave. */
  async joinFully(): Promise<Joined> {
    const first = await this.join()
    return first.errorCode === 79 ? this.join() : first
  }

  /** As `join`, for a call that waits for other members: its failure shows when it is awaited. */
  joinLater(): Promise<Joined> {
    return heldBack(this.join())
  }

  /** The leader gives itself, or the member named, everything. */
  async sync(overrides: Overrides = {}): Promise<Synced> {
    const version = Math.min(this.#version, 5)
    const memberId = overrides.memberId ?? this.memberId
    const owner = overrides.assignmentFor ?? memberId
    return this.#connection.call(syncGroupApi, version, {
      ...{
        groupId: this.#groupId,
        memberId,
        groupInstanceId: version >= 3 ? this.#instance : null,
      },
      generationId: overrides.generationId ?? this.generationId,
      protocolType: overrides.protocolType ?? this.#options.protocolType ?? 'consumer',
      protocolName: overrides.protocolName ?? this.#protocolName,
      assignments: [{ memberId: owner, assignment: Buffer.from('assignment') }],
    })
  }

  syncLater(): Promise<Synced> {
    return heldBack(this.sync())
  }

  async heartbeat(overrides: Overrides = {}) {
    const version = Math.min(this.#version, 4)
    return this.#connection.call(heartbeatApi, version, {
      groupId: this.#groupId,
      generationId: overrides.generationId ?? this.generationId,
      memberId: overrides.memberId ?? this.memberId,
      groupInstanceId: version >= 3 ? this.#instance : null,
    })
  }

  async leave() {
    const version = Math.min(this.#version, 5)
    const { memberId } = this
    const identity = { memberId, groupInstanceId: this.#instance }
    return this.#connection.call(leaveGroupApi, version, {
      groupId: this.#groupId,
      memberId: version >= 3 ? '' : memberId,
      members: version >= 3 ? [identity] : [],
    })
  }
}

function heldBack<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

export async function newMember(
  broker: Broker,
  groupId: string,
  options: MemberOptions = {},
): Promise<Member> {
  await broker.coordinatorReady(groupId)
  return new Member(await broker.connect(), groupId, options)
}

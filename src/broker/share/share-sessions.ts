import { ErrorCode } from '../../base/error-code.ts'

/** Asks for a new session; the request names all its partitions. */
const INITIAL_EPOCH = 0
/** Closes the session. */
export const FINAL_EPOCH = -1
const MAX_EPOCH = 0x7fff_ffff

export interface TopicIdPartition {
  readonly topicId: string
  readonly partition: number
}

/** One partition that a member reads. */
export interface SessionPartition extends TopicIdPartition {
  /** The next answer names it even if there is nothing to tell. */
  isOwed: boolean
}

export interface ShareSession {
  readonly groupId: string
  readonly memberId: string
  readonly connectionId: number
  readonly partitions: Map<string, SessionPartition>
  epoch: number
}

export interface ShareSessionRequest {
  readonly groupId: string
  readonly memberId: string
  readonly epoch: number
  readonly partitions: readonly TopicIdPartition[]
  readonly forgotten: readonly TopicIdPartition[]
  readonly hasAcknowledgements: boolean
  readonly connectionId: number
}

/** What a request means together with its session. */
export interface ShareContext {
  readonly errorCode: ErrorCode
  readonly partitions: readonly SessionPartition[]
  /** Answers name only partitions with news. */
  readonly isIncremental: boolean
  readonly session: ShareSession | null
}

/**
 * Share sessions: a member names its partitions once, then only what changes. There is one for each
 * member; it ends with its connection, and what the member has goes back then.
 * Source: SharePartitionManager.newContext and ShareSessionCache of Kafka 4.4 (KIP-932).
 */
export class ShareSessions {
  readonly #maxSessions: () => number
  readonly #sessions = new Map<string, ShareSession>()
  readonly #counts = new Map<string, number>()

  constructor(maxSessions: () => number) {
    this.#maxSessions = maxSessions
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Members of the group that have a session. */
  memberCount(groupId: string): number {
    return this.#counts.get(groupId) ?? 0
  }

  /**
   * Finds or makes the session of a fetch, and applies what the request changes. Errors:
   * SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH, SHARE_SESSION_LIMIT_REACHED, and
   * INVALID_REQUEST for acknowledgements with the first fetch.
   */
  contextOf(request: ShareSessionRequest): ShareContext {
    const { epoch, groupId, memberId } = request
    if (epoch === INITIAL_EPOCH) return this.#open(request)
    const session = this.#sessions.get(keyOf(groupId, memberId))
    if (session === undefined) return refused(ErrorCode.SHARE_SESSION_NOT_FOUND)
    if (epoch === FINAL_EPOCH) {
      return { errorCode: ErrorCode.NONE, partitions: [], isIncremental: false, session }
    }
    if (session.epoch !== epoch) return refused(ErrorCode.INVALID_SHARE_SESSION_EPOCH)
    for (const partition of request.partitions) {
      const key = partitionKeyOf(partition)
      const { topicId } = partition
      if (session.partitions.has(key)) continue
      session.partitions.set(key, { topicId, partition: partition.partition, isOwed: true })
    }
    for (const partition of request.forgotten) session.partitions.delete(partitionKeyOf(partition))
    session.epoch = nextEpoch(epoch)
    const partitions = rotated([...session.partitions.values()], epoch)
    return { errorCode: ErrorCode.NONE, partitions, isIncremental: true, session }
  }

  #open(request: ShareSessionRequest): ShareContext {
    const { groupId, memberId, connectionId } = request
    if (request.hasAcknowledgements) return refused(ErrorCode.INVALID_REQUEST)
    this.remove(groupId, memberId)
    if (this.#sessions.size >= this.#maxSessions()) {
      return refused(ErrorCode.SHARE_SESSION_LIMIT_REACHED)
    }
    const partitions = new Map<string, SessionPartition>()
    for (const { topicId, partition } of request.partitions) {
      partitions.set(partitionKeyOf({ topicId, partition }), { topicId, partition, isOwed: false })
    }
    const session = { groupId, memberId, connectionId, partitions, epoch: nextEpoch(INITIAL_EPOCH) }
    this.#sessions.set(keyOf(groupId, memberId), session)
    this.#counts.set(groupId, this.memberCount(groupId) + 1)
    return {
      errorCode: ErrorCode.NONE,
      partitions: [...partitions.values()],
      isIncremental: false,
      session,
    }
  }

  /** An acknowledgement by itself moves the session on too, but does not open one. */
  acknowledged(groupId: string, memberId: string, epoch: number): ErrorCode {
    if (epoch === INITIAL_EPOCH) return ErrorCode.INVALID_SHARE_SESSION_EPOCH
    const session = this.#sessions.get(keyOf(groupId, memberId))
    if (session === undefined) return ErrorCode.SHARE_SESSION_NOT_FOUND
    if (epoch === FINAL_EPOCH) return ErrorCode.NONE
    if (session.epoch !== epoch) return ErrorCode.INVALID_SHARE_SESSION_EPOCH
    session.epoch = nextEpoch(epoch)
    return ErrorCode.NONE
  }

  remove(groupId: string, memberId: string): ShareSession | undefined {
    const key = keyOf(groupId, memberId)
    const session = this.#sessions.get(key)
    if (session === undefined) return undefined
    this.#sessions.delete(key)
    const count = this.memberCount(groupId) - 1
    if (count > 0) this.#counts.set(groupId, count)
    else this.#counts.delete(groupId)
    return session
  }

  /** Sessions that were opened on a connection that is gone. */
  ofConnection(connectionId: number): ShareSession[] {
    return [...this.#sessions.values()].filter((one) => one.connectionId === connectionId)
  }
}

/** Each partition comes first in its turn, so that none is starved by those before it. */
function rotated(partitions: SessionPartition[], epoch: number): SessionPartition[] {
  const at = partitions.length === 0 ? 0 : epoch % partitions.length
  return at === 0 ? partitions : [...partitions.slice(at), ...partitions.slice(0, at)]
}

const nextEpoch = (epoch: number): number => (epoch === MAX_EPOCH ? 1 : epoch + 1)

const partitionKeyOf = ({ topicId, partition }: TopicIdPartition): string =>
  `${topicId}-${partition}`

const keyOf = (groupId: string, memberId: string): string =>
  `${groupId.length} ${groupId} ${memberId}`

const refused = (errorCode: ErrorCode): ShareContext => ({
  errorCode,
  partitions: [],
  isIncremental: false,
  session: null,
})

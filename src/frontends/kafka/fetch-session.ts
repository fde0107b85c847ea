import { ErrorCode } from '../../base/error-code.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import type { FetchRequest } from '../../wire/kafka/messages/01-fetch.ts'

/** Session id of a fetch without a session. */
export const NO_SESSION = 0

/** Asks for a new session; the request names all its partitions. */
const INITIAL_EPOCH = 0

/** Asks for no session, and closes the one it names. */
const FINAL_EPOCH = -1

type RequestedPartition = FetchRequest['topics'][number]['partitions'][number]

/** One partition a client follows, with what it was told last. */
export interface FollowedPartition {
  /** Name up to v12, id from v13; the other one is empty. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  requested: RequestedPartition
  /** -1 before the first answer. */
  highWatermark: number
  logStartOffset: number
}

/** What a request means together with its session. */
export interface FetchContext {
  readonly errorCode: ErrorCode
  /** In the order in which they are served. */
  readonly partitions: readonly FollowedPartition[]
  /** Only partitions with news are answered. */
  readonly isIncremental: boolean
  readonly session: FetchSession | null
}

export interface FetchSession {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly partitions: Map<string, FollowedPartition>
  nextEpoch: number
  lastUsedMs: number
  readonly createdMs: number
}

export interface FetchSessionOptions {
  /** `max.incremental.fetch.session.cache.slots` */
  readonly maxSessions: number
  /** `min.incremental.fetch.session.eviction.ms` */
  readonly minEvictionMs: number
}

const NO_PARTITIONS: readonly FollowedPartition[] = []
const MAX_SESSION_ID = 0x7fff_ffff

/**
 * Incremental fetch sessions (KIP-227): a client names its partitions once and then only what
 * changes. Sessions are a bounded cache: when it is full, a client gets none and names all again.
 */
export class FetchSessions {
  readonly #options: FetchSessionOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #sessions = new Map<number, FetchSession>()

  constructor(options: FetchSessionOptions, clock: Clock, random: Random) {
    this.#options = options
    this.#clock = clock
    this.#random = random
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Finds or makes the session of a request and applies what the request changes. */
  contextOf(request: FetchRequest, usesTopicIds: boolean): FetchContext {
    const { sessionId, sessionEpoch } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#sessions.delete(sessionId)
      const partitions = followed(request, new Map())
      const session = sessionEpoch === INITIAL_EPOCH ? this.#open(partitions, usesTopicIds) : null
      return full([...partitions.values()], session)
    }
    return this.#continue(request, usesTopicIds)
  }

  #continue(request: FetchRequest, usesTopicIds: boolean): FetchContext {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return refused(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
    if (session.nextEpoch !== request.sessionEpoch) {
      return refused(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    }
    if (session.usesTopicIds !== usesTopicIds) {
      return refused(ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR)
    }
    session.lastUsedMs = this.#clock.monotonicMs()
    session.nextEpoch = session.nextEpoch === MAX_SESSION_ID ? 1 : session.nextEpoch + 1
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) {
        session.partitions.delete(keyOf(topic, topicId, partition))
      }
    }
    followed(request, session.partitions)
    if (session.partitions.size === 0) {
      this.#sessions.delete(session.id)
      return full([], null)
    }
    return {
      errorCode: ErrorCode.NONE,
      partitions: [...session.partitions.values()],
      isIncremental: true,
      session,
    }
  }

  #open(partitions: Map<string, FollowedPartition>, usesTopicIds: boolean): FetchSession | null {
    if (partitions.size === 0) return null
    const nowMs = this.#clock.monotonicMs()
    if (this.#sessions.size >= this.#options.maxSessions && !this.#evict(partitions.size, nowMs)) {
      return null
    }
    const id = this.#newId()
    const session = {
      id,
      usesTopicIds,
      partitions,
      nextEpoch: 1,
      lastUsedMs: nowMs,
      createdMs: nowMs,
    }
    this.#sessions.set(id, session)
    return session
  }

  /** The one unused for longest goes, or a smaller one that had its time. */
  #evict(size: number, nowMs: number): boolean {
    const { minEvictionMs } = this.#options
    let oldest: FetchSession | null = null
    let smallest: FetchSession | null = null
    for (const session of this.#sessions.values()) {
      if (oldest === null || session.lastUsedMs < oldest.lastUsedMs) oldest = session
      const hadItsTime = nowMs - session.createdMs > minEvictionMs
      const isSmaller = session.partitions.size < (smallest?.partitions.size ?? size)
      if (hadItsTime && isSmaller) smallest = session
    }
    const isStale = oldest !== null && nowMs - oldest.lastUsedMs > minEvictionMs
    const evicted = isStale ? oldest : smallest
    if (evicted === null) return false
    this.#sessions.delete(evicted.id)
    return true
  }

  #newId(): number {
    for (;;) {
      const id = this.#random.int(MAX_SESSION_ID - 1) + 1
      if (!this.#sessions.has(id)) return id
    }
  }
}

/** Puts the requested partitions into `into`, keeping what is known of those that are there. */
function followed(
  request: FetchRequest,
  into: Map<string, FollowedPartition>,
): Map<string, FollowedPartition> {
  for (const { topic, topicId, partitions } of request.topics) {
    for (const requested of partitions) {
      const key = keyOf(topic, topicId, requested.partition)
      const known = into.get(key)
      if (known !== undefined) {
        known.requested = requested
        continue
      }
      const { partition } = requested
      into.set(key, { topic, topicId, partition, requested, highWatermark: -1, logStartOffset: -1 })
    }
  }
  return into
}

/** A partition that returned records goes behind the others, so that each gets its share. */
export function moveToEnd(session: FetchSession, followedPartition: FollowedPartition): void {
  const { topic, topicId, partition } = followedPartition
  const key = keyOf(topic, topicId, partition)
  if (session.partitions.delete(key)) session.partitions.set(key, followedPartition)
}

function keyOf(topic: string, topicId: string, partition: number): string {
  return `${topic}|${topicId}|${partition}`
}

function full(
  partitions: readonly FollowedPartition[],
  session: FetchSession | null,
): FetchContext {
  return { errorCode: ErrorCode.NONE, partitions, isIncremental: false, session }
}

function refused(errorCode: ErrorCode): FetchContext {
  return { errorCode, partitions: NO_PARTITIONS, isIncremental: false, session: null }
}

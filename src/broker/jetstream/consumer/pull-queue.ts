import type { ConsumerConfig } from './consumer-config.ts'
import type { PinnedClient } from './pinned-client.ts'
import type { PullRequest } from './pull-request.ts'
import { type Status, Statuses, status } from './status.ts'

/** What the queue needs of its consumer. */
export interface PullQueuePorts {
  readonly config: () => ConsumerConfig
  readonly pinned: PinnedClient
  send(to: string, what: Status): void
  /** Whether somebody listens to the reply. */
  hasInterest(subject: string): boolean
  heartbeat(): Status
}

/** How the consumer stands when a message is to be given. */
export interface Backlog {
  /** Messages to come, with this one. */
  readonly pendingCount: number
  readonly ackPendingCount: number
}

const LOWEST_PRIORITY = Number.POSITIVE_INFINITY

/** Requests that wait for messages: who came first is first, and then the others have their turn. */
export class PullQueue {
  readonly #ports: PullQueuePorts
  #requests: PullRequest[] = []

  constructor(ports: PullQueuePorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#requests.length
  }

  /** Messages that all requests wait for. */
  get batchCount(): number {
    return this.#requests.reduce((sum, { left }) => sum + left, 0)
  }

  /** When a request runs out, or wants to hear something. */
  get nextDueMs(): number {
    return this.#requests.reduce((min, { dueMs }) => Math.min(min, dueMs), Number.POSITIVE_INFINITY)
  }

  /** @returns false when as many wait as may */
  add(request: PullRequest): boolean {
    const { max_waiting = 0 } = this.#ports.config()
    if (this.#requests.length >= max_waiting) return false
    this.#insert(request)
    return true
  }

  /**
   * Ends requests that waited long enough or whose client is gone, and sends heartbeats.
   * @param isAtEnd there is nothing to deliver: those that do not wait end as well
   */
  sweep(isAtEnd: boolean, nowMs: number): void {
    if (this.#requests.length === 0) return
    this.#requests = this.#requests.filter((request) => this.#isKept(request, isAtEnd, nowMs))
  }

  #isKept(request: PullRequest, isAtEnd: boolean, nowMs: number): boolean {
    const { reply, options, deliveredCount } = request
    if (nowMs >= request.expiresAtMs) {
      this.#ports.send(reply, timedOut(request))
      return false
    }
    const isOneShot = options.expires <= 0 || deliveredCount > 0
    if (isAtEnd && options.noWait && isOneShot) {
      this.#ports.send(reply, Statuses.noMessages)
      return false
    }
    if (!this.#ports.hasInterest(reply)) return false
    if (nowMs >= request.nextHeartbeatMs) {
      this.#ports.send(reply, this.#ports.heartbeat())
      request.messageSent(nowMs)
    }
    return true
  }

  /**
   * Who gets a message of so many bytes. The request is counted down, and leaves with its last one.
   * @returns null when nobody may have it now
   */
  next(byteCount: number, backlog: Backlog, nowMs: number): PullRequest | null {
    let passedOver = 0
    while (this.#requests.length > passedOver) {
      const request = this.#requests[0] as PullRequest
      const verdict = this.#judge(request, byteCount, backlog, nowMs)
      if (verdict === 'take') return this.#take(request, byteCount)
      this.#requests.shift()
      if (verdict !== 'later') continue
      this.#requests.push(request)
      passedOver++
    }
    return null
  }

  /** Tells all that nothing will come any more. */
  endAll(what: Status): void {
    for (const { reply } of this.#requests) this.#ports.send(reply, what)
    this.#requests = []
  }

  #judge(
    request: PullRequest,
    byteCount: number,
    backlog: Backlog,
    nowMs: number,
  ): 'take' | 'later' | 'ended' {
    const { reply, bytesLeft } = request
    if (nowMs >= request.expiresAtMs) {
      this.#ports.send(reply, timedOut(request))
      return 'ended'
    }
    if (!this.#ports.hasInterest(reply)) return 'ended'
    const { pinned } = this.#ports
    const pin = pinned.judge(request.pinId)
    if (pin === 'wrong') {
      this.#ports.send(reply, status(423, 'Nats-Wrong-Pin-Id', request.rest))
      return 'ended'
    }
    if (pin === 'other' || !isOverflowing(request, backlog, this.#ports.config())) return 'later'
    if (bytesLeft > 0 && byteCount > bytesLeft) {
      this.#ports.send(reply, status(409, 'Message Size Exceeds MaxBytes', request.rest))
      return 'ended'
    }
    if (pin === 'new') request.pinId = pinned.pin(request.options.group, nowMs)
    return 'take'
  }

  #take(request: PullRequest, byteCount: number): PullRequest {
    if (request.bytesLeft > 0) {
      request.bytesLeft -= byteCount
      if (request.bytesLeft === 0) request.left = 1
    }
    request.deliveredCount++
    request.left--
    // Alone it stays where it is.
    if (request.left > 0 && this.#requests.length === 1) return request
    this.#requests.shift()
    if (request.left > 0) this.#insert(request)
    return request
  }

  #insert(request: PullRequest): void {
    const at = this.#requests.findIndex((other) => this.#rank(other) > this.#rank(request))
    if (at === -1) this.#requests.push(request)
    else this.#requests.splice(at, 0, request)
  }

  #rank({ options }: PullRequest): number {
    const isPrioritized = this.#ports.config().priority_policy === 'prioritized'
    return isPrioritized && options.group !== '' ? options.priority : LOWEST_PRIORITY
  }
}

function timedOut(request: PullRequest): Status {
  return status(408, 'Request Timeout', request.rest)
}

/** One limit that is met is enough; a request without limits has none to meet (ADR-42). */
function isOverflowing(
  { options: { minPending, minAckPending } }: PullRequest,
  { pendingCount, ackPendingCount }: Backlog,
  { priority_policy: policy }: ConsumerConfig,
): boolean {
  if (policy !== 'overflow' || (minPending <= 0 && minAckPending <= 0)) return true
  if (minPending > 0 && minPending <= pendingCount) return true
  return minAckPending > 0 && minAckPending <= ackPendingCount
}

import type { ConsumerConfig } from './consumer-config.ts'
import type { DeliveryTarget, Recipient } from './delivery-target.ts'
import type { PinnedClient } from './pinned-client.ts'
import { type Backlog, PullQueue, type PullQueuePorts } from './pull-queue.ts'
import { checkPull, type PullOptions, PullRequest } from './pull-request.ts'
import { type Status, Statuses, status } from './status.ts'

/** How often a full queue is searched for requests that ended. */
const SWEEP_MS = 1000

/** Messages go to those who asked for them. */
export class PullTarget implements DeliveryTarget {
  readonly #ports: PullQueuePorts
  readonly #queue: PullQueue
  readonly #config: () => ConsumerConfig
  readonly #pinned: PinnedClient
  #sweptAtMs = Number.NEGATIVE_INFINITY
  #chosen: PullRequest | null = null

  constructor(ports: PullQueuePorts) {
    this.#ports = ports
    this.#queue = new PullQueue(ports)
    this.#config = ports.config
    this.#pinned = ports.pinned
  }

  get nextDueMs(): number {
    return Math.min(this.#queue.nextDueMs, this.#pinned.untilMs)
  }

  get isInUse(): boolean {
    return this.#queue.size > 0
  }

  get wantedCount(): number {
    return this.#queue.batchCount
  }

  get waitingCount(): number {
    return this.#queue.size
  }

  /** @param pendingCount messages that could be delivered, redeliveries among them */
  pull(reply: string, options: PullOptions, pendingCount: number, nowMs: number): void {
    const refusal = checkPull(options, this.#config()) ?? this.#checkPin(options, nowMs)
    if (refusal !== null) {
      this.#ports.send(reply, refusal)
      return
    }
    const { max_waiting = 0 } = this.#config()
    if (this.#queue.size >= max_waiting && nowMs - this.#sweptAtMs > SWEEP_MS) {
      this.#sweep(false, nowMs)
    }
    const answer = options.noWait ? this.#answerNow(options, pendingCount, nowMs) : null
    if (answer !== null) {
      this.#ports.send(reply, answer)
      return
    }
    const isAdded = this.#queue.add(new PullRequest(reply, options, nowMs))
    // With heartbeats the client finds out, and does not ask again at once.
    if (!isAdded && options.idleHeartbeat === 0) {
      this.#ports.send(reply, Statuses.exceededMaxWaiting)
    }
  }

  choose(byteCount: number, backlog: Backlog, nowMs: number): Recipient | null {
    const request = this.#queue.next(byteCount, backlog, nowMs)
    this.#chosen = request
    if (request === null) return null
    const isPinned = this.#config().priority_policy === 'pinned_client'
    return { to: request.reply, pinId: isPinned ? this.#pinned.id : '' }
  }

  sent(recipient: Recipient, _byteCount: number, _isFull: boolean, nowMs: number): void {
    const request = this.#chosen
    if (request === null) return
    request.messageSent(nowMs)
    if (request.left > 0 || request.bytesLeft <= 0) return
    this.#ports.send(recipient.to, status(409, 'Batch Completed', request.rest))
  }

  passed(isAtEnd: boolean, nowMs: number): void {
    this.#pinned.expire(nowMs)
    this.#sweep(isAtEnd, nowMs)
  }

  close(what: Status): void {
    this.#queue.endAll(what)
  }

  #checkPin({ id }: PullOptions, nowMs: number): Status | null {
    const pinned = this.#pinned
    if (pinned.id === '' || id === '') return null
    if (id !== pinned.id) return Statuses.pinMismatch
    pinned.heardOf(nowMs)
    return null
  }

  #answerNow({ expires }: PullOptions, pendingCount: number, nowMs: number): Status | null {
    if (pendingCount === 0) return expires > 0 ? null : Statuses.noMessages
    this.#sweep(false, nowMs)
    return pendingCount < this.#queue.batchCount ? Statuses.requestsPending : null
  }

  #sweep(isAtEnd: boolean, nowMs: number): void {
    this.#sweptAtMs = nowMs
    this.#queue.sweep(isAtEnd, nowMs)
  }
}

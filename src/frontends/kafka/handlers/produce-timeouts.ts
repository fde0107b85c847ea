import type { ErrorCode } from '../../../base/error-code.ts'
import { LinkedList, type ListNode } from '../../../base/linked-list.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { AppendWaiter } from '../../../ports/partition-log.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'

/**
 * How exact timeouts are. A sync takes milliseconds where Kafka's single replica waits for nothing, so
 * no request times out before this, whatever it says.
 */
const TICK_MS = 100

/** A request that waits for appends until its time is over. */
export interface WaitingProduce {
  /** The connection is gone: nobody reads the answer. */
  readonly isAbandoned: boolean
  appendDone(slot: number, errorCode: ErrorCode): void
  timedOut(): void
}

/**
 * What a log holds while a request waits: it outlives the answer when the disk hangs, and must not
 * keep the request alive then.
 */
export class ProduceWait implements AppendWaiter {
  /** While `ProduceTimeouts` watches it. */
  node: ListNode<ProduceWait> | null = null
  readonly #dueMs: number
  #request: WaitingProduce | null

  constructor(request: WaitingProduce, dueMs: number) {
    this.#request = request
    this.#dueMs = dueMs
  }

  get isGone(): boolean {
    return this.#request === null
  }

  isOver(nowMs: number): boolean {
    return this.#dueMs <= nowMs || this.#request?.isAbandoned !== false
  }

  appendDone(slot: number, errorCode: ErrorCode): void {
    this.#request?.appendDone(slot, errorCode)
  }

  expire(): void {
    const request = this.#request
    this.#request = null
    request?.timedOut()
  }
}

/**
 * Ends waits whose `timeout.ms` is over. One timer looks at all of them ten times a second, and only
 * while there are some: a timer for each request would be made and cancelled for nothing.
 */
export class ProduceTimeouts {
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #waits = new LinkedList<ProduceWait>()
  #isTicking = false

  constructor(clock: Clock, scheduler: Scheduler) {
    this.#clock = clock
    this.#scheduler = scheduler
  }

  /** @param timeoutMs what the client gave; negative is none at all */
  begin(request: WaitingProduce, timeoutMs: number): ProduceWait {
    return new ProduceWait(request, this.#clock.monotonicMs() + Math.max(timeoutMs, TICK_MS))
  }

  /** From now on the wait ends when its time is over, unless `end` comes first. */
  watch(wait: ProduceWait): void {
    wait.node = this.#waits.add(wait)
    if (this.#isTicking) return
    this.#isTicking = true
    this.#scheduler.after(TICK_MS, this.#tick)
  }

  end(wait: ProduceWait): void {
    if (wait.node !== null) this.#waits.remove(wait.node)
  }

  readonly #tick = (): void => {
    const nowMs = this.#clock.monotonicMs()
    for (const node of this.#waits.nodes()) {
      if (!node.isListed || !node.item.isOver(nowMs)) continue
      this.#waits.remove(node)
      node.item.expire()
    }
    this.#isTicking = !this.#waits.isEmpty
    if (this.#isTicking) this.#scheduler.after(TICK_MS, this.#tick)
  }
}

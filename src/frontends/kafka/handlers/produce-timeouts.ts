import type { ErrorCode } from '../../../base/error-code.ts'
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
  /** Where `ProduceTimeouts` keeps it; negative while it does not. */
  place = -1
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
  /** In no order. A Set costs more than all the rest of a small request: it rehashes as waits pass. */
  readonly #waits: ProduceWait[] = []
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
    wait.place = this.#waits.push(wait) - 1
    if (this.#isTicking) return
    this.#isTicking = true
    this.#scheduler.after(TICK_MS, this.#tick)
  }

  end(wait: ProduceWait): void {
    if (wait.place < 0) return
    const last = this.#waits.pop()
    if (last !== undefined && last !== wait) {
      this.#waits[wait.place] = last
      last.place = wait.place
    }
    wait.place = -1
  }

  readonly #tick = (): void => {
    const nowMs = this.#clock.monotonicMs()
    for (const wait of this.#waits.filter((each) => each.isOver(nowMs))) {
      if (wait.place < 0) continue
      this.end(wait)
      wait.expire()
    }
    this.#isTicking = this.#waits.length > 0
    if (this.#isTicking) this.#scheduler.after(TICK_MS, this.#tick)
  }
}

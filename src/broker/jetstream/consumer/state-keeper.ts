import type { Scheduler, Timer } from '../../../ports/scheduler.ts'
import type { ConsumerJournal } from './consumer-ports.ts'
import type { ConsumerProgress } from './consumer-progress.ts'

/** What was delivered is kept with the next ack, or after so long. */
const DELIVERED_DELAY_MS = 250

/** So do acks that nobody waits for, but not for long: those of this time share a sync. */
const ACK_DELAY_MS = 10

/** So many changes follow a whole state at most: what is read at a start is bounded. */
export const MAX_CHANGES = 63

/**
 * Keeps the progress of a consumer in the journal. Who asked for it hears when an ack is durable: those of
 * one turn are kept together. Other acks wait a little, and deliveries alone a little longer: what a crash
 * forgets of them is delivered again.
 */
export class StateKeeper {
  readonly #progress: () => ConsumerProgress
  readonly #journal: ConsumerJournal | null
  readonly #scheduler: Scheduler
  #waiting: (() => void)[] = []
  #isFlushSet = false
  #timer: Timer | null = null
  #isSoon = false
  #changeCount = 0
  #mustBeWhole = false
  #isClosed = false

  /** @param journal null: the consumer is not kept */
  constructor(
    progress: () => ConsumerProgress,
    journal: ConsumerJournal | null,
    scheduler: Scheduler,
    keptChangeCount: number,
  ) {
    this.#progress = progress
    this.#journal = journal
    this.#scheduler = scheduler
    this.#changeCount = keptChangeCount
  }

  /** Messages were delivered. */
  delivered(): void {
    if (this.#timer === null) this.#flushAfter(DELIVERED_DELAY_MS)
  }

  /** Something came back. @param done told once it is durable; not at all when that fails */
  acknowledged(done: (() => void) | null): void {
    if (this.#journal === null) {
      done?.()
      return
    }
    if (done === null) {
      if (this.#isSoon) return
      this.#isSoon = true
      this.#flushAfter(ACK_DELAY_MS)
      return
    }
    this.#waiting.push(done)
    if (this.#isFlushSet) return
    this.#isFlushSet = true
    this.#scheduler.endOfTurn(() => this.flush())
  }

  /** The next change is all there is. */
  startAnew(): void {
    this.#mustBeWhole = true
  }

  /** Keeps what changed since the last time. */
  flush(): void {
    this.#isFlushSet = false
    this.#isSoon = false
    this.#timer?.cancel()
    this.#timer = null
    const journal = this.#journal
    if (journal === null || this.#isClosed) return
    const waiting = this.#waiting
    this.#waiting = []
    const progress = this.#progress()
    if (!progress.hasChange && waiting.length === 0) return
    const isWhole = this.#mustBeWhole || this.#changeCount >= MAX_CHANGES
    this.#mustBeWhole = false
    this.#changeCount = isWhole ? 0 : this.#changeCount + 1
    journal.keep(progress.takeChange(isWhole), (isKept) => {
      if (isKept) for (const done of waiting) done()
      else this.#mustBeWhole = true
    })
  }

  close(): void {
    this.flush()
    this.#isClosed = true
    this.#timer?.cancel()
  }

  #flushAfter(delayMs: number): void {
    if (this.#journal === null || this.#isFlushSet || this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = this.#scheduler.after(delayMs, () => this.flush())
  }
}

import { DeliveryState, type StateBatch } from './delivery-state.ts'
import { type InFlightRange, settleRange, type Transition } from './in-flight-batch.ts'
import type { WindowState } from './window-state.ts'

/** Why a record goes to a dead-letter topic. */
export type DeadLetterCause = 'rejected' | 'exhausted'

export interface DeadLetter extends StateBatch {
  readonly cause: DeadLetterCause
}

/** What changed in one step, and has to be made durable before it holds. */
export class DeliveryUpdate {
  readonly batches: StateBatch[] = []
  /** Written to the dead-letter topic once the change is durable. */
  readonly deadLetters: DeadLetter[] = []
  readonly #transitions: Transition[] = []

  get isEmpty(): boolean {
    return this.batches.length === 0
  }

  /** @param transition null when the change holds at once */
  add(range: InFlightRange, transition: Transition | null, cause: DeadLetterCause): void {
    const { firstOffset, lastOffset, state, deliveryCount } = range
    const batch = { firstOffset, lastOffset, state, deliveryCount }
    this.batches.push(batch)
    if (state === DeliveryState.ARCHIVING) this.deadLetters.push({ ...batch, cause })
    if (transition !== null) this.#transitions.push(transition)
  }

  get transitions(): readonly Transition[] {
    return this.#transitions
  }
}

/**
 * The changes are durable, so the window moves on; or they are not, and are taken back.
 * @returns true when others may get records that they could not get before
 */
export function settle(
  state: WindowState,
  update: DeliveryUpdate,
  isDurable: boolean,
  nowMs: number,
): boolean {
  for (const transition of update.transitions) {
    const { firstOffset, lastOffset } = transition
    for (const batch of state.batches.overlapping(firstOffset, lastOffset)) {
      for (const range of batch.ranges) {
        if (range.transition !== transition) continue
        settleRange(range, isDurable, nowMs)
        if (range.state !== DeliveryState.AVAILABLE) continue
        state.mustSearch = true
        state.setDue(range, range.dueMs)
      }
      batch.join()
    }
  }
  return isDurable && state.advance()
}

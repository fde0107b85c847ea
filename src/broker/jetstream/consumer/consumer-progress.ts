import { assert } from '../../../base/assert.ts'
import {
  type DeliveryLimits,
  DeliveryState,
  type OffsetSpan,
} from '../../delivery/delivery-state.ts'
import type { DeliveryWindow } from '../../delivery/delivery-window.ts'
import type { ConsumerConfig } from './consumer-config.ts'
import {
  type ConsumerStateChange,
  type PendingMessage,
  runsOf,
  type SequencePair,
} from './consumer-state.ts'
import { limitsOf, OWNER, windowOf } from './consumer-window.ts'
import { ProgressChanges } from './progress-changes.ts'

/** So many messages that are given no more are remembered; the oldest are forgotten first. */
const MAX_EXHAUSTED = 65_536

/** A message that was delivered once more. */
export interface Delivery {
  /** Of this delivery. */
  readonly consumerSequence: number
  readonly deliveryCount: number
}

/**
 * What a consumer was given, and what came back. The delivery window knows which message can be given
 * and when; to that come the consumer's own sequences, and the two ack floors. Pure: times are those of
 * one clock that never goes back, in milliseconds.
 */
export class ConsumerProgress {
  readonly #config: () => ConsumerConfig
  #window: DeliveryWindow
  readonly #pending = new Map<number, PendingMessage>()
  readonly #exhausted = new Set<number>()
  #delivered: SequencePair
  #ackFloor: SequencePair
  readonly #changes: ProgressChanges
  /** The limits that hold, and the configuration that they are of. */
  #lastLimits: DeliveryLimits | null = null
  #limitsOf: ConsumerConfig | null = null

  /**
   * @param changes a whole one, and what changed since, in order
   * @param isKept somebody takes the changes
   */
  constructor(
    changes: readonly ConsumerStateChange[],
    config: () => ConsumerConfig,
    isKept: boolean,
    nowMs: number,
  ) {
    const last = changes.at(-1)
    assert(last !== undefined && changes[0]?.isWhole === true, 'a consumer has a whole state first')
    this.#config = config
    this.#changes = new ProgressChanges(isKept)
    this.#delivered = last.delivered
    this.#ackFloor = last.ackFloor
    for (const change of changes) this.#restore(change, nowMs)
    this.#window = this.#newWindow(nowMs)
  }

  get delivered(): SequencePair {
    return this.#delivered
  }

  get ackFloor(): SequencePair {
    return this.#ackFloor
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  /** Messages given more than once that are not finished. */
  get redeliveredCount(): number {
    let count = this.#exhausted.size
    for (const { deliveryCount } of this.#pending.values()) if (deliveryCount > 1) count++
    return count
  }

  /** When `expire` has something to do; Infinity: never, as things are. */
  get nextDueMs(): number {
    return this.#window.nextDueMs
  }

  isPending(sequence: number): boolean {
    return this.#pending.has(sequence)
  }

  /** It may be given no more, and nobody said that it is done. */
  isExhausted(sequence: number): boolean {
    return this.#exhausted.has(sequence)
  }

  /** Sequences to be given again, lowest first. */
  redeliveries(nowMs: number, maxCount: number): number[] {
    return this.#window.availableRecords(nowMs, maxCount)
  }

  /** When it was given to somebody the last time; null: it is not pending. */
  deliveredAtMs(sequence: number): number | null {
    return this.#pending.get(sequence)?.deliveredAtMs ?? null
  }

  /** Somebody had it, and it can be given again. */
  isAvailable(sequence: number): boolean {
    return this.#window.openRecord(sequence)?.state === DeliveryState.AVAILABLE
  }

  /** How often the message will have been delivered after the next time. */
  nextDeliveryCount(sequence: number): number {
    return (this.#pending.get(sequence)?.deliveryCount ?? 0) + 1
  }

  /** @param sequence the next one of the stream that passes the filter, or one of `redeliveries` */
  deliver(sequence: number, nowMs: number): Delivery {
    const consumerSequence = this.#delivered.consumer + 1
    const { stream } = this.#delivered
    this.#delivered = { consumer: consumerSequence, stream: Math.max(stream, sequence) }
    this.#changes.moved()
    if (this.#config().ack_policy === 'none') {
      this.#ackFloor = { consumer: consumerSequence, stream: this.#delivered.stream }
      return { consumerSequence, deliveryCount: 1 }
    }
    const deliveryCount = this.#window.acquireOne(sequence, OWNER, nowMs)
    assert(deliveryCount > 0, 'what is delivered was available')
    const first = this.#pending.get(sequence)?.consumerSequence ?? consumerSequence
    this.#pending.set(sequence, { consumerSequence: first, deliveryCount, deliveredAtMs: nowMs })
    this.#changes.given(sequence)
    return { consumerSequence, deliveryCount }
  }

  /**
   * The client is done with a message; with ack policy `all`, with all up to it.
   * @param consumerSequence of the delivery, as the client has it
   * @returns what is finished now; null: nothing that was open
   */
  acknowledge(sequence: number, consumerSequence: number): OffsetSpan | null {
    const { ack_policy: policy } = this.#config()
    if (policy === 'none' || sequence > this.#delivered.stream) return null
    if (policy === 'explicit') return this.#finishOne(sequence, true)
    if (consumerSequence <= this.#ackFloor.consumer || sequence <= this.#ackFloor.stream)
      return null
    const span = { firstOffset: this.#ackFloor.stream + 1, lastOffset: sequence }
    this.#ackFloor = { consumer: consumerSequence, stream: sequence }
    this.#finish(span, true)
    return span
  }

  /**
   * The client could not do it: it is given again after `delayMs`.
   * @returns null when the message is not pending
   */
  release(sequence: number, delayMs: number, nowMs: number): 'released' | 'exhausted' | null {
    if (!this.#pending.has(sequence)) return null
    const outcome = this.#window.release(sequence, delayMs === 0 ? 0 : nowMs + delayMs)
    if (outcome === 'exhausted') this.#exhaust(sequence)
    return outcome
  }

  /** The client still works on it: it has as much time again. */
  renew(sequence: number, nowMs: number): boolean {
    return this.#pending.has(sequence) && this.#window.renew(sequence, OWNER, nowMs)
  }

  /** @returns messages that were not acknowledged in time and are not given again, with deliveries */
  expire(nowMs: number): { sequence: number; deliveryCount: number }[] {
    const update = this.#window.expire(nowMs)
    this.#window.settle(update, true, nowMs)
    const exhausted: { sequence: number; deliveryCount: number }[] = []
    for (const { firstOffset, lastOffset, state, deliveryCount } of update.batches) {
      if (state === DeliveryState.AVAILABLE) continue
      for (let sequence = firstOffset; sequence <= lastOffset; sequence++) {
        if (!this.#exhaust(sequence)) continue
        exhausted.push({ sequence, deliveryCount })
      }
    }
    return exhausted
  }

  /** Messages that the stream has no more. */
  removed(span: OffsetSpan): void {
    const { firstOffset, lastOffset } = span
    for (const sequence of this.#exhausted) {
      if (sequence >= firstOffset && sequence <= lastOffset) this.#recovered(sequence)
    }
    if (this.#pending.size === 0) return
    if (firstOffset === lastOffset) {
      if (this.#pending.has(firstOffset)) this.#finishOne(firstOffset, false)
      return
    }
    const lowest = this.#lowestPending()
    if (lowest > lastOffset) return
    const first = this.#pending.get(lowest)
    this.#finish(span, false)
    if (first !== undefined && lowest >= firstOffset) {
      this.#moveFloor(first.consumerSequence, lowest)
    }
  }

  /** Forgets what the stream lost while nobody looked. */
  forgetMissing(isThere: (sequence: number) => boolean): void {
    for (const sequence of [...this.#pending.keys(), ...this.#exhausted]) {
      if (!isThere(sequence)) this.removed({ firstOffset: sequence, lastOffset: sequence })
    }
  }

  /** Begins anew at a sequence. */
  reset(startSequence: number, nowMs: number): void {
    this.#pending.clear()
    this.#exhausted.clear()
    this.#changes.clear()
    this.#delivered = { consumer: 0, stream: startSequence - 1 }
    this.#ackFloor = this.#delivered
    this.#window = this.#newWindow(nowMs)
    this.#changes.moved()
  }

  /** Something changed since the last `takeChange`. */
  get hasChange(): boolean {
    return this.#changes.hasAny
  }

  /** All there is. */
  get whole(): ConsumerStateChange {
    return {
      isWhole: true,
      delivered: this.#delivered,
      ackFloor: this.#ackFloor,
      pending: runsOf([...this.#pending.keys()].sort(ascending), this.#pending),
      finished: [],
      exhausted: [...this.#exhausted],
    }
  }

  /** What changed since the last one, or all there is. */
  takeChange(isWhole: boolean): ConsumerStateChange {
    const change = isWhole ? this.whole : this.#changed()
    this.#changes.clear()
    return change
  }

  #changed(): ConsumerStateChange {
    return {
      isWhole: false,
      delivered: this.#delivered,
      ackFloor: this.#ackFloor,
      ...this.#changes.toKeep(this.#pending),
    }
  }

  #finishOne(sequence: number, isAcknowledged: boolean): OffsetSpan | null {
    const message = this.#pending.get(sequence)
    if (message === undefined) {
      // It may be given no more, but the client was done with it after all.
      if (!this.#exhausted.has(sequence)) return null
      this.#recovered(sequence)
      return { firstOffset: sequence, lastOffset: sequence }
    }
    const span = { firstOffset: sequence, lastOffset: sequence }
    this.#finish(span, isAcknowledged)
    this.#moveFloor(message.consumerSequence, sequence)
    return span
  }

  #finish(span: OffsetSpan, isAcknowledged: boolean): void {
    const { firstOffset, lastOffset } = span
    this.#window.finish(span, isAcknowledged)
    if (firstOffset === lastOffset) this.#pending.delete(firstOffset)
    else for (const sequence of within(this.#pending, span)) this.#pending.delete(sequence)
    this.#changes.finished(firstOffset, lastOffset)
  }

  /** It counts as exhausted no more. */
  #recovered(sequence: number): void {
    this.#exhausted.delete(sequence)
    this.#changes.recovered(sequence)
  }

  #exhaust(sequence: number): boolean {
    const message = this.#pending.get(sequence)
    if (message === undefined) return false
    const span = { firstOffset: sequence, lastOffset: sequence }
    this.#finish(span, false)
    this.#exhausted.add(sequence)
    this.#changes.exhausted(sequence)
    for (const oldest of this.#exhausted) {
      if (this.#exhausted.size <= MAX_EXHAUSTED) break
      this.#recovered(oldest)
    }
    this.#moveFloor(message.consumerSequence, sequence)
    return true
  }

  /** The ack floors follow when the message behind them was finished. Source: moveAckFloor. */
  #moveFloor(consumerSequence: number, sequence: number): void {
    if (this.#pending.size === 0) this.#ackFloor = this.#delivered
    else if (consumerSequence === this.#ackFloor.consumer + 1) {
      const lowest = this.#lowestPending()
      const next = this.#pending.get(lowest)
      const isAfter = next !== undefined && lowest > sequence
      this.#ackFloor = isAfter
        ? { consumer: next.consumerSequence - 1, stream: lowest - 1 }
        : { consumer: consumerSequence, stream: sequence }
    }
  }

  #lowestPending(): number {
    const { startOffset } = this.#window
    if (this.#pending.has(startOffset)) return startOffset
    let lowest = Number.POSITIVE_INFINITY
    for (const sequence of this.#pending.keys()) lowest = Math.min(lowest, sequence)
    return lowest
  }

  #restore(change: ConsumerStateChange, nowMs: number): void {
    if (change.isWhole) {
      this.#pending.clear()
      this.#exhausted.clear()
    }
    for (const span of change.finished) {
      for (const sequence of within(this.#pending, span)) this.#pending.delete(sequence)
      for (const sequence of within(this.#exhausted, span)) this.#exhausted.delete(sequence)
    }
    for (const {
      firstSequence,
      lastSequence,
      firstConsumerSequence,
      deliveryCount,
    } of change.pending) {
      for (let sequence = firstSequence; sequence <= lastSequence; sequence++) {
        const consumerSequence = firstConsumerSequence + (sequence - firstSequence)
        this.#pending.set(sequence, { consumerSequence, deliveryCount, deliveredAtMs: nowMs })
      }
    }
    for (const sequence of change.exhausted) this.#exhausted.add(sequence)
  }

  #newWindow(nowMs: number): DeliveryWindow {
    return windowOf(this.#pending, this.#delivered, () => this.#limits(), nowMs)
  }

  #limits(): DeliveryLimits {
    const config = this.#config()
    if (this.#limitsOf !== config) {
      this.#limitsOf = config
      this.#lastLimits = limitsOf(config)
    }
    return this.#lastLimits as DeliveryLimits
  }
}

/** Known sequences of a span. */
function within(
  known: ReadonlyMap<number, unknown> | ReadonlySet<number>,
  { firstOffset, lastOffset }: OffsetSpan,
): number[] {
  const found: number[] = []
  if (lastOffset - firstOffset < known.size) {
    for (let at = firstOffset; at <= lastOffset; at++) if (known.has(at)) found.push(at)
    return found
  }
  for (const at of known.keys()) if (at >= firstOffset && at <= lastOffset) found.push(at)
  return found
}

function ascending(a: number, b: number): number {
  return a - b
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AcknowledgeType, DeliveryState } from '../../../../src/broker/delivery/delivery-state.ts'
import { DeliveryUpdate } from '../../../../src/broker/delivery/delivery-update.ts'
import { DeliveryWindow } from '../../../../src/broker/delivery/delivery-window.ts'

const LOCK_MS = 100
const MAX_DELIVERY_COUNT = 4
const RECORD_COUNT = 60
const OWNERS = ['a', 'b', 'c'] as const

/** What one record went through, as somebody sees who writes down all that happens. */
interface Fate {
  owner: string | null
  deliveryCount: number
  isFinished: boolean
  lockedUntilMs: number
}

type Step =
  | { kind: 'take'; owner: string; max: number; isStrict: boolean }
  | { kind: 'ack'; owner: string; pick: number; type: number; canKeep: boolean }
  | { kind: 'wait'; durationMs: number }
  | { kind: 'leave'; owner: string }
  | { kind: 'restart' }

const owner = fc.constantFrom(...OWNERS)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        owner,
        max: fc.integer({ min: 1, max: 20 }),
        isStrict: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('ack' as const),
        owner,
        pick: fc.nat(),
        type: fc.constantFrom(...Object.values(AcknowledgeType)),
        canKeep: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('wait' as const),
        durationMs: fc.integer({ min: 1, max: 2 * LOCK_MS }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), owner }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  ),
  { maxLength: 120 },
)

/** Plays steps against a window, and keeps its own books of every record. */
class Ledger {
  readonly #fates: Fate[] = Array.from({ length: RECORD_COUNT }, () => ({
    owner: null,
    deliveryCount: 0,
    isFinished: false,
    lockedUntilMs: 0,
  }))
  /** What was made durable of each record. */
  readonly #kept = new Map<number, { state: DeliveryState; deliveryCount: number }>()
  #keptStart = 0
  #nowMs = 1
  #window = this.#restore()

  #restore(): DeliveryWindow {
    const batches = [...this.#kept]
      .filter(([offset]) => offset >= this.#keptStart)
      .sort(([a], [b]) => a - b)
      .map(([offset, kept]) => ({ firstOffset: offset, lastOffset: offset, ...kept }))
    return DeliveryWindow.restore(this.#keptStart, batches, () => ({
      maxInFlightCount: 25,
      maxDeliveryCount: MAX_DELIVERY_COUNT,
      lockDurationMs: () => LOCK_MS,
      hasDeadLetters: false,
    }))
  }

  play(step: Step): void {
    const startBefore = this.#window.startOffset
    if (step.kind === 'take') this.#take(step.owner, step.max, step.isStrict)
    else if (step.kind === 'ack') this.#acknowledge(step)
    else if (step.kind === 'wait') this.#wait(step.durationMs)
    else if (step.kind === 'leave') this.#leave(step.owner)
    else this.#restart()
    if (step.kind !== 'restart') assert.ok(this.#window.startOffset >= startBefore)
    for (let offset = 0; offset < this.#window.startOffset; offset++) {
      assert.ok(this.#fates[offset]?.isFinished ?? true, `${offset} is finished before the start`)
    }
  }

  #take(owner: string, max: number, isStrict: boolean): void {
    if (!this.#window.canAcquire(this.#nowMs)) return
    const fetchOffset = this.#window.nextFetchOffset(this.#nowMs)
    const batches = []
    for (let first = fetchOffset - (fetchOffset % 7); first < RECORD_COUNT; first += 7) {
      batches.push({ firstOffset: first, lastOffset: Math.min(first + 6, RECORD_COUNT - 1) })
    }
    const request = {
      owner,
      fetchOffset,
      batches,
      isRecordLimit: isStrict,
      batchSize: 5,
      maxRecordCount: max,
    }
    const { spans, recordCount } = this.#window.acquire(request, this.#nowMs)
    if (isStrict) assert.ok(recordCount <= max, 'a strict limit is kept')
    for (const { firstOffset, lastOffset, deliveryCount } of spans) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        const fate = this.#fates[offset] as Fate
        assert.equal(fate.isFinished, false, `${offset} is not finished`)
        assert.equal(fate.owner, null, `${offset} is nobody's`)
        assert.equal(deliveryCount, fate.deliveryCount + 1, `deliveries of ${offset}`)
        Object.assign(fate, { owner, deliveryCount, lockedUntilMs: this.#nowMs + LOCK_MS })
      }
    }
  }

  #acknowledge(step: Extract<Step, { kind: 'ack' }>): void {
    const own = [...this.#fates.keys()].filter((at) => this.#fates[at]?.owner === step.owner)
    const first = own[step.pick % Math.max(1, own.length)]
    if (first === undefined) return
    let last = first
    while (this.#fates[last + 1]?.owner === step.owner && last - first < step.pick % 9) last++
    const batches = [{ firstOffset: first, lastOffset: last, types: [step.type] }]
    const request = { owner: step.owner, batches, canRenew: true }
    const update = this.#window.acknowledge(request, this.#nowMs)
    assert.ok(update instanceof DeliveryUpdate, JSON.stringify(update))
    if (step.type === AcknowledgeType.RENEW) {
      for (let offset = first; offset <= last; offset++) {
        ;(this.#fates[offset] as Fate).lockedUntilMs = this.#nowMs + LOCK_MS
      }
    }
    this.#settle(update, step.canKeep)
  }

  #wait(durationMs: number): void {
    this.#nowMs += durationMs
    const update = this.#window.expire(this.#nowMs)
    for (const fate of this.#fates) {
      const isExpired = fate.owner !== null && fate.lockedUntilMs <= this.#nowMs
      const isNamed = update.batches.some(
        ({ firstOffset, lastOffset }) =>
          this.#fates.indexOf(fate) >= firstOffset && this.#fates.indexOf(fate) <= lastOffset,
      )
      assert.equal(isNamed, isExpired, 'exactly the locks that ran out are taken back')
    }
    this.#settle(update, true)
  }

  #leave(owner: string): void {
    this.#settle(this.#window.releaseAll(owner), true)
    assert.ok(this.#fates.every((fate) => fate.owner !== owner))
  }

  #settle(update: DeliveryUpdate, isDurable: boolean): void {
    if (isDurable && !update.isEmpty) {
      this.#keptStart = this.#window.startOffset
      for (const { firstOffset, lastOffset, state, deliveryCount } of update.batches) {
        for (let offset = firstOffset; offset <= lastOffset; offset++) {
          this.#kept.set(offset, { state, deliveryCount })
          const fate = this.#fates[offset] as Fate
          fate.owner = null
          fate.isFinished = state !== DeliveryState.AVAILABLE
        }
      }
    }
    this.#window.settle(update, isDurable, this.#nowMs)
  }

  /** Nobody has anything, and a count is what was last kept. */
  #restart(): void {
    for (const [offset, fate] of this.#fates.entries()) {
      if (fate.isFinished) continue
      fate.owner = null
      fate.deliveryCount = this.#kept.get(offset)?.deliveryCount ?? 0
    }
    this.#window = this.#restore()
  }

  /** Takes and accepts until nothing comes any more. */
  finish(): void {
    for (const owner of OWNERS) this.#leave(owner)
    for (let round = 0; round < 20 * RECORD_COUNT; round++) {
      this.#take('a', RECORD_COUNT, false)
      const open = this.#fates.findIndex((fate) => fate.owner === 'a')
      if (open === -1) break
      const types = [AcknowledgeType.ACCEPT]
      const batches = [{ firstOffset: open, lastOffset: open, types }]
      const update = this.#window.acknowledge({ owner: 'a', batches, canRenew: true }, this.#nowMs)
      assert.ok(update instanceof DeliveryUpdate)
      this.#settle(update, true)
    }
    assert.equal(this.#window.startOffset, RECORD_COUNT, 'every record was finished')
    assert.ok(this.#fates.every(({ isFinished }) => isFinished))
  }
}

describe('DeliveryWindow', () => {
  it('gives a record to one consumer at a time, counts deliveries, and finishes all of them', () => {
    fc.assert(
      fc.property(steps, (played) => {
        const ledger = new Ledger()
        for (const step of played) ledger.play(step)
        ledger.finish()
      }),
      { numRuns: 300 },
    )
  })

  it('reads where the first available record is, and after all that was given', () => {
    const limits = {
      maxInFlightCount: 100,
      maxDeliveryCount: 5,
      lockDurationMs: () => LOCK_MS,
      hasDeadLetters: false,
    }
    const batches = [
      { firstOffset: 5, lastOffset: 9, state: DeliveryState.ACKNOWLEDGED, deliveryCount: 1 },
      { firstOffset: 10, lastOffset: 19, state: DeliveryState.AVAILABLE, deliveryCount: 3 },
      { firstOffset: 20, lastOffset: 29, state: DeliveryState.ARCHIVING, deliveryCount: 2 },
    ]
    const window = DeliveryWindow.restore(5, batches, () => limits)
    assert.equal(window.startOffset, 10)
    assert.equal(window.nextFetchOffset(1), 10)
    assert.deepEqual(window.deadLetters, [batches[2]])
    assert.equal(window.nextDueMs, Number.POSITIVE_INFINITY)
  })
})

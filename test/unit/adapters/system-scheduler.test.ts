import { strict as assert } from 'node:assert'
import { describe, it, mock, type TestContext } from 'node:test'
import fc from 'fast-check'
import { dueMsOf, SystemScheduler } from '../../../src/adapters/system-scheduler.ts'
import type { Timer } from '../../../src/ports/scheduler.ts'

/** A scheduler on timers and a clock that the test advances, and how often it looked at that clock. */
function onFakeTime(t: TestContext): { scheduler: SystemScheduler; lookCount: () => number } {
  t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate', 'Date'] })
  const nowMs = mock.fn(() => Date.now())
  return { scheduler: new SystemScheduler(nowMs), lookCount: () => nowMs.mock.callCount() }
}

/** Millisecond by millisecond: a tick of the test shows its timers the time at its end. */
function pass(t: TestContext, ms: number): void {
  for (let i = 0; i < ms; i++) t.mock.timers.tick(1)
}

describe('SystemScheduler', () => {
  it('runs a task once after its delay', (t) => {
    const { scheduler } = onFakeTime(t)
    const task = mock.fn()
    scheduler.after(100, task)
    t.mock.timers.tick(99)
    assert.equal(task.mock.callCount(), 0)
    t.mock.timers.tick(1000)
    assert.equal(task.mock.callCount(), 1)
  })

  it('never runs a cancelled task; cancelling again does nothing', (t) => {
    const { scheduler } = onFakeTime(t)
    const task = mock.fn()
    const timer = scheduler.after(100, task)
    timer.cancel()
    timer.cancel()
    t.mock.timers.tick(1000)
    assert.equal(task.mock.callCount(), 0)
  })

  it('waits for delays that are longer than a timer of Node', (t) => {
    const { scheduler } = onFakeTime(t)
    const task = mock.fn()
    const delayMs = 0x7fffffff * 2 + 5
    scheduler.after(delayMs, task)
    const cancelled = mock.fn()
    const timer = scheduler.after(delayMs, cancelled)
    t.mock.timers.tick(0x7fffffff)
    timer.cancel()
    t.mock.timers.tick(0x7fffffff)
    assert.equal(task.mock.callCount(), 0)
    t.mock.timers.tick(5 + 17)
    assert.equal(task.mock.callCount(), 1)
    assert.equal(cancelled.mock.callCount(), 0)
  })

  it('runs timers that are due about the same time in one turn, none early, none 16 ms late', () => {
    for (const nowMs of [0, 3.25, 100.5, 123_456_789.125]) {
      for (const delayMs of [0, 1, 20, 100, 500, 6000, 45_000, 86_400_000]) {
        const lateMs = dueMsOf(delayMs, nowMs) - nowMs - delayMs
        const atMost = Math.min(16, Math.max(1, delayMs / 16))
        assert.ok(lateMs >= 0 && lateMs <= atMost, `${delayMs}: ${lateMs}`)
      }
    }
    assert.equal(dueMsOf(500, 1005), dueMsOf(500, 1011))
    assert.equal(dueMsOf(45_000, 1005), dueMsOf(45_000, 1015))
  })
})

describe('SystemScheduler with many timers', () => {
  it('runs a sooner timer in time though a later one was there first', (t) => {
    const { scheduler } = onFakeTime(t)
    const order: string[] = []
    scheduler.after(45_000, () => order.push('session'))
    scheduler.after(10, () => order.push('linger'))
    pass(t, 11)
    assert.deepEqual(order, ['linger'])
    pass(t, 45_000 + 16)
    assert.deepEqual(order, ['linger', 'session'])
  })

  it('wakes for none of the sessions that heartbeats prolong', (t) => {
    const { scheduler, lookCount } = onFakeTime(t)
    const expired = mock.fn()
    const sessions = Array.from({ length: 100 }, () => scheduler.after(45_000, expired))
    for (let beat = 0; beat < 2000; beat++) {
      sessions[beat % 100]?.cancel()
      sessions[beat % 100] = scheduler.after(45_000, expired)
      t.mock.timers.tick(30)
    }
    const beatLooks = lookCount()
    // Each session that was set looked once; a wake looks twice, for what is due and for the next.
    assert.ok(beatLooks - 2100 <= 4, `${beatLooks}`)
    assert.equal(expired.mock.callCount(), 0)
    for (const session of sessions) session.cancel()
    pass(t, 50_000)
    assert.ok(lookCount() - beatLooks <= 2)
  })

  it('keeps those that are wanted among thousands that were cancelled', (t) => {
    const { scheduler } = onFakeTime(t)
    const kept = mock.fn()
    for (let i = 0; i < 5000; i++) {
      const timer = scheduler.after(2000 + i * 20, kept)
      if (i % 10 > 0) timer.cancel()
    }
    pass(t, 2000 + 5000 * 20)
    assert.equal(kept.mock.callCount(), 500)
  })

  it('runs each task once when it is due, and none that was cancelled, in any order of calls', (t) => {
    const { scheduler } = onFakeTime(t)
    const step = fc.record({
      delayMs: fc.oneof(fc.nat(40), fc.nat(2000), fc.nat(60_000)),
      cancel: fc.option(fc.nat(400)),
      passMs: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(3000)),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const timers: { timer: Timer; dueMs: number; isCancelled: boolean; ranMs: number[] }[] = []
        for (const { delayMs, cancel, passMs } of steps) {
          const ranMs: number[] = []
          const timer = scheduler.after(delayMs, () => ranMs.push(Date.now()))
          timers.push({ timer, dueMs: Date.now() + delayMs, isCancelled: false, ranMs })
          const chosen = cancel === null ? undefined : timers[cancel]
          if (chosen !== undefined && chosen.ranMs.length === 0) {
            chosen.timer.cancel()
            chosen.isCancelled = true
          }
          pass(t, passMs)
        }
        pass(t, 61_000)
        for (const { dueMs, isCancelled, ranMs } of timers) {
          assert.equal(ranMs.length, isCancelled ? 0 : 1)
          if (ranMs[0] !== undefined) assert.ok(ranMs[0] >= dueMs && ranMs[0] <= dueMs + 17)
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('tasks of the SystemScheduler', () => {
  it('do not see what they ask for run before the others that are due', (t) => {
    const { scheduler } = onFakeTime(t)
    const order: string[] = []
    scheduler.after(4, () => {
      order.push('first')
      scheduler.after(0, () => order.push('asked for'))
    })
    scheduler.after(4, () => order.push('second'))
    pass(t, 8)
    assert.deepEqual(order, ['first', 'second', 'asked for'])
  })

  it('run, also later ones, when another of their moment throws', (t) => {
    const { scheduler } = onFakeTime(t)
    const task = mock.fn()
    const later = mock.fn()
    scheduler.after(1, () => {
      throw new Error('broken')
    })
    scheduler.after(1, task)
    scheduler.after(20, later)
    assert.throws(() => t.mock.timers.tick(10), /broken/)
    t.mock.timers.tick(10)
    assert.equal(task.mock.callCount(), 1)
    t.mock.timers.tick(20)
    assert.equal(later.mock.callCount(), 1)
  })

  it('of the end of a turn run after what the turn still has to do, in order', async () => {
    const order: string[] = []
    const scheduler = new SystemScheduler()
    await new Promise<void>((resolve) => {
      scheduler.endOfTurn(() => order.push('first'))
      scheduler.endOfTurn(() => {
        order.push('second')
        resolve()
      })
      process.nextTick(() => order.push('tick'))
      queueMicrotask(() => order.push('microtask'))
    })
    assert.deepEqual(order.slice(-2), ['first', 'second'])
    assert.equal(order.length, 4)
  })
})

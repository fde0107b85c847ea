import { strict as assert } from 'node:assert'
import { describe, it, mock } from 'node:test'
import { SystemClock } from '../../../src/adapters/system-clock.ts'
import { SystemRandom } from '../../../src/adapters/system-random.ts'
import { dueMsOf, SystemScheduler } from '../../../src/adapters/system-scheduler.ts'

describe('SystemScheduler', () => {
  it('runs a task once after its delay', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const task = mock.fn()
    new SystemScheduler().after(100, task)
    t.mock.timers.tick(99)
    assert.equal(task.mock.callCount(), 0)
    t.mock.timers.tick(1000)
    assert.equal(task.mock.callCount(), 1)
  })

  it('never runs a cancelled task; cancelling again does nothing', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const task = mock.fn()
    const timer = new SystemScheduler().after(100, task)
    timer.cancel()
    timer.cancel()
    t.mock.timers.tick(1000)
    assert.equal(task.mock.callCount(), 0)
  })

  it('waits for delays that are longer than a timer of Node', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const task = mock.fn()
    const scheduler = new SystemScheduler()
    const delayMs = 0x7fffffff * 2 + 5
    scheduler.after(delayMs, task)
    const cancelled = mock.fn()
    const timer = scheduler.after(delayMs, cancelled)
    t.mock.timers.tick(0x7fffffff)
    timer.cancel()
    t.mock.timers.tick(0x7fffffff)
    assert.equal(task.mock.callCount(), 0)
    t.mock.timers.tick(delayMs / 16)
    assert.equal(task.mock.callCount(), 1)
    assert.equal(cancelled.mock.callCount(), 0)
  })

  it('runs timers that are due about the same time in one turn, none early', () => {
    for (const nowMs of [0, 3.25, 100.5]) {
      for (const delayMs of [0, 1, 20, 100, 500, 30_000]) {
        const lateMs = dueMsOf(delayMs, nowMs) - nowMs - delayMs
        assert.ok(lateMs >= 0 && lateMs <= Math.max(1, delayMs / 16), `${delayMs}: ${lateMs}`)
      }
    }
    assert.equal(dueMsOf(500, 1005), dueMsOf(500, 1011))
    assert.equal(dueMsOf(500, 1005) % 16, 0)
  })

  it('runs the other timers of a moment when one of them throws', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] })
    const scheduler = new SystemScheduler()
    const task = mock.fn()
    scheduler.after(1, () => {
      throw new Error('broken')
    })
    scheduler.after(1, task)
    assert.throws(() => t.mock.timers.tick(10), /broken/)
    t.mock.timers.tick(10)
    assert.equal(task.mock.callCount(), 1)
  })

  it('runs end-of-turn tasks after what the turn still has to do, in order', async () => {
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

describe('SystemRandom', () => {
  it('makes version 4 uuids in the form of Kafka', () => {
    const random = new SystemRandom()
    const seen = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      const text = random.uuid()
      assert.match(text, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      const bytes = Buffer.from(text, 'base64url')
      assert.equal(bytes.length, 16)
      assert.equal((bytes[6] ?? 0) >> 4, 4)
      assert.equal((bytes[8] ?? 0) >> 6, 2)
      seen.add(text)
    }
    assert.equal(seen.size, 1000)
  })

  it('gives integers from 0 up to below the bound', () => {
    const random = new SystemRandom()
    const seen = new Set<number>()
    for (let i = 0; i < 1000; i++) seen.add(random.int(3))
    assert.deepEqual([...seen].sort(), [0, 1, 2])
  })
})

describe('SystemClock', () => {
  it('gives wall-clock milliseconds, and a monotonic time that never goes back', () => {
    const clock = new SystemClock()
    assert.ok(clock.nowMs() > Date.UTC(2024, 0))
    let last = clock.monotonicMs()
    for (let i = 0; i < 100; i++) {
      const now = clock.monotonicMs()
      assert.ok(now >= last)
      last = now
    }
  })
})

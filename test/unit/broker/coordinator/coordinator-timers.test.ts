import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CoordinatorTimers } from '../../../../src/broker/coordinator/coordinator-timers.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { FakeClock } from '../../support/ports.ts'

function makeTimers() {
  const clock = new FakeClock()
  const scheduler = new ManualScheduler(clock)
  const fired: string[] = []
  const timers = new CoordinatorTimers<string>(clock, scheduler, (event) => fired.push(event))
  return { scheduler, fired, timers }
}

describe('timers of a coordinator', () => {
  it('fire once, at their last deadline, with their last event', () => {
    const { scheduler, fired, timers } = makeTimers()
    timers.schedule('a', 100, 'first')
    scheduler.advance(60)
    timers.schedule('a', 100, 'second')
    scheduler.advance(99)
    assert.deepEqual(fired, [])
    scheduler.advance(1)
    scheduler.advance(1_000)
    assert.deepEqual(fired, ['second'])
    assert.equal(timers.size, 0)
  })

  it('can be moved nearer', () => {
    const { scheduler, fired, timers } = makeTimers()
    timers.schedule('a', 1_000, 'late')
    timers.schedule('a', 10, 'soon')
    scheduler.advance(10)
    assert.deepEqual(fired, ['soon'])
    assert.equal(scheduler.pendingCount, 0)
  })

  it('do not fire when cancelled, alone or all together', () => {
    const { scheduler, fired, timers } = makeTimers()
    timers.schedule('a', 10, 'a')
    timers.schedule('b', 10, 'b')
    timers.schedule('c', 10, 'c')
    timers.cancel('a')
    scheduler.advance(5)
    timers.cancelAll()
    timers.cancel('b')
    scheduler.advance(10)
    assert.deepEqual(fired, [])
    assert.equal(scheduler.pendingCount, 0)
  })

  it('may set themselves again', () => {
    const clock = new FakeClock()
    const scheduler = new ManualScheduler(clock)
    let count = 0
    const timers = new CoordinatorTimers<string>(clock, scheduler, (event) => {
      if (++count < 3) timers.schedule('a', 10, event)
    })
    timers.schedule('a', 10, 'again')
    scheduler.advance(100)
    assert.equal(count, 3)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../src/base/error-code.ts'
import type { Lease } from '../../../src/base/lease.ts'
import { WaiterQueue } from '../../../src/storage/write/waiter-queue.ts'
import { append, batchOf, Harness, readAll } from './log-harness.ts'

const LOG = '00000000000000000000.log'
const SIZE = batchOf().byteLength

class CountingLease implements Lease {
  readonly heldBytes = 0
  holdCount = 0

  retain(): void {
    this.holdCount++
  }

  release(): void {
    this.holdCount--
  }
}

const fileBytes = (harness: Harness) => harness.fs.stat(harness.pathOf(LOG))?.sizeBytes

describe('a sync that hangs', () => {
  it('lets the page cache have what was collected behind it, so that memory gets free', () => {
    const harness = new Harness({ tailCacheBytes: 0 })
    const log = harness.open()
    append(log, batchOf())
    harness.finishTurn()
    const lease = new CountingLease()
    const outcomes = Array.from({ length: 10 }, () => append(log, batchOf(), 'durable', lease))
    harness.finishTurn()
    assert.deepEqual([fileBytes(harness), lease.holdCount], [SIZE, 10])
    harness.scheduler.advance(1000)
    assert.deepEqual([fileBytes(harness), lease.holdCount], [11 * SIZE, 0])
    assert.equal(log.highWatermark, 0)
    harness.settle()
    assert.deepEqual(
      outcomes.map(({ told }) => told),
      outcomes.map(() => ErrorCode.NONE),
    )
    assert.equal(readAll(harness, log).length, 11)
  })
})

describe('a write that hangs', () => {
  it('makes the log overloaded once memory for all logs is full, until the disk goes on', () => {
    const harness = new Harness({ maxUnsyncedBytes: 0, maxUnwrittenBytes: 5 * SIZE })
    const log = harness.open()
    const other = harness.open({}, 'other')
    append(log, batchOf())
    harness.finishTurn()
    // What is not synced is above the limit, so this write goes to the thread pool, and stays there.
    append(log, batchOf(), 'written')
    harness.finishTurn()
    assert.equal(fileBytes(harness), SIZE)
    for (let i = 0; i < 4; i++) append(log, batchOf(), 'written')
    assert.equal(other.isOverloaded, false)
    append(log, batchOf(), 'written')
    assert.deepEqual([log.isOverloaded, other.isOverloaded], [true, true])
    harness.settle()
    assert.deepEqual([log.isOverloaded, other.isOverloaded], [false, false])
    assert.equal(readAll(harness, log).length, 7)
  })

  it('counts nothing any more that is refused in the end', () => {
    const harness = new Harness({ maxUnwrittenBytes: 5 * SIZE })
    const log = harness.open()
    for (let i = 0; i < 6; i++) append(log, batchOf(), 'written')
    assert.equal(log.isOverloaded, true)
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'EIO' } : undefined)
    harness.settle()
    assert.deepEqual([log.isFailed, log.isOverloaded], [true, false])
  })
})

describe('waiters of a disk that hangs', () => {
  it('take no room once they are gone', () => {
    const queue = new WaiterQueue()
    let toldCount = 0
    const appendDone = () => void toldCount++
    const gone = { appendDone, isGone: true }
    const waiting = { appendDone }
    for (let i = 0; i < 100; i++) queue.push(waiting, 0, i)
    for (let i = 100; i < 100_000; i++) queue.push(gone, 0, i)
    assert(queue.length <= 1100, String(queue.length))
    queue.tellBelow(100, ErrorCode.NONE)
    assert.equal(toldCount, 100)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ReadLanes } from '../../../../src/storage/read/read-lanes.ts'
import { append, batchOf, Harness } from '../log-harness.ts'

describe('reads of files', () => {
  it('go on two at a time, the others in the order they came', () => {
    const lanes = new ReadLanes()
    const begun: number[] = []
    let underWay = 0
    const count = 1000
    for (let read = 0; read < count; read++)
      lanes.enter(() => {
        begun.push(read)
        underWay++
      })
    for (let ended = 0; ended < count; ended++) {
      assert(underWay <= 2)
      assert.equal(begun.length, Math.min(count, ended + 2))
      underWay--
      lanes.leave()
    }
    assert.deepEqual(
      begun,
      Array.from({ length: count }, (_, read) => read),
    )
    lanes.enter(() => begun.push(-1))
    assert.equal(begun.at(-1), -1)
  })

  it('of many consumers leave the disk to the syncs of producers', () => {
    const harness = new Harness({ tailCacheBytes: 0 })
    const log = harness.open()
    for (let i = 0; i < 10; i++) append(log, batchOf())
    harness.settle()
    const found: number[] = []
    for (let offset = 0; offset < 10; offset++) {
      const request = {
        offset,
        endOffset: 10,
        maxBytes: 1,
        atLeastOne: true,
        includeAborted: false,
      }
      const slice = log.read(request, (error, later) => {
        assert.equal(error, null)
        found.push(later?.byteLength ?? -1)
        later?.release()
      })
      assert.equal(slice, null, 'it is read from a file')
    }
    const outcome = append(log, batchOf())
    harness.finishTurn()
    assert.equal(harness.diskTaskCount, 3, 'two reads and the sync')
    harness.runDisk()
    harness.finishTurn()
    assert.equal(outcome.told, 0)
    harness.settle()
    assert.deepEqual(found, Array(10).fill(batchOf().byteLength))
  })

  it('that fail make room for the next ones', () => {
    const harness = new Harness({ tailCacheBytes: 0 })
    const log = harness.open()
    append(log, batchOf())
    harness.settle()
    harness.fs.fault = (operation) => (operation === 'read' ? { code: 'EIO' } : undefined)
    let failedCount = 0
    const read = () =>
      log.read(
        { offset: 0, endOffset: 1, maxBytes: 1, atLeastOne: true, includeAborted: false },
        (error, slice) => {
          if (error !== null) failedCount++
          else slice?.release()
        },
      )
    for (let count = 0; count < 5; count++) read()
    harness.settle()
    assert.equal(failedCount, 5)
    harness.fs.fault = undefined
    read()
    harness.settle()
    assert.equal(failedCount, 5)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AssertionError } from '../../../src/base/errors.ts'
import { FramePool, frameBytes, Slab } from '../../../src/base/frame-pool.ts'

const KIB = 1024

describe('the size of a frame', () => {
  it('is a power of two or three quarters of one, and wastes at most a third', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000_000 }), (byteCount) => {
        const size = frameBytes(byteCount)
        const isClass = [size, size / 0.75].some((power) => Number.isInteger(Math.log2(power)))
        assert.ok(isClass && size >= byteCount && size >= 64 * KIB)
        if (byteCount > 64 * KIB) assert.ok(size - byteCount <= size / 3)
      }),
    )
  })
})

describe('the pool of frames', () => {
  it('gives memory back after the last release only, and reuses it', () => {
    const pool = new FramePool(10_000 * KIB)
    const frame = pool.take(100 * KIB)
    const { buffer } = frame
    assert.deepEqual([pool.usedBytes, frame.heldBytes], [128 * KIB, 128 * KIB])
    frame.retain()
    frame.release()
    assert.equal(pool.usedBytes, 128 * KIB)
    frame.release()
    assert.deepEqual([pool.usedBytes, pool.keptBytes], [0, 128 * KIB])
    assert.equal(pool.take(120 * KIB).buffer, buffer)
    assert.equal(pool.keptBytes, 0)
  })

  it('keeps no more than it may', () => {
    const pool = new FramePool(200 * KIB)
    const frames = [64, 128, 64].map((kib) => pool.take(kib * KIB))
    for (const frame of frames) frame.release()
    assert.deepEqual([pool.usedBytes, pool.keptBytes], [0, 128 * KIB])
    const large = pool.take(256 * KIB)
    large.release()
    assert.equal(pool.keptBytes, 128 * KIB)
  })

  it('gives a larger one, at most twice as large, before it makes one', () => {
    const pool = new FramePool(1024 * KIB)
    const [small, large] = [pool.take(192 * KIB), pool.take(256 * KIB)]
    for (const frame of [small, large]) frame.release()
    assert.equal(pool.take(128 * KIB).buffer, small.buffer)
    assert.equal(pool.take(128 * KIB).buffer, large.buffer)
    assert.deepEqual([pool.usedBytes, pool.keptBytes], [448 * KIB, 0])
    const huge = pool.take(384 * KIB)
    huge.release()
    assert.equal(pool.take(128 * KIB).buffer.byteLength, 128 * KIB)
    assert.equal(pool.keptBytes, 384 * KIB)
  })

  it('does not let sizes that nobody asks for any more keep the place of the others', () => {
    const pool = new FramePool(256 * KIB)
    const old = [64, 64, 64, 64].map((kib) => pool.take(kib * KIB))
    for (const frame of old) frame.release()
    const frame = pool.take(128 * KIB)
    frame.release()
    assert.equal(pool.keptBytes, 256 * KIB)
    assert.equal(pool.take(128 * KIB).buffer, frame.buffer)
  })

  it('finds a release too many', () => {
    const frame = new FramePool(0).take(1)
    frame.release()
    assert.throws(() => frame.release(), AssertionError)
  })

  it('never gives one memory to two holders, and counts right, in any order', () => {
    const step = fc.record({ byteCount: fc.nat(1_000_000), isTake: fc.boolean(), at: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const pool = new FramePool(1_000_000)
        const held = new Map<Buffer, { release(): void }>()
        for (const { byteCount, isTake, at } of steps) {
          const [buffer, frame] = [...held][at % Math.max(1, held.size)] ?? []
          if (isTake || frame === undefined || buffer === undefined) {
            const taken = pool.take(byteCount)
            assert.equal(held.has(taken.buffer), false)
            held.set(taken.buffer, taken)
          } else {
            held.delete(buffer)
            frame.release()
          }
          const bytes = [...held.keys()].reduce((total, { byteLength }) => total + byteLength, 0)
          assert.equal(pool.usedBytes, bytes)
          assert.ok(pool.keptBytes <= 1_000_000)
        }
      }),
    )
  })
})

describe('a slab', () => {
  it('puts small copies side by side in one frame', () => {
    const pool = new FramePool(0)
    const slab = new Slab(pool, 64 * KIB)
    const source = Buffer.from('produce fetch')
    const first = slab.copy(source, 0, 7)
    const second = slab.copy(source, 8, 13)
    assert.deepEqual([first.bytes.toString(), second.bytes.toString()], ['produce', 'fetch'])
    assert.equal(first.lease, second.lease)
    assert.equal(pool.usedBytes, 64 * KIB)
  })

  it('starts a new frame when one is full; the old one goes with its last copy', () => {
    const pool = new FramePool(0)
    const slab = new Slab(pool, 64 * KIB)
    const source = Buffer.alloc(40 * KIB)
    const first = slab.copy(source, 0, source.byteLength)
    const second = slab.copy(source, 0, source.byteLength)
    assert.notEqual(first.lease, second.lease)
    assert.equal(pool.usedBytes, 128 * KIB)
    first.lease.release()
    assert.equal(pool.usedBytes, 64 * KIB)
    second.lease.release()
    assert.equal(pool.usedBytes, 64 * KIB, 'the next small request goes there')
  })

  it('takes a copy that is larger than it', () => {
    const pool = new FramePool(0)
    const slab = new Slab(pool, 64 * KIB)
    const source = Buffer.alloc(100 * KIB, 'x')
    assert.deepEqual(slab.copy(source, 0, source.byteLength).bytes, source)
  })
})

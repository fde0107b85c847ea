import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ProtocolError } from '../../../../src/base/errors.ts'
import { FramePool, Slab } from '../../../../src/base/frame-pool.ts'
import type { Lease } from '../../../../src/base/lease.ts'
import { FrameReceiver, type FrameSink } from '../../../../src/frontends/kafka/frame-receiver.ts'

const SCRATCH_BYTES = 4096
const SLAB_BYTES = 64 * 1024
const MIB = 1024 * 1024

/** Keeps copies of the frames and releases them at once. */
class RecordingSink implements FrameSink {
  readonly frames: Buffer[] = []
  readonly checked: [byteCount: number, apiKey: number][] = []
  mayReserve = true
  reservedBytes = 0

  frameReceived(frame: Buffer, lease: Lease, isReserved: boolean): void {
    this.frames.push(Buffer.from(frame))
    if (isReserved) this.reservedBytes -= frame.byteLength
    lease.release()
  }

  reserve(byteCount: number): boolean {
    if (this.mayReserve) this.reservedBytes += byteCount
    return this.mayReserve
  }

  unreserve(byteCount: number): void {
    this.reservedBytes -= byteCount
  }

  checkFrame(byteCount: number, apiKey: number): void {
    this.checked.push([byteCount, apiKey])
    if (apiKey === 666) throw new ProtocolError('refused')
  }
}

function make() {
  const pool = new FramePool(0)
  const scratch = Buffer.alloc(SCRATCH_BYTES)
  const sink = new RecordingSink()
  const receiver = new FrameReceiver({ scratch, slab: new Slab(pool, SLAB_BYTES), pool }, sink)
  /** Reads of the given sizes, round and round. */
  const feed = (bytes: Buffer, sizes: readonly number[] = [Number.POSITIVE_INFINITY]) => {
    for (let at = 0, i = 0; at < bytes.byteLength; i++) {
      const into = receiver.nextBuffer()
      const size = sizes[i % sizes.length] as number
      const byteCount = Math.min(into.byteLength, bytes.byteLength - at, size)
      assert.ok(byteCount > 0, 'there is room for at least one byte')
      bytes.copy(into, 0, at, at + byteCount)
      at += byteCount
      receiver.received(byteCount)
    }
  }
  return { pool, sink, receiver, feed }
}

function framed(content: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.byteLength)
  return Buffer.concat([length, content])
}

function contentOf(byteCount: number, fill: number): Buffer {
  const content = Buffer.alloc(byteCount, fill)
  content.writeInt16BE(0)
  return content
}

describe('the frame receiver', () => {
  it('cuts any frames out of any reads', () => {
    const sizes = fc.oneof(
      fc.integer({ min: 2, max: 50 }),
      fc.integer({ min: SCRATCH_BYTES - 10, max: SCRATCH_BYTES + 10 }),
      fc.constant(MIB + 200_000),
    )
    const reads = fc.array(fc.integer({ min: 1, max: 3 * SCRATCH_BYTES }), { minLength: 1 })
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 8 }), reads, (byteCounts, readSizes) => {
        const { pool, sink, feed } = make()
        const contents = byteCounts.map((byteCount, index) => contentOf(byteCount, index + 1))
        feed(Buffer.concat(contents.map(framed)), readSizes)
        assert.equal(sink.frames.length, contents.length)
        for (const [index, content] of contents.entries()) {
          assert.ok(sink.frames[index]?.equals(content))
        }
        assert.ok([0, SLAB_BYTES].includes(pool.usedBytes))
        assert.equal(sink.reservedBytes, 0)
      }),
      { numRuns: 50 },
    )
  })

  it('checks the length as soon as it is there, and the API key as soon as that is', () => {
    const { sink, feed } = make()
    feed(framed(contentOf(100, 1)).subarray(0, 6), [1])
    assert.deepEqual(sink.checked, [
      [100, -1],
      [100, 0],
    ])
  })

  it('takes no memory for a frame that is refused', () => {
    const { pool, feed } = make()
    const content = contentOf(10 * MIB, 1)
    content.writeInt16BE(666)
    assert.throws(() => feed(framed(content)), ProtocolError)
    assert.equal(pool.usedBytes, 0)
  })

  it('takes memory as bytes come, at most twice of them above the first MiB', () => {
    const { pool, sink, receiver, feed } = make()
    const content = framed(contentOf(64 * MIB, 1))
    feed(content.subarray(0, 100))
    assert.equal(pool.usedBytes, 64 * 1024, 'a length alone is no reason for more')
    assert.equal(sink.reservedBytes, 0)
    feed(content.subarray(100, 10 * MIB))
    assert.ok(pool.usedBytes <= 20 * MIB, `${pool.usedBytes}`)
    receiver.discard()
    assert.equal(pool.usedBytes, 0)
  })
})

describe('a large frame', () => {
  it('is counted before it takes more than 64 KiB', () => {
    const { pool, sink, feed } = make()
    feed(framed(contentOf(100_000, 1)).subarray(0, 5000), [100])
    assert.deepEqual([sink.reservedBytes, pool.usedBytes], [0, 64 * 1024])
    const other = make()
    other.feed(framed(contentOf(100_000, 1)).subarray(0, 70_000))
    assert.equal(other.sink.reservedBytes, 100_000)
  })
})

describe('a large frame that may not grow', () => {
  it('has room for one small read more, and grows when it may', () => {
    const { sink, receiver, feed } = make()
    const content = contentOf(2 * MIB, 7)
    const bytes = framed(content)
    sink.mayReserve = false
    feed(bytes.subarray(0, 4 + 64 * 1024))
    assert.ok(receiver.nextBuffer().byteLength <= 64)
    assert.equal(receiver.reserveLater(), 2 * MIB)
    sink.reservedBytes += 2 * MIB
    assert.equal(receiver.reserveLater(), 0, 'counted once')
    feed(bytes.subarray(4 + 64 * 1024))
    assert.ok(sink.frames[0]?.equals(content))
    assert.equal(sink.reservedBytes, 0)
  })

  it('leaves nothing behind when the connection ends', () => {
    const { pool, sink, receiver, feed } = make()
    feed(framed(contentOf(2 * MIB, 7)).subarray(0, MIB + 5))
    assert.equal(sink.reservedBytes, 2 * MIB)
    receiver.discard()
    assert.deepEqual([sink.reservedBytes, pool.usedBytes], [0, 0])
  })
})

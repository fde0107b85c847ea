import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Reader } from '../../../src/schema/reader.ts'

describe('Reader', () => {
  it('reads one message after the other out of the same buffer', () => {
    const buffer = Buffer.from('ff0001ff0002ff', 'hex')
    const reader = new Reader()
    reader.reset(buffer, 1, 3)
    assert.equal(reader.int16(), 1)
    reader.expectEnd()
    reader.reset(buffer, 4, 6)
    assert.deepEqual([reader.position, reader.remaining], [4, 2])
    assert.equal(reader.int16(), 2)
    assert.deepEqual([reader.position, reader.remaining], [6, 0])
  })

  it('never reads past the end of its message, though the buffer goes on', () => {
    const reader = new Reader()
    reader.reset(Buffer.alloc(100), 10, 13)
    assert.throws(() => reader.int32(), { name: 'ProtocolError', message: 'message is truncated' })
    reader.reset(Buffer.from('0000ffff00010002', 'hex'), 4, 6)
    assert.throws(() => reader.string(), { name: 'ProtocolError' })
  })

  it('reads a buffer that is a part of another', () => {
    const part = Buffer.from('aaaa0007bbbb', 'hex').subarray(2, 4)
    const reader = new Reader(part)
    assert.equal(reader.int16(), 7)
    reader.expectEnd()
  })

  it('byte fields are views, also of an empty field', () => {
    const buffer = Buffer.from('00000002 0708 00000000'.replaceAll(' ', ''), 'hex')
    const reader = new Reader(buffer)
    const field = reader.bytes()
    buffer[4] = 9
    assert.equal(field[0], 9)
    assert.equal(reader.bytes().byteLength, 0)
  })

  it('without arguments reset lets go of the buffer', () => {
    const reader = new Reader(Buffer.alloc(8))
    reader.reset()
    assert.equal(reader.remaining, 0)
    assert.throws(() => reader.int8(), { name: 'ProtocolError' })
  })

  it('bounds outside the buffer are our own mistake', () => {
    const reader = new Reader()
    const outside: readonly [number, number][] = [
      [0, 9],
      [-1, 4],
      [5, 4],
    ]
    for (const [start, end] of outside) {
      assert.throws(() => reader.reset(Buffer.alloc(8), start, end), { name: 'AssertionError' })
    }
  })

  it('bytes left after a message are refused', () => {
    const reader = new Reader(Buffer.alloc(2))
    reader.int8()
    assert.throws(() => reader.expectEnd(), { message: 'bytes left after the message' })
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decoderOf, encoderOf } from '../../../src/schema/codec.ts'
import { Reader } from '../../../src/schema/reader.ts'
import { bytes, int32, message, records, string } from '../../../src/schema/schema.ts'
import { Writer } from '../../../src/schema/writer.ts'

const texts = message({
  name: 'Texts',
  versions: [0, 1],
  flexibleSince: 1,
  fields: { plain: string, tagged: string.since(1).default('').tagged(0) },
})

describe('Writer', () => {
  it('texts of every width and length class come back', () => {
    for (const letter of ['a', 'é', '語', '😀']) {
      for (const length of [0, 1, 41, 42, 43, 126, 127, 128, 5000]) {
        const plain = letter.repeat(length)
        assertRoundTrip(0, { plain })
        assertRoundTrip(1, { plain, tagged: plain })
      }
    }
  })

  it('a string has at most 32767 bytes in every version', () => {
    const longest = 'x'.repeat(32_767)
    for (const version of [0, 1]) {
      assertRoundTrip(version, { plain: longest })
      const encode = encoderOf(texts)(version)
      assert.throws(() => encode(new Writer(), { plain: `${longest}x` }), RangeError)
    }
  })

  it('a finished message is not written again', () => {
    const writer = new Writer(16)
    const encode = encoderOf(texts)(0)
    encode(writer, { plain: 'first' })
    const [first] = writer.finish()
    encode(writer, { plain: 'second, longer than the slab' })
    writer.finish()
    assert.equal(first?.toString('latin1'), '\0\x05first')
  })

  it('after a throw the writer starts clean', () => {
    const writer = new Writer()
    const encode = encoderOf(texts)(0)
    assert.throws(() => encode(writer, { plain: 'x'.repeat(32_768) }), RangeError)
    writer.discard()
    encode(writer, { plain: 'ok' })
    assert.equal(Buffer.concat(writer.finish()).toString('latin1'), '\0\x02ok')
  })

  it('a uuid that is not 16 bytes is refused', () => {
    assert.throws(() => new Writer().uuid('short'), TypeError)
  })

  it('a frame starts with the size of what follows, wherever the message grew', () => {
    for (const slabBytes of [1, 64, 65_536]) {
      const writer = new Writer(slabBytes)
      for (const size of [0, 10, 5000]) {
        writer.beginFrame()
        writer.int16(7)
        writer.bytes(Buffer.alloc(size, 1))
        writer.int8(9)
        const wire = Buffer.concat(writer.finishFrame())
        assert.equal(wire.byteLength, 4 + 2 + 4 + size + 1)
        assert.equal(wire.readInt32BE(0), wire.byteLength - 4)
        assert.deepEqual([wire.readInt16BE(4), wire.at(-1)], [7, 9])
      }
    }
  })

  it('a frame is not begun in the middle of a message', () => {
    const writer = new Writer()
    writer.int8(1)
    assert.throws(() => writer.beginFrame(), { name: 'AssertionError' })
  })
})

const answer = message({
  name: 'Answer',
  versions: [0, 1],
  flexibleSince: 1,
  fields: { before: int32, records: records.nullable(), after: int32, blob: bytes },
})

describe('records of several pieces', () => {
  const large = Buffer.alloc(8192, 7)
  const small = Buffer.from('small')
  const blob = Buffer.from('b')

  it('are one field, whose large pieces are never copied', () => {
    for (const version of [0, 1]) {
      const pieces = [large, small, large]
      const value = { byteLength: 2 * 8192 + 5, pieces }
      const writer = new Writer(1)
      encoderOf(answer)(version)(writer, { before: 1, records: value, after: 2, blob })
      const written = writer.finish()
      assert.equal(written.filter((piece) => piece === large).length, 2)
      const decoded = decode(version, Buffer.concat(written))
      assert.deepEqual(decoded, { before: 1, records: Buffer.concat(pieces), after: 2, blob })
    }
  })

  it('may be one buffer, none or null', () => {
    const none = { byteLength: 0, pieces: [] }
    for (const version of [0, 1]) {
      const cases = [
        [large, large],
        [none, Buffer.alloc(0)],
        [null, null],
      ] as const
      for (const [given, expected] of cases) {
        const writer = new Writer()
        encoderOf(answer)(version)(writer, { before: 1, records: given, after: 2, blob })
        assert.deepEqual(decode(version, Buffer.concat(writer.finish())).records, expected)
      }
    }
  })

  it('must have the length they claim', () => {
    const records = { byteLength: 6, pieces: [small] }
    const encode = encoderOf(answer)(1)
    assert.throws(() => encode(new Writer(), { before: 1, records, after: 2, blob }), {
      name: 'AssertionError',
    })
  })

  it('are views on the way in', () => {
    const writer = new Writer()
    encoderOf(answer)(0)(writer, { before: 1, records: large, after: 2, blob })
    const wire = Buffer.concat(writer.finish())
    assert.equal(decode(0, wire).records?.buffer, wire.buffer)
  })
})

function decode(version: number, wire: Buffer): { readonly records: Buffer | null } {
  const reader = new Reader(wire)
  const value = decoderOf(answer)(version)(reader)
  reader.expectEnd()
  return value
}

function assertRoundTrip(version: number, value: { plain: string; tagged?: string }): void {
  const writer = new Writer(1)
  encoderOf(texts)(version)(writer, value)
  const reader = new Reader(Buffer.concat(writer.finish()))
  assert.deepEqual(decoderOf(texts)(version)(reader), { tagged: '', ...value })
  reader.expectEnd()
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decoderOf } from '../../../src/schema/codec.ts'
import { Reader } from '../../../src/schema/reader.ts'
import {
  array,
  bytes,
  int8,
  int64,
  int64Saturated,
  list,
  message,
  string,
  struct,
} from '../../../src/schema/schema.ts'

const names = message({
  name: 'Names',
  versions: [0, 2],
  flexibleSince: 2,
  fields: { names: array(string).nullable(1) },
})

describe('counts from a peer', () => {
  it('a count larger than the rest fails before anything is allocated', () => {
    assertRefused(() => decoderOf(names)(0)(read('7fffffff')), 'count exceeds the bytes')
    assertRefused(() => decoderOf(names)(1)(read('00000002 0000')), 'count exceeds the bytes')
    assertRefused(() => decoderOf(names)(2)(read('ffffffff0f')), 'count exceeds the bytes')
  })

  it('a message that fits its bytes may still have too many elements', () => {
    const reader = new Reader(Buffer.from('000000020000' + '0000', 'hex'), { maxElements: 1 })
    assertRefused(() => decoderOf(names)(0)(reader), 'message has too many elements')
  })

  it('elements of all arrays count together, and each message has its own budget', () => {
    const nested = message({
      name: 'Nested',
      versions: [0, 0],
      fields: { rows: list({ cells: array(int8) }) },
    })
    const twoRowsOfOne = Buffer.from('00000002 00000001 07 00000001 07'.replaceAll(' ', ''), 'hex')
    const reader = new Reader(twoRowsOfOne, { maxElements: 4 })
    decoderOf(nested)(0)(reader)
    reader.reset(twoRowsOfOne)
    decoderOf(nested)(0)(reader)
    const poor = new Reader(twoRowsOfOne, { maxElements: 3 })
    assertRefused(() => decoderOf(nested)(0)(poor), 'message has too many elements')
  })

  it('an element that may take no bytes is refused when the code is made', () => {
    const empty = message({ name: 'Empty', versions: [0, 0], fields: { rows: list({}) } })
    assert.throws(() => decoderOf(empty)(0), /an element of no bytes/)
  })
})

describe('nulls and lengths from a peer', () => {
  it('null is refused where the version does not allow it', () => {
    assert.deepEqual(decoderOf(names)(1)(read('ffffffff')), { names: null })
    const refused = 'null where a value is required'
    assertRefused(() => decoderOf(names)(0)(read('ffffffff')), refused)
    assertRefused(() => decoderOf(names)(1)(read('00000001 ffff')), refused)
    assertRefused(() => decoderOf(names)(2)(read('02 00 00')), refused)
  })

  it('a length beyond the message is refused', () => {
    const blob = message({ name: 'Blob', versions: [0, 0], fields: { blob: bytes } })
    assertRefused(() => decoderOf(blob)(0)(read('7fffffff 00')), 'message is truncated')
    assertRefused(() => decoderOf(blob)(0)(read('80000000 00')), 'null where a value is required')
  })

  it('a string of more than 32767 bytes is refused, as Kafka does', () => {
    const text = message({
      name: 'Text',
      versions: [0, 0],
      flexibleSince: 0,
      fields: { t: string },
    })
    const long = Buffer.concat([
      Buffer.from('818002', 'hex'),
      Buffer.alloc(32_768, 'x'),
      Buffer.alloc(1),
    ])
    assertRefused(() => decoderOf(text)(0)(new Reader(long)), 'string is longer than 32767 bytes')
  })

  it('an int64 is a safe integer, unless the field saturates', () => {
    const fields = { offset: int64, limit: int64Saturated }
    const decode = decoderOf(message({ name: 'Offsets', versions: [0, 0], fields }))(0)
    const max = '7fffffffffffffff'
    const min = '8000000000000000'
    const minusTwo = 'fffffffffffffffe'
    assert.deepEqual(decode(read(minusTwo + max)), { offset: -2, limit: Number.MAX_SAFE_INTEGER })
    assert.deepEqual(decode(read(minusTwo + min)), { offset: -2, limit: Number.MIN_SAFE_INTEGER })
    assertRefused(() => decode(read(max + max)), 'int64 is not safe')
    assertRefused(() => decode(read(min + max)), 'int64 is not safe')
  })
})

const tagged = message({
  name: 'Tagged',
  versions: [0, 0],
  flexibleSince: 0,
  fields: { known: string.default('').tagged(1) },
})

describe('tagged fields from a peer (KIP-482)', () => {
  const readTagged = decoderOf(tagged)(0)

  it('an unknown tagged field is skipped', () => {
    assert.deepEqual(readTagged(read('02 00 03 aabbcc 01 02 02 68')), { known: 'h' })
  })

  it('unknown tagged fields are skipped where none is known', () => {
    const plain = message({
      name: 'Plain',
      versions: [0, 0],
      flexibleSince: 0,
      fields: { n: int8 },
    })
    const reader = read('07 02 00 03 aabbcc 05 00')
    assert.deepEqual(decoderOf(plain)(0)(reader), { n: 7 })
    reader.expectEnd()
  })

  it('a tagged field must have the size it claims', () => {
    assertRefused(() => readTagged(read('01 01 03 02 68 00')), 'tagged field has another size')
    assertRefused(() => readTagged(read('01 01 01 02 68')), 'tagged field has another size')
    assertRefused(() => readTagged(read('01 09 7f 00')), 'tagged field is longer than the message')
  })

  it('a number of tagged fields that the bytes cannot hold ends at their end', () => {
    assertRefused(() => readTagged(read('ff ff ff ff 0f 05 00')), 'message is truncated')
  })

  it('a varint has at most 32 bits', () => {
    const refused = 'varint is longer than 32 bits'
    assertRefused(() => readTagged(read('ff ff ff ff 7f')), refused)
    assertRefused(() => readTagged(read('ff ff ff ff ff 01')), refused)
    assertRefused(() => readTagged(read('80 80 80 80 10')), refused)
    assertRefused(() => readTagged(read('ff ff')), 'message is truncated')
  })

  it('the presence of a tagged struct is a uvarint', () => {
    const inner = struct({ n: int8 })
    const outer = message({
      name: 'Outer',
      versions: [0, 0],
      flexibleSince: 0,
      fields: { inner: inner.nullable().tagged(0) },
    })
    const decode = decoderOf(outer)(0)
    assert.deepEqual(decode(read('01 00 01 00')), { inner: null })
    assert.deepEqual(decode(read('01 00 03 01 07 00')), { inner: { n: 7 } })
    assert.deepEqual(decode(read('00')), { inner: { n: 0 } })
  })
})

function read(hex: string): Reader {
  return new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

function assertRefused(action: () => unknown, reason: string): void {
  assert.throws(action, { name: 'ProtocolError', message: reason })
}

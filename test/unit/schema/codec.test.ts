import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decoderOf, encoderOf } from '../../../src/schema/codec.ts'
import { Reader } from '../../../src/schema/reader.ts'
import {
  array,
  type Encodable,
  int8,
  int16,
  int64Bigint,
  message,
  string,
  struct,
} from '../../../src/schema/schema.ts'
import { Writer } from '../../../src/schema/writer.ts'

const inner = struct({ a: int8, b: string.orNull() })

const sample = message({
  name: 'Sample',
  versions: [1, 4],
  flexibleSince: 3,
  fields: {
    first: int8,
    later: int16.since(2).default(-1),
    silent: int16.since(2).ignorable(),
    gone: string.until(1),
    inner: inner.since(2).orNull(),
    hash: int64Bigint.since(3).default(0n).tagged(5),
    list: array(inner).since(4).nullable().tagged(2),
  },
})

describe('codecs of a message', () => {
  it('a decoder gives every field in every version, absent ones with their default', () => {
    const decode = decoderOf(sample)(1)
    const value = decode(new Reader(Buffer.from('07000178', 'hex')))
    const expected = {
      first: 7,
      later: -1,
      silent: 0,
      gone: 'x',
      inner: null,
      hash: 0n,
      list: [],
    }
    assert.deepEqual(value, expected)
    assert.deepEqual(Object.keys(value), Object.keys(expected))
  })

  it('an encoder takes a value without the fields that have a default', () => {
    assert.equal(encode(2, { first: 7 }), '07' + 'ffff' + '0000' + 'ff')
    assert.equal(encode(3, { first: 7 }), '07' + 'ffff' + '0000' + 'ff' + '00')
  })

  it('tagged fields are written in the order of their numbers, defaults left out', () => {
    const all = { first: 7, hash: 1n, list: [{ a: 1, b: null }] }
    const body = '07' + 'ffff' + '0000' + 'ff'
    assert.equal(encode(4, all), `${body}0202040201000005080000000000000001`)
    assert.equal(encode(4, { first: 7, list: null }), `${body}01020100`)
    assert.equal(encode(4, { first: 7, list: [] }), `${body}00`)
  })

  it('a field that the version lacks is refused, not lost', () => {
    const refused = { name: 'RangeError', message: 'Sample.later does not exist in version 1' }
    assert.throws(() => encode(1, { first: 7, later: 5 }), refused)
    assert.throws(
      () => encode(2, { first: 7, gone: 'x' }),
      /Sample.gone does not exist in version 2/,
    )
    assert.throws(() => encode(1, { first: 7, inner: { a: 1 } }), /Sample.inner does not exist/)
    assert.throws(() => encode(2, { first: 7, hash: 1n }), /Sample.hash does not exist/)
    assert.throws(() => encode(3, { first: 7, list: null }), /Sample.list does not exist/)
  })

  it('an ignorable field is dropped, and so is a default', () => {
    assert.equal(encode(1, { first: 7, silent: 5, later: -1, inner: null }), '07' + '0000')
  })

  it('a version outside the range is our own mistake', () => {
    for (const version of [0, 5, -1, 1.5]) {
      const message = `Sample has versions 1 to 4, not ${version}`
      assert.throws(() => decoderOf(sample)(version), { name: 'RangeError', message })
      assert.throws(() => encoderOf(sample)(version), { name: 'RangeError', message })
    }
  })

  it('what was compiled once serves everybody', () => {
    assert.equal(decoderOf(sample)(2), decoderOf(sample)(2))
    assert.equal(encoderOf(sample)(2), encoderOf(sample)(2))
  })

  it('compiled code has a name in stack traces', () => {
    const decode = decoderOf(sample)(1)
    assert.throws(
      () => decode(new Reader()),
      (error: Error) => /decode_Sample .*Sample\.v1\.decode\.js/.test(error.stack ?? ''),
    )
  })
})

function encode(version: number, value: Encodable<typeof sample>): string {
  const writer = new Writer()
  encoderOf(sample)(version)(writer, value)
  return Buffer.concat(writer.finish()).toString('hex')
}

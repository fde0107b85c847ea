import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { crc32c, crc32cPure, selectCrc32c } from '../../../src/base/crc32c.ts'

/** RFC 3720 B.4, and the usual check value of the digits. */
const GOLDEN: readonly [string, Uint8Array, number][] = [
  ['nothing', new Uint8Array(0), 0],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ff', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['00 to 1f', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['1f to 00', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  [
    'an iSCSI read command',
    Buffer.from(
      '01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000',
      'hex',
    ),
    0xd9963a56,
  ],
]

describe('CRC-32C (RFC 3720 appendix B.4)', () => {
  for (const [name, bytes, expected] of GOLDEN) {
    it(`of ${name} is the golden value, chosen and pure`, () => {
      assert.equal(crc32c(bytes, 0, bytes.length), expected)
      assert.equal(crc32cPure(bytes, 0, bytes.length), expected)
    })
  }

  it('of any range is the same from both implementations', () => {
    const ranges = fc
      .uint8Array({ maxLength: 300 })
      .chain((bytes) => fc.tuple(fc.constant(bytes), fc.nat(bytes.length), fc.nat(bytes.length)))
    fc.assert(
      fc.property(ranges, ([bytes, a, b]) => {
        const [start, end] = a < b ? [a, b] : [b, a]
        const whole = bytes.slice(start, end)
        assert.equal(crc32c(bytes, start, end), crc32cPure(whole, 0, whole.length))
        assert.equal(crc32cPure(bytes, start, end), crc32cPure(whole, 0, whole.length))
      }),
    )
  })

  it('falls back to the pure one when the module is missing, empty or computes something else', () => {
    assert.equal(selectCrc32c(undefined), crc32cPure)
    assert.equal(selectCrc32c({}), crc32cPure)
    assert.equal(selectCrc32c({ crc32c: () => 1 }), crc32cPure)
  })

  it('takes a module that computes the check value, with the range it was asked for', () => {
    const seen: number[] = []
    const selected = selectCrc32c({
      crc32c: (input: Uint8Array) => {
        seen.push(input.length)
        return crc32cPure(input, 0, input.length)
      },
    })
    assert.equal(selected(Buffer.from('x123456789x'), 1, 10), 0xe3069283)
    assert.deepEqual(seen, [9, 9])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  MALFORMED,
  readUvarint,
  readVarint,
  readVarlong,
  sizeOfUvarint,
  sizeOfVarint,
  sizeOfVarlong,
  writeUvarint,
  writeVarint,
  writeVarlong,
} from '../../../src/base/varint.ts'

const KINDS = {
  uvarint: {
    read: readUvarint,
    write: writeUvarint,
    sizeOf: sizeOfUvarint,
    values: fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffffffff })),
    longest: 5,
    golden: [
      [0, '00'],
      [127, '7f'],
      [128, '8001'],
      [300, 'ac02'],
      [0xffffffff, 'ffffffff0f'],
    ],
  },
  varint: {
    read: readVarint,
    write: writeVarint,
    sizeOf: sizeOfVarint,
    values: fc.oneof(fc.integer({ min: -100, max: 100 }), fc.integer()),
    longest: 5,
    golden: [
      [0, '00'],
      [-1, '01'],
      [1, '02'],
      [63, '7e'],
      [-64, '7f'],
      [64, '8001'],
      [2147483647, 'feffffff0f'],
      [-2147483648, 'ffffffff0f'],
    ],
  },
  varlong: {
    read: readVarlong,
    write: writeVarlong,
    sizeOf: sizeOfVarlong,
    values: fc.oneof(
      fc.integer(),
      fc.maxSafeInteger().map((n) => Math.trunc(n / 2) + 0),
    ),
    longest: 10,
    golden: [
      [0, '00'],
      [-1, '01'],
      [2147483648, '8080808010'],
      [-2147483649, '8180808010'],
      [1700000000000, '80a0abfef962'],
    ],
  },
} as const

for (const [name, kind] of Object.entries(KINDS)) {
  describe(name, () => {
    it('has the bytes of the protocol guide', () => {
      for (const [value, hex] of kind.golden) {
        const buffer = Buffer.alloc(10)
        const end = kind.write(buffer, 0, value)
        assert.equal(buffer.toString('hex', 0, end), hex)
        const cursor = { position: 0 }
        assert.equal(kind.read(buffer, cursor, end), value)
        assert.equal(cursor.position, end)
      }
    })

    it('is read back as it was written, in as many bytes as announced', () => {
      fc.assert(
        fc.property(kind.values as fc.Arbitrary<number>, (value) => {
          const buffer = Buffer.alloc(16)
          const end = kind.write(buffer, 3, value)
          assert.equal(end - 3, kind.sizeOf(value))
          const cursor = { position: 3 }
          assert.equal(kind.read(buffer, cursor, end), value)
          assert.equal(cursor.position, end)
        }),
      )
    })

    it('cut anywhere is malformed, and stays so', () => {
      fc.assert(
        fc.property(kind.values as fc.Arbitrary<number>, (value) => {
          const buffer = Buffer.alloc(16)
          const end = kind.write(buffer, 0, value)
          for (let cut = 0; cut < end; cut++) {
            const cursor = { position: 0 }
            assert.equal(kind.read(buffer, cursor, cut), 0)
            assert.equal(cursor.position, MALFORMED)
            assert.equal(kind.read(buffer, cursor, 16), 0)
            assert.equal(cursor.position, MALFORMED)
          }
        }),
      )
    })

    it('that never ends is malformed after its longest form', () => {
      const cursor = { position: 0 }
      kind.read(Buffer.alloc(kind.longest + 1, 0x80), cursor, kind.longest + 1)
      assert.equal(cursor.position, MALFORMED)
    })
  })
}

it('a varlong beyond 2^52 is malformed rather than rounded', () => {
  const cursor = { position: 0 }
  assert.equal(readVarlong(Buffer.from('feffffffffffffffff01', 'hex'), cursor, 10), 0)
  assert.equal(cursor.position, MALFORMED)
})

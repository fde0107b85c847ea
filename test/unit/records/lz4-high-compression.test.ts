import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { COMPRESSION_LEVELS, compress } from '../../../src/records/compression.ts'
import {
  lz4Compress,
  lz4CompressHigh,
  lz4Decompress,
  pureLz4Frames,
  selectLz4Frames,
} from '../../../src/records/lz4-frame.ts'
import { Codec } from '../../../src/records/record-batch.ts'

const require = createRequire(import.meta.url)
const LIMIT = 10_000_000
const { min, max } = COMPRESSION_LEVELS.lz4
const LEVELS = Array.from({ length: max - min + 1 }, (_, i) => min + i)
const DECODERS = [selectLz4Frames(require('lz4-napi')), pureLz4Frames()]

/** Sentences of few words: many matches of many lengths at many distances. */
const TEXT = Buffer.from(
  Array.from({ length: 30_000 }, (_, i) => `word${(i * i * 7919) % 1613} `).join(''),
)

function expectRoundTrip(input: Buffer, level: number): void {
  const frame = lz4CompressHigh(input, level)
  for (const decoder of DECODERS)
    assert(lz4Decompress(frame, LIMIT, decoder).equals(input), `level ${level}`)
}

describe('compression.lz4.level (KIP-390)', () => {
  it('makes frames that every decoder reads, at each level and around the size of a block', () => {
    for (const level of LEVELS) {
      for (const length of [0, 1, 4, 11, 12, 13, 17, 65_535, 65_536, 65_537, TEXT.length])
        expectRoundTrip(TEXT.subarray(0, length), level)
      expectRoundTrip(Buffer.alloc(200_000), level)
      expectRoundTrip(Buffer.alloc(70_000, 'abcabd'), level)
    }
  })

  it('gives any bytes back', () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 12 })
    const order = fc.array(fc.nat(11), { maxLength: 300 })
    const level = fc.constantFrom(...LEVELS)
    fc.assert(
      fc.property(pieces, order, level, (parts, places, chosen) => {
        const input = Buffer.concat(places.map((place) => parts[place] ?? new Uint8Array(0)))
        expectRoundTrip(input, chosen)
      }),
      { numRuns: 300 },
    )
  })

  it('gets smaller the higher it is, and smaller than the fast compressor', () => {
    const sizes = LEVELS.map((level) => lz4CompressHigh(TEXT, level).length)
    const [lowest] = sizes
    const highest = sizes.at(-1) as number
    assert(highest < (lowest as number) * 0.95, sizes.join(', '))
    assert(highest < lz4Compress(TEXT).length)
    for (const [index, size] of sizes.entries()) {
      const before = sizes[index - 1] ?? size
      assert(size <= before * 1.01, `level ${LEVELS[index]}: ${size} after ${before}`)
    }
  })

  it('of 9, the default, is the fast compressor, as in Kafka', () => {
    assert(compress(Codec.LZ4, TEXT, 9).equals(lz4Compress(TEXT)))
    assert(compress(Codec.LZ4, TEXT).equals(lz4Compress(TEXT)))
    assert(!compress(Codec.LZ4, TEXT, 8).equals(lz4Compress(TEXT)))
  })

  it('stores what does not get smaller', () => {
    let state = 1
    const noise = Buffer.from(
      Array.from({ length: 100_000 }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        return state >>> 24
      }),
    )
    assert(lz4CompressHigh(noise, 17).length <= noise.length + 7 + 2 * 4 + 4)
    expectRoundTrip(noise, 17)
  })
})

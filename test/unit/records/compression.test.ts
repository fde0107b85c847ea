import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import {
  compress,
  DEFAULT_MAX_DECOMPRESSED_BYTES,
  decompress,
} from '../../../src/records/compression.ts'
import { CorruptRecordError } from '../../../src/records/corrupt-record-error.ts'
import {
  lz4Compress,
  lz4Decompress,
  pureLz4Frames,
  selectLz4Frames,
} from '../../../src/records/lz4-frame.ts'
import { Codec, RECORD_BATCH_OVERHEAD } from '../../../src/records/record-batch.ts'
import { recordBytesOf } from '../../../src/records/records-iterator.ts'
import {
  pureSnappyBlocks,
  selectSnappyBlocks,
  snappyCompress,
  snappyDecompress,
} from '../../../src/records/snappy-framing.ts'
import { VECTOR_TIME, vector } from './vectors.ts'

const require = createRequire(import.meta.url)
const LIMIT = DEFAULT_MAX_DECOMPRESSED_BYTES

/** The records of the "-large" vectors, uncompressed (see RecordBatchVectors.java). */
const LARGE = buildBatch(
  Array.from({ length: 300 }, (_, i) => ({
    timestamp: VECTOR_TIME + i,
    key: Buffer.from(`user-${i % 7}`),
    value: Buffer.from(`event ${i} `.repeat(60)),
  })),
).subarray(RECORD_BATCH_OVERHEAD)

interface Engine {
  readonly name: string
  readonly vectorName: string
  compress(input: Buffer): Buffer
  decompress(input: Buffer, maxBytes: number): Buffer
}

const codecEngine = (name: string, codec: Codec): Engine => ({
  name,
  vectorName: name,
  compress: (input) => compress(codec, input),
  decompress: (input, maxBytes) => decompress(codec, input, maxBytes),
})
const snappyEngine = (name: string, blocks: ReturnType<typeof pureSnappyBlocks>): Engine => ({
  name,
  vectorName: 'snappy',
  compress: (input) => snappyCompress(input, blocks),
  decompress: (input, maxBytes) => snappyDecompress(input, maxBytes, blocks),
})
const lz4Engine = (name: string, frames: ReturnType<typeof pureLz4Frames>): Engine => ({
  name,
  vectorName: 'lz4',
  compress: (input) => lz4Compress(input, frames),
  decompress: (input, maxBytes) => lz4Decompress(input, maxBytes, frames),
})

const ENGINES: readonly Engine[] = [
  codecEngine('gzip', Codec.GZIP),
  codecEngine('snappy', Codec.SNAPPY),
  codecEngine('lz4', Codec.LZ4),
  codecEngine('zstd', Codec.ZSTD),
  snappyEngine('snappy native', selectSnappyBlocks(require('snappy'))),
  snappyEngine('snappy pure', selectSnappyBlocks(undefined)),
  lz4Engine('lz4 native', selectLz4Frames(require('lz4-napi'))),
  lz4Engine('lz4 pure', selectLz4Frames(undefined)),
]

/** Text that compresses, noise that does not, and lengths around the block sizes. */
const INPUTS: readonly Buffer[] = [
  Buffer.from('a'),
  Buffer.from('record batch '.repeat(9000)),
  Buffer.alloc(65_536, 'x'),
  Buffer.alloc(65_537, 'ab'),
  Buffer.from(Uint32Array.from({ length: 40_000 }, (_, i) => Math.imul(i, 0x9e3779b1)).buffer),
]

for (const engine of ENGINES) {
  describe(`${engine.name} compression`, () => {
    it('reads what Kafka\u2019s classes wrote', () => {
      const plain = recordBytesOf(vector('none'), 0)
      const batch = vector(engine.vectorName)
      assert.deepEqual(engine.decompress(batch.subarray(RECORD_BATCH_OVERHEAD), LIMIT), plain)
      const large = vector(`${engine.vectorName}-large`).subarray(RECORD_BATCH_OVERHEAD)
      assert.deepEqual(engine.decompress(large, LIMIT), LARGE)
    })

    it('is undone by every engine of its codec', () => {
      const readers = ENGINES.filter((other) => other.vectorName === engine.vectorName)
      for (const input of INPUTS) {
        const compressed = engine.compress(input)
        for (const reader of readers) {
          assert.ok(reader.decompress(compressed, input.length).equals(input), reader.name)
        }
      }
    })

    it('of random bytes comes back equal', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 60 }), (a, n) => {
          const input = Buffer.concat(Array.from({ length: n }, () => a))
          assert.ok(engine.decompress(engine.compress(input), input.length).equals(input))
        }),
        { numRuns: 50 },
      )
    })

    it('refuses a bomb before it takes more memory than allowed', () => {
      const bomb = engine.compress(Buffer.alloc(20_000_000))
      assert.ok(bomb.length < 2_000_000)
      assert.throws(
        () => engine.decompress(bomb, 1_000_000),
        (error) => error instanceof CorruptRecordError && error.isTooLarge,
      )
    })

    it('answers any damage with CorruptRecordError or bytes within the limit', () => {
      const good = engine.compress(Buffer.from('some text, some text, other text '.repeat(20)))
      fc.assert(
        fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
          const bad = Buffer.from(good)
          bad[at] = (bad[at] as number) ^ mask
          try {
            assert.ok(engine.decompress(bad, 2000).length <= 2000)
          } catch (error) {
            assert.ok(error instanceof CorruptRecordError, String(error))
          }
        }),
      )
    })

    it('refuses every truncation', () => {
      const good = engine.compress(Buffer.from('some text, some text, other text '.repeat(20)))
      for (let cut = 1; cut < good.length; cut++) {
        // Snappy's framing has no end mark, so an end between its header and block is a whole stream.
        if (engine.vectorName === 'snappy' && cut === 16) continue
        assert.throws(() => engine.decompress(good.subarray(0, cut), LIMIT), CorruptRecordError)
      }
    })
  })
}

describe('compression levels', () => {
  it('make gzip and zstd smaller or faster, and always readable', () => {
    const input = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `${i % 977},`).join(''))
    for (const [codec, low, high] of [
      [Codec.GZIP, 1, 9],
      [Codec.ZSTD, -5, 19],
    ] as const) {
      const fast = compress(codec, input, low)
      const small = compress(codec, input, high)
      assert.ok(small.length < fast.length)
      assert.deepEqual(decompress(codec, fast, LIMIT), decompress(codec, small, LIMIT))
    }
  })
})

describe('snappy framing', () => {
  it('reads one raw block, as librdkafka writes it', () => {
    const raw = Buffer.from(pureSnappyBlocks().compress(Buffer.from('raw raw raw raw raw raw')))
    assert.equal(snappyDecompress(raw, LIMIT).toString(), 'raw raw raw raw raw raw')
  })

  it('reads two streams one after the other', () => {
    const two = Buffer.concat([
      snappyCompress(Buffer.from('ab')),
      snappyCompress(Buffer.from('cd')),
    ])
    assert.equal(snappyDecompress(two, LIMIT).toString(), 'abcd')
  })

  it('refuses ten bytes that claim 4 GiB', () => {
    const claim = Buffer.from('ffffffff0f0000000000', 'hex')
    assert.throws(() => snappyDecompress(claim, 2 ** 33), CorruptRecordError)
  })
})

describe('lz4 frames', () => {
  const native = require('lz4-napi') as {
    compressFrameSync(
      input: Buffer,
      options?: { contentChecksum?: boolean; blockChecksums?: boolean },
    ): Buffer
  }
  const input = Buffer.from('0123456789 checksum '.repeat(8000))
  const checked = native.compressFrameSync(input, { contentChecksum: true, blockChecksums: true })
  const engines = ENGINES.filter((engine) => engine.vectorName === 'lz4')

  it('with block and content checksums are read and checked', () => {
    for (const engine of engines) {
      assert.ok(engine.decompress(checked, LIMIT).equals(input))
      for (const at of [checked.length - 1, checked.length - 9]) {
        const bad = Buffer.from(checked)
        bad[at] = (bad[at] as number) ^ 1
        assert.throws(() => engine.decompress(bad, LIMIT), CorruptRecordError, engine.name)
      }
    }
  })

  it('with a content size are read, and refused when it is wrong', () => {
    // magic, flags with content size, 64 KiB blocks, size, checksum, stored block "hello", end mark
    const right = Buffer.from(
      '04224d186840050000000000000000' + '05000080' + '68656c6c6f' + '00000000',
      'hex',
    )
    const xxh32 = require('lz4js/xxh32.js') as {
      hash(seed: number, input: Buffer, at: number, length: number): number
    }
    const seal = (frame: Buffer): Buffer => {
      frame[14] = (xxh32.hash(0, frame, 4, 10) >>> 8) & 0xff
      return frame
    }
    for (const engine of engines) {
      assert.equal(engine.decompress(seal(right), LIMIT).toString(), 'hello')
      const wrong = Buffer.from(right)
      wrong[6] = 6
      assert.throws(() => engine.decompress(seal(wrong), LIMIT), /content size/)
    }
  })

  it('of dependent blocks are refused, as Kafka\u2019s readers do', () => {
    const dependent = Buffer.from(checked)
    dependent[4] = (dependent[4] as number) & ~0x20
    assert.throws(() => lz4Decompress(dependent, LIMIT), /dependent blocks/)
  })

  it('written by the pure engine have independent 64 KiB blocks', () => {
    const frame = lz4Compress(input, pureLz4Frames())
    assert.equal(frame.toString('hex', 0, 6), '04224d186040')
    assert.ok(frame.length < input.length / 10)
  })
})

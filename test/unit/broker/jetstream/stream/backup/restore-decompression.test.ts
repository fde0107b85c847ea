import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32c } from '../../../../../../src/base/crc32c.ts'
import { SnapshotDecompressor } from '../../../../../../src/broker/jetstream/stream/backup/restore-decompression.ts'
import { SnapshotCompressor } from '../../../../../../src/broker/jetstream/stream/backup/snapshot-compression.ts'

const S2 = Buffer.from('ff0600005332735477 4f'.replace(' ', ''), 'hex')

function chunkOf(type: number, content: Buffer, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head[0] = type
  head.writeUIntLE(body.byteLength + 4, 1, 3)
  const crc = crc32c(content, 0, content.byteLength)
  head.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 4)
  return Buffer.concat([head, body])
}

/** What a block stands for. @param hex its bytes behind the length */
function blockOf(expected: string, hex: string): Buffer {
  const content = Buffer.from(expected, 'latin1')
  const size = Buffer.from([(content.byteLength & 0x7f) | 0x80, content.byteLength >>> 7])
  return chunkOf(0, content, Buffer.concat([size, Buffer.from(hex.replaceAll(' ', ''), 'hex')]))
}

function read(...chunks: Buffer[]): string {
  const decompressor = new SnapshotDecompressor()
  const pieces = chunks.flatMap((chunk) => decompressor.push(chunk))
  decompressor.end()
  return Buffer.concat(pieces).toString('latin1')
}

describe('reading S2', () => {
  it('takes literals, copies and copies of the last distance', () => {
    // Literal "abcd"; copy of 4 from 4 back; the last distance again, with lengths 4, 5 + 4 + 4, 300.
    const text = 'abcd'.repeat(82).slice(0, 12 + 13 + 300)
    assert.equal(read(S2, blockOf(text, '0c 61626364 0104 0100 1500 05 1900 2800')), text)
    const far = `xyz${'xyzx'}`
    assert.equal(read(S2, blockOf(far, '08 78797a 0e 0300')), far)
    assert.equal(read(S2, blockOf(far, '08 78797a 0f 03000000')), far)
  })

  it('takes plain chunks, and leaves out padding and what it may skip', () => {
    const plain = Buffer.from('plain')
    const skipped = Buffer.from('9902000061 62'.replace(' ', ''), 'hex')
    const padding = Buffer.from('fe01000000', 'hex')
    assert.equal(read(S2, skipped, chunkOf(1, plain, plain), padding, S2), 'plain')
  })

  it('takes what was compressed here, cut anywhere', () => {
    const text = 'some text '.repeat(20_000)
    const compressor = new SnapshotCompressor()
    const bytes = Buffer.concat(compressor.push([Buffer.from(text)], true))
    assert.ok(bytes.byteLength < text.length / 5)
    for (const size of [1, 7, 4096]) {
      const parts: Buffer[] = []
      for (let at = 0; at < bytes.byteLength; at += size) parts.push(bytes.subarray(at, at + size))
      assert.equal(read(...parts), text)
    }
  })

  const plain = Buffer.from('plain')
  const wrongCrc = chunkOf(1, plain, Buffer.from('plaim'))
  const bad: readonly [string, RegExp, Buffer[]][] = [
    ['no identifier', /not compressed/, [chunkOf(1, plain, plain)]],
    ['gzip', /not compressed/, [Buffer.from('1f8b0800000000000003', 'hex'), Buffer.alloc(600_000)]],
    ['a wrong CRC', /wrong CRC/, [S2, wrongCrc]],
    ['an unknown chunk', /chunk of type 2/, [S2, chunkOf(2, plain, plain)]],
    ['a chunk without a CRC', /without a CRC/, [S2, Buffer.from('0101000000', 'hex')]],
    ['half of a chunk', /middle of a chunk/, [S2, chunkOf(1, plain, plain).subarray(0, 9)]],
    ['a copy from before the start', /corrupt/, [S2, blockOf('abcdabcd', '0c 61626364 0105')]],
    ['a copy without a distance', /corrupt/, [S2, blockOf('aaaaa', '0100')]],
    ['a literal that is cut off', /corrupt/, [S2, blockOf('abcd', '0c 6162')]],
    ['a tag that is cut off', /corrupt/, [S2, blockOf('abcd', 'fc')]],
    ['more than it says', /corrupt/, [S2, blockOf('ab', '0c 61626364')]],
    ['less than it says', /corrupt/, [S2, blockOf('abcdef', '0c 61626364')]],
    ['a block of 4 GiB', /corrupt/, [S2, chunkOf(0, plain, Buffer.from('ffffffff0f00', 'hex'))]],
  ]
  for (const [what, problem, chunks] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(() => read(...chunks), problem)
    })
  }
})

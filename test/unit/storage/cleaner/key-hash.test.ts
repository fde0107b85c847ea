import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hashKey, lastHash } from '../../../../src/storage/cleaner/key-hash.ts'

/** Key 00 01 … 07, input 00 01 …; from the reference code of SipHash, vectors.h. */
const VECTORS = ['218d1f59b9b83cc8', 'be552412f8387315', '064f39ef7c50eb57', 'ce0f1a45f7060679']
const SECRET = Uint32Array.from([0x03020100, 0x07060504])

function hashOf(key: Uint8Array, secret: readonly number[]): string {
  const padded = Buffer.concat([Buffer.from('before'), key, Buffer.from('behind')])
  hashKey(padded, 6, 6 + key.length, Uint32Array.from(secret))
  return Buffer.from(lastHash.slice().buffer).toString('hex')
}

describe('the hash of keys', () => {
  it('is HalfSipHash-2-4 in both halves', () => {
    for (const [length, vector] of VECTORS.entries()) {
      const key = Uint8Array.from({ length }, (_, index) => index)
      assert.equal(hashOf(key, [...SECRET, ...SECRET]), vector + vector)
    }
  })

  it('depends on each byte of the key and of the secret', () => {
    const key = Buffer.from('a key of some length')
    const seen = new Set([hashOf(key, [1, 2, 3, 4])])
    for (let index = 0; index < key.length; index++) {
      const changed = Buffer.from(key)
      changed[index] = (changed[index] as number) ^ 0x80
      seen.add(hashOf(changed, [1, 2, 3, 4]))
    }
    for (let index = 0; index < 4; index++)
      seen.add(
        hashOf(
          key,
          [1, 2, 3, 4].map((word, at) => (at === index ? word ^ 1 : word)),
        ),
      )
    assert.equal(seen.size, 1 + key.length + 4)
  })
})

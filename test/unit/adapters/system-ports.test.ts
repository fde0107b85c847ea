import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { SystemClock } from '../../../src/adapters/system-clock.ts'
import { SystemRandom } from '../../../src/adapters/system-random.ts'

describe('SystemRandom', () => {
  it('makes version 4 uuids in the form of Kafka', () => {
    const random = new SystemRandom()
    const seen = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      const text = random.uuid()
      assert.match(text, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
      const bytes = Buffer.from(text, 'base64url')
      assert.equal(bytes.length, 16)
      assert.equal((bytes[6] ?? 0) >> 4, 4)
      assert.equal((bytes[8] ?? 0) >> 6, 2)
      seen.add(text)
    }
    assert.equal(seen.size, 1000)
  })

  it('gives integers from 0 up to below the bound', () => {
    const random = new SystemRandom()
    const seen = new Set<number>()
    for (let i = 0; i < 1000; i++) seen.add(random.int(3))
    assert.deepEqual([...seen].sort(), [0, 1, 2])
  })
})

describe('SystemClock', () => {
  it('gives wall-clock milliseconds, and a monotonic time that never goes back', () => {
    const clock = new SystemClock()
    assert.ok(clock.nowMs() > Date.UTC(2024, 0))
    let last = clock.monotonicMs()
    for (let i = 0; i < 100; i++) {
      const now = clock.monotonicMs()
      assert.ok(now >= last)
      last = now
    }
  })
})

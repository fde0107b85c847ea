import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ChunkPool, LARGE_CHUNK_BYTES } from '../../../../src/frontends/nats/chunk-pool.ts'
import { Outbox } from '../../../../src/frontends/nats/outbox.ts'
import { FakeClient } from './nats-clients.ts'

const SCRATCH_BYTES = 4096

function newOutbox(pool = new ChunkPool(SCRATCH_BYTES)) {
  const client = new FakeClient()
  const told = { dirty: 0, drained: 0 }
  const outbox = new Outbox(client, pool, {
    becameDirty: () => told.dirty++,
    drained: () => told.drained++,
  })
  const say = (text: string): void => outbox.append(Buffer.from(text, 'latin1'))
  return { client, outbox, pool, told, say }
}

describe('what a client is sent', () => {
  test('leaves in one write when the turn ends', () => {
    const { client, outbox, told, say } = newOutbox()
    client.isSlow = true
    for (const text of ['one ', 'two ', 'three']) say(text)
    assert.deepEqual([client.waitingCount, told.dirty], [0, 1])
    outbox.flush()
    assert.deepEqual([client.waitingCount, client.read()], [1, 'one two three'])
    client.take()
    assert.deepEqual([outbox.pendingBytes, told.drained], [0, 1])
  })

  test('of a client that takes nothing is gathered, and leaves in one write once it does', () => {
    const { client, outbox, say } = newOutbox()
    client.isSlow = true
    for (let turn = 0; turn < 100; turn++) {
      say(`${turn} `)
      outbox.flush()
    }
    assert.deepEqual([client.waitingCount, client.read()], [1, '0 '])
    client.take()
    const rest = Array.from({ length: 99 }, (_, i) => `${i + 1} `).join('')
    assert.deepEqual([client.waitingCount, client.read()], [1, rest])
    client.take()
    assert.equal(outbox.pendingBytes, 0)
  })

  test('is in its order, however large and small pieces mix', () => {
    const { client, outbox, say } = newOutbox()
    client.isSlow = true
    const sizes = [1, 3000, LARGE_CHUNK_BYTES / 2, 10, LARGE_CHUNK_BYTES * 2, 5, 60_000, 60_000, 7]
    const texts = sizes.map((size, i) => String.fromCharCode(97 + i).repeat(size))
    for (const text of texts) {
      say(text)
      outbox.flush()
    }
    while (client.waitingCount > 0) client.take()
    assert.equal(client.read(), texts.join(''))
    assert.equal(outbox.pendingBytes, 0)
  })

  test('leaves to the last byte when nothing more will come, though the kernel is busy', () => {
    const { client, outbox, say } = newOutbox()
    client.isSlow = true
    say('one ')
    outbox.flush()
    say('two')
    outbox.finish()
    assert.equal(client.read(), 'one two')
  })
})

describe('memory for what is sent', () => {
  test('is used again once the kernel has it, and not before', () => {
    const pool = new ChunkPool(SCRATCH_BYTES)
    const slow = newOutbox(pool)
    const other = newOutbox(pool)
    slow.client.isSlow = true
    const at = slow.outbox.reserve(1)
    slow.outbox.flush()
    assert.notEqual(other.outbox.reserve(1), at)
    slow.client.take()
    assert.equal(newOutbox(pool).outbox.reserve(1), at)
  })

  test('overlaps neither with what is read nor with other memory for what is sent', () => {
    const pool = new ChunkPool(SCRATCH_BYTES)
    const spans: [number, number][] = [[0, SCRATCH_BYTES]]
    for (const size of [1, LARGE_CHUNK_BYTES]) {
      for (;;) {
        const chunk = pool.take(size)
        assert.ok(chunk.byteCount >= size)
        if (chunk.bytes !== pool.bytes) break
        spans.push([chunk.start, chunk.start + chunk.byteCount])
      }
    }
    spans.sort(([a], [b]) => a - b)
    for (const [i, [start]] of spans.entries()) {
      if (i > 0) assert.ok(start >= (spans[i - 1]?.[1] ?? 0))
    }
    assert.ok((spans.at(-1)?.[1] ?? 0) <= pool.bytes.byteLength)
  })

  test('is there when all of it is on its way to clients that take nothing', () => {
    const pool = new ChunkPool(SCRATCH_BYTES)
    while (pool.take(LARGE_CHUNK_BYTES).bytes === pool.bytes);
    const { client, outbox } = newOutbox(pool)
    const at = outbox.reserve(LARGE_CHUNK_BYTES)
    outbox.bytes.fill('x', at, at + LARGE_CHUNK_BYTES)
    outbox.flush()
    assert.equal(client.read(), 'x'.repeat(LARGE_CHUNK_BYTES))
    assert.notEqual(pool.take(LARGE_CHUNK_BYTES).bytes, pool.bytes)
  })

  test('copies inside of itself', () => {
    const pool = new ChunkPool(SCRATCH_BYTES)
    pool.scratch.write('subject', 10, 'latin1')
    const { start } = pool.take(10)
    pool.copy(start, 10, 7)
    assert.equal(pool.bytes.toString('latin1', start, start + 7), 'subject')
  })
})

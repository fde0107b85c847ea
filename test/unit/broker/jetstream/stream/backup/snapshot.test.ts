import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32c } from '../../../../../../src/base/crc32c.ts'
import { StreamSnapshot } from '../../../../../../src/broker/jetstream/stream/backup/snapshot.ts'
import { snappyDecompress } from '../../../../../../src/records/snappy-framing.ts'
import { configOf, StreamHarness } from '../stream-harness.ts'

interface Entry {
  readonly name: string
  readonly timestamp: bigint
  readonly sequence: number
  readonly headers: string
  readonly payload: string
}

const PARTS = [
  { name: 'state.json', content: Buffer.from('{"last_seq":3}') },
  { name: 'consumers/C', content: Buffer.from('{}') },
]

/** Takes the framing off, as its specification has it. */
function unframed(bytes: Buffer): Buffer {
  assert.equal(bytes.toString('latin1', 4, 10), 'sNaPpY')
  const blocks: Buffer[] = []
  for (let at = 10; at < bytes.byteLength; ) {
    const end = at + 4 + bytes.readUIntLE(at + 1, 3)
    const body = bytes.subarray(at + 8, end)
    const isPlain = bytes[at] === 1
    const block = isPlain ? body : snappyDecompress(body, 65_536)
    const crc = crc32c(block, 0, block.byteLength)
    const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
    assert.equal(bytes.readUInt32LE(at + 4), masked)
    assert.ok(isPlain || bytes[at] === 0)
    assert.ok(block.byteLength <= 65_536)
    blocks.push(block)
    at = end
  }
  return Buffer.concat(blocks)
}

/** Reads an archive by its description, to its last byte. */
function entriesOf(archive: Buffer): Entry[] {
  let at = 8
  assert.equal(archive.toString('latin1', 0, at), 'NATSARC1')
  const long = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = archive[at++] as number
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const text = (length: number): string => {
    at += length
    return archive.toString('latin1', at - length, at)
  }
  const entries: Entry[] = []
  while (at < archive.byteLength) {
    const nameLength = Number(long())
    const timestamp = long() / 2n
    const sequence = Number(long())
    const headerLength = Number(long())
    const payloadLength = Number(long())
    const name = text(nameLength)
    const headers = text(headerLength)
    entries.push({ name, timestamp, sequence, headers, payload: text(payloadLength) })
  }
  return entries
}

async function wholeOf(snapshot: StreamSnapshot, chunkBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = await snapshot.read(chunkBytes)
    chunks.push(chunk)
    assert.ok(chunk.byteLength <= chunkBytes)
    if (chunk.byteLength < chunkBytes) break
  }
  assert.equal((await snapshot.read(chunkBytes)).byteLength, 0)
  return Buffer.concat(chunks)
}

describe('the snapshot of a stream', () => {
  it('has the parts, then the messages with sequence, time, headers and payload, then an end', async () => {
    const harness = await StreamHarness.start(configOf({}))
    harness.clock.timeMs = 1_700_000_000_123
    harness.publish('s.a', { A: '1' }, 'one')
    harness.publish('s.b', {}, 'two')
    harness.publish('s.c', {}, '')
    harness.stream.removeMessage(2, () => undefined)
    const nowMs = harness.clock.nowMs()
    const snapshot = new StreamSnapshot(harness.stream, PARTS, nowMs)
    // What comes while it is read is not in it.
    harness.publish('s.d')
    const entries = entriesOf(unframed(await wholeOf(snapshot, 1024)))
    const timestamp = BigInt(nowMs) * 1_000_000n
    const part = { timestamp, sequence: 0, headers: '' }
    const message = { timestamp, headers: '' }
    assert.deepEqual(entries, [
      { ...part, name: 'state.json', payload: '{"last_seq":3}' },
      { ...part, name: 'consumers/C', payload: '{}' },
      { ...message, name: 's.a', sequence: 1, headers: 'NATS/1.0\r\nA: 1\r\n\r\n', payload: 'one' },
      { ...message, name: 's.c', sequence: 3, payload: '' },
      { name: '', timestamp: 0n, sequence: 0, headers: '', payload: '' },
    ])
  })

  it('of many large messages comes in chunks of just the size, whatever that is', async () => {
    const harness = await StreamHarness.start(configOf({}))
    const payloads: string[] = []
    for (let i = 0; i < 40; i++) {
      // Some of it can be compressed, and some can not.
      const hard = Array.from({ length: 9000 }, (_, at) => ((at * at * 7919 + i) % 251) + 1)
      payloads.push(i % 2 === 0 ? 'easy '.repeat(4000) : Buffer.from(hard).toString('latin1'))
      harness.publish('s.x', {}, payloads[i])
    }
    for (const chunkBytes of [1024, 100_000, 8_000_000]) {
      const snapshot = new StreamSnapshot(harness.stream, [], 1)
      const entries = entriesOf(unframed(await wholeOf(snapshot, chunkBytes)))
      const found = entries.slice(0, -1).map(({ payload }) => payload)
      const sent = payloads.map((text) => Buffer.from(text).toString('latin1'))
      assert.deepEqual(found, sent)
    }
  })

  it('of a stream without messages has its parts and the end', async () => {
    const harness = await StreamHarness.start(configOf({}))
    const snapshot = new StreamSnapshot(harness.stream, PARTS, 0)
    const names = entriesOf(unframed(await wholeOf(snapshot, 1024))).map(({ name }) => name)
    assert.deepEqual(names, ['state.json', 'consumers/C', ''])
  })

  it('fails when the log can not be read', async () => {
    const harness = await StreamHarness.start(configOf({}))
    harness.publish('s.a')
    harness.stream.read = (_, done) => done(new Error('disk'), [])
    const snapshot = new StreamSnapshot(harness.stream, [], 0)
    await assert.rejects(snapshot.read(1024), /disk/)
  })
})

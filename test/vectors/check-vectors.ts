import assert from 'node:assert/strict'
import { decoderOf, encoderOf } from '../../src/schema/codec.ts'
import { Reader } from '../../src/schema/reader.ts'
import type { Message } from '../../src/schema/schema.ts'
import { Writer } from '../../src/schema/writer.ts'
import { type Vector, vectorsOf } from './vectors.ts'
import { narrow, wide } from './wide.ts'

export interface MessageCodec {
  decode(version: number, bytes: Buffer): unknown
  encode(version: number, value: unknown): Buffer
}

/** Whole messages, with a writer whose slab is one byte: it has to grow at every field. */
export function codecOf(message: Message): MessageCodec {
  const decoder = decoderOf(message)
  const encoder = encoderOf(message)
  return {
    decode(version, bytes) {
      const reader = new Reader(bytes)
      const value = decoder(version)(reader)
      reader.expectEnd()
      return value
    },
    encode(version, value) {
      const writer = new Writer(1)
      encoder(version)(writer, value as never)
      return Buffer.concat(writer.finish())
    },
  }
}

/**
 * Every vector of the message is read and written again byte for byte, with the int64s as they are
 * on a schema of bigints, and with int64s a broker accepts on the schema itself. Every shorter
 * message is refused.
 */
export function checkVectors(message: Message): void {
  const vectors = vectorsOf(message.name, 'default', 'random')
  assert.deepEqual([...new Set(vectors.map(({ version }) => version))], versionsOf(message))
  const exact = codecOf(wide(message))
  const asShipped = codecOf(message)
  for (const vector of vectors) {
    assertRoundTrip(exact, vector)
    assertRefusesEveryCut(exact, vector)
    const { version } = vector
    const safe = exact.encode(version, narrow(exact.decode(version, vector.bytes)))
    assertRoundTrip(asShipped, { ...vector, bytes: safe })
  }
}

/** What a reader gets for a field its version lacks is what Kafka's class has for it. */
export function checkDefaults(message: Message): void {
  const { decode } = codecOf(message)
  const vectors = vectorsOf(message.name, 'default')
  const newest = vectors.at(-1)
  assert.ok(newest !== undefined)
  const expected = decode(newest.version, newest.bytes)
  for (const { version, bytes } of vectors) {
    assert.deepEqual(decode(version, bytes), expected, `${message.name} v${version}`)
  }
}

function assertRoundTrip(codec: MessageCodec, { name, version, bytes }: Vector): void {
  const again = codec.encode(version, codec.decode(version, bytes))
  assert.equal(again.toString('hex'), bytes.toString('hex'), `${name} v${version}`)
}

function assertRefusesEveryCut(codec: MessageCodec, { version, bytes }: Vector): void {
  for (let length = 0; length < bytes.byteLength; length++) {
    const cut = bytes.subarray(0, length)
    assert.throws(() => codec.decode(version, cut), { name: 'ProtocolError' })
  }
}

function versionsOf({ versions: [first, last] }: Message): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

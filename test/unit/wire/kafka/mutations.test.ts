/** Bytes a peer may send in place of a message: the only answers are a value and a ProtocolError. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ProtocolError } from '../../../../src/base/errors.ts'
import type { Message } from '../../../../src/schema/schema.ts'
import { allApis } from '../../../../src/wire/kafka/messages/all.ts'
import { codecOf, type MessageCodec } from '../../../vectors/check-vectors.ts'
import { vectorsOf } from '../../../vectors/vectors.ts'

interface Sample {
  readonly codec: MessageCodec
  readonly version: number
  readonly bytes: Buffer
}

const messages: readonly Message[] = allApis.flatMap(({ request, response }) => [request, response])

const samples: readonly Sample[] = messages.flatMap((message) => {
  const codec = codecOf(message)
  return vectorsOf(message.name, 'default', 'random').map(({ version, bytes }) => ({
    codec,
    version,
    bytes,
  }))
})

const edit = fc.record({
  /** Of the message, so that every place is as likely in a long one as in a short one. */
  where: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom('flip', 'set', 'insert', 'remove', 'cut', 'repeat'),
  byte: fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff),
  bit: fc.nat(7),
})

type Edit = Parameters<Parameters<typeof edit.map>[0]>[0]

describe('mutated messages', () => {
  it('are decoded or refused, and what is decoded can be written and read again', () => {
    const property = fc.property(
      fc.nat(samples.length - 1),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (index, edits) => {
        const { codec, version, bytes } = samples[index] as Sample
        const value = decodeOrRefuse(codec, version, edits.reduce(applyEdit, bytes))
        if (value === undefined) return
        assert.deepEqual(codec.decode(version, codec.encode(version, value)), value)
      },
    )
    fc.assert(property, { numRuns: 20_000 })
  })
})

function decodeOrRefuse(codec: MessageCodec, version: number, bytes: Buffer): unknown {
  try {
    return codec.decode(version, bytes)
  } catch (error) {
    assert.ok(error instanceof ProtocolError, String(error))
    return undefined
  }
}

function applyEdit(bytes: Buffer, { where, kind, byte, bit }: Edit): Buffer {
  const at = Math.min(Math.floor(where * bytes.byteLength), Math.max(0, bytes.byteLength - 1))
  const head = bytes.subarray(0, at)
  const here = bytes.subarray(at, at + 1)
  const tail = bytes.subarray(at + 1)
  const old = here[0] ?? 0
  if (kind === 'flip') return Buffer.concat([head, Buffer.of(old ^ (1 << bit)), tail])
  if (kind === 'set') return Buffer.concat([head, Buffer.of(byte), tail])
  if (kind === 'insert') return Buffer.concat([head, Buffer.of(byte), here, tail])
  if (kind === 'remove') return Buffer.concat([head, tail])
  if (kind === 'cut') return Buffer.from(head)
  return Buffer.concat([head, here, tail, tail])
}

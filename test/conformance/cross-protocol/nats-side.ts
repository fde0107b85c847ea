import assert from 'node:assert/strict'
import {
  AckPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { connect, headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node'
import type { NumberedMessage } from './numbered-records.ts'
import { type BlockHashes, RecordHash } from './record-hash.ts'

/** Publishes under way at once, and messages that a consumer may have without acks. */
const PUBLISH_COUNT = 1000
const MAX_ACK_PENDING = 20_000
const PULL_COUNT = 5000
const NANOS_PER_MS = 1_000_000

export interface NatsSide {
  readonly connection: NatsConnection
  readonly js: JetStreamClient
  readonly manager: JetStreamManager
}

/** Runs something with nats.js connected, and disconnects it. */
export async function withNats(
  servers: string | null,
  run: (side: NatsSide) => Promise<void>,
): Promise<void> {
  assert.ok(servers !== null, 'the broker serves NATS')
  const connection = await connect({ servers, reconnect: false })
  try {
    const manager = await jetstreamManager(connection)
    await run({ connection, js: jetstream(connection), manager })
  } finally {
    await connection.close()
  }
}

/** @returns the sequences that the broker acknowledged, in the order of the messages */
export async function publishAll(
  { js }: NatsSide,
  count: number,
  messageOf: (number: number) => NumberedMessage,
): Promise<number[]> {
  const sequences: number[] = []
  for (let from = 0; from < count; from += PUBLISH_COUNT) {
    const acks = Array.from({ length: Math.min(PUBLISH_COUNT, count - from) }, (_, index) => {
      const { subject, headers: pairs, payload } = messageOf(from + index)
      const block = pairs.length === 0 ? undefined : natsHeaders(pairs)
      return js.publish(subject, payload, { ...(block && { headers: block }) })
    })
    for (const { seq } of await Promise.all(acks)) sequences.push(seq)
  }
  return sequences
}

function natsHeaders(pairs: NumberedMessage['headers']): MsgHdrs {
  const block = headers()
  for (const [name, value] of pairs) block.append(name, value)
  return block
}

/**
 * Reads a stream from its start with a durable pull consumer that acknowledges each message, and sees that the
 * broker counts all of them as done.
 * @param check judges a message beside its place; the first has index 0
 */
export async function pullAll(
  { js, manager }: NatsSide,
  stream: string,
  count: number,
  check: (message: ReadMessage, index: number) => void,
): Promise<BlockHashes> {
  await manager.consumers.add(stream, {
    durable_name: 'reader',
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: MAX_ACK_PENDING,
  })
  const consumer = await js.consumers.get(stream, 'reader')
  const hash = new RecordHash()
  let seen = 0
  for await (const message of await consumer.consume({ max_messages: PULL_COUNT })) {
    const read = readMessageOf(message)
    check(read, seen)
    hash.add({ ...read, key: Buffer.from(read.subject), value: read.payload }, read.timestampMs)
    seen++
    if (seen < count) message.ack()
    else if (await message.ackAck()) break
    else assert.fail('the last ack was not answered')
  }
  const { num_pending, num_ack_pending, num_redelivered, ack_floor } = await consumer.info()
  assert.deepEqual([num_pending, num_ack_pending, num_redelivered], [0, 0, 0])
  assert.equal(ack_floor.stream_seq, count)
  return hash.finish()
}

export interface ReadMessage extends NumberedMessage {
  readonly sequence: number
  readonly offset: number
  readonly timestampMs: number
}

function readMessageOf(message: JsMsg): ReadMessage {
  const { subject, headers: block, data, seq, info } = message
  const pairs = [...(block ?? [])].flatMap(([name, values]) =>
    values.map((value) => [name, value] as const),
  )
  // It is parsed as a double, which is not exact to the nanosecond.
  const timestampMs = Math.round(info.timestampNanos / NANOS_PER_MS)
  return { subject, headers: pairs, payload: data, sequence: seq, offset: seq - 1, timestampMs }
}

/** Throws unless they are equal; the quick way first, since there are a million of them. */
export function expectMessage(found: ReadMessage, expected: NumberedMessage, index: number): void {
  const { subject, headers: pairs, payload, sequence } = found
  const isSame =
    sequence === index + 1 &&
    subject === expected.subject &&
    Buffer.compare(payload, expected.payload) === 0 &&
    pairs.length === expected.headers.length &&
    pairs.every(([name, value], at) => {
      const [expectedName, expectedValue] = expected.headers[at] ?? []
      return name === expectedName && value === expectedValue
    })
  if (isSame) return
  assert.deepEqual(
    { sequence, subject, headers: pairs, payload },
    { ...expected, sequence: index + 1 },
  )
}

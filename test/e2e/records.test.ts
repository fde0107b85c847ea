import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { Consumer, Producer } from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { connect } from '../../src/cli/commands/kafka-client.ts'
import { cleanUp, newDirectory, type Server, serve, stop } from './spool-process.ts'

after(cleanUp)

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
type Codec = (typeof CODECS)[number]

/** A partition each. */
const ACKS = [0, 1, -1] as const

interface Sent {
  readonly key: string | null
  readonly value: string | Buffer | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
  readonly timestamp: number
}

const NOW = Date.now()
const BIG_VALUE = randomBytes(900_000)

/** kafkajs cannot send a header without a value. */
const NULL_HEADERS = [
  ['null', null],
  ['null', ''],
] as const

const RECORDS: readonly Sent[] = [
  { key: 'plain', value: 'value', headers: [], timestamp: NOW },
  {
    key: 'headers',
    value: 'v',
    headers: [
      ['twice', 'first'],
      ['twice', 'second'],
      ['twice', 'first'],
      ['empty', ''],
      ['', 'no name'],
      ['ünïcödé', '✓'],
    ],
    timestamp: NOW + 1,
  },
  { key: null, value: 'without a key', headers: [], timestamp: NOW + 2 },
  { key: '', value: '', headers: [], timestamp: NOW + 3 },
  { key: 'tombstone', value: null, headers: [['why', 'gone']], timestamp: NOW + 4 },
  { key: 'old', value: 'v', headers: [], timestamp: 1_234_567_890_123 },
  { key: 'zero', value: 'v', headers: [], timestamp: 0 },
  { key: 'big', value: BIG_VALUE, headers: [['size', '900000']], timestamp: NOW + 5 },
]
const WITH_NULL_HEADERS: readonly Sent[] = [
  ...RECORDS,
  { key: 'null header', value: 'v', headers: NULL_HEADERS, timestamp: NOW + 6 },
]

let server: Server
before(async () => {
  server = await serve(newDirectory(), { 'num.partitions': String(ACKS.length) })
})

type Produce = (topic: string, codec: Codec) => Promise<void>

const produceKafkajs: Produce = async (topic, codec) => {
  const producer = connect(server).producer()
  await producer.connect()
  const types = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }
  for (const [partition, acks] of ACKS.entries()) {
    const messages = RECORDS.map(({ timestamp, headers, ...record }) => ({
      ...record,
      partition,
      timestamp: String(timestamp),
      headers: Object.fromEntries(
        [...Map.groupBy(headers, ([name]) => name)].map(([name, same]) => [
          name,
          same.map(([, value]) => value ?? ''),
        ]),
      ),
    }))
    await producer.send({ topic, acks, compression: types[codec], messages })
  }
  await producer.disconnect()
}

const producePlatformatic: Produce = async (topic, compression) => {
  const producer = new Producer<Buffer, Buffer, Buffer, Buffer>({
    clientId: 'records',
    bootstrapBrokers: [server.bootstrap],
    autocreateTopics: true,
  })
  for (const [partition, acks] of ACKS.entries()) {
    const all = WITH_NULL_HEADERS.map(({ key, value, headers, timestamp }) => ({
      topic,
      partition,
      ...(key !== null && { key: Buffer.from(key) }),
      ...(value !== null && { value: Buffer.from(value) }),
      timestamp: BigInt(timestamp),
      // Keys are objects, so that the same name comes twice.
      headers: new Map(
        headers.map(([name, text]) => [
          Buffer.from(name),
          text === null ? (null as unknown as Buffer) : Buffer.from(text),
        ]),
      ),
    }))
    // @platformatic/kafka 2.12.1 writes timestamps wrong that are months after the first of a batch.
    for (const messages of chunkedByYear(all)) await producer.send({ messages, acks, compression })
  }
  await producer.close()
}

/** Neighbours whose timestamps are of the same year or so stay together. */
function chunkedByYear<T extends { readonly timestamp: bigint }>(messages: readonly T[]): T[][] {
  const chunks: T[][] = []
  const yearOf = ({ timestamp }: T): bigint => timestamp >> 35n
  for (const message of messages) {
    const last = chunks.at(-1)
    const isNew = last?.[0] === undefined || yearOf(last[0]) !== yearOf(message)
    if (isNew) chunks.push([message])
    else last.push(message)
  }
  return chunks
}

/** One line per record, so that a failed comparison shows what differs; big values by their hash. */
function lineOf({ key, value, headers, timestamp }: Sent): string {
  const bytes = value === null ? null : Buffer.from(value)
  const shown =
    bytes === null || bytes.length < 100
      ? (bytes?.toString() ?? null)
      : createHash('sha256').update(bytes).digest('hex')
  return JSON.stringify([key, shown, headers, timestamp])
}

/** Lines of each partition, in order. */
class Reading {
  readonly #partitions = ACKS.map((): string[] => [])
  readonly #expected: number

  constructor(recordCount: number) {
    this.#expected = recordCount * ACKS.length
  }

  take(partition: number, record: Sent): void {
    this.#partitions[partition]?.push(lineOf(record))
  }

  get isDone(): boolean {
    return this.#partitions.reduce((sum, { length }) => sum + length, 0) >= this.#expected
  }

  get partitions(): readonly string[][] {
    return this.#partitions
  }
}

async function readKafkajs(topic: string, recordCount: number): Promise<Reading> {
  const reading = new Reading(recordCount)
  const consumer = connect(server).consumer({ groupId: `kafkajs-${topic}`, maxWaitTimeInMs: 50 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    const eachMessage = async ({ partition, message }: kafkajs.EachMessagePayload) => {
      const headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
        [values].flat().map((value) => [name, value?.toString() ?? null] as const),
      )
      const key = message.key?.toString() ?? null
      const timestamp = Number(message.timestamp)
      reading.take(partition, { key, value: message.value, headers, timestamp })
      if (reading.isDone) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return reading
}

async function readPlatformatic(topic: string, recordCount: number): Promise<Reading> {
  const reading = new Reading(recordCount)
  const consumer = new Consumer({
    clientId: 'records',
    bootstrapBrokers: [server.bootstrap],
    groupId: `platformatic-${topic}`,
    maxWaitTime: 50,
  })
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
  for await (const { partition, key, value, headerEntries, timestamp } of stream) {
    reading.take(partition, {
      key: key?.toString() ?? null,
      value: value ?? null,
      headers: headerEntries.map(([name, text]) => [name.toString(), text?.toString() ?? null]),
      timestamp: Number(timestamp),
    })
    if (reading.isDone) break
  }
  await consumer.close(true)
  return reading
}

const PRODUCERS: readonly (readonly [string, readonly Sent[], Produce])[] = [
  ['kafkajs', RECORDS, produceKafkajs],
  ['platformatic', WITH_NULL_HEADERS, producePlatformatic],
]

describe('keys, values, headers and timestamps of every kind, with acks 0, 1 and all', () => {
  for (const [client, records, produce] of PRODUCERS) {
    for (const codec of CODECS) {
      it(`come back as ${client} sent them, compressed with ${codec}`, async () => {
        const topic = `${client}-${codec}`
        await produce(topic, codec)
        const expected = ACKS.map(() => records.map(lineOf))
        const [first, second] = await Promise.all([
          readKafkajs(topic, records.length),
          readPlatformatic(topic, records.length),
        ])
        assert.deepEqual(second.partitions, expected, '@platformatic/kafka reads')
        assert.deepEqual(first.partitions, expected, 'kafkajs reads')
      })
    }
  }
})

describe('a value above max.message.bytes', () => {
  const value = 'a'.repeat(3_000_000)

  it('is refused as it is, and taken when its batch is compressed to less', async () => {
    const producer = connect(server).producer()
    await producer.connect()
    const messages = [{ partition: 0, value }]
    const send = (compression: number) => producer.send({ topic: 'large', compression, messages })
    await assert.rejects(send(kafkajs.CompressionTypes.None), /larger than the max message size/)
    const [answer] = await send(kafkajs.CompressionTypes.GZIP)
    assert.equal(answer?.baseOffset, '0')
    await producer.disconnect()
  })
})

describe('the broker under the records', () => {
  it('stops cleanly and had nothing to complain about', async () => {
    assert.equal(await stop(server), 0)
    assert.equal(server.errors(), '')
  })
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { Broker, BrokerError, ConfigError, type ConsumedRecord } from '../../../src/index.ts'

const refusedWith = (code: ErrorCode) => (error: unknown) =>
  error instanceof BrokerError && error.code === code

async function take(records: AsyncIterable<ConsumedRecord>, count: number) {
  const taken: ConsumedRecord[] = []
  for await (const record of records) if (taken.push(record) === count) break
  return taken
}

const textsOf = (records: readonly ConsumedRecord[]) => records.map(({ value }) => `${value}`)

let broker: Broker

/** Each group of tests has one broker, which every test finds empty. */
function useBroker(): void {
  before(async () => {
    broker = await Broker.start()
  })
  beforeEach(() => broker.reset())
  after(() => broker.stop())
}

describe('produce of an embedded broker', () => {
  useBroker()

  it('listens on a free port of the loopback address', () => {
    assert.match(broker.bootstrap, /^127\.0\.0\.1:[1-9]\d*$/)
  })

  it('gives back records as they were produced', async () => {
    await broker.createTopic('t', { partitions: 2 })
    const header = [
      { key: 'h', value: 'one' },
      { key: 'h', value: null },
    ]
    const record = { key: 'k', value: Buffer.from([0, 255]), headers: header, timestamp: 1234 }
    const produced = await broker.produce('t', { ...record, partition: 1 })
    assert.deepEqual(produced, { topic: 't', partition: 1, offset: 0 })
    const [consumed] = await take(broker.consume('t', { fromBeginning: true }), 1)
    assert.deepEqual(consumed, {
      topic: 't',
      partition: 1,
      offset: 0,
      timestamp: 1234,
      key: Buffer.from('k'),
      value: Buffer.from([0, 255]),
      headers: [
        { key: 'h', value: Buffer.from('one') },
        { key: 'h', value: null },
      ],
    })
  })

  it('takes headers by name, and a record without a value as a tombstone', async () => {
    await broker.produce('t', { key: 'k', headers: { a: 'b' } })
    const [consumed] = await take(broker.consume('t', { fromBeginning: true }), 1)
    assert.equal(consumed?.value, null)
    assert.deepEqual(consumed?.headers, [{ key: 'a', value: Buffer.from('b') }])
  })

  it('splits many records into batches that the topic accepts', async () => {
    await broker.createTopic('t', { configs: { 'max.message.bytes': '2000' } })
    const value = 'x'.repeat(500)
    const records = Array.from({ length: 50 }, (_, index) => ({ key: `${index}`, value }))
    const produced = await broker.produce('t', records)
    assert.deepEqual(
      produced.map(({ offset }) => offset),
      records.map((_, index) => index),
    )
    const consumed = await take(broker.consume('t', { fromBeginning: true }), 50)
    assert.deepEqual(
      consumed.map(({ key }) => `${key}`),
      records.map(({ key }) => key),
    )
  })

  it('refuses a record that is larger than max.message.bytes', async () => {
    await broker.createTopic('t', { configs: { 'max.message.bytes': '2000' } })
    await assert.rejects(
      broker.produce('t', { value: 'x'.repeat(3000) }),
      refusedWith(ErrorCode.MESSAGE_TOO_LARGE),
    )
  })

  it('refuses a record without a key on a compacted topic', async () => {
    await broker.createTopic('t', { configs: { 'cleanup.policy': 'compact' } })
    await assert.rejects(broker.produce('t', { value: 'v' }), refusedWith(ErrorCode.INVALID_RECORD))
  })

  it('spreads records without a key over all partitions', async () => {
    await broker.createTopic('t', { partitions: 3 })
    const records = Array.from({ length: 6 }, () => ({ value: 'v' }))
    const produced = await broker.produce('t', records)
    const partitions = produced.map(({ partition }) => partition).sort()
    assert.deepEqual(partitions, [0, 0, 1, 1, 2, 2])
  })
})

describe('consume of an embedded broker', () => {
  useBroker()

  it('begins at an offset, inside a batch too', async () => {
    await broker.produce('t', [{ value: 'a' }, { value: 'b' }, { value: 'c' }])
    const records = await take(broker.consume('t', { partition: 0, offset: 1 }), 2)
    assert.deepEqual(textsOf(records), ['b', 'c'])
  })

  it('by default sees what is produced after the call, and nothing before it', async () => {
    await broker.produce('t', { value: 'old' })
    const records = broker.consume('t')
    await broker.produce('t', { value: 'new' })
    assert.deepEqual(textsOf(await take(records, 1)), ['new'])
  })

  it('wakes a consumer that waits', async () => {
    await broker.createTopic('t')
    const taking = take(broker.consume('t', { fromBeginning: true }), 1)
    await broker.produce('t', { value: 'v' })
    assert.deepEqual(textsOf(await taking), ['v'])
  })

  it('ends the loop after timeoutMs without a record', async () => {
    await broker.produce('t', { value: 'v' })
    const consumed: ConsumedRecord[] = []
    for await (const record of broker.consume('t', { fromBeginning: true, timeoutMs: 1 })) {
      consumed.push(record)
    }
    assert.deepEqual(textsOf(consumed), ['v'])
  })

  it('ends the loop when the signal is aborted', async () => {
    await broker.createTopic('t')
    const controller = new AbortController()
    const records = broker.consume('t', { signal: controller.signal })
    const next = records.next()
    controller.abort()
    assert.deepEqual(await next, { done: true, value: undefined })
  })

  it('fails a loop whose topic is deleted', async () => {
    await broker.createTopic('t')
    const next = broker.consume('t').next()
    const failed = assert.rejects(next, refusedWith(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
    await broker.deleteTopic('t')
    await failed
  })

  it('refuses offsets that are not there', async () => {
    await broker.createTopic('t')
    await assert.rejects(
      broker.consume('t', { partition: 0, offset: 9 }).next(),
      refusedWith(ErrorCode.OFFSET_OUT_OF_RANGE),
    )
    assert.throws(() => broker.consume('t', { offset: 0 }), TypeError)
    assert.throws(() => broker.consume('t', { timeoutMs: -1 }), RangeError)
  })

  it('reads partitions that are added while it reads', async () => {
    await broker.createTopic('t')
    const records = broker.consume('t', { fromBeginning: true })
    await broker.produce('t', { value: 'a' })
    assert.equal((await records.next()).value?.partition, 0)
    const admin = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await admin.createPartitions({ topicPartitions: [{ topic: 't', count: 2 }] })
    await admin.disconnect()
    await broker.produce('t', { value: 'b', partition: 1 })
    assert.equal((await records.next()).value?.partition, 1)
  })
})

describe('topics of an embedded broker', () => {
  useBroker()

  it('refuses topics and partitions that do not exist', async () => {
    const unknown = refusedWith(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    assert.throws(() => broker.consume('none'), unknown)
    await assert.rejects(broker.deleteTopic('none'), unknown)
    await broker.createTopic('t')
    assert.throws(() => broker.consume('t', { partition: 1 }), unknown)
    await assert.rejects(broker.produce('t', { value: 'v', partition: 1 }), unknown)
    await assert.rejects(broker.createTopic('t'), refusedWith(ErrorCode.TOPIC_ALREADY_EXISTS))
  })

  it('has no topic and no record after reset', async () => {
    await broker.produce('t', { value: 'before' })
    await broker.reset()
    assert.throws(() => broker.consume('t'), BrokerError)
    const { offset } = await broker.produce('t', { value: 'after' })
    assert.equal(offset, 0)
  })
})

describe('an embedded broker', () => {
  it('ends loops when it stops', async () => {
    const broker = await Broker.start()
    await broker.createTopic('t')
    const next = broker.consume('t').next()
    await broker.stop()
    await broker.stop()
    assert.deepEqual(await next, { done: true, value: undefined })
  })

  it('creates no topic on use when auto.create.topics.enable is false', async () => {
    await using broker = await Broker.start({ config: { 'auto.create.topics.enable': 'false' } })
    await assert.rejects(broker.produce('t', { value: 'v' }), /there is no topic t/)
  })

  it('refuses unknown configs and hosts that other machines reach', async () => {
    await assert.rejects(Broker.start({ config: { 'no.such': '1' } }), ConfigError)
    await assert.rejects(Broker.start({ host: '0.0.0.0' }), /can be reached from other machines/)
  })

  it('keeps topics and records in a directory', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'spool-embedded-'))
    try {
      const first = await Broker.start({ dataDir })
      await first.produce('t', [{ value: 'a' }, { value: 'b' }])
      await assert.rejects(Broker.start({ dataDir }), ConfigError)
      await first.stop()
      await using second = await Broker.start({ dataDir })
      assert.deepEqual(textsOf(await take(second.consume('t', { fromBeginning: true }), 2)), [
        'a',
        'b',
      ])
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  })
})

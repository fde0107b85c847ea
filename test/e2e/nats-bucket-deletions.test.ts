import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { type KvEntry, Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { Kafka, logLevel } from 'kafkajs'
import { cleanUp, endOf, newDirectory, spawnSpool } from './spool-process.ts'

after(cleanUp)

const TOPIC = 'KV_prices'

interface Sides {
  readonly kafka: Kafka
  readonly kvm: Kvm
}

async function withBroker(run: (sides: Sides) => Promise<void>): Promise<void> {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--no-http']
  const child = spawnSpool(['serve', '--data-dir', newDirectory(), ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  const addressOf = (name: string): string =>
    new RegExp(`^${name} (\\S+)$`, 'm').exec(output)?.[1] ?? ''
  const connection = await connect({ servers: addressOf('nats'), reconnect: false })
  try {
    const kafka = new Kafka({ brokers: [addressOf('kafka')], logLevel: logLevel.NOTHING })
    await run({ kafka, kvm: new Kvm(connection) })
  } finally {
    await connection.close()
    const ended = endOf(child)
    child.kill('SIGKILL')
    await ended
  }
}

/** What a table made of the topic goes by: keys, and values or null. */
async function readTopic(kafka: Kafka, count: number): Promise<(readonly (string | null)[])[]> {
  const consumer = kafka.consumer({ groupId: 'tables' })
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  const records: (readonly (string | null)[])[] = []
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message: { key, value, headers } }) => {
        const operation = headers?.['KV-Operation']
        const name = operation === undefined ? null : String(operation)
        records.push([String(key), value === null ? null : String(value), name])
        if (records.length === count) resolve()
      },
    })
  })
  await consumer.disconnect()
  return records
}

const shown = (entry: KvEntry | null): unknown[] => [
  entry?.key,
  entry?.operation,
  entry?.string(),
  entry?.revision,
]

describe('a key-value bucket', () => {
  it('shows keys that nats.js deletes and purges to Kafka as tombstones, and to NATS as before', async () => {
    await withBroker(async ({ kafka, kvm }) => {
      const bucket = await kvm.create('prices', { history: 8 })
      await bucket.put('a', '1')
      await bucket.delete('a')
      await bucket.put('b', '')
      await bucket.purge('c')
      assert.deepEqual(await readTopic(kafka, 4), [
        ['$KV.prices.a', '1', null],
        ['$KV.prices.a', null, 'DEL'],
        ['$KV.prices.b', '', null],
        ['$KV.prices.c', null, 'PURGE'],
      ])
      assert.deepEqual(shown(await bucket.get('a')), ['a', 'DEL', '', 2])
      assert.deepEqual(shown(await bucket.get('b')), ['b', 'PUT', '', 3])
      assert.deepEqual(shown(await bucket.get('c')), ['c', 'PURGE', '', 4])
      const history: unknown[] = []
      for await (const entry of await bucket.history({ key: 'a' })) history.push(shown(entry))
      assert.deepEqual(history, [
        ['a', 'PUT', '1', 1],
        ['a', 'DEL', '', 2],
      ])
    })
  })

  it('shows a tombstone of a Kafka client as a deletion to watches, gets and keys', async () => {
    await withBroker(async ({ kafka, kvm }) => {
      const bucket = await kvm.create('prices', { history: 8 })
      await bucket.put('a', '1')
      const watch = await bucket.watch()
      const producer = kafka.producer()
      await producer.connect()
      await producer.send({
        topic: TOPIC,
        messages: [
          { key: '$KV.prices.a', value: null },
          { key: '$KV.prices.b', value: '2' },
        ],
      })
      await producer.disconnect()
      const seen: unknown[] = []
      for await (const entry of watch) {
        seen.push(shown(entry))
        if (seen.length === 3) break
      }
      assert.deepEqual(seen, [
        ['a', 'PUT', '1', 1],
        ['a', 'DEL', '', 2],
        ['b', 'PUT', '2', 3],
      ])
      assert.deepEqual(shown(await bucket.get('a')), ['a', 'DEL', '', 2])
      const keys: string[] = []
      for await (const key of await bucket.keys()) keys.push(key)
      assert.deepEqual(keys, ['b'])
    })
  })
})

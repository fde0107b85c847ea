import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { Objm } from '@nats-io/obj'
import { connect, type NatsConnection, nanos } from '@nats-io/transport-node'
import { cleanUp, endOf, newDirectory, spawnSpool } from './spool-process.ts'

after(cleanUp)

const text = new TextDecoder()

/** A broker with JetStream, on a directory that stays when it is killed. */
async function start(directory: string) {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--no-http']
  const child = spawnSpool(['serve', '--data-dir', directory, ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  const servers = /^nats (\S+)$/m.exec(output)?.[1] ?? ''
  return { child, servers }
}

interface Clients {
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
}

async function client(servers: string): Promise<Clients> {
  const nc = await connect({ servers, reconnect: false })
  return { nc, js: jetstream(nc), jsm: await jetstreamManager(nc) }
}

let shared: Promise<{ servers: string }> | null = null

/** One broker for all tests that do not kill it. */
async function withClient(test: (clients: Clients) => Promise<void>): Promise<void> {
  shared ??= start(newDirectory())
  const clients = await client((await shared).servers)
  try {
    await test(clients)
  } finally {
    await clients.nc.close()
  }
}

async function stream(
  { js, jsm }: Clients,
  name: string,
  count: number,
  config: object = {},
): Promise<void> {
  await jsm.streams.add({ name, subjects: [`${name}.>`], ...config })
  for (let i = 0; i < count; i++) await js.publish(`${name}.${i % 2}`, `${i}`)
}

async function take(messages: AsyncIterable<JsMsg>, count: number): Promise<JsMsg[]> {
  const taken: JsMsg[] = []
  for await (const message of messages) if (taken.push(message) === count) break
  return taken
}

describe('pull consumers of nats.js', () => {
  it('fetch, acknowledge, and are told how they stand', () =>
    withClient(async (clients) => {
      await stream(clients, 'PULL', 10)
      const { js, jsm } = clients
      await jsm.consumers.add('PULL', { durable_name: 'c', ack_policy: AckPolicy.Explicit })
      const consumer = await js.consumers.get('PULL', 'c')
      const first = await take(await consumer.fetch({ max_messages: 4 }), 4)
      assert.deepEqual(
        first.map(({ seq }) => seq),
        [1, 2, 3, 4],
      )
      assert.deepEqual(
        first.map(({ info }) => info.pending),
        [9, 8, 7, 6],
      )
      for (const message of first) assert.equal(await message.ackAck(), true)
      const { num_pending, num_ack_pending, ack_floor, delivered } = await consumer.info()
      assert.deepEqual([num_pending, num_ack_pending], [6, 0])
      assert.deepEqual([ack_floor.stream_seq, delivered.consumer_seq], [4, 4])
      const rest = await take(await consumer.fetch({ max_messages: 50, expires: 1000 }), 6)
      assert.deepEqual(
        rest.map((message) => message.string()),
        ['4', '5', '6', '7', '8', '9'],
      )
    }))

  it('get again what they could not do, or did not acknowledge in time', () =>
    withClient(async (clients) => {
      await stream(clients, 'AGAIN', 3)
      const { js, jsm } = clients
      const config = { durable_name: 'c', ack_policy: AckPolicy.Explicit, ack_wait: nanos(1000) }
      await jsm.consumers.add('AGAIN', config)
      const consumer = await js.consumers.get('AGAIN', 'c')
      const [one, two, three] = await take(await consumer.fetch({ max_messages: 3 }), 3)
      one?.nak()
      two?.term('no use')
      assert.equal(await three?.ackAck(), true)
      const again = await consumer.next({ expires: 5000 })
      assert.deepEqual([again?.seq, again?.info.deliveryCount], [1, 2])
      // Now it is left until its time is over.
      const late = await consumer.next({ expires: 10_000 })
      assert.deepEqual([late?.seq, late?.info.deliveryCount], [1, 3])
      assert.equal(await late?.ackAck(), true)
      const { num_ack_pending, ack_floor } = await consumer.info()
      assert.deepEqual([num_ack_pending, ack_floor.stream_seq], [0, 3])
    }))

  it('consume what is there and what comes', () =>
    withClient(async (clients) => {
      await stream(clients, 'FLOW', 500)
      const { js, jsm } = clients
      await jsm.consumers.add('FLOW', { durable_name: 'c', ack_policy: AckPolicy.Explicit })
      const consumer = await js.consumers.get('FLOW', 'c')
      const messages = await consumer.consume({ max_messages: 50 })
      const taking = take(messages, 600)
      for (let i = 500; i < 600; i++) await js.publish('FLOW.x', `${i}`)
      const taken = await taking
      for (const message of taken) message.ack()
      assert.deepEqual(
        taken.map((message) => Number(message.string())),
        Array.from({ length: 600 }, (_, i) => i),
      )
    }))
})

describe('pull consumers that want less than all', () => {
  it('see only what passes their filters', () =>
    withClient(async (clients) => {
      await stream(clients, 'FILTER', 10)
      const { js, jsm } = clients
      const filter_subjects = ['FILTER.1', 'FILTER.2']
      await jsm.consumers.add('FILTER', { durable_name: 'c', filter_subjects })
      const consumer = await js.consumers.get('FILTER', 'c')
      assert.equal((await consumer.info()).num_pending, 5)
      const taken = await take(await consumer.fetch({ max_messages: 5 }), 5)
      assert.deepEqual(
        taken.map(({ seq }) => seq),
        [2, 4, 6, 8, 10],
      )
    }))

  it('remove what they are done with from a work queue', () =>
    withClient(async (clients) => {
      const { js, jsm } = clients
      await stream(clients, 'WORK', 3, { retention: RetentionPolicy.Workqueue })
      await jsm.consumers.add('WORK', { durable_name: 'c', ack_policy: AckPolicy.Explicit })
      const consumer = await js.consumers.get('WORK', 'c')
      const [one] = await take(await consumer.fetch({ max_messages: 1 }), 1)
      assert.equal(await one?.ackAck(), true)
      const { state } = await jsm.streams.info('WORK')
      assert.deepEqual([state.messages, state.first_seq], [2, 2])
    }))

  it('see that it is gone from a work queue as soon as they have acknowledged, unasked', () =>
    withClient(async (clients) => {
      const { js, jsm } = clients
      await stream(clients, 'SEEN', 3, { retention: RetentionPolicy.Workqueue })
      await jsm.consumers.add('SEEN', { durable_name: 'c', ack_policy: AckPolicy.Explicit })
      const consumer = await js.consumers.get('SEEN', 'c')
      for (const message of await take(await consumer.fetch({ max_messages: 2 }), 2)) message.ack()
      const { state } = await jsm.streams.info('SEEN')
      assert.deepEqual([state.messages, state.first_seq], [1, 3])
    }))
})

describe('ordered and push consumers of nats.js', () => {
  it('read a stream from its start, in order', () =>
    withClient(async (clients) => {
      await stream(clients, 'ORDERED', 300)
      const consumer = await clients.js.consumers.get('ORDERED')
      const taken = await take(await consumer.consume({ max_messages: 20 }), 300)
      assert.deepEqual(
        taken.map(({ seq }) => seq),
        Array.from({ length: 300 }, (_, i) => i + 1),
      )
      assert.equal(taken.at(-1)?.info.pending, 0)
    }))

  it('are pushed what there is, with heartbeats and flow control', () =>
    withClient(async (clients) => {
      await stream(clients, 'PUSH', 50)
      const { js, jsm } = clients
      await jsm.consumers.add('PUSH', {
        durable_name: 'p',
        deliver_subject: 'push.here',
        deliver_policy: DeliverPolicy.LastPerSubject,
        filter_subject: 'PUSH.>',
        ack_policy: AckPolicy.None,
        flow_control: true,
        idle_heartbeat: nanos(500),
      })
      const consumer = await js.consumers.getPushConsumer('PUSH', 'p')
      const taken = await take(await consumer.consume(), 2)
      assert.deepEqual(
        taken.map(({ seq }) => seq),
        [49, 50],
      )
    }))
})

describe('the key-value and object stores of nats.js', () => {
  it('put, get, watch, list and forget keys', () =>
    withClient(async ({ js }) => {
      const kv = await new Kvm(js).create('CONFIG', { history: 5 })
      await kv.put('a.b', 'one')
      const revision = await kv.put('a.b', 'two')
      await kv.put('c', 'three')
      assert.equal((await kv.get('a.b'))?.string(), 'two')
      await assert.rejects(kv.create('c', 'again'))
      await kv.update('a.b', 'four', revision)
      await assert.rejects(kv.update('a.b', 'five', revision))
      const keys: string[] = []
      for await (const key of await kv.keys()) keys.push(key)
      assert.deepEqual(keys.sort(), ['a.b', 'c'])
      const values: string[] = []
      for await (const entry of await kv.history({ key: 'a.b' })) values.push(entry.string())
      assert.deepEqual(values, ['one', 'two', 'four'])
      const watch = await kv.watch()
      const seen: string[] = []
      for await (const entry of watch) {
        seen.push(`${entry.key} ${entry.operation} ${entry.string()}`)
        if (seen.length === 2) await kv.delete('c')
        if (seen.length === 3) break
      }
      assert.deepEqual(seen, ['c PUT three', 'a.b PUT four', 'c DEL '])
      await kv.purge('a.b')
      assert.equal((await kv.get('a.b'))?.operation, 'PURGE')
    }))

  it('put, get, list and delete objects in chunks', () =>
    withClient(async ({ js }) => {
      const store = await new Objm(js).create('FILES')
      const bytes = new Uint8Array(300_000).map((_, i) => i % 251)
      await store.putBlob({ name: 'large' }, bytes)
      await store.putBlob({ name: 'small' }, new TextEncoder().encode('hello'))
      assert.deepEqual(await store.getBlob('large'), bytes)
      assert.equal(text.decode((await store.getBlob('small')) ?? new Uint8Array()), 'hello')
      assert.deepEqual((await store.list()).map(({ name }) => name).sort(), ['large', 'small'])
      await store.delete('small')
      assert.equal(await store.getBlob('small'), null)
    }))
})

describe('a consumer, its broker killed with -9', () => {
  it('goes on behind what was acknowledged, and gives again what was not', async () => {
    const directory = newDirectory()
    const first = await start(directory)
    const before = await client(first.servers)
    await stream(before, 'KILL', 20)
    const config = { durable_name: 'c', ack_policy: AckPolicy.Explicit, ack_wait: nanos(1000) }
    await before.jsm.consumers.add('KILL', config)
    const taken = await take(
      await (await before.js.consumers.get('KILL', 'c')).fetch({ max_messages: 12 }),
      12,
    )
    const acknowledged = taken.filter((_, index) => index % 3 !== 0)
    assert.ok((await Promise.all(acknowledged.map((m) => m.ackAck()))).every(Boolean))
    first.child.kill('SIGKILL')
    await endOf(first.child)
    await before.nc.close()

    const second = await start(directory)
    const now = await client(second.servers)
    try {
      const consumer = await now.js.consumers.get('KILL', 'c')
      const { num_ack_pending, delivered, num_pending } = await consumer.info()
      assert.deepEqual([num_ack_pending, delivered.stream_seq, num_pending], [4, 12, 8])
      const rest = await take(await consumer.fetch({ max_messages: 12, expires: 5000 }), 12)
      const sequences = rest.map(({ seq }) => seq).sort((a, b) => a - b)
      assert.deepEqual(sequences, [1, 4, 7, 10, 13, 14, 15, 16, 17, 18, 19, 20])
    } finally {
      await now.nc.close()
    }
  })
})

import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { after, describe, it } from 'node:test'
import {
  type JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
} from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { Objm } from '@nats-io/obj'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { Kafka, logLevel } from 'kafkajs'
import { cleanUp, endOf, newDirectory, spawnSpool } from './spool-process.ts'

after(cleanUp)

interface Running {
  readonly child: ChildProcess
  readonly kafka: string
  readonly servers: string
}

async function start(directory: string): Promise<Running> {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--no-http']
  const child = spawnSpool(['serve', '--data-dir', directory, ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  return {
    child,
    kafka: /^kafka (\S+)$/m.exec(output)?.[1] ?? '',
    servers: /^nats (\S+)$/m.exec(output)?.[1] ?? '',
  }
}

async function crash({ child }: Running): Promise<void> {
  const ended = endOf(child)
  child.kill('SIGKILL')
  await ended
}

async function withClient(
  running: Running,
  test: (client: NatsConnection, manager: JetStreamManager) => Promise<void>,
): Promise<void> {
  const client = await connect({ servers: running.servers, reconnect: false })
  try {
    await test(client, await jetstreamManager(client))
  } finally {
    await client.close()
  }
}

async function errorCodeOf(action: Promise<unknown>): Promise<number> {
  const error = await action.then(
    () => assert.fail('it was refused'),
    (refused: unknown) => refused as JetStreamApiError,
  )
  return error.apiError().err_code
}

/** What is known of a stream, with every message. */
async function stateOf(manager: JetStreamManager, name: string): Promise<object> {
  const { state, config, created } = await manager.streams.info(name, {
    subjects_filter: '>',
    deleted_details: true,
  })
  const messages: unknown[] = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(name, { seq })
    if (message === null) continue
    const { subject, time, data, header } = message
    messages.push([seq, subject, time, Buffer.from(data).toString('hex'), [...header]])
  }
  return { state, config, created, messages }
}

describe('streams of JetStream', () => {
  it('are made, changed, listed and deleted by nats.js, and refused in its numbers', async () => {
    const running = await start(newDirectory())
    await withClient(running, async (client, manager) => {
      assert.equal(client.info?.jetstream, true)
      const made = await manager.streams.add({ name: 'A', subjects: ['a.>'], max_msgs: 10 })
      assert.equal(made.config.max_msgs, 10)
      // The same again is no error.
      await manager.streams.add({ name: 'A', subjects: ['a.>'], max_msgs: 10 })
      const other = { name: 'A', subjects: ['a.>'], max_msgs: 11 }
      assert.equal(await errorCodeOf(manager.streams.add(other)), 10058)
      const overlap = { name: 'B', subjects: ['a.b'] }
      assert.equal(await errorCodeOf(manager.streams.add(overlap)), 10065)
      const changed = await manager.streams.update('A', { subjects: ['a.>', 'b'] })
      assert.deepEqual(changed.config.subjects, ['a.>', 'b'])
      assert.equal(await manager.streams.find('b'), 'A')
      const queue = { name: 'Q', subjects: ['q'], retention: RetentionPolicy.Workqueue }
      await manager.streams.add(queue)
      assert.deepEqual(await manager.streams.names().next(), ['A', 'Q'])
      assert.equal((await manager.getAccountInfo()).streams, 2)
      assert.equal(await manager.streams.delete('A'), true)
      assert.equal(await errorCodeOf(manager.streams.info('A')), 10059)
    })
    await crash(running)
  })
})

describe('what was acknowledged', () => {
  it('is there after kill -9, and all else is as it was', async () => {
    const directory = newDirectory()
    let running = await start(directory)
    let before: object[] = []
    await withClient(running, async (client, manager) => {
      await manager.streams.add({
        ...{ name: 'LIMITED', subjects: ['limited.>'], max_msgs_per_subject: 3, max_msgs: 40 },
        ...{ first_seq: 100, allow_rollup_hdrs: true, deny_delete: false },
      })
      const stream = jetstream(client)
      for (let i = 0; i < 60; i++) {
        const options = { msgID: `id-${i}`, headers: headers() }
        options.headers.append('n', String(i))
        options.headers.append('n', 'again')
        await stream.publish(`limited.${i % 20}`, `message ${i}`, options)
      }
      await manager.streams.deleteMessage('LIMITED', 130)
      await manager.streams.purge('LIMITED', { filter: 'limited.7' })
      const rollup = headers()
      rollup.set('Nats-Rollup', 'sub')
      await stream.publish('limited.3', 'all of three', { headers: rollup })
      const bucket = await new Kvm(client).create('bucket', { history: 3 })
      for (let i = 0; i < 20; i++) await bucket.put(`key.${i % 4}`, `value ${i}`)
      await bucket.delete('key.0')
      await bucket.purge('key.1')
      const store = await new Objm(client).create('objects')
      await store.putBlob({ name: 'one' }, new Uint8Array(300_000).fill(1))
      await store.putBlob({ name: 'one' }, new Uint8Array(200_000).fill(2))
      before = await statesOf(manager)
    })
    await crash(running)
    running = await start(directory)
    await withClient(running, async (client, manager) => {
      assert.deepEqual(await statesOf(manager), before)
      const again = await jetstream(client).publish('limited.1', 'x', { msgID: 'id-59' })
      assert.equal(again.duplicate, true)
      const bucket = await new Kvm(client).open('bucket')
      assert.equal((await bucket.get('key.2'))?.string(), 'value 18')
      const store = await new Objm(client).open('objects')
      assert.deepEqual(await store.getBlob('one'), new Uint8Array(200_000).fill(2))
    })
    await crash(running)
  })

  it('is there, all 400 messages of it, after kill -9 several times in a row', async () => {
    const directory = newDirectory()
    for (let published = 0; published <= 400; published += 100) {
      const running = await start(directory)
      await withClient(running, async (client, manager) => {
        if (published === 0) await manager.streams.add({ name: 'KEPT', subjects: ['kept'] })
        const { state } = await manager.streams.info('KEPT')
        assert.deepEqual([state.messages, state.last_seq], [published, published])
        for (let seq = 1; seq <= published; seq++) {
          const message = await manager.streams.getMessage('KEPT', { seq })
          assert.equal(message?.string(), `message ${seq}`)
        }
        const count = published === 400 ? 0 : 100
        const sent = Array.from({ length: count }, (_, i) =>
          jetstream(client).publish('kept', `message ${published + i + 1}`),
        )
        const acks = await Promise.all(sent)
        assert.equal(acks.at(-1)?.seq, count === 0 ? undefined : published + count)
      })
      await crash(running)
    }
  })
})

describe('a stream', () => {
  it('is a topic: a Kafka consumer reads subjects, headers and times, and Kafka produces', async () => {
    const running = await start(newDirectory())
    const kafka = new Kafka({ brokers: [running.kafka], logLevel: logLevel.NOTHING })
    await withClient(running, async (client, manager) => {
      await manager.streams.add({ name: 'ORDERS', subjects: ['orders.>'] })
      const values = headers()
      values.append('kind', 'a')
      values.append('kind', 'b')
      await jetstream(client).publish('orders.eu', 'from NATS', { headers: values })
      const producer = kafka.producer()
      await producer.connect()
      await producer.send({
        topic: 'ORDERS',
        messages: [{ key: 'orders.us', value: 'from Kafka', headers: { kind: 'c' } }],
      })
      await producer.disconnect()
      const stored = await manager.streams.getMessage('ORDERS', { last_by_subj: 'orders.us' })
      assert.equal(stored?.string(), 'from Kafka')
      assert.equal(stored?.header.get('kind'), 'c')
      assert.equal(stored?.seq, 2)
      const consumer = kafka.consumer({ groupId: 'readers' })
      await consumer.connect()
      await consumer.subscribe({ topic: 'ORDERS', fromBeginning: true })
      const records: object[] = []
      await new Promise<void>((resolve) => {
        void consumer.run({
          eachMessage: async ({ message: { key, value, headers: found, offset } }) => {
            const kinds = [found?.['kind'] ?? []].flat().map(String)
            records.push({ key: String(key), value: String(value), kinds, offset })
            if (records.length === 2) resolve()
          },
        })
      })
      await consumer.disconnect()
      assert.deepEqual(records, [
        { key: 'orders.eu', value: 'from NATS', kinds: ['a', 'b'], offset: '0' },
        { key: 'orders.us', value: 'from Kafka', kinds: ['c'], offset: '1' },
      ])
    })
    await crash(running)
  })
})

async function statesOf(manager: JetStreamManager): Promise<object[]> {
  const states: object[] = []
  for (const name of ['LIMITED', 'KV_bucket', 'OBJ_objects']) {
    states.push(await stateOf(manager, name))
  }
  return states
}

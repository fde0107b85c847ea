import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { cleanUp, endOf, kafkaOf, newDirectory, type Server, serve, stop } from './spool-process.ts'

after(cleanUp)

async function produceNumbers(server: Server, topic: string, from: number, count: number) {
  const producer = kafkaOf(server).producer({ idempotent: true })
  await producer.connect()
  const numbers = Array.from({ length: count }, (_, index) => String(from + index))
  await producer.send({ topic, acks: -1, messages: numbers.map((value) => ({ key: 'k', value })) })
  await producer.disconnect()
  return numbers
}

async function consumeAll(server: Server, topic: string, groupId: string, count: number) {
  const consumer = kafkaOf(server).consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          values.push(message.value?.toString() ?? '')
          if (values.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return values
}

describe('spool serve with kafkajs', () => {
  it('produces, consumes in a group, and keeps all of it over a clean stop', async () => {
    const directory = newDirectory()
    const first = await serve(directory)
    const sent = await produceNumbers(first, 'orders', 0, 100)
    assert.deepEqual(await consumeAll(first, 'orders', 'g', 100), sent)
    assert.equal(await stop(first), 0)

    const second = await serve(directory)
    const admin = kafkaOf(second).admin()
    await admin.connect()
    const offsets = await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] })
    assert.equal(offsets[0]?.partitions[0]?.offset, '100')
    await admin.disconnect()
    assert.deepEqual(await consumeAll(second, 'orders', 'other', 100), sent)
    assert.equal(await stop(second), 0)
  })

  it('stops cleanly while clients are connected', async () => {
    const server = await serve(newDirectory())
    const producer = kafkaOf(server).producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'one' }] })
    assert.equal(await stop(server), 0)
    assert.ok(existsSync(join(server.directory, '.kafka_cleanshutdown')), server.errors())
    await producer.disconnect()
  })

  it('keeps every acknowledged record over kill -9', async () => {
    const directory = newDirectory()
    const first = await serve(directory)
    const sent = await produceNumbers(first, 'orders', 0, 50)
    const killed = endOf(first.child)
    first.child.kill('SIGKILL')
    await killed
    const second = await serve(directory)
    const more = await produceNumbers(second, 'orders', 50, 50)
    assert.deepEqual(await consumeAll(second, 'orders', 'g', 100), [...sent, ...more])
    assert.equal(await stop(second), 0)
  })
})

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { cleanUp, endOf, kafkaOf, newDirectory, type Server, serve, stop } from './spool-process.ts'

after(cleanUp)

/** Reads to the end of a topic of one partition, as that isolation level sees it. */
async function readAll(server: Server, topic: string, isolation: 'committed' | 'uncommitted') {
  const groupId = `readers-${isolation}-${server.bootstrap}`
  const readUncommitted = isolation === 'uncommitted'
  const consumer = kafkaOf(server).consumer({ groupId, readUncommitted, maxWaitTimeInMs: 50 })
  const ends = kafkaOf(server).admin()
  await ends.connect()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const [end] = await ends.fetchTopicOffsets(topic)
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      if (Number(payload.lastOffset) >= Number(end?.high) - 1) resolve()
    })
    consumer
      .run({
        // Batches end where the markers are, also when all their records are aborted.
        eachBatch: async ({ batch }) => {
          values.push(...batch.messages.map(({ value }) => value?.toString() ?? ''))
          if (Number(batch.highWatermark) - 1 <= Number(batch.lastOffset())) resolve()
        },
        eachBatchAutoResolve: true,
      })
      .catch(reject)
  })
  await consumer.disconnect()
  await ends.disconnect()
  return values
}

async function transactionalProducer(server: Server, transactionalId: string) {
  const settings = { transactionalId, idempotent: true, maxInFlightRequests: 1 }
  const producer = kafkaOf(server).producer({ ...settings, transactionTimeout: 30_000 })
  await producer.connect()
  return producer
}

describe('transactions with kafkajs, which knows only the first transaction version', () => {
  it('are seen whole or not at all, with the offsets that were sent to them', async () => {
    const server = await serve(newDirectory())
    const producer = await transactionalProducer(server, 'copier')
    for (const [index, ends] of (['commit', 'abort', 'commit'] as const).entries()) {
      const transaction = await producer.transaction()
      for (const part of ['a', 'b']) {
        await transaction.send({ topic: 'copies', messages: [{ value: `${index}${part}` }] })
      }
      const partitions = [{ partition: 0, offset: String((index + 1) * 2) }]
      const topics = [{ topic: 'copies', partitions }]
      await transaction.sendOffsets({ consumerGroupId: 'copiers', topics })
      await transaction[ends]()
    }
    await producer.disconnect()
    assert.deepEqual(await readAll(server, 'copies', 'committed'), ['0a', '0b', '2a', '2b'])
    const admin = kafkaOf(server).admin()
    await admin.connect()
    const offsets = await admin.fetchOffsets({ groupId: 'copiers', topics: ['copies'] })
    assert.equal(offsets[0]?.partitions[0]?.offset, '6')
    await admin.disconnect()
    assert.equal(await stop(server), 0)
  })

  it('that were open at kill -9 are aborted by the next producer; committed ones stay', async () => {
    const directory = newDirectory()
    const first = await serve(directory)
    const producer = await transactionalProducer(first, 'crasher')
    const committed = await producer.transaction()
    await committed.send({ topic: 'crashes', messages: [{ value: 'kept' }] })
    await committed.commit()
    const open = await producer.transaction()
    await open.send({ topic: 'crashes', messages: [{ value: 'lost' }] })
    const killed = endOf(first.child)
    first.child.kill('SIGKILL')
    await killed

    const second = await serve(directory)
    const next = await transactionalProducer(second, 'crasher')
    const transaction = await next.transaction()
    await transaction.send({ topic: 'crashes', messages: [{ value: 'after' }] })
    await transaction.commit()
    await next.disconnect()
    assert.deepEqual(await readAll(second, 'crashes', 'committed'), ['kept', 'after'])
    await producer.disconnect()
    assert.equal(await stop(second), 0)
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  Admin,
  Consumer,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { Broker } from '../../src/index.ts'

let broker: Broker
before(async () => {
  broker = await Broker.start()
})
after(async () => {
  await broker.stop()
})

describe('@platformatic/kafka against an embedded broker', () => {
  it('creates a topic, produces, and reads it in a group', async () => {
    const connection = { clientId: 'e2e', bootstrapBrokers: [broker.bootstrap] }
    const admin = new Admin(connection)
    await admin.createTopics({ topics: ['events'], partitions: 2, replicas: 1 })
    await admin.close()

    const producer = new Producer({ ...connection, serializers: stringSerializers })
    const values = Array.from({ length: 20 }, (_, index) => `value-${index}`)
    await producer.send({
      messages: values.map((value) => ({ topic: 'events', key: value, value })),
      acks: -1,
    })
    await producer.close()

    const consumer = new Consumer({
      ...connection,
      groupId: 'readers',
      deserializers: stringDeserializers,
    })
    const stream = await consumer.consume({ topics: ['events'], mode: 'earliest' })
    const seen: string[] = []
    for await (const message of stream) {
      seen.push(message.value ?? '')
      if (seen.length === values.length) break
    }
    await consumer.close(true)
    assert.deepEqual(seen.toSorted(), values.toSorted())
  })
})

describe('@platformatic/kafka in transactions', () => {
  it('copies records, and an aborted copy is made again', async () => {
    const connection = { clientId: 'e2e', bootstrapBrokers: [broker.bootstrap] }
    const admin = new Admin(connection)
    await admin.createTopics({ topics: ['originals', 'copies'], partitions: 1, replicas: 1 })
    await admin.close()
    const values = Array.from({ length: 6 }, (_, index) => `value-${index}`)
    const filler = new Producer({ ...connection, serializers: stringSerializers })
    await filler.send({
      messages: values.map((value) => ({ topic: 'originals', value })),
      acks: -1,
    })
    await filler.close()

    const producer = new Producer({
      ...connection,
      ...{ serializers: stringSerializers, idempotent: true, transactionalId: 'copier' },
    })
    const reading = { ...connection, deserializers: stringDeserializers, autocommit: false }
    const copiers = new Consumer({ ...reading, groupId: 'copiers' })
    const stream = await copiers.consume({ topics: ['originals'], mode: 'earliest' })
    let seenCount = 0
    for await (const message of stream) {
      // One abort: this client leaves out only the last aborted transaction of a fetch.
      const ways = seenCount === 2 ? (['abort', 'commit'] as const) : (['commit'] as const)
      for (const ends of ways) {
        const transaction = await producer.beginTransaction()
        await transaction.addConsumer(copiers)
        const value = `${ends} ${message.value}`
        await transaction.send({ messages: [{ topic: 'copies', value }], acks: -1 })
        await transaction.addOffset(message)
        await transaction[ends]()
      }
      if (++seenCount === values.length) break
    }
    const committed = await copiers.listCommittedOffsets({
      topics: [{ topic: 'originals', partitions: [0] }],
    })
    assert.deepEqual(committed.get('originals'), [BigInt(values.length)])
    await copiers.close(true)
    await producer.close()

    const readers = new Consumer({ ...reading, groupId: 'copy-readers' })
    const isolationLevel = 1
    const seen: string[] = []
    const copies = await readers.consume({ topics: ['copies'], mode: 'earliest', isolationLevel })
    for await (const message of copies) {
      seen.push(message.value ?? '')
      if (seen.length === values.length) break
    }
    await readers.close(true)
    assert.deepEqual(
      seen,
      values.map((value) => `commit ${value}`),
    )
  })
})

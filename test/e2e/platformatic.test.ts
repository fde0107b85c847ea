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

describe('@platformatic/kafka against an embedded broker', () => {
  let broker: Broker
  before(async () => {
    broker = await Broker.start()
  })
  after(async () => {
    await broker.stop()
  })

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

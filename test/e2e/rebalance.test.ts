import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import { type Delivery, Ledger, type Member } from './ledger.ts'
import { cleanUp, kafkaOf, newDirectory, type Server, serve, stop } from './spool-process.ts'

after(cleanUp)

const TOPIC = 'numbers'
const PARTITION_COUNT = 6

/** Members of KIP-848 learn of a change with a heartbeat; 5 s is the default. */
const SETTINGS = {
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '100',
}

/** Joins a group and reads; commits each record before it reads the next one. */
type Join = (server: Server, ledger: Ledger) => Promise<Member>

const joinKafkajs: Join = async (server, ledger) => {
  const consumer = kafkaOf(server).consumer({
    groupId: 'readers',
    heartbeatInterval: 100,
    maxWaitTimeInMs: 50,
  })
  let assigned: readonly number[] = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[TOPIC] ?? []
    ledger.changed()
  })
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ partition, message }) => {
      ledger.take(partition, Number(message.value))
    },
  })
  return { assigned: () => assigned, stop: () => consumer.disconnect() }
}

/** @param protocol of KIP-848 or the one before */
const joinPlatformatic =
  (protocol: 'classic' | 'consumer'): Join =>
  async (server, ledger) => {
    const consumer = new Consumer({
      clientId: protocol,
      bootstrapBrokers: [server.bootstrap],
      groupId: 'readers',
      deserializers: stringDeserializers,
      autocommit: false,
      maxWaitTime: 50,
      ...(protocol === 'consumer'
        ? { groupProtocol: protocol }
        : { groupProtocol: protocol, heartbeatInterval: 100 }),
    })
    consumer.on('consumer:group:join', () => ledger.changed())
    consumer.on('consumer:heartbeat:end', () => ledger.changed())
    const stream = await consumer.consume({
      topics: [TOPIC],
      mode: 'committed',
      fallbackMode: 'earliest',
    })
    const assigned = (): number[] =>
      (consumer.assignments ?? [])
        .filter(({ topic }) => topic === TOPIC)
        .flatMap(({ partitions }) => partitions)
    const reading = (async () => {
      for await (const { partition, value, commit } of stream) {
        // A fetch that was under way still brings records of partitions that went to another member.
        if (!assigned().includes(partition)) continue
        await commit()
        ledger.take(partition, Number(value))
      }
    })()
    return {
      assigned,
      stop: async () => {
        await consumer.close(true)
        await reading
      },
    }
  }

/** Appends numbers to every partition, as many as are said. */
class Numbers {
  #count = 0
  readonly #producer: ReturnType<ReturnType<typeof kafkaOf>['producer']>

  constructor(server: Server) {
    this.#producer = kafkaOf(server).producer({ idempotent: true })
  }

  get count(): number {
    return this.#count
  }

  connect(): Promise<void> {
    return this.#producer.connect()
  }

  disconnect(): Promise<void> {
    return this.#producer.disconnect()
  }

  async add(count: number): Promise<void> {
    const messages = Array.from({ length: PARTITION_COUNT }, (_, partition) =>
      Array.from({ length: count }, (_, index) => ({
        partition,
        value: String(this.#count + index),
      })),
    ).flat()
    await this.#producer.send({ topic: TOPIC, acks: -1, messages })
    this.#count += count
  }
}

async function createTopic(server: Server): Promise<void> {
  const admin = kafkaOf(server).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITION_COUNT }] })
  await admin.disconnect()
}

async function committedOffsets(server: Server): Promise<number[]> {
  const admin = kafkaOf(server).admin()
  await admin.connect()
  const [topic] = await admin.fetchOffsets({ groupId: 'readers', topics: [TOPIC] })
  await admin.disconnect()
  const partitions = (topic?.partitions ?? []).toSorted((a, b) => a.partition - b.partition)
  return partitions.map(({ offset }) => Number(offset))
}

const filled = (value: number): number[] => new Array(PARTITION_COUNT).fill(value)

describe('a group that grows and shrinks, 2 to 3 to 1 members', () => {
  const clients: readonly (readonly [string, Join, Delivery])[] = [
    ['kafkajs', joinKafkajs, 'once'],
    // It reads again what it just committed, without a new start: test/conformance/FINDINGS.md.
    ['@platformatic/kafka, classic protocol', joinPlatformatic('classic'), 'at least once'],
    ['@platformatic/kafka, KIP-848', joinPlatformatic('consumer'), 'at least once'],
  ]
  for (const [name, join, delivery] of clients) {
    it(`reads every record ${delivery} and in order, and goes on where it was: ${name}`, async () => {
      const server = await serve(newDirectory(), SETTINGS)
      await createTopic(server)
      const ledger = new Ledger(PARTITION_COUNT, delivery)
      const numbers = new Numbers(server)
      await numbers.connect()
      const members: Member[] = []
      for (const size of [2, 3, 1]) {
        while (members.length < size) members.push(await join(server, ledger))
        await Promise.all(members.splice(size).map((member) => member.stop()))
        await ledger.shared(members)
        await numbers.add(50)
        await ledger.reach(numbers.count)
      }
      await Promise.all(members.map((member) => member.stop()))
      if (delivery === 'once')
        assert.deepEqual(await committedOffsets(server), filled(numbers.count))
      await numbers.add(5)
      const [next] = await Promise.all([join(server, ledger), ledger.reach(numbers.count)])
      await next.stop()
      await numbers.disconnect()
      assert.equal(await stop(server), 0)
      assert.equal(server.errors(), '')
    })
  }

  it('does so with kafkajs while records keep coming', async () => {
    const server = await serve(newDirectory(), SETTINGS)
    await createTopic(server)
    const ledger = new Ledger(PARTITION_COUNT)
    const numbers = new Numbers(server)
    await numbers.connect()
    let isLoaded = true
    const load = (async () => {
      while (isLoaded) await numbers.add(2)
    })()
    const members: Member[] = []
    for (const size of [2, 3, 1]) {
      while (members.length < size) members.push(await joinKafkajs(server, ledger))
      await Promise.all(members.splice(size).map((member) => member.stop()))
      await ledger.shared(members)
    }
    isLoaded = false
    await load
    await ledger.reach(numbers.count)
    await Promise.all(members.map((member) => member.stop()))
    assert.deepEqual(await committedOffsets(server), filled(numbers.count))
    await numbers.disconnect()
    assert.equal(await stop(server), 0)
  })
})

import { fetchApi } from '../../../src/wire/kafka/messages/01-fetch.ts'
import { type Broker, batchOf } from './support/broker.ts'
import { didWait, type Scenario, scenario } from './support/scenario.ts'

interface Asked {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly maxWaitMs?: number
  /** Fetch offset of each partition; left out when the client has nothing to change. */
  readonly offsets?: Readonly<Record<number, number>>
  readonly forgotten?: readonly number[]
}

/** Asks in a session of one topic and shows the answer with sizes in place of bytes. */
async function ask(broker: Broker, topic: string, asked: Asked) {
  const partitions = Object.entries(asked.offsets ?? {}).map(([partition, fetchOffset]) => ({
    ...{ partition: Number(partition), fetchOffset, partitionMaxBytes: 10_000 },
  }))
  const answer = await broker.call(fetchApi, 12, {
    ...{ maxWaitMs: asked.maxWaitMs ?? 50, minBytes: 1, maxBytes: 100_000 },
    ...{ sessionId: asked.sessionId, sessionEpoch: asked.sessionEpoch },
    topics: partitions.length === 0 ? [] : [{ topic, partitions }],
    forgottenTopicsData:
      asked.forgotten === undefined ? [] : [{ topic, partitions: [...asked.forgotten] }],
  })
  const responses = answer.responses.map(({ topic: name, partitions: found }) => ({
    name,
    partitions: found.map((partition) => ({
      ...partition,
      records: partition.records?.length ?? 'null',
    })),
  }))
  return { ...answer, responses }
}

/** Opens a session on two partitions, the first of which has a record. */
async function open(broker: Broker, topic: string) {
  await broker.createTopic(topic, { partitions: 2 })
  await broker.produce(topic, batchOf('a'))
  return ask(broker, topic, { sessionId: 0, sessionEpoch: 0, offsets: { 0: 0, 1: 0 } })
}

export const fetchSessions: readonly Scenario[] = [
  scenario('epoch 0 opens a session with a full answer', (broker) => open(broker, 'session-open')),
  scenario('an incremental answer leaves out what did not change', async (broker) => {
    const topic = 'session-change'
    const { sessionId } = await open(broker, topic)
    const moved = await ask(broker, topic, { sessionId, sessionEpoch: 1, offsets: { 0: 1 } })
    const idle = await ask(broker, topic, { sessionId, sessionEpoch: 2 })
    await broker.produce(topic, batchOf('b'), { partition: 1 })
    const changed = await ask(broker, topic, { sessionId, sessionEpoch: 3 })
    return [moved, idle, changed]
  }),
  scenario('a session whose offset was not moved repeats the data', async (broker) => {
    const { sessionId } = await open(broker, 'session-repeat')
    return [
      await ask(broker, 'session-repeat', { sessionId, sessionEpoch: 1 }),
      await ask(broker, 'session-repeat', { sessionId, sessionEpoch: 2 }),
    ]
  }),
  scenario('an incremental request without partitions waits like any other', async (broker) => {
    const { sessionId } = await open(broker, 'session-wait')
    await ask(broker, 'session-wait', { sessionId, sessionEpoch: 1, offsets: { 0: 1 } })
    return didWait(280, () =>
      ask(broker, 'session-wait', { sessionId, sessionEpoch: 2, maxWaitMs: 300 }),
    )
  }),
  scenario('a wrong epoch has error 71, an unknown session 70', async (broker) => {
    const { sessionId } = await open(broker, 'session-wrong')
    return [
      await ask(broker, 'session-wrong', { sessionId, sessionEpoch: 9 }),
      await ask(broker, 'session-wrong', { sessionId: sessionId + 1, sessionEpoch: 1 }),
      await ask(broker, 'session-wrong', { sessionId: 12_345, sessionEpoch: 1 }),
    ]
  }),
  scenario('epoch -1 closes the session and answers in full', async (broker) => {
    const { sessionId } = await open(broker, 'session-close')
    return [
      await ask(broker, 'session-close', { sessionId, sessionEpoch: -1, offsets: { 0: 0 } }),
      await ask(broker, 'session-close', { sessionId, sessionEpoch: 1 }),
    ]
  }),
  scenario('a forgotten partition is no longer answered', async (broker) => {
    const topic = 'session-forget'
    const { sessionId } = await open(broker, topic)
    const forgotten = await ask(broker, topic, { sessionId, sessionEpoch: 1, forgotten: [0] })
    await broker.produce(topic, batchOf('b'))
    return [forgotten, await ask(broker, topic, { sessionId, sessionEpoch: 2 })]
  }),
  scenario('a partition may join a session later', async (broker) => {
    const topic = 'session-add'
    await broker.createTopic(topic, { partitions: 3 })
    await broker.produce(topic, batchOf('a'), { partition: 2 })
    const first = await ask(broker, topic, { sessionId: 0, sessionEpoch: 0, offsets: { 0: 0 } })
    const { sessionId } = first
    return [first, await ask(broker, topic, { sessionId, sessionEpoch: 1, offsets: { 2: 0 } })]
  }),
  scenario('an error partition comes in every answer', async (broker) => {
    const topic = 'session-error'
    await broker.createTopic(topic)
    const offsets = { 0: 0, 5: 0 }
    const first = await ask(broker, topic, { sessionId: 0, sessionEpoch: 0, offsets })
    const { sessionId } = first
    return [first, await ask(broker, topic, { sessionId, sessionEpoch: 1 })]
  }),
]

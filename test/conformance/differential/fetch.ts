import { fetchApi } from '../../../src/wire/kafka/messages/01-fetch.ts'
import { deleteRecordsApi } from '../../../src/wire/kafka/messages/21-delete-records.ts'
import { type Broker, batchOf, type FetchOptions } from './support/broker.ts'
import { didWait, type Scenario, scenario } from './support/scenario.ts'

/** A topic with `count` batches of about 1 KB each. */
async function fill(broker: Broker, topic: string, count: number, partitions = 1): Promise<void> {
  await broker.createTopic(topic, { partitions })
  for (let partition = 0; partition < partitions; partition++) {
    for (let i = 0; i < count; i++) {
      await broker.produce(topic, batchOf('x'.repeat(1000)), { partition })
    }
  }
}

/** An answer with the size of its records and where they begin, in place of the bytes. */
async function summary(broker: Broker, topic: string, offset: number, options: FetchOptions = {}) {
  const { records, ...rest } = await broker.fetch(topic, offset, options)
  return { ...rest, bytes: records?.length ?? 'null', firstOffset: firstOffsetOf(records) }
}

function firstOffsetOf(records: Buffer | null): number {
  return records !== null && records.length >= 8 ? Number(records.readBigInt64BE(0)) : -1
}

export const fetch: readonly Scenario[] = [
  scenario('at least one batch comes, whatever the limits are', async (broker) => {
    await fill(broker, 'fetch-least', 3)
    const { records } = await broker.fetch('fetch-least', 0, { maxBytes: 1, partitionMaxBytes: 1 })
    return [(records?.length ?? 0) >= 1061, firstOffsetOf(records)]
  }),
  scenario('the limit of a partition holds beyond its first batch', async (broker) => {
    await fill(broker, 'fetch-limit', 5)
    const { records } = await broker.fetch('fetch-limit', 0, { partitionMaxBytes: 2500 })
    // Kafka cuts the last batch, others may send whole ones.
    return Math.floor((records?.length ?? 0) / 1070)
  }),
  scenario('the limit of the request leaves later partitions empty', async (broker) => {
    await fill(broker, 'fetch-total', 2, 3)
    const partitions = [0, 1, 2].map((partition) => ({
      partition,
      fetchOffset: 0,
      partitionMaxBytes: 10_000,
    }))
    const answer = await broker.call(fetchApi, 12, {
      ...{ maxWaitMs: 100, minBytes: 1, maxBytes: 1500, forgottenTopicsData: [] },
      topics: [{ topic: 'fetch-total', partitions }],
    })
    const sizes = answer.responses[0]?.partitions.map(({ records }) => (records?.length ?? -1) > 0)
    return sizes
  }),
  scenario('an offset inside a batch brings the whole batch', async (broker) => {
    await broker.createTopic('fetch-inside')
    await broker.produce('fetch-inside', batchOf('a', 'b', 'c', 'd'))
    return summary(broker, 'fetch-inside', 2)
  }),
  scenario('too few bytes are answered after max.wait with what is there', async (broker) => {
    await fill(broker, 'fetch-wait', 1)
    let answer: unknown
    const hasWaited = await didWait(280, async () => {
      answer = await summary(broker, 'fetch-wait', 0, { maxWaitMs: 300, minBytes: 100_000 })
    })
    return [hasWaited, answer]
  }),
  scenario('an append wakes a fetch that waits', async (broker) => {
    await broker.createTopic('fetch-wake')
    const reader = await broker.connect()
    reader.send(fetchApi, 12, {
      ...{ maxWaitMs: 15_000, minBytes: 1, forgottenTopicsData: [] },
      topics: [
        {
          topic: 'fetch-wake',
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 9999 }],
        },
      ],
    })
    const early = await reader.outcome(300)
    await broker.produce('fetch-wake', batchOf('a'))
    const hasWaited = await didWait(10_000, () => reader.answer(fetchApi, 12))
    return [early, hasWaited]
  }),
  scenario('nothing to read is an empty field, never null', async (broker) => {
    await broker.createTopic('fetch-empty')
    const versions = [4, 6, 8, 11, 12]
    const answers = versions.map(async (version) =>
      summary(broker, 'fetch-empty', 0, { version, maxWaitMs: 10 }),
    )
    return [
      await answers.reduce((before, next) => before.then(() => next)),
      await summary(broker, 'fetch-empty', 7),
    ]
  }),
  ...[-5, 99, 0].map((offset) =>
    scenario(
      `offset ${offset} of a partition that holds 1 to 3 is out of range, at once`,
      async (broker) => {
        const topic = `fetch-range-${offset}`
        await fill(broker, topic, 3)
        const partitions = [{ partitionIndex: 0, offset: 1 }]
        await broker.call(deleteRecordsApi, 2, {
          topics: [{ name: topic, partitions }],
          timeoutMs: 5000,
        })
        let answer: unknown
        const hasWaited = await didWait(4000, async () => {
          answer = await summary(broker, topic, offset, { maxWaitMs: 5000 })
        })
        return [hasWaited, answer]
      },
    ),
  ),
  scenario('the end offset itself waits', async (broker) => {
    await fill(broker, 'fetch-end', 2)
    let answer: unknown
    const hasWaited = await didWait(280, async () => {
      answer = await summary(broker, 'fetch-end', 2, { maxWaitMs: 300 })
    })
    return [hasWaited, answer]
  }),
  scenario('an unknown partition is reported and does not shorten the wait', async (broker) => {
    await broker.createTopic('fetch-unknown')
    const at = { fetchOffset: 0, partitionMaxBytes: 1000 }
    let answer: unknown
    const hasWaited = await didWait(380, async () => {
      answer = await broker.call(fetchApi, 12, {
        ...{ maxWaitMs: 400, minBytes: 1, forgottenTopicsData: [] },
        topics: [
          {
            topic: 'fetch-unknown',
            partitions: [
              { ...at, partition: 0 },
              { ...at, partition: 7 },
            ],
          },
          { topic: 'fetch-nowhere', partitions: [{ ...at, partition: 0 }] },
        ],
      })
    })
    return [hasWaited, answer]
  }),
  scenario('an unknown topic id has error 100', async (broker) => {
    await broker.createTopic('fetch-ids')
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    return broker.call(fetchApi, 13, {
      ...{ maxWaitMs: 50, minBytes: 1, forgottenTopicsData: [] },
      topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAABQ', partitions }],
    })
  }),
  scenario('every version reads what was written', async (broker) => {
    const topicId = await broker.createTopic('fetch-versions')
    await broker.produce('fetch-versions', batchOf('a', 'b'))
    const seen: unknown[] = []
    for (let version = 4; version <= 18; version++) {
      const topic = version >= 13 ? { topicId } : { topic: 'fetch-versions' }
      const answer = await broker.call(fetchApi, version, {
        ...{ maxWaitMs: 1000, minBytes: 1, maxBytes: 10_000, forgottenTopicsData: [] },
        topics: [
          { ...topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000 }] },
        ],
      })
      const found = answer.responses[0]?.partitions[0]
      seen.push([
        version,
        { ...answer, responses: [] },
        { ...found, records: found?.records?.length },
      ])
    }
    return seen
  }),
  scenario('a leader epoch that the broker does not have yet has error 75', async (broker) => {
    await fill(broker, 'fetch-epoch', 1)
    return [
      await summary(broker, 'fetch-epoch', 0, { currentLeaderEpoch: 99 }),
      await summary(broker, 'fetch-epoch', 0, { currentLeaderEpoch: 0 }),
      await summary(broker, 'fetch-epoch', 0, { currentLeaderEpoch: -1 }),
    ]
  }),
  scenario('the epoch last fetched may not be above all that are known', async (broker) => {
    await fill(broker, 'fetch-last-epoch', 2)
    return [
      await summary(broker, 'fetch-last-epoch', 1, { lastFetchedEpoch: 9 }),
      await summary(broker, 'fetch-last-epoch', 1, { lastFetchedEpoch: 0 }),
    ]
  }),
  scenario(
    'read_committed has an empty list of aborted transactions, else null',
    async (broker) => {
      await fill(broker, 'fetch-isolation', 1)
      return [
        (await broker.fetch('fetch-isolation', 0, { isolationLevel: 0 })).abortedTransactions,
        (await broker.fetch('fetch-isolation', 0, { isolationLevel: 1 })).abortedTransactions,
      ]
    },
  ),
]

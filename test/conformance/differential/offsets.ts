import { buildBatch } from '../../../src/records/batch-builder.ts'
import { listOffsetsApi } from '../../../src/wire/kafka/messages/02-list-offsets.ts'
import { deleteRecordsApi } from '../../../src/wire/kafka/messages/21-delete-records.ts'
import { offsetForLeaderEpochApi } from '../../../src/wire/kafka/messages/23-offset-for-leader-epoch.ts'
import { type Broker, batchOf } from './support/broker.ts'
import { type Scenario, scenario } from './support/scenario.ts'

const T = 1_790_000_000_000

interface Asked {
  readonly timestamp: number
  readonly partition?: number
  readonly currentLeaderEpoch?: number
}

async function list(
  broker: Broker,
  topic: string,
  asked: readonly Asked[],
  version = 11,
  isolation = 0,
) {
  const partitions = asked.map(({ timestamp, partition = 0, currentLeaderEpoch = -1 }) => ({
    ...{ partitionIndex: partition, timestamp },
    ...(version >= 4 ? { currentLeaderEpoch } : {}),
  }))
  const answer = await broker.call(listOffsetsApi, version, {
    ...{ replicaId: -1, timeoutMs: 5000 },
    ...(version >= 2 ? { isolationLevel: isolation } : { isolationLevel: 0 }),
    topics: [{ name: topic, partitions }],
  })
  return answer.topics
}

/** Batches with the given timestamps, each list one batch. */
async function fill(
  broker: Broker,
  topic: string,
  batches: readonly (readonly number[])[],
  codec: 0 | 1 = 0,
) {
  await broker.createTopic(topic, {
    configs: { 'message.timestamp.before.max.ms': String(2 ** 50), 'retention.ms': '-1' },
  })
  for (const timestamps of batches) {
    const records = timestamps.map((timestamp) => ({ timestamp, value: Buffer.from('v') }))
    await broker.produce(topic, buildBatch(records, { codec }))
  }
}

async function trim(broker: Broker, name: string, offset: number, partitionIndex = 0) {
  const topics = [{ name, partitions: [{ partitionIndex, offset }] }]
  return broker.call(deleteRecordsApi, 2, { topics, timeoutMs: 5000 })
}

async function epochEnd(
  broker: Broker,
  topic: string,
  leaderEpoch: number,
  currentLeaderEpoch = -1,
  partition = 0,
) {
  const partitions = [{ partition, currentLeaderEpoch, leaderEpoch }]
  return broker.call(offsetForLeaderEpochApi, 4, { replicaId: -1, topics: [{ topic, partitions }] })
}

export const offsets: readonly Scenario[] = [
  scenario(
    'each special timestamp, in each version that may or may not have it',
    async (broker) => {
      await fill(broker, 'offsets-special', [[T, T + 5], [T + 3]])
      await trim(broker, 'offsets-special', 1)
      const seen: unknown[] = []
      for (let version = 1; version <= 11; version++) {
        for (const timestamp of [-1, -2, -3, -4, -5, -6, -7, -100]) {
          seen.push([
            version,
            timestamp,
            await list(broker, 'offsets-special', [{ timestamp }], version),
          ])
        }
      }
      return seen
    },
  ),
  scenario(
    'a time finds the first record that is not older, inside batches too',
    async (broker) => {
      await fill(broker, 'offsets-time', [[T, T + 10, T + 20], [T + 15], [T + 30, T + 40]])
      const seen: unknown[] = []
      for (const delta of [-1, 0, 1, 10, 11, 15, 20, 21, 35, 40, 41]) {
        seen.push([delta, await list(broker, 'offsets-time', [{ timestamp: T + delta }])])
      }
      return seen
    },
  ),
  scenario('a time finds records inside compressed batches', async (broker) => {
    await fill(broker, 'offsets-gzip', [[T, T + 10, T + 20], [T + 30]], 1)
    return [
      await list(broker, 'offsets-gzip', [{ timestamp: T + 11 }]),
      await list(broker, 'offsets-gzip', [{ timestamp: -3 }]),
    ]
  }),
  scenario(
    'the largest timestamp: of an empty partition, with equal and unordered times',
    async (broker) => {
      await fill(broker, 'offsets-largest-none', [])
      await fill(broker, 'offsets-largest', [[T, T + 50, T + 20, T + 50], [T + 50], [T + 1]])
      return [
        await list(broker, 'offsets-largest-none', [{ timestamp: -3 }]),
        await list(broker, 'offsets-largest', [{ timestamp: -3 }]),
      ]
    },
  ),
  scenario('a time that no record reaches has offset -1 and no error', async (broker) => {
    await fill(broker, 'offsets-none', [[T]])
    return [
      await list(broker, 'offsets-none', [{ timestamp: T + 1 }]),
      await list(broker, 'offsets-none', [{ timestamp: T + 1 }], 1),
    ]
  }),
  scenario('the same partition twice has error 42', async (broker) => {
    await fill(broker, 'offsets-twice', [[T]])
    return list(broker, 'offsets-twice', [{ timestamp: -1 }, { timestamp: -2 }])
  }),
  scenario('unknown topics and partitions, epochs that do not fit', async (broker) => {
    await fill(broker, 'offsets-there', [[T]])
    return [
      await list(broker, 'offsets-nowhere', [{ timestamp: -1 }]),
      await list(broker, 'offsets-there', [{ timestamp: -1, partition: 4 }]),
      await list(broker, 'offsets-there', [{ timestamp: -1, currentLeaderEpoch: 44 }]),
    ]
  }),
  scenario('read_committed has the last stable offset as its end', async (broker) => {
    await fill(broker, 'offsets-committed', [[T], [T + 1]])
    return list(broker, 'offsets-committed', [{ timestamp: -1 }], 11, 1)
  }),
  scenario(
    'DeleteRecords answers the new start, -1 means all, above the end is out of range',
    async (broker) => {
      const topic = 'offsets-delete'
      await fill(broker, topic, [[T], [T], [T], [T]])
      return [
        await trim(broker, topic, 2),
        await trim(broker, topic, 1),
        await trim(broker, topic, 5),
        await trim(broker, topic, -5),
        await trim(broker, topic, 0, 3),
        await trim(broker, 'offsets-nowhere', 0),
        await list(broker, topic, [{ timestamp: -2 }]),
        await trim(broker, topic, -1),
        await list(broker, topic, [{ timestamp: -2 }]),
        await broker.produce(topic, batchOf('after')),
      ]
    },
  ),
  scenario('DeleteRecords keeps what is only old, whatever retention.ms says', async (broker) => {
    await broker.createTopic('offsets-old', {
      configs: { 'message.timestamp.before.max.ms': String(2 ** 50) },
    })
    for (let i = 0; i < 4; i++) {
      const record = { timestamp: 1_500_000_000_000 + i, value: Buffer.from('old') }
      await broker.produce('offsets-old', buildBatch([record]))
    }
    return trim(broker, 'offsets-old', 2)
  }),
  scenario('a LogAppendTime topic is searched by the time of the broker', async (broker) => {
    const topic = 'offsets-append-time'
    await broker.createTopic(topic, { configs: { 'message.timestamp.type': 'LogAppendTime' } })
    const record = { timestamp: Date.now() + 9_000_000_000, value: Buffer.from('future') }
    await broker.produce(topic, buildBatch([record]))
    const found = await list(broker, topic, [{ timestamp: Date.now() - 3_600_000 }])
    return [
      await list(broker, topic, [{ timestamp: Date.now() + 3_600_000 }]),
      found[0]?.partitions.map(({ errorCode, offset }) => [errorCode, offset]),
    ]
  }),
  scenario('OffsetForLeaderEpoch: a known epoch has its end, a newer one -1', async (broker) => {
    const topic = 'offsets-epoch'
    await fill(broker, topic, [[T], [T]])
    return [
      await epochEnd(broker, topic, 0),
      await epochEnd(broker, topic, 9),
      await epochEnd(broker, topic, -1),
      await epochEnd(broker, topic, 0, 9),
      await epochEnd(broker, topic, 0, -1, 5),
      await epochEnd(broker, 'offsets-nowhere', 0),
    ]
  }),
]

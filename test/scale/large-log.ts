import assert from 'node:assert/strict'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { baseOffsetOf, isCrcValid } from '../../src/records/record-batch.ts'
import { produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { fetchApi } from '../../src/wire/kafka/messages/01-fetch.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { endOffsetOf, untilServing } from '../support/end-offset.ts'
import { MeasuredBroker, type ScaleStep } from './measured-broker.ts'
import { writeSparseLog } from './sparse-log.ts'

const TOPIC = 'large'
const TIMEOUT_MS = 30_000
const PRODUCE_VERSION = 9
const FETCH_VERSION = 11
const APPEND_COUNT = 100

export interface LargeLogOptions {
  /** Of the log; the files are sparse and take little of the disk. */
  readonly bytes: number
  readonly segmentBytes: number
}

/**
 * A broker with one large log: starts after a clean stop, reads in the middle, appends, is killed
 * and starts again.
 * @throws Error at the first answer that is wrong
 */
export function runLargeLog(options: LargeLogOptions): Promise<readonly ScaleStep[]> {
  const { bytes, segmentBytes } = options
  return MeasuredBroker.run(null, async (broker) => {
    await broker.start('start on an empty directory')
    await createTopic(broker, segmentBytes)
    await broker.shutdown()
    const endOffset = writeSparseLog(broker.directory, TOPIC, bytes, segmentBytes)

    await broker.start('start after a clean stop')
    await broker.measure('ask the end offset', () => expectEnd(broker, endOffset))
    const middle = Math.floor(endOffset / 2)
    await broker.measure('read in the middle', () => expectBatch(broker, middle))
    await broker.measure(`append ${APPEND_COUNT} batches`, () => append(broker))
    await broker.kill()
    await broker.start('start after kill -9')
    await broker.measure('ask the end offset again', () =>
      expectEnd(broker, endOffset + APPEND_COUNT),
    )
    await broker.measure('read the first batch', () => expectBatch(broker, 0))
  })
}

async function createTopic({ connection }: MeasuredBroker, segmentBytes: number): Promise<void> {
  const configs = [
    { name: 'segment.bytes', value: String(segmentBytes) },
    { name: 'retention.ms', value: '-1' },
  ]
  const topic = { name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs }
  const body = { topics: [topic], timeoutMs: TIMEOUT_MS }
  const answer = await connection.call(createTopicsApi, 5, body)
  assert.equal(answer.topics[0]?.errorCode, 0)
}

async function expectEnd({ connection }: MeasuredBroker, endOffset: number): Promise<void> {
  await untilServing(connection, TOPIC, 1)
  assert.deepEqual(await endOffsetOf(connection, TOPIC, 0), { errorCode: 0, offset: endOffset })
}

async function expectBatch({ connection }: MeasuredBroker, offset: number): Promise<void> {
  const partition = { partition: 0, fetchOffset: offset, partitionMaxBytes: 1 }
  const answer = await connection.call(fetchApi, FETCH_VERSION, {
    maxWaitMs: TIMEOUT_MS,
    minBytes: 1,
    topics: [{ topic: TOPIC, partitions: [partition] }],
  })
  const found = answer.responses[0]?.partitions[0]
  assert.equal(found?.errorCode, 0)
  const records = found?.records as Buffer
  assert.deepEqual([baseOffsetOf(records, 0), isCrcValid(records, 0)], [offset, true])
}

async function append({ connection }: MeasuredBroker): Promise<void> {
  for (let count = 0; count < APPEND_COUNT; count++) {
    const records = buildBatch([{ timestamp: Date.now(), value: Buffer.from(String(count)) }])
    const answer = await connection.call(produceApi, PRODUCE_VERSION, {
      transactionalId: null,
      acks: -1,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
    })
    assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, 0)
  }
}

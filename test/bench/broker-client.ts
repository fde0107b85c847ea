import { errorName } from '../../src/base/error-code.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { metadataApi } from '../../src/wire/kafka/messages/03-metadata.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../src/wire/kafka/messages/20-delete-topics.ts'
import { incrementalAlterConfigsApi } from '../../src/wire/kafka/messages/44-incremental-alter-configs.ts'
import { untilServing } from '../support/end-offset.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'

const TIMEOUT_MS = 30_000
const TOPIC_RESOURCE = 2
const GROUP_RESOURCE = 32
const SET = 0
const FILL_RECORDS_PER_BATCH = 500
const FILL_BATCH_BYTES = 100_000
const FILL_VALUE = Buffer.alloc(180, 'value of a record ')

async function withConnection<T>(
  bootstrap: string,
  work: (connection: KafkaConnection) => Promise<T>,
): Promise<T> {
  const connection = await KafkaConnection.open(bootstrap)
  try {
    return await work(connection)
  } finally {
    await connection.close()
  }
}

function failOn(what: string, errorCode: number | undefined): void {
  if (errorCode === undefined) throw new Error(`${what}: no answer for the topic`)
  if (errorCode !== 0) throw new Error(`${what}: ${errorName(errorCode)}`)
}

/** Creates a topic and waits until it can be used. @throws Error with the broker's refusal */
export function createTopic(
  bootstrap: string,
  name: string,
  partitionCount: number,
  config: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }))
  const topic = { name, numPartitions: partitionCount, replicationFactor: 1 }
  return withConnection(bootstrap, async (connection) => {
    const answer = await connection.call(createTopicsApi, 5, {
      topics: [{ ...topic, assignments: [], configs }],
    })
    failOn(`cannot create topic ${name}`, answer.topics[0]?.errorCode)
    await untilServing(connection, name, partitionCount)
  })
}

export function deleteTopic(bootstrap: string, name: string): Promise<void> {
  return withConnection(bootstrap, async (connection) => {
    const body = { topicNames: [name], timeoutMs: TIMEOUT_MS }
    const answer = await connection.call(deleteTopicsApi, 4, body)
    failOn(`cannot delete topic ${name}`, answer.responses[0]?.errorCode)
  })
}

/** Sets topic configs. @throws Error with the broker's refusal */
export function setTopicConfig(
  bootstrap: string,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  return setConfig(bootstrap, TOPIC_RESOURCE, name, config)
}

/** Sets configs of a group, which need not be there. @throws Error with the broker's refusal */
export function setGroupConfig(
  bootstrap: string,
  groupId: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  return setConfig(bootstrap, GROUP_RESOURCE, groupId, config)
}

function setConfig(
  bootstrap: string,
  resourceType: number,
  resourceName: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const configs = Object.entries(config).map(([key, value]) => ({
    name: key,
    configOperation: SET,
    value,
  }))
  return withConnection(bootstrap, async (connection) => {
    const body = { resources: [{ resourceType, resourceName, configs }], validateOnly: false }
    const answer = await connection.call(incrementalAlterConfigsApi, 1, body)
    failOn(`cannot configure ${resourceName}`, answer.responses[0]?.errorCode)
  })
}

/** The id of a topic, as the protocol has it. @throws Error when there is none */
export function topicIdOf(bootstrap: string, name: string): Promise<string> {
  return withConnection(bootstrap, async (connection) => {
    const answer = await connection.call(metadataApi, 12, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    const [topic] = answer.topics
    failOn(`cannot find topic ${name}`, topic?.errorCode)
    return (topic as NonNullable<typeof topic>).topicId
  })
}

/** How often a topic is written, and with what. */
export interface FillOptions {
  readonly partitionCount: number
  /** In all partitions. */
  readonly bytes: number
  /** Every key is written so often. */
  readonly writesPerKey: number
}

/** Fills a topic with records of 200 bytes, as fast as one connection can; returns their number. */
export function fillTopic(bootstrap: string, topic: string, options: FillOptions): Promise<number> {
  const { partitionCount, bytes, writesPerKey } = options
  const batchCount = Math.max(partitionCount, Math.round(bytes / FILL_BATCH_BYTES))
  const distinctCount = Math.ceil(batchCount / writesPerKey)
  const batches = Array.from({ length: distinctCount }, (_, index) => fillBatch(index))
  return withConnection(bootstrap, async (connection) => {
    for (let count = 0; count < batchCount; count += partitionCount) {
      const partitionData = Array.from({ length: partitionCount }, (_, index) => ({
        index,
        records: batches[(count + index) % distinctCount] ?? null,
      }))
      const answer = await connection.call(produceApi, 9, {
        transactionalId: null,
        acks: 1,
        timeoutMs: TIMEOUT_MS,
        topicData: [{ name: topic, partitionData }],
      })
      for (const { errorCode } of answer.responses[0]?.partitionResponses ?? [])
        failOn(`cannot produce to ${topic}`, errorCode)
    }
    return Math.ceil(batchCount / partitionCount) * partitionCount * FILL_RECORDS_PER_BATCH
  })
}

function fillBatch(batchIndex: number): Buffer {
  const timestamp = Date.now()
  const records = Array.from({ length: FILL_RECORDS_PER_BATCH }, (_, index) => ({
    timestamp,
    key: Buffer.from(`${batchIndex}-${index}`),
    value: FILL_VALUE,
  }))
  return buildBatch(records)
}

/** Sends one record with acks=all to partition 0 and waits for the acknowledgement. */
export function produceOnce(bootstrap: string, topic: string): Promise<void> {
  const records = buildBatch([{ timestamp: Date.now(), value: Buffer.from('first') }])
  return withConnection(bootstrap, async (connection) => {
    const answer = await connection.call(produceApi, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name: topic, partitionData: [{ index: 0, records }] }],
    })
    failOn(`cannot produce to ${topic}`, answer.responses[0]?.partitionResponses[0]?.errorCode)
  })
}

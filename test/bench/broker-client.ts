import { errorName } from '../../src/base/error-code.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { deleteTopicsApi } from '../../src/wire/kafka/messages/20-delete-topics.ts'
import { untilServing } from '../support/end-offset.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'

const TIMEOUT_MS = 30_000

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

import { setTimeout as delay } from 'node:timers/promises'
import { errorName } from '../../src/base/error-code.ts'
import { listOffsetsApi } from '../../src/wire/kafka/messages/02-list-offsets.ts'
import type { KafkaConnection } from './kafka-connection.ts'

const LATEST = -1
const SERVING_LIMIT_MS = 30_000
const RETRY_MS = 20

/** The end of a partition's log as ListOffsets tells it, or an error code. */
export async function endOffsetOf(
  connection: KafkaConnection,
  topic: string,
  partitionIndex: number,
): Promise<{ errorCode: number; offset: number }> {
  const partitions = [{ partitionIndex, timestamp: LATEST }]
  const body = { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] }
  const answer = await connection.call(listOffsetsApi, 5, body)
  const found = answer.topics[0]?.partitions[0]
  if (found === undefined) throw new Error('ListOffsets answered without the partition')
  return { errorCode: found.errorCode, offset: found.offset }
}

/**
 * Waits until the broker leads every partition; Kafka says that a topic is created, or that it has
 * started, a moment before.
 * @throws Error with the partition's error when that takes too long
 */
export async function untilServing(
  connection: KafkaConnection,
  topic: string,
  partitionCount: number,
): Promise<void> {
  const deadline = performance.now() + SERVING_LIMIT_MS
  for (let partition = 0; partition < partitionCount; ) {
    const { errorCode } = await endOffsetOf(connection, topic, partition)
    if (errorCode === 0) partition++
    else if (performance.now() > deadline) {
      throw new Error(`partition ${partition} of ${topic}: ${errorName(errorCode)}`)
    } else await delay(RETRY_MS)
  }
}

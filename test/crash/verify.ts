import { errorName } from '../../src/base/error-code.ts'
import { baseOffsetOf, isCrcValid, lastOffsetOf } from '../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../src/records/records-iterator.ts'
import { fetchApi } from '../../src/wire/kafka/messages/01-fetch.ts'
import { endOffsetOf } from '../support/end-offset.ts'
import type { KafkaConnection } from '../support/kafka-connection.ts'
import { type LoadProducer, parseValue } from './producer.ts'

const FETCH_VERSION = 12
const FETCH_BYTES = 4 * 1024 * 1024

/** One producer's records as they were read: by count, the place of the record; -1 = not there. */
interface Found {
  readonly partitions: Int32Array
  readonly offsets: Float64Array
}

/** A quick look after each restart: the log must reach beyond everything acknowledged. */
export async function checkEndOffsets(
  connection: KafkaConnection,
  topic: string,
  producers: readonly LoadProducer[],
): Promise<string[]> {
  const lastAcked = new Map<number, number>()
  for (const { options, batches } of producers) {
    if (options.kind === 'one') continue
    for (const { partition, ackedOffset, recordCount } of batches) {
      if (ackedOffset < 0) continue
      const last = ackedOffset + recordCount - 1
      lastAcked.set(partition, Math.max(last, lastAcked.get(partition) ?? -1))
    }
  }
  const problems: string[] = []
  for (const [partition, last] of lastAcked) {
    const { offset } = await endOffsetOf(connection, topic, partition)
    if (offset > last) continue
    problems.push(`partition ${partition} ends at ${offset}, but offset ${last} was acknowledged`)
  }
  return problems
}

/** Reads the topic from its start and compares every record with what was sent and acknowledged. */
export async function verifyTopic(
  connection: KafkaConnection,
  topic: string,
  producers: readonly LoadProducer[],
): Promise<string[]> {
  const found = producers.map(({ count }) => ({
    partitions: new Int32Array(count).fill(-1),
    offsets: new Float64Array(count).fill(-1),
  }))
  const problems: string[] = []
  const partitionCount = producers[0]?.options.partitionCount ?? 0
  for (let partition = 0; partition < partitionCount; partition++) {
    await readPartition(connection, topic, partition, found, problems)
  }
  for (const [index, producer] of producers.entries()) {
    checkProducer(producer, found[index] as Found, problems)
  }
  return problems
}

async function readPartition(
  connection: KafkaConnection,
  topic: string,
  partition: number,
  found: readonly Found[],
  problems: string[],
): Promise<void> {
  const { offset: endOffset } = await endOffsetOf(connection, topic, partition)
  const lastCounts = found.map(() => -1)
  let next = 0
  while (next < endOffset) {
    const records = await fetchFrom(connection, topic, partition, next)
    const before = next
    for (const position of batchPositions(records)) {
      const at = `partition ${partition}, offset ${baseOffsetOf(records, position)}`
      if (!isCrcValid(records, position)) problems.push(`${at}: wrong CRC`)
      if (baseOffsetOf(records, position) !== next) problems.push(`${at}: ${next} was due`)
      next = lastOffsetOf(records, position) + 1
      noteRecords(records, position, partition, found, lastCounts, problems)
    }
    if (next === before) throw new Error(`partition ${partition}: nothing to read at ${next}`)
  }
}

function noteRecords(
  records: Buffer,
  position: number,
  partition: number,
  found: readonly Found[],
  lastCounts: number[],
  problems: string[],
): void {
  for (const { offset, value } of recordsOf(records, position)) {
    const at = `partition ${partition}, offset ${offset}`
    if (value === null || value.length < 8) {
      problems.push(`${at}: a record nobody sent`)
      continue
    }
    const { producerIndex, count } = parseValue(value)
    const place = found[producerIndex]
    if (place === undefined || count >= place.offsets.length) {
      problems.push(`${at}: record ${count} of producer ${producerIndex}, which was never sent`)
      continue
    }
    const earlier = place.offsets[count] as number
    const name = `record ${count} of producer ${producerIndex}`
    if (earlier >= 0) problems.push(`${at}: ${name} again, it is at offset ${earlier} already`)
    else if (count <= (lastCounts[producerIndex] as number)) {
      problems.push(`${at}: ${name} after record ${lastCounts[producerIndex]}`)
    }
    lastCounts[producerIndex] = Math.max(count, lastCounts[producerIndex] as number)
    place.partitions[count] = partition
    place.offsets[count] = offset
  }
}

async function fetchFrom(
  connection: KafkaConnection,
  topic: string,
  partition: number,
  fetchOffset: number,
): Promise<Buffer> {
  const partitions = [{ partition, fetchOffset, partitionMaxBytes: FETCH_BYTES }]
  const answer = await connection.call(fetchApi, FETCH_VERSION, {
    maxWaitMs: 1000,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    topics: [{ topic, partitions }],
    forgottenTopicsData: [],
  })
  const data = answer.responses[0]?.partitions[0]
  const errorCode = data?.errorCode ?? answer.errorCode
  if (errorCode !== 0) {
    const name = errorName(errorCode)
    throw new Error(`Fetch of partition ${partition} at ${fetchOffset}: ${name}`)
  }
  return data?.records ?? Buffer.alloc(0)
}

/** Every acknowledged record is where the broker said; an idempotent producer's are all there. */
function checkProducer(producer: LoadProducer, found: Found, problems: string[]): void {
  const { index, kind } = producer.options
  if (kind === 'one') return
  for (const batch of producer.batches) {
    const { partition, firstCount, recordCount, ackedOffset } = batch
    if (ackedOffset < 0) continue
    for (let i = 0; i < recordCount; i++) {
      const count = firstCount + i
      const isThere =
        found.partitions[count] === partition && found.offsets[count] === ackedOffset + i
      if (isThere) continue
      const place =
        (found.offsets[count] as number) < 0
          ? 'is missing'
          : `is at partition ${found.partitions[count]}, offset ${found.offsets[count]}`
      problems.push(
        `record ${count} of producer ${index} (${kind}) was acknowledged at partition ` +
          `${partition}, offset ${ackedOffset + i}, and ${place}`,
      )
    }
  }
  if (kind !== 'idempotent' || producer.options.mayForgetOldBatches) return
  const unanswered = producer.batches.filter(({ ackedOffset }) => ackedOffset < 0)
  if (unanswered.length > 0) {
    problems.push(`producer ${index}: ${unanswered.length} batches were never acknowledged`)
  }
}

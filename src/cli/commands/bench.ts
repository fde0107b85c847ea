import { randomBytes, randomUUID } from 'node:crypto'
import type { Kafka } from 'kafkajs'
import { parseCount } from '../command-failure.ts'
import { type OutputFormat, printRows, type Row } from '../output.ts'
import { startProgress } from '../progress.ts'
import { type ClientOptions, withAdmin } from './kafka-client.ts'

interface BenchOptions extends ClientOptions {
  readonly output: OutputFormat
  readonly records: string
  readonly size: string
  readonly partitions: string
}

interface Load {
  readonly topic: string
  readonly recordCount: number
  readonly valueBytes: number
}

const BATCH_BYTES = 256 * 1024

/**
 * Sends records with acks=all and reads them again, on a topic of its own that is deleted at the
 * end. The client library is part of what is measured: `npm run bench` in the repository compares
 * brokers with quicker clients.
 */
export async function bench(options: BenchOptions): Promise<void> {
  const load: Load = {
    topic: `spool-bench-${randomUUID()}`,
    recordCount: parseCount(options.records, '--records', 1),
    valueBytes: parseCount(options.size, '--size', 1),
  }
  const numPartitions = parseCount(options.partitions, '--partitions', 1)
  await withAdmin(options, async (admin, kafka) => {
    await admin.createTopics({
      topics: [{ topic: load.topic, numPartitions }],
      waitForLeaders: true,
    })
    try {
      const rows = [await measureProduce(kafka, load), await measureConsume(kafka, load)]
      printRows(
        options.output,
        ['work', 'records', 'seconds', 'recordsPerSecond', 'mbPerSecond'],
        rows,
      )
    } finally {
      await admin.deleteTopics({ topics: [load.topic] })
      await admin.deleteGroups([load.topic]).catch(() => undefined)
    }
  })
}

async function measureProduce(kafka: Kafka, load: Load): Promise<Row> {
  const producer = kafka.producer()
  await producer.connect()
  const value = randomBytes(load.valueBytes)
  const batchCount = Math.max(1, Math.floor(BATCH_BYTES / load.valueBytes))
  const progress = startProgress('producing', load.recordCount, 'records')
  const startedMs = performance.now()
  try {
    for (let left = load.recordCount; left > 0; left -= batchCount) {
      const count = Math.min(batchCount, left)
      const messages = Array.from({ length: count }, () => ({ value }))
      await producer.send({ topic: load.topic, acks: -1, messages })
      progress.add(count)
    }
    return rowOf('produce', load, performance.now() - startedMs)
  } finally {
    progress.stop()
    await producer.disconnect()
  }
}

async function measureConsume(kafka: Kafka, load: Load): Promise<Row> {
  const consumer = kafka.consumer({ groupId: load.topic, maxBytesPerPartition: 8 * 1024 * 1024 })
  await consumer.connect()
  await consumer.subscribe({ topic: load.topic, fromBeginning: true })
  const progress = startProgress('consuming', load.recordCount, 'records')
  let seen = 0
  let startedMs = 0
  try {
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      // Joining the group is no part of reading.
      consumer.on(consumer.events.GROUP_JOIN, () => {
        startedMs = performance.now()
      })
      const eachBatch = async ({ batch }: { batch: { messages: readonly unknown[] } }) => {
        seen += batch.messages.length
        progress.add(batch.messages.length)
        if (seen >= load.recordCount) resolve()
      }
      consumer.run({ autoCommit: false, eachBatch }).catch(reject)
    })
    return rowOf('consume', load, performance.now() - startedMs)
  } finally {
    progress.stop()
    await consumer.disconnect()
  }
}

function rowOf(work: string, { recordCount, valueBytes }: Load, elapsedMs: number): Row {
  const seconds = elapsedMs / 1000
  return {
    work,
    records: recordCount,
    seconds: Number(seconds.toFixed(3)),
    recordsPerSecond: Math.round(recordCount / seconds),
    mbPerSecond: Number(((recordCount * valueBytes) / 1e6 / seconds).toFixed(1)),
  }
}

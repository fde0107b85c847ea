import { randomUUID } from 'node:crypto'
import type { Consumer, EachMessagePayload, KafkaMessage } from 'kafkajs'
import { parseCount, usageFailure } from '../command-failure.ts'
import { type OutputFormat, printJson } from '../output.ts'
import { type ClientOptions, connect, explained, partitionsOf, withAdmin } from './kafka-client.ts'

interface ConsumeOptions extends ClientOptions {
  readonly output: OutputFormat
  readonly fromBeginning?: boolean
  readonly offset?: string
  readonly partition?: string
  readonly group?: string
  readonly count?: string
  readonly timeout?: string
  readonly printKey?: boolean
}

interface Plan {
  readonly topic: string
  readonly groupId: string
  readonly isOwnGroup: boolean
  readonly startOffset: number | undefined
  readonly partition: number | undefined
  readonly maxCount: number
  readonly timeoutMs: number | undefined
}

/** Prints records until so many came, none came for so long, or a signal. */
export async function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const plan = planOf(topic, options)
  if (plan.maxCount === 0) return
  const consumer = connect(options).consumer({
    groupId: plan.groupId,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 500,
  })
  await explained(options, async () => {
    try {
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: options.fromBeginning ?? false })
      await read(consumer, plan, options)
    } finally {
      await consumer.disconnect()
    }
  })
  // A group that was only needed to read must not stay behind.
  if (plan.isOwnGroup) await withAdmin(options, (admin) => admin.deleteGroups([plan.groupId]))
}

function planOf(topic: string, options: ConsumeOptions): Plan {
  const { offset, partition, count, timeout, group, fromBeginning } = options
  if (offset !== undefined && fromBeginning === true) {
    throw usageFailure('--offset and --from-beginning exclude each other')
  }
  return {
    topic,
    groupId: group ?? `spool-consume-${randomUUID()}`,
    isOwnGroup: group === undefined,
    startOffset: offset === undefined ? undefined : parseCount(offset, '--offset'),
    partition: partition === undefined ? undefined : parseCount(partition, '--partition'),
    maxCount: count === undefined ? Number.POSITIVE_INFINITY : parseCount(count, '--count'),
    timeoutMs: timeout === undefined ? undefined : parseCount(timeout, '--timeout', 1),
  }
}

async function read(consumer: Consumer, plan: Plan, options: ConsumeOptions): Promise<void> {
  const print = printer(options)
  await new Promise<void>((resolve, reject) => {
    let printed = 0
    let timer: NodeJS.Timeout | undefined
    const restart = (): void => {
      clearTimeout(timer)
      if (plan.timeoutMs !== undefined) timer = setTimeout(resolve, plan.timeoutMs)
    }
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    // Joining the group takes its time; silence counts from there.
    consumer.on(consumer.events.GROUP_JOIN, restart)
    const eachMessage = async (payload: EachMessagePayload): Promise<void> => {
      const isWanted = plan.partition === undefined || payload.partition === plan.partition
      if (!isWanted || printed >= plan.maxCount) return
      restart()
      print(payload)
      printed++
      if (printed >= plan.maxCount) {
        clearTimeout(timer)
        resolve()
      }
    }
    consumer
      .run({ autoCommit: !plan.isOwnGroup, eachMessage })
      .then(() => seek(consumer, plan, options))
      .catch(reject)
  })
}

async function seek(consumer: Consumer, plan: Plan, options: ConsumeOptions): Promise<void> {
  const { topic, startOffset } = plan
  if (startOffset === undefined) return
  const partitions = await withAdmin(options, (admin) => partitionsOf(admin, topic))
  for (const { partitionId } of partitions) {
    consumer.seek({ topic, partition: partitionId, offset: String(startOffset) })
  }
}

function printer(options: ConsumeOptions): (payload: EachMessagePayload) => void {
  if (options.output === 'json') {
    return ({ topic, partition, message }) => printJson(recordOf(topic, partition, message))
  }
  return ({ message: { key, value } }) => {
    const prefix = options.printKey === true ? `${key?.toString('utf8') ?? ''}\t` : ''
    process.stdout.write(`${prefix}${value?.toString('utf8') ?? ''}\n`)
  }
}

function recordOf(topic: string, partition: number, message: KafkaMessage) {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => [name, value?.toString() ?? null]),
  )
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key?.toString('utf8') ?? null,
    value: message.value?.toString('utf8') ?? null,
    headers,
  }
}

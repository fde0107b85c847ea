import type { Consumer, EachMessagePayload } from 'kafkajs'
import { type ClientOptions, connect } from './kafka-client.ts'
import type { ReadRecord, RecordOutput } from './record-output.ts'

export interface GroupPlace {
  readonly topic: string
  readonly group: string
  readonly partitions: readonly number[]
  /** Where to begin whatever the group has committed. */
  readonly seekOffset: number | undefined
  /** Where to begin when the group has committed nothing. */
  readonly fromBeginning: boolean
}

const MAX_WAIT_MS = 500

/** Reads as a member of a group, which commits what was printed. */
export async function consumeInGroup(
  options: ClientOptions,
  place: GroupPlace,
  output: RecordOutput,
): Promise<void> {
  const { topic, fromBeginning } = place
  const consumer = connect(options).consumer({
    groupId: place.group,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: MAX_WAIT_MS,
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning })
    await read(consumer, place, output)
  } finally {
    await consumer.disconnect()
  }
}

async function read(consumer: Consumer, place: GroupPlace, output: RecordOutput): Promise<void> {
  const crashed = new Promise<never>((_, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  })
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => {
      output.start()
      resolve()
    })
  })
  await consumer.run({
    eachMessage: async (payload) => await output.take(recordOf(payload)),
  })
  if (place.seekOffset !== undefined) {
    for (const partition of place.partitions) {
      consumer.seek({ topic: place.topic, partition, offset: String(place.seekOffset) })
    }
  }
  // kafkajs can't leave a group that it is just joining: it joins again and never ends.
  await Promise.race([crashed, Promise.all([output.done, joined])])
}

function recordOf({ topic, partition, message }: EachMessagePayload): ReadRecord {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => [name, value ?? null] as const),
  )
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers,
  }
}

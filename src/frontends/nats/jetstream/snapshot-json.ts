import type { Consumer } from '../../../broker/jetstream/consumer/consumer.ts'
import type { ConsumerStateChange } from '../../../broker/jetstream/consumer/consumer-state.ts'
import type { SnapshotPart } from '../../../broker/jetstream/stream/backup/snapshot-archive.ts'
import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import { byteJson } from './byte-json.ts'
import { consumerConfigJson } from './consumer-info-json.ts'
import { stateJson } from './stream-info-json.ts'

type Fields = Readonly<Record<string, unknown>>

const NANOSECONDS_A_MS = 1_000_000n

/** The state of a stream as a snapshot has it. @param consumerCount of those in the snapshot */
export function snapshotStateJson(stream: Stream, consumerCount: number): Fields {
  return { ...stateJson(stream, false), consumer_count: consumerCount }
}

/** What comes before the messages in a snapshot. Source: stream_backup.go of nats-server. */
export function snapshotParts(
  state: Fields,
  consumers: readonly Consumer[],
  nowMs: number,
): SnapshotPart[] {
  return [
    { name: 'state.json', content: byteJson(state) },
    ...consumers.map((consumer) => ({
      name: `consumers/${consumer.name}`,
      content: consumerPart(consumer, nowMs),
    })),
  ]
}

function consumerPart({ config, name, state }: Consumer, nowMs: number): Buffer {
  const { delivered, ackFloor } = state
  const text = JSON.stringify({
    config: consumerConfigJson({ ...config, name }, {}),
    state: {
      delivered: { consumer_seq: delivered.consumer, stream_seq: delivered.stream },
      ack_floor: { consumer_seq: ackFloor.consumer, stream_seq: ackFloor.stream },
      ...redeliveredOf(state),
    },
  })
  const pending = pendingText(state, nowMs)
  return Buffer.from(pending === '' ? text : `${text.slice(0, -2)},${pending}}}`, 'latin1')
}

/** How often messages that wait were given again. */
function redeliveredOf({ pending }: ConsumerStateChange): Fields {
  const counts: Record<string, number> = {}
  for (const { firstSequence, lastSequence, deliveryCount } of pending) {
    if (deliveryCount < 2) continue
    for (let at = firstSequence; at <= lastSequence; at++) counts[at] = deliveryCount - 1
  }
  return Object.keys(counts).length === 0 ? {} : { redelivered: counts }
}

/** Nanoseconds are more than a number of JSON.stringify holds. Their ack wait begins with the copy. */
function pendingText({ pending }: ConsumerStateChange, nowMs: number): string {
  const time = BigInt(Math.round(nowMs)) * NANOSECONDS_A_MS
  const entries: string[] = []
  for (const { firstSequence, lastSequence, firstConsumerSequence } of pending) {
    for (let at = firstSequence; at <= lastSequence; at++) {
      const sequence = firstConsumerSequence + at - firstSequence
      entries.push(`"${at}":{"Sequence":${sequence},"Timestamp":${time}}`)
    }
  }
  return entries.length === 0 ? '' : `"pending":{${entries.join()}}`
}

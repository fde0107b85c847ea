import { ErrorCode } from '../../../src/base/error-code.ts'
import { DeliveryState } from '../../../src/broker/delivery/delivery-state.ts'
import { compress } from '../../../src/records/compression.ts'
import {
  Codec,
  codecOf,
  maxTimestampOf,
  RECORD_BATCH_OVERHEAD,
  TimestampType,
  timestampTypeOf,
} from '../../../src/records/record-batch.ts'
import type { FilePartitionLog } from '../../../src/storage/partition-log.ts'
import {
  errorOf,
  HOUR_MS,
  isEmptied,
  KEY,
  produceApart,
  produceTimes,
  rolls,
  syncs,
} from './config-observations.ts'
import type { ConfiguredBroker } from './configured-broker.ts'

/** What one value of a topic config does, and what another does once it is set. */
export interface TopicEffect {
  readonly config: string
  readonly values: readonly [before: string, after: string]
  /** What else the topic has. */
  readonly others?: Readonly<Record<string, string>>
  readonly observe: (broker: ConfiguredBroker) => Promise<unknown>
  readonly expected: readonly [before: unknown, after: unknown]
}

const RETENTION_CHECK_MS = 300_000

/** Words that come again and again, but not in a simple order, so that effort pays. */
const TEXT = Buffer.from(
  Array.from({ length: 4000 }, (_, i) => `word${(i * i * 7919) % 613} `).join(''),
)

/** Sizes of a stored batch at two levels: those of the codec itself. */
function levelEffect(name: string, codec: Codec, lowest: number, highest: number): TopicEffect {
  const sizeAt = (level: number) => {
    const record = compress(codec, recordOf(TEXT), level)
    return RECORD_BATCH_OVERHEAD + record.length
  }
  return {
    config: `compression.${name}.level`,
    values: [String(lowest), String(highest)],
    others: { 'compression.type': name },
    observe: async (broker) => {
      await broker.produce({ value: TEXT })
      return broker.newestBatch().byteLength
    },
    expected: [sizeAt(lowest), sizeAt(highest)],
  }
}

/** A record without key and headers at deltas of 0. */
function recordOf(value: Buffer): Buffer {
  const varint = (number: number): number[] => {
    const bytes: number[] = []
    let rest = number * 2
    for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
    return [...bytes, rest]
  }
  const body = Buffer.concat([
    Buffer.from([0, 0, 0, 1, ...varint(value.length)]),
    value,
    Buffer.from([0]),
  ])
  return Buffer.concat([Buffer.from(varint(body.length)), body])
}

const configOf = (broker: ConfiguredBroker) => (broker.log as FilePartitionLog).config

export const TOPIC_EFFECTS: readonly TopicEffect[] = [
  {
    config: 'segment.bytes',
    values: ['1048576', '4194304'],
    observe: (broker) => rolls(broker, () => produceTimes(broker, 4, { valueBytes: 600_000 })),
    expected: [3, 0],
  },
  {
    config: 'segment.ms',
    values: ['10000', '3600000'],
    observe: (broker) => rolls(broker, () => produceApart(broker)),
    expected: [1, 0],
  },
  {
    config: 'segment.jitter.ms',
    values: ['9000', '0'],
    others: { 'segment.ms': '10000' },
    observe: async (broker) => {
      await produceApart(broker)
      await broker.advance(5000)
      return rolls(broker, () => broker.produce())
    },
    expected: [1, 0],
  },
  {
    config: 'segment.index.bytes',
    values: ['40', '10485760'],
    others: { 'index.interval.bytes': '0' },
    // Five entries of 8 bytes: six batches.
    observe: (broker) => rolls(broker, () => produceTimes(broker, 10)),
    expected: [1, 0],
  },
  {
    config: 'index.interval.bytes',
    values: ['0', '1000000'],
    others: { 'segment.ms': '10000' },
    observe: async (broker) => {
      await produceTimes(broker, 6, { valueBytes: 1000 })
      await broker.advance(20_000)
      await broker.produce()
      const closed = broker.files('.index').at(-1)
      return broker.read(closed ?? '').byteLength / 8
    },
    expected: [5, 0],
  },
  {
    config: 'retention.ms',
    values: [String(HOUR_MS), String(10 * HOUR_MS)],
    observe: (broker) => isEmptied(broker, 2 * HOUR_MS),
    expected: [true, false],
  },
  {
    config: 'retention.bytes',
    values: ['1300000', '-1'],
    others: { 'segment.bytes': '1048576' },
    observe: async (broker) => {
      await produceTimes(broker, 4, { valueBytes: 600_000 })
      await broker.advance(RETENTION_CHECK_MS)
      return broker.segments.length
    },
    expected: [3, 7],
  },
  {
    config: 'cleanup.policy',
    values: ['compact', 'delete'],
    observe: async (broker) => [
      await errorOf(broker, { key: null }),
      await isEmptied(broker, 8 * 24 * HOUR_MS),
    ],
    expected: [
      [ErrorCode.INVALID_RECORD, false],
      [ErrorCode.NONE, true],
    ],
  },
  {
    config: 'file.delete.delay.ms',
    values: ['5000', '3600000'],
    others: { 'retention.ms': '1000' },
    observe: async (broker) => {
      await isEmptied(broker, RETENTION_CHECK_MS)
      await broker.advance(10_000)
      return broker.files('.log.deleted').length
    },
    expected: [0, 1],
  },
  {
    config: 'flush.messages',
    values: ['1000', '2'],
    others: { 'spool.durability': 'os' },
    observe: (broker) => syncs(broker, () => produceTimes(broker, 4)),
    expected: [0, 2],
  },
  {
    config: 'flush.ms',
    values: ['3600000', '500'],
    others: { 'spool.durability': 'os' },
    observe: (broker) =>
      syncs(broker, async () => {
        await broker.produce()
        await broker.advance(1000)
      }),
    expected: [0, 1],
  },
  {
    config: 'spool.durability',
    values: ['os', 'fsync'],
    observe: (broker) => syncs(broker, () => broker.produce()),
    expected: [0, 1],
  },
  {
    config: 'message.timestamp.type',
    values: ['LogAppendTime', 'CreateTime'],
    observe: async (broker) => {
      const { logAppendTimeMs } = await broker.produce({ ageMs: -5000 })
      const batch = broker.newestBatch()
      const ageMs = maxTimestampOf(batch, 0) - broker.clock.timeMs
      return [timestampTypeOf(batch, 0), ageMs, logAppendTimeMs === broker.clock.timeMs]
    },
    expected: [
      [TimestampType.LOG_APPEND_TIME, 0, true],
      [TimestampType.CREATE_TIME, -5000, false],
    ],
  },
  {
    config: 'message.timestamp.before.max.ms',
    values: ['5000', '20000'],
    observe: (broker) => errorOf(broker, { ageMs: -10_000 }),
    expected: [ErrorCode.INVALID_TIMESTAMP, ErrorCode.NONE],
  },
  {
    config: 'message.timestamp.after.max.ms',
    values: ['5000', '20000'],
    observe: (broker) => errorOf(broker, { ageMs: 10_000 }),
    expected: [ErrorCode.INVALID_TIMESTAMP, ErrorCode.NONE],
  },
  {
    config: 'max.message.bytes',
    values: ['1000', '10000'],
    observe: (broker) => errorOf(broker, { valueBytes: 5000 }),
    expected: [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.NONE],
  },
  {
    config: 'max.decompressed.message.bytes',
    values: ['5000', '20000'],
    observe: (broker) => errorOf(broker, { valueBytes: 10_000, codec: Codec.GZIP }),
    expected: [ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.NONE],
  },
  {
    config: 'compression.type',
    values: ['zstd', 'producer'],
    observe: async (broker) => {
      await broker.produce({ codec: Codec.GZIP })
      return codecOf(broker.newestBatch(), 0)
    },
    expected: [Codec.ZSTD, Codec.GZIP],
  },
  levelEffect('gzip', Codec.GZIP, 1, 9),
  levelEffect('lz4', Codec.LZ4, 1, 17),
  levelEffect('zstd', Codec.ZSTD, -5, 19),
  {
    config: 'preallocate',
    values: ['true', 'false'],
    others: { 'segment.ms': '10000', 'segment.bytes': '1048576' },
    observe: async (broker) => {
      await produceApart(broker)
      return broker.read(broker.files('.log').at(-1) ?? '').byteLength === 1_048_576
    },
    expected: [true, false],
  },
  {
    config: 'max.compaction.lag.ms',
    values: ['10000', '3600000'],
    others: { 'cleanup.policy': 'compact' },
    observe: (broker) => rolls(broker, () => produceApart(broker, { key: KEY })),
    expected: [1, 0],
  },
  {
    config: 'min.compaction.lag.ms',
    values: ['5000', '0'],
    observe: async (broker) => configOf(broker).minCompactionLagMs,
    expected: [5000, 0],
  },
  {
    config: 'min.cleanable.dirty.ratio',
    values: ['0.1', '0.75'],
    observe: async (broker) => configOf(broker).minCleanableDirtyRatio,
    expected: [0.1, 0.75],
  },
  {
    config: 'delete.retention.ms',
    values: ['1000', '2000'],
    observe: async (broker) => configOf(broker).deleteRetentionMs,
    expected: [1000, 2000],
  },
  {
    config: 'errors.deadletterqueue.group.enable',
    values: ['false', 'true'],
    observe: async (broker) => {
      await broker.setBroker('errors.deadletterqueue.topic.name.prefix', '')
      const { partition: source } = broker
      const span = { firstOffset: 0, lastOffset: 0, deliveryCount: 1 }
      const letter = { ...span, state: DeliveryState.ARCHIVING, cause: 'rejected' } as const
      const target = { groupId: 'g', source, topic: source.topic, copiesRecords: false }
      const written = broker.core.shares.deadLetters.write({ ...target, letter })
      return broker.until(
        written.then(
          () => 'written',
          () => 'refused',
        ),
      )
    },
    expected: ['refused', 'written'],
  },
]

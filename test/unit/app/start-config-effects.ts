import { HOUR_MS, isEmptied, produceTimes, rolls, syncs } from './config-observations.ts'
import type { ConfiguredBroker } from './configured-broker.ts'

/** What a config of the broker does that is read at its start, beside a broker without it. */
interface StartEffect {
  readonly config: string
  readonly value: string
  /** What else both brokers have. */
  readonly others?: Readonly<Record<string, string>>
  readonly topic?: Readonly<Record<string, string>>
  readonly observe: (broker: ConfiguredBroker) => Promise<unknown>
  readonly expected: readonly [withIt: unknown, without: unknown]
}

const PRODUCER = { producerId: 7, producerEpoch: 0, baseSequence: 0 }

export async function knowsProducerAfter(
  broker: ConfiguredBroker,
  afterMs: number,
): Promise<boolean> {
  await broker.produce(PRODUCER)
  await broker.advance(afterMs)
  return broker.log.activeProducers().length > 0
}

async function rollsAfter(broker: ConfiguredBroker, afterMs: number): Promise<number> {
  await broker.produce()
  await broker.advance(afterMs)
  return rolls(broker, () => broker.produce())
}

/** Metadata of about 200 bytes for each change. */
async function growMetadata(broker: ConfiguredBroker, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await broker.setTopic('retention.ms', String(1_000_000 + i))
}

const metadataSegments = (broker: ConfiguredBroker): number =>
  broker.fs.list('/data/__cluster_metadata-0').filter((name) => name.endsWith('.log')).length

const metadataSnapshots = (broker: ConfiguredBroker): number =>
  broker.fs.list('/data/__cluster_metadata-0').filter((name) => name.endsWith('.checkpoint')).length

export const START_EFFECTS: readonly StartEffect[] = [
  {
    config: 'log.retention.minutes',
    value: '60',
    observe: (broker) => isEmptied(broker, 2 * HOUR_MS),
    expected: [true, false],
  },
  {
    config: 'log.retention.minutes',
    value: '600',
    others: { 'log.retention.hours': '1' },
    observe: (broker) => isEmptied(broker, 2 * HOUR_MS),
    expected: [false, true],
  },
  {
    config: 'log.retention.ms',
    value: String(10 * HOUR_MS),
    others: { 'log.retention.minutes': '60', 'log.retention.hours': '1' },
    observe: (broker) => isEmptied(broker, 2 * HOUR_MS),
    expected: [false, true],
  },
  {
    config: 'log.retention.hours',
    value: '1',
    observe: (broker) => isEmptied(broker, 2 * HOUR_MS),
    expected: [true, false],
  },
  {
    config: 'log.roll.hours',
    value: '1',
    observe: (broker) => rollsAfter(broker, 2 * HOUR_MS),
    expected: [1, 0],
  },
  {
    config: 'log.roll.ms',
    value: String(10 * HOUR_MS),
    others: { 'log.roll.hours': '1' },
    observe: (broker) => rollsAfter(broker, 2 * HOUR_MS),
    expected: [0, 1],
  },
  {
    config: 'log.roll.jitter.hours',
    value: '1',
    others: { 'log.roll.hours': '2' },
    observe: (broker) => rollsAfter(broker, 1.5 * HOUR_MS),
    expected: [1, 0],
  },
  {
    config: 'log.roll.jitter.ms',
    value: '0',
    others: { 'log.roll.hours': '2', 'log.roll.jitter.hours': '1' },
    observe: (broker) => rollsAfter(broker, 1.5 * HOUR_MS),
    expected: [0, 1],
  },
  {
    config: 'log.flush.scheduler.interval.ms',
    value: '500',
    topic: { 'spool.durability': 'os' },
    observe: (broker) =>
      syncs(broker, async () => {
        await broker.produce()
        await broker.advance(1000)
      }),
    expected: [1, 0],
  },
  {
    config: 'log.retention.check.interval.ms',
    value: '1000',
    topic: { 'retention.ms': '1' },
    observe: (broker) => isEmptied(broker, 5000),
    expected: [true, false],
  },
  {
    config: 'log.initial.task.delay.ms',
    value: '1000',
    topic: { 'retention.ms': '1' },
    observe: (broker) => isEmptied(broker, 5000),
    expected: [true, false],
  },
  {
    config: 'log.flush.offset.checkpoint.interval.ms',
    value: '1000',
    topic: { 'segment.bytes': '1048576' },
    observe: async (broker) => {
      await produceTimes(broker, 2, { valueBytes: 600_000 })
      await broker.advance(5000)
      return broker.readCheckpoint('recovery-point-offset-checkpoint').includes('orders 0 1\n')
    },
    expected: [true, false],
  },
  {
    config: 'producer.id.expiration.ms',
    value: '60000',
    observe: (broker) => knowsProducerAfter(broker, 1_200_000),
    expected: [false, true],
  },
  {
    config: 'producer.id.expiration.check.interval.ms',
    value: '1000',
    others: { 'producer.id.expiration.ms': '60000' },
    observe: (broker) => knowsProducerAfter(broker, 120_000),
    expected: [false, true],
  },
  {
    config: 'metadata.log.segment.ms',
    value: '1000',
    observe: async (broker) => {
      await broker.advance(5000)
      await growMetadata(broker, 1)
      return metadataSegments(broker)
    },
    expected: [2, 1],
  },
  {
    config: 'metadata.log.segment.bytes',
    value: '8388608',
    observe: async (broker) => {
      const name = 'leader.replication.throttled.replicas'
      const replicas = '12345:1,'.repeat(4000)
      for (let i = 0; i < 270; i++) await broker.setTopic(name, `${replicas}${i}:2`)
      return metadataSegments(broker)
    },
    expected: [2, 1],
  },
  {
    config: 'metadata.log.max.record.bytes.between.snapshots',
    value: '1000',
    observe: async (broker) => {
      await growMetadata(broker, 20)
      return metadataSnapshots(broker) > 0
    },
    expected: [true, false],
  },
  {
    config: 'metadata.log.max.snapshot.interval.ms',
    value: '1000',
    observe: async (broker) => {
      await growMetadata(broker, 1)
      await broker.advance(5000)
      return metadataSnapshots(broker)
    },
    expected: [1, 0],
  },
  {
    config: 'metadata.max.retention.bytes',
    value: '1000',
    others: { 'metadata.log.max.record.bytes.between.snapshots': '500' },
    observe: async (broker) => {
      await growMetadata(broker, 40)
      return metadataSnapshots(broker) > 2
    },
    expected: [false, true],
  },
  {
    config: 'metadata.max.retention.ms',
    value: '1000',
    others: { 'metadata.log.max.record.bytes.between.snapshots': '500' },
    observe: async (broker) => {
      await growMetadata(broker, 40)
      await broker.advance(5000)
      await growMetadata(broker, 10)
      return metadataSnapshots(broker) > 10
    },
    expected: [false, true],
  },
]

import { NodeFileSystem } from '../../../src/adapters/node-file-system.ts'
import { silentLogger } from '../../../src/adapters/silent-logger.ts'
import { SystemRandom } from '../../../src/adapters/system-random.ts'
import { SystemScheduler } from '../../../src/adapters/system-scheduler.ts'
import { UNPOOLED } from '../../../src/base/lease.ts'
import type { LogConfig, PartitionLog } from '../../../src/ports/partition-log.ts'
import type { SegmentCleaner } from '../../../src/ports/segment-cleaner.ts'
import { type BatchOptions, buildBatch } from '../../../src/records/batch-builder.ts'
import { buildEndTxnMarker } from '../../../src/records/control-batch.ts'
import { Codec } from '../../../src/records/record-batch.ts'
import { SteppedSegmentCleaner } from '../../../src/storage/cleaner/stepped-segment-cleaner.ts'
import { LogManager } from '../../../src/storage/log-manager.ts'
import { FakeClock } from '../../unit/support/ports.ts'
import { RecordingMeter } from '../../unit/support/recording-meter.ts'

const NEVER = Number.MAX_SAFE_INTEGER
export const TOPIC = 'compacted'

export const CONFIG: LogConfig = {
  segmentBytes: 20_000,
  segmentMs: NEVER,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 1024,
  retentionMs: -1,
  retentionBytes: -1,
  isDeleted: false,
  isCompacted: true,
  minCompactionLagMs: 0,
  maxCompactionLagMs: NEVER,
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: 60_000,
  isPreallocated: false,
  fileDeleteDelayMs: 60_000,
  durability: 'os',
  flushMessages: NEVER,
  flushMs: NEVER,
  producerIdExpirationMs: 86_400_000,
}

export interface CompactedLogOptions {
  readonly config?: Partial<LogConfig>
  /** Default: steps on the event loop. */
  readonly cleaner?: SegmentCleaner
  readonly ioBufferBytes?: number
}

/** A data directory with one log, whose clock stands where it is put. */
export class CompactedLog {
  readonly clock = new FakeClock()
  readonly manager: LogManager
  readonly log: PartitionLog
  readonly #scheduler = new SystemScheduler()

  constructor(
    dataDir: string,
    mapBytes: number,
    nowMs: number,
    { config: logConfig, cleaner, ioBufferBytes = 65_536 }: CompactedLogOptions = {},
  ) {
    this.clock.timeMs = nowMs
    const fs = new NodeFileSystem()
    const config = {
      isEnabled: true,
      threadCount: 1,
      dedupeBufferBytes: mapBytes,
      dedupeLoadFactor: 0.9,
      ioBufferBytes,
      maxIoBytesPerSecond: Number.POSITIVE_INFINITY,
      backoffMs: NEVER,
    }
    this.manager = new LogManager({
      fs,
      dataDir,
      clock: this.clock,
      scheduler: this.#scheduler,
      random: new SystemRandom(),
      logger: silentLogger,
      meter: new RecordingMeter(),
      cleaning: {
        cleaner: cleaner ?? new SteppedSegmentCleaner(fs, this.clock, this.#scheduler),
        config: () => config,
      },
    })
    const identity = {
      topic: TOPIC,
      topicId: 'AAAAAAAAAAAAAAAAAAAAbg',
      partition: 0,
      leaderEpoch: 3,
    }
    const listener = { logAdvanced() {}, logFailed() {} }
    this.log = this.manager.openLog(identity, { ...CONFIG, ...logConfig }, listener)
  }

  append(batch: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        appendDone: (_: number, code: number) =>
          code === 0 ? resolve() : reject(new Error(`append answered ${code}`)),
      }
      const request = { batch, lease: UNPOOLED, safety: 'durable' as const, waiter, slot: 0 }
      const { errorCode } = this.log.append({ ...request, logAppendTimeMs: -1 })
      if (errorCode !== 0) reject(new Error(`append answered ${errorCode}`))
    })
  }
}

/** Numbers that a seed repeats. */
class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * limit)
  }
}

interface Producer {
  readonly id: number
  sequence: number
  isOpen: boolean
}

/** Plain, idempotent and transactional batches in all codecs, with tombstones, ended both ways. */
export async function fill(target: CompactedLog, seed: number, batchCount: number): Promise<void> {
  const dice = new Dice(seed)
  const producers: Producer[] = [1, 2, 3, 4].map((id) => ({ id, sequence: 0, isOpen: false }))
  for (let index = 0; index < batchCount; index++) {
    const producer = producers[dice.below(producers.length)] as Producer
    if (producer.isOpen && dice.below(3) === 0) await end(target, producer, dice.below(2))
    const kind = dice.below(3)
    const options = optionsOf(target, dice, kind === 0 ? null : producer, producer.id > 2)
    const records = Array.from({ length: 1 + dice.below(6) }, (_, at) => ({
      timestamp: target.clock.nowMs() - 3_600_000 + index * 7 - at * dice.below(3) * 1000,
      key: Buffer.from(`key-${dice.below(60)}`),
      value: dice.below(5) === 0 ? null : Buffer.alloc(dice.below(120), 0x61 + (index % 26)),
      headers: dice.below(3) === 0 ? [{ key: 'h', value: Buffer.from(String(index)) }] : [],
    }))
    if (kind !== 0) {
      producer.sequence += records.length
      if (producer.id > 2) producer.isOpen = true
    }
    await target.append(buildBatch(records, options))
  }
  for (const producer of producers) if (producer.isOpen) await end(target, producer, 1)
  // What is in the last segment is compacted by nobody.
  await target.append(buildBatch([{ timestamp: 1, key: Buffer.from('end'), value: null }]))
}

function optionsOf(
  target: CompactedLog,
  dice: Dice,
  producer: Producer | null,
  isTransactional: boolean,
): BatchOptions {
  const codec = dice.below(2) === 0 ? Codec.NONE : (dice.below(5) as Codec)
  const appended = dice.below(6) === 0 ? { logAppendTime: target.clock.nowMs() - 1000 } : {}
  if (producer === null) return { codec, ...appended }
  const { id, sequence } = producer
  return {
    codec,
    ...appended,
    producerId: id,
    producerEpoch: 0,
    baseSequence: sequence,
    isTransactional,
  }
}

async function end(target: CompactedLog, producer: Producer, type: number): Promise<void> {
  producer.isOpen = false
  const timestamp = target.clock.nowMs()
  const fields = { producerId: producer.id, producerEpoch: 0, coordinatorEpoch: 5, timestamp }
  await target.append(buildEndTxnMarker({ ...fields, type: type === 0 ? 0 : 1 }))
}

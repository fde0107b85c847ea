import { NodeFileSystem } from '../adapters/node-file-system.ts'
import { PrometheusMeter } from '../adapters/prometheus-meter.ts'
import { SystemClock } from '../adapters/system-clock.ts'
import { SystemRandom } from '../adapters/system-random.ts'
import { SystemScheduler } from '../adapters/system-scheduler.ts'
import { ConfigError } from '../base/errors.ts'
import type { Partition } from '../broker/topics/partition.ts'
import type { Logger } from '../ports/logger.ts'
import { BrokerCore } from './broker-core.ts'
import type { BrokerSettings } from './broker-settings.ts'
import { nodeIdOnDisk } from './data-directory/node-on-disk.ts'
import { WorkerSegmentCleaner } from './worker-segment-cleaner.ts'

export interface CompactOptions {
  readonly settings: BrokerSettings
  readonly logger: Logger
  readonly topic: string
  /** Left out: all of them. */
  readonly partition?: number
}

/** A partition before and after. */
export interface CompactedPartition {
  readonly partition: number
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Everything below this offset is compacted. */
  readonly compactedTo: number
}

/** Timers of the scheduler let a process end; this one must not before it is done. */
const KEEP_ALIVE_MS = 1000

/**
 * Compacts a topic in a data directory that no broker uses, all segments of it.
 * @throws ConfigError when there is no such topic, it is not compacted, or a broker has the directory
 * @throws StorageError when it can't be read or written, or is damaged
 */
export async function compactTopic(options: CompactOptions): Promise<CompactedPartition[]> {
  const { settings, logger } = options
  if (nodeIdOnDisk(settings.dataDir) === undefined)
    throw new ConfigError(`${settings.dataDir} holds no data of a broker: see --data-dir`)
  const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS)
  try {
    const core = await BrokerCore.open({
      ...settings,
      logger,
      meter: new PrometheusMeter(),
      fs: new NodeFileSystem(),
      clock: new SystemClock(),
      scheduler: new SystemScheduler(),
      random: new SystemRandom(),
      segmentCleaner: new WorkerSegmentCleaner(),
    })
    try {
      const compacted: CompactedPartition[] = []
      for (const partition of partitionsOf(core, options))
        compacted.push(await compactPartition(core, partition))
      return compacted
    } finally {
      await core.close()
    }
  } finally {
    clearInterval(keepAlive)
  }
}

function partitionsOf(core: BrokerCore, options: CompactOptions): readonly Partition[] {
  const topic = core.registry.topic(options.topic)
  if (topic === undefined)
    throw new ConfigError(`there is no topic ${options.topic} in ${options.settings.dataDir}`)
  const policy = topic.config.cleanupPolicy
  if (!policy.includes('compact'))
    throw new ConfigError(
      `${options.topic} has cleanup.policy ${policy.join(',')}: set compact before it is compacted`,
    )
  if (options.partition === undefined) return topic.partitions
  const partition = topic.partitions[options.partition]
  if (partition === undefined)
    throw new ConfigError(
      `${options.topic} has no partition ${options.partition}: it has ${topic.partitions.length}`,
    )
  return [partition]
}

async function compactPartition(core: BrokerCore, { log }: Partition): Promise<CompactedPartition> {
  const bytesBefore = log.sizeBytes
  const result = await core.compact(log)
  return {
    partition: log.partition,
    bytesBefore,
    bytesAfter: log.sizeBytes,
    compactedTo: result?.endOffset ?? log.logStartOffset,
  }
}

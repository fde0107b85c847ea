import type { CleanerConfig } from '../../ports/cleaner-config.ts'
import type { BrokerConfig } from './broker-config.ts'

/** Kafka writes "no limit" as its largest double. */
const UNLIMITED = Number.MAX_VALUE

/** The `log.cleaner.*` values that hold now. */
export function cleanerConfigOf(config: BrokerConfig): CleanerConfig {
  const maxIoBytesPerSecond = config.getDouble('log.cleaner.io.max.bytes.per.second')
  return {
    isEnabled: config.getBoolean('log.cleaner.enable'),
    threadCount: config.getInt('log.cleaner.threads'),
    dedupeBufferBytes: config.getLong('log.cleaner.dedupe.buffer.size'),
    dedupeLoadFactor: config.getDouble('log.cleaner.io.buffer.load.factor'),
    ioBufferBytes: config.getInt('log.cleaner.io.buffer.size'),
    maxIoBytesPerSecond: maxIoBytesPerSecond >= UNLIMITED ? Infinity : maxIoBytesPerSecond,
    backoffMs: config.getLong('log.cleaner.backoff.ms'),
  }
}

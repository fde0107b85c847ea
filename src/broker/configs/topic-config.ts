import { assert } from '../../base/assert.ts'
import type { LogConfig } from '../../ports/partition-log.ts'
import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../records/compression.ts'
import { Codec, TimestampType } from '../../records/record-batch.ts'
import type { ProduceSettings } from '../topics/partition.ts'
import { type BrokerConfig, ConfigSource, type ConfigSynonym, saturate } from './broker-config.ts'
import type { ConfigDefinition } from './config-definition.ts'
import { topicConfigDefinitions } from './config-tables.ts'
import { listOf } from './config-validation.ts'

/** A broker config in another unit that gives a topic config its default when it is set. */
interface Fallback {
  readonly name: string
  readonly unitMs: number
}

/** Broker configs that stand in, in this order, for one in milliseconds that is not set. */
const FALLBACKS: Readonly<Record<string, readonly Fallback[]>> = {
  'log.retention.ms': [
    { name: 'log.retention.minutes', unitMs: 60_000 },
    { name: 'log.retention.hours', unitMs: 3_600_000 },
  ],
  'log.roll.ms': [{ name: 'log.roll.hours', unitMs: 3_600_000 }],
  'log.roll.jitter.ms': [{ name: 'log.roll.jitter.hours', unitMs: 3_600_000 }],
  'log.flush.interval.ms': [{ name: 'log.flush.scheduler.interval.ms', unitMs: 1 }],
}

const CODECS: Readonly<Record<string, Codec>> = {
  uncompressed: Codec.NONE,
  gzip: Codec.GZIP,
  snappy: Codec.SNAPPY,
  lz4: Codec.LZ4,
  zstd: Codec.ZSTD,
}

/**
 * The configs of one topic: what was set for it, else what the broker gives as default. Values are
 * read when they are asked for, so an object of this class is always up to date.
 */
export class TopicConfig {
  readonly #values: ReadonlyMap<string, string>
  readonly #broker: BrokerConfig

  constructor(values: ReadonlyMap<string, string>, broker: BrokerConfig) {
    this.#values = values
    this.#broker = broker
  }

  /** The effective value as text. */
  get(name: string): string {
    return this.#values.get(name) ?? this.defaultOf(definitionOf(name))
  }

  /** The value without anything set for the topic. */
  defaultOf(definition: ConfigDefinition): string {
    const { brokerName, defaultValue } = definition
    const value = brokerName === null ? defaultValue : brokerValue(this.#broker, brokerName)
    return value ?? defaultValue ?? ''
  }

  /** Every place that gives the config a value, the winning one first. */
  synonyms(name: string): ConfigSynonym[] {
    const own = this.#values.get(name)
    const { brokerName } = definitionOf(name)
    const others = brokerName === null ? [] : this.#broker.synonyms(brokerName)
    if (brokerName !== null) others.push(...this.#fallbacks(brokerName, others.length > 0))
    if (own === undefined) return others
    return [{ name, value: own, source: ConfigSource.DYNAMIC_TOPIC }, ...others]
  }

  /** Broker configs in another unit: shown when they, or the one they stand in for, are set. */
  #fallbacks(brokerName: string, isSet: boolean): ConfigSynonym[] {
    const fallbacks = (FALLBACKS[brokerName] ?? []).filter(({ name }) => {
      return isSet || this.#broker.isSet(name)
    })
    return fallbacks.flatMap(({ name }) => this.#broker.synonyms(name))
  }

  /** Where the effective value comes from. */
  sourceOf(name: string): ConfigSource {
    if (this.#values.has(name)) return ConfigSource.DYNAMIC_TOPIC
    return this.synonyms(name)[0]?.source ?? ConfigSource.DEFAULT
  }

  getLong(name: string): number {
    return saturate(Number(this.get(name)))
  }

  /** `cleanup.policy` */
  get cleanupPolicy(): readonly string[] {
    return listOf(this.get('cleanup.policy'))
  }

  /** What the log engine needs. */
  logConfig(): LogConfig {
    const policy = this.cleanupPolicy
    return {
      segmentBytes: this.getLong('segment.bytes'),
      segmentMs: this.#segmentMs(),
      segmentJitterMs: this.getLong('segment.jitter.ms'),
      segmentIndexBytes: this.getLong('segment.index.bytes'),
      indexIntervalBytes: this.getLong('index.interval.bytes'),
      retentionMs: this.getLong('retention.ms'),
      retentionBytes: this.getLong('retention.bytes'),
      isDeleted: policy.includes('delete'),
      isCompacted: policy.includes('compact'),
      minCompactionLagMs: this.getLong('min.compaction.lag.ms'),
      maxCompactionLagMs: this.getLong('max.compaction.lag.ms'),
      minCleanableDirtyRatio: Number(this.get('min.cleanable.dirty.ratio')),
      deleteRetentionMs: this.getLong('delete.retention.ms'),
      isPreallocated: this.get('preallocate').trim().toLowerCase() === 'true',
      fileDeleteDelayMs: this.getLong('file.delete.delay.ms'),
      durability: this.get('spool.durability') === 'os' ? 'os' : 'fsync',
      flushMessages: this.getLong('flush.messages'),
      flushMs: this.getLong('flush.ms'),
      producerIdExpirationMs: this.#broker.getLong('producer.id.expiration.ms'),
    }
  }

  /** The last segment is never compacted, so `max.compaction.lag.ms` has to end it in time. */
  #segmentMs(): number {
    const segmentMs = this.getLong('segment.ms')
    if (!this.cleanupPolicy.includes('compact')) return segmentMs
    return Math.min(segmentMs, this.getLong('max.compaction.lag.ms'))
  }

  /** What a partition asks of the batches of clients. */
  produceSettings(): ProduceSettings {
    const policy = this.cleanupPolicy
    const compression = this.get('compression.type')
    const level = LEVELLED.has(compression)
      ? Number(this.get(`compression.${compression}.level`))
      : undefined
    return {
      maxMessageBytes: this.getLong('max.message.bytes'),
      segmentBytes: this.getLong('segment.bytes'),
      isCompacted: policy.includes('compact'),
      isDeleted: policy.includes('delete'),
      timestampType:
        this.get('message.timestamp.type') === 'LogAppendTime'
          ? TimestampType.LOG_APPEND_TIME
          : TimestampType.CREATE_TIME,
      timestampBeforeMaxMs: this.getLong('message.timestamp.before.max.ms'),
      timestampAfterMaxMs: this.getLong('message.timestamp.after.max.ms'),
      targetCodec: CODECS[compression] ?? null,
      compressionLevel: level,
      maxDecompressedBytes: Math.min(
        this.getLong('max.decompressed.message.bytes'),
        DEFAULT_MAX_DECOMPRESSED_BYTES,
      ),
    }
  }
}

const LEVELLED: ReadonlySet<string> = new Set(['gzip', 'lz4', 'zstd'])

function definitionOf(name: string): ConfigDefinition {
  const definition = topicConfigDefinitions().get(name)
  assert(definition !== undefined, 'a topic config that is read is defined')
  return definition
}

function brokerValue(broker: BrokerConfig, name: string): string | null {
  const value = broker.find(name)
  const fallbacks = FALLBACKS[name]
  if (value !== null || fallbacks === undefined) return value
  for (const { name: other, unitMs } of fallbacks) {
    const given = broker.find(other)
    if (given === null) continue
    const ms = BigInt(given) * BigInt(unitMs)
    return ms < 0n ? '-1' : String(ms)
  }
  return null
}

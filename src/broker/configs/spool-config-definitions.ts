import {
  type BrokerConfigRow,
  DYNAMIC,
  INT,
  LONG,
  STRING,
  type TopicConfigRow,
} from './config-definition.ts'

/** Configs that Kafka has no name for. Sizes are bytes. */
export const SPOOL_CONFIG_ROWS: readonly BrokerConfigRow[] = [
  ['spool.durability', STRING, 'fsync', '[fsync, os]', DYNAMIC],
  ['spool.max.group.member.bytes', LONG, '67108864', '[1048576,...]'],
  ['spool.max.inflight.bytes', LONG, '134217728', '[1048576,...]'],
  ['spool.max.read.buffer.bytes', LONG, '33554432', '[1048576,...]'],
  ['spool.max.request.bytes.per.connection', INT, '8388608', '[65536,...]'],
  ['spool.max.unsent.bytes.per.connection', INT, '16777216', '[65536,...]'],
  ['spool.tail.cache.bytes', LONG, '33554432', '[0,...]'],
]

export const SPOOL_TOPIC_CONFIG_ROWS: readonly TopicConfigRow[] = [
  ['spool.durability', STRING, 'fsync', '[fsync, os]', 'spool.durability'],
]

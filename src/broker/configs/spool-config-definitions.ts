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
  ['spool.nats.max.connections', INT, '65536', '[1,...]'],
  ['spool.nats.max.control.line.bytes', INT, '4096', '[256,...]'],
  ['spool.nats.max.payload.bytes', INT, '1048576', '[1,...]'],
  ['spool.nats.max.pending.bytes', LONG, '67108864', '[65536,...]'],
  ['spool.nats.max.pings.out', INT, '2', '[1,...]'],
  ['spool.nats.max.subscriptions.per.connection', INT, '100000', '[1,...]'],
  ['spool.nats.ping.interval.ms', LONG, '120000', '[1000,...]'],
  ['spool.nats.stall.bytes', LONG, '4194304', '[1,...]'],
  ['spool.nats.write.deadline.ms', LONG, '10000', '[1000,...]'],
  ['spool.tail.cache.bytes', LONG, '16777216', '[0,...]'],
]

export const SPOOL_TOPIC_CONFIG_ROWS: readonly TopicConfigRow[] = [
  ['spool.durability', STRING, 'fsync', '[fsync, os]', 'spool.durability'],
]

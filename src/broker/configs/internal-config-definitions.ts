import { BOOLEAN, type BrokerConfigRow, INT, LONG, STRING } from './config-definition.ts'

/**
 * Broker configs that Kafka takes but neither documents nor shows, so that a `server.properties`
 * that has them needs no editing. Source: Kafka 4.4, the keys it defines as internal.
 */
export const INTERNAL_CONFIG_ROWS: readonly BrokerConfigRow[] = [
  ['group.consumer.assignor.offload.enable', BOOLEAN, 'true'],
  ['group.consumer.regex.refresh.interval.ms', INT, '600000', '[10000,...]'],
  ['group.share.assignor.offload.enable', BOOLEAN, 'true'],
  [
    'group.share.dlq.manager.class.name',
    STRING,
    'org.apache.kafka.server.share.dlq.DefaultShareGroupDLQManager',
  ],
  ['group.share.initialize.retry.interval.ms', INT, '30000', '[1,...]'],
  [
    'group.share.persister.class.name',
    STRING,
    'org.apache.kafka.server.share.persister.DefaultStatePersister',
  ],
  ['group.streams.acceptable.recovery.lag', LONG, '10000', '[0,...]'],
  ['group.streams.assignor.offload.enable', BOOLEAN, 'true'],
  ['group.streams.max.warmup.replicas', INT, '20', '[0,...]'],
  ['group.streams.min.task.offset.interval.ms', INT, '15000', '[1,...]'],
  ['group.streams.num.warmup.replicas', INT, '2', '[0,...]'],
  ['group.streams.task.offset.interval.ms', INT, '60000', '[1,...]'],
  ['internal.metadata.delete.delay.millis', LONG, '60000'],
  ['internal.metadata.max.batch.size.in.bytes', INT, '8388608'],
  ['log.initial.task.delay.ms', LONG, '30000', '[0,...]'],
  ['producer.id.expiration.check.interval.ms', INT, '600000', '[1,...]'],
  ['share.coordinator.cold.partition.snapshot.interval.ms', INT, '300000', '[1,...]'],
  ['share.coordinator.state.topic.prune.interval.ms', INT, '300000', '[1,...]'],
  ['unclean.leader.election.interval.ms', LONG, '300000', '[1,...]'],
]

/** The embedded API: a broker inside this process, for tests and for programs that bring their own. */
export {
  Broker,
  type BrokerStartOptions,
  type TopicOptions,
} from './app/embedded-broker.ts'
export type { ConsumeOptions } from './app/embedded-consumer.ts'
export { BrokerError, ConfigError, type Logger, StorageError } from './app/embedded-errors.ts'
export type {
  ConsumedRecord,
  ProducedRecord,
  RecordData,
  RecordInput,
} from './app/embedded-records.ts'

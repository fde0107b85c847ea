/** Records of `__jetstream`: streams, and consumers of streams. */
import { type CoordinatorRecord, coordinatorRecordDecoder } from './coordinator-record.ts'
import { jetstreamConsumerRecordTypes } from './jetstream-consumer-records.ts'
import { jetstreamStreamRecordTypes } from './jetstream-stream-records.ts'

const jetstreamRecordTypes = [
  ...jetstreamStreamRecordTypes,
  ...jetstreamConsumerRecordTypes,
] as const

export type JetStreamRecord = CoordinatorRecord<(typeof jetstreamRecordTypes)[number]>

/** Decodes a record of `__jetstream`; see `coordinatorRecordDecoder`. */
export const decodeJetStreamRecord: (
  key: Buffer,
  value: Buffer | null,
) => JetStreamRecord | undefined = coordinatorRecordDecoder(jetstreamRecordTypes)

/** Records of `__transaction_state` (KIP-98; the tagged fields are of KIP-890). */
import { array, int8, int16, int32, int64, string, struct } from '../../schema/schema.ts'
import {
  type CoordinatorRecord,
  coordinatorRecord,
  coordinatorRecordDecoder,
} from './coordinator-record.ts'

const partitionsSchema = struct({
  topic: string,
  partitionIds: array(int32),
})

/** Version 1 needs `transaction.version` 1 or more; Kafka writes 0 below. */
export const transactionLog = coordinatorRecord({
  type: 0,
  name: 'TransactionLog',
  versions: [0, 1],
  flexibleSince: 1,
  key: {
    transactionalId: string,
  },
  value: {
    producerId: int64,
    previousProducerId: int64.since(1).default(-1).tagged(0),
    nextProducerId: int64.since(1).default(-1).tagged(1),
    producerEpoch: int16,
    nextProducerEpoch: int16.since(1).default(-1).tagged(3),
    transactionTimeoutMs: int32,
    transactionStatus: int8,
    transactionPartitions: array(partitionsSchema).nullable(),
    transactionLastUpdateTimestampMs: int64,
    transactionStartTimestampMs: int64,
    clientTransactionVersion: int16.since(1).default(0).tagged(2),
  },
})

export const transactionRecordTypes = [transactionLog] as const

export type TransactionRecord = CoordinatorRecord<(typeof transactionRecordTypes)[number]>

/** Decodes a record of `__transaction_state`; see `coordinatorRecordDecoder`. */
export const decodeTransactionRecord: (
  key: Buffer,
  value: Buffer | null,
) => TransactionRecord | undefined = coordinatorRecordDecoder(transactionRecordTypes)

/** Records of `__jetstream` about consumers: what each is configured to do, and where it is. */
import { array, bytes, int8, int32, int64, list, string } from '../../schema/schema.ts'
import { type CoordinatorRecord, coordinatorRecord } from './coordinator-record.ts'

export const jetstreamConsumer = coordinatorRecord({
  type: 10,
  name: 'JetStreamConsumer',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    stream: string,
    consumer: string,
  },
  value: {
    createTimestamp: int64,
    /** JSON, as clients write it. */
    config: bytes,
  },
})

export const jetstreamConsumerState = coordinatorRecord({
  type: 11,
  name: 'JetStreamConsumerState',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    stream: string,
    consumer: string,
    /** 0: all there is. Others: what changed since, in order; a new whole state begins them anew. */
    slot: int32,
  },
  value: {
    isWhole: int8,
    deliveredConsumerSequence: int64,
    deliveredStreamSequence: int64,
    ackFloorConsumerSequence: int64,
    ackFloorStreamSequence: int64,
    pending: list({
      firstSequence: int64,
      lastSequence: int64,
      firstConsumerSequence: int64,
      deliveryCount: int32,
    }),
    finished: list({ firstSequence: int64, lastSequence: int64 }),
    exhausted: array(int64),
  },
})

export const jetstreamConsumerRecordTypes = [jetstreamConsumer, jetstreamConsumerState] as const

export type JetStreamConsumerRecord = CoordinatorRecord<
  (typeof jetstreamConsumerRecordTypes)[number]
>

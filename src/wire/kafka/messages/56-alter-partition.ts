import {
  api,
  array,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  list,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const brokerState = struct({
  brokerId: int32,
  brokerEpoch: int64.default(-1),
})

export const alterPartitionApi = api({
  key: 56,
  name: 'AlterPartition',
  versions: [2, 3],
  flexibleSince: 0,
  request: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    topics: list({
      topicId: uuid,
      partitions: list({
        partitionIndex: int32,
        leaderEpoch: int32,
        newIsr: array(int32).until(2),
        newIsrWithEpochs: array(brokerState).since(3),
        leaderRecoveryState: int8.default(0),
        partitionEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    topics: list({
      topicId: uuid,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
        isr: array(int32),
        leaderRecoveryState: int8.default(0),
        partitionEpoch: int32,
      }),
    }),
  },
})

export interface AlterPartitionRequest extends Decoded<typeof alterPartitionApi.request> {}
export interface AlterPartitionResponse extends Encodable<typeof alterPartitionApi.response> {}

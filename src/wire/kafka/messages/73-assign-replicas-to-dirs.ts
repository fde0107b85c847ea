import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  uuid,
} from '../../../schema/schema.ts'

export const assignReplicasToDirsApi = api({
  key: 73,
  name: 'AssignReplicasToDirs',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    directories: list({
      id: uuid,
      topics: list({
        topicId: uuid,
        partitions: list({
          partitionIndex: int32,
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    directories: list({
      id: uuid,
      topics: list({
        topicId: uuid,
        partitions: list({
          partitionIndex: int32,
          errorCode: int16,
        }),
      }),
    }),
  },
})

export interface AssignReplicasToDirsRequest
  extends Decoded<typeof assignReplicasToDirsApi.request> {}
export interface AssignReplicasToDirsResponse
  extends Encodable<typeof assignReplicasToDirsApi.response> {}

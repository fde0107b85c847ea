import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const alterReplicaLogDirsApi = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexibleSince: 2,
  request: {
    dirs: list({
      path: string,
      topics: list({
        name: string,
        partitions: array(int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: list({
      topicName: string,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export interface AlterReplicaLogDirsRequest
  extends Decoded<typeof alterReplicaLogDirsApi.request> {}
export interface AlterReplicaLogDirsResponse
  extends Encodable<typeof alterReplicaLogDirsApi.response> {}

import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
  struct,
} from '../../../schema/schema.ts'

const describableLogDirTopic = struct({
  topic: string,
  partitions: array(int32),
})

export const describeLogDirsApi = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 5],
  flexibleSince: 2,
  request: {
    topics: array(describableLogDirTopic).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(3).ignorable(),
    results: list({
      errorCode: int16,
      logDir: string,
      topics: list({
        name: string,
        partitions: list({
          partitionIndex: int32,
          partitionSize: int64,
          offsetLag: int64,
          isFutureKey: bool,
        }),
      }),
      totalBytes: int64.since(4).default(-1).ignorable(),
      usableBytes: int64.since(4).default(-1).ignorable(),
      isCordoned: bool.since(5).default(false).ignorable(),
    }),
  },
})

export interface DescribeLogDirsRequest extends Decoded<typeof describeLogDirsApi.request> {}
export interface DescribeLogDirsResponse extends Encodable<typeof describeLogDirsApi.response> {}

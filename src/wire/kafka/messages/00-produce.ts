import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  records,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const batchIndexAndErrorMessage = struct({
  batchIndex: int32,
  batchIndexErrorMessage: string.orNull(),
})

const leaderIdAndEpoch = struct({
  leaderId: int32.default(-1),
  leaderEpoch: int32.default(-1),
})

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: int32,
  rack: string.orNull(),
})

export const produceApi = api({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  flexibleSince: 9,
  request: {
    transactionalId: string.orNull(),
    acks: int16,
    timeoutMs: int32,
    topicData: list({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionData: list({
        index: int32,
        records: records.nullable(),
      }),
    }),
  },
  response: {
    responses: list({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionResponses: list({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.default(-1),
        logStartOffset: int64.since(5).default(-1).ignorable(),
        recordErrors: array(batchIndexAndErrorMessage).since(8).ignorable(),
        errorMessage: string.since(8).orNull().ignorable(),
        currentLeader: leaderIdAndEpoch.since(10).tagged(0),
      }),
    }),
    throttleTimeMs: int32.default(0),
    nodeEndpoints: array(nodeEndpoint).since(10).tagged(0),
  },
})

export interface ProduceRequest extends Decoded<typeof produceApi.request> {}
export interface ProduceResponse extends Encodable<typeof produceApi.response> {}

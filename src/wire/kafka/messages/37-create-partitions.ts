import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  struct,
} from '../../../schema/schema.ts'

const createPartitionsAssignment = struct({
  brokerIds: array(int32),
})

export const createPartitionsApi = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    topics: list({
      name: string,
      count: int32,
      assignments: array(createPartitionsAssignment).nullable(),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    results: list({
      name: string,
      errorCode: int16,
      errorMessage: string.orNull(),
    }),
  },
})

export interface CreatePartitionsRequest extends Decoded<typeof createPartitionsApi.request> {}
export interface CreatePartitionsResponse extends Encodable<typeof createPartitionsApi.response> {}

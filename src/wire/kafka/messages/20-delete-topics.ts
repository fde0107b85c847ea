import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const deleteTopicState = struct({
  name: string.orNull(),
  topicId: uuid,
})

export const deleteTopicsApi = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleSince: 4,
  request: {
    topics: array(deleteTopicState).since(6),
    topicNames: array(string).until(5).ignorable(),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    responses: list({
      name: string.nullable(6),
      topicId: uuid.since(6).ignorable(),
      errorCode: int16,
      errorMessage: string.since(5).orNull().ignorable(),
    }),
  },
})

export interface DeleteTopicsRequest extends Decoded<typeof deleteTopicsApi.request> {}
export interface DeleteTopicsResponse extends Encodable<typeof deleteTopicsApi.response> {}

import {
  api,
  array,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  string,
  struct,
} from '../../../schema/schema.ts'

const coordinator = struct({
  key: string,
  nodeId: int32,
  host: string,
  port: int32,
  errorCode: int16,
  errorMessage: string.nullable(),
})

export const findCoordinatorApi = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    key: string.until(3),
    keyType: int8.since(1).default(0),
    coordinatorKeys: array(string).since(4),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16.until(3),
    errorMessage: string.since(1).until(3).nullable().ignorable(),
    nodeId: int32.until(3),
    host: string.until(3),
    port: int32.until(3),
    coordinators: array(coordinator).since(4),
  },
})

export interface FindCoordinatorRequest extends Decoded<typeof findCoordinatorApi.request> {}
export interface FindCoordinatorResponse extends Encodable<typeof findCoordinatorApi.response> {}

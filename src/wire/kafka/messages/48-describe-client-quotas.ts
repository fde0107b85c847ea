import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  float64,
  int8,
  int16,
  int32,
  list,
  string,
  struct,
} from '../../../schema/schema.ts'

const entryData = struct({
  entity: list({
    entityType: string,
    entityName: string.nullable(),
  }),
  values: list({
    key: string,
    value: float64,
  }),
})

export const describeClientQuotasApi = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    components: list({
      entityType: string,
      matchType: int8,
      match: string.nullable(),
    }),
    strict: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    entries: array(entryData).nullable(),
  },
})

export interface DescribeClientQuotasRequest
  extends Decoded<typeof describeClientQuotasApi.request> {}
export interface DescribeClientQuotasResponse
  extends Encodable<typeof describeClientQuotasApi.response> {}

import {
  api,
  bool,
  type Decoded,
  type Encodable,
  float64,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const alterClientQuotasApi = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    entries: list({
      entity: list({
        entityType: string,
        entityName: string.nullable(),
      }),
      ops: list({
        key: string,
        value: float64,
        remove: bool,
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    entries: list({
      errorCode: int16,
      errorMessage: string.nullable(),
      entity: list({
        entityType: string,
        entityName: string.nullable(),
      }),
    }),
  },
})

export interface AlterClientQuotasRequest extends Decoded<typeof alterClientQuotasApi.request> {}
export interface AlterClientQuotasResponse
  extends Encodable<typeof alterClientQuotasApi.response> {}

import { type Api, type Decoded, int16, int32, message, string } from '../../schema/schema.ts'

/** ApiVersions is answered before the two sides know each other's versions. */
const API_VERSIONS_KEY = 18

/** Precedes every request. Version 2 for flexible requests (KIP-482), 1 for the others. */
export const requestHeader = message({
  name: 'RequestHeader',
  versions: [1, 2],
  flexibleSince: 2,
  fields: {
    requestApiKey: int16,
    requestApiVersion: int16,
    correlationId: int32,
    clientId: string.nullable().neverCompact(),
  },
})

/** Precedes every response. Version 1 for flexible responses, 0 for the others and ApiVersions. */
export const responseHeader = message({
  name: 'ResponseHeader',
  versions: [0, 1],
  flexibleSince: 1,
  fields: {
    correlationId: int32,
  },
})

export interface RequestHeader extends Decoded<typeof requestHeader> {}

/** The version of `requestHeader` before a request of `api` in `version`. */
export function requestHeaderVersion(api: Api, version: number): 1 | 2 {
  return version >= api.request.flexibleSince ? 2 : 1
}

/** The version of `responseHeader` before the response of `api` in `version` (KIP-511). */
export function responseHeaderVersion(api: Api, version: number): 0 | 1 {
  if (api.key === API_VERSIONS_KEY) return 0
  return version >= api.response.flexibleSince ? 1 : 0
}

import { invalidJson, type StreamRefusal } from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { ApiRequest } from './api-router.ts'
import { parseByteJson } from './byte-json.ts'
import { headerValue } from './header-value.ts'
import { isObject } from './stream-config-json.ts'

export type Fields = Readonly<Record<string, unknown>>

/** It needs a higher level of the API than the one that is served. */
export function isTooNew({ headers }: ApiRequest, apiLevel: number): boolean {
  const level = headers === null ? null : headerValue(headers, 'Nats-Required-Api-Level')
  return level !== null && !(Number(level) <= apiLevel)
}

/** Source: isEmptyRequest of nats-server: nothing, or an empty object. */
export function isEmptyRequest(payload: Buffer): boolean {
  const text = payload.toString('latin1').trim()
  return text === '' || /^\{\s*\}$/.test(text)
}

/** The fields of a request that has to be an object, in the words of nats-server when it is none. */
export function fieldsOf(payload: Buffer): Fields | StreamRefusal {
  try {
    const body = parseByteJson(payload)
    return isObject(body) ? body : invalidJson('json: cannot unmarshal array into Go value')
  } catch {
    return invalidJson('unexpected end of JSON input')
  }
}

export function isRefusal(answer: object): answer is StreamRefusal {
  return 'err_code' in answer
}

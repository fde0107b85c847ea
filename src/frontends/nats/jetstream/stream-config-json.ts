import { millisecondsOf } from '../../../broker/jetstream/rfc3339.ts'
import {
  COMPRESSIONS,
  DISCARD_POLICIES,
  PERSIST_MODES,
  RETENTION_POLICIES,
  STORAGE_TYPES,
  type StreamConfig,
  type WantedStream,
} from '../../../broker/jetstream/stream/stream-config.ts'

type Fields = Readonly<Record<string, unknown>>

/** Says what is wrong with a value, null: nothing. */
type Check = (value: unknown, path: string) => string | null

const MAX_INT64 = 2 ** 63
const MAX_UINT32 = 2 ** 32

const text: Check = (value, path) =>
  typeof value === 'string' ? null : wrong(value, path, 'string')
const flag: Check = (value, path) =>
  typeof value === 'boolean' ? null : wrong(value, path, 'bool')
const int: Check = (value, path) =>
  Number.isInteger(value) && Math.abs(value as number) <= MAX_INT64
    ? null
    : wrong(value, path, 'int64')
const int32: Check = (value, path) =>
  Number.isInteger(value) && Math.abs(value as number) < MAX_UINT32 / 2
    ? null
    : wrong(value, path, 'int32')
const count: Check = (value, path) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? null : wrong(value, path, 'uint64')
const time: Check = (value, path) =>
  typeof value === 'string' && millisecondsOf(value) !== null
    ? null
    : wrong(value, path, 'time.Time')

const listOf =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return wrong(value, path, '[]')
    for (const inner of value) {
      const problem = check(inner, path)
      if (problem !== null) return problem
    }
    return null
  }

const oneOf =
  (allowed: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && allowed.includes(value)
      ? null
      : `can not unmarshal ${JSON.stringify(JSON.stringify(value))}`

const objectOf =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (!isObject(value)) return wrong(value, path, 'object')
    return checkFields(value, fields, `${path}.`)
  }

const anyObject: Check = (value, path) => (isObject(value) ? null : wrong(value, path, 'object'))

const texts: Check = (value, path) => {
  if (!isObject(value)) return wrong(value, path, 'map[string]string')
  return Object.values(value).every((inner) => typeof inner === 'string')
    ? null
    : wrong(value, path, 'map[string]string')
}

const transform = objectOf({ src: text, dest: text })

const source = objectOf({
  name: text,
  opt_start_seq: count,
  opt_start_time: time,
  filter_subject: text,
  subject_transforms: listOf(transform),
  external: anyObject,
  consumer: anyObject,
})

/** All fields that there are, in the order in which they are shown. Source: StreamConfig of nats-server. */
const FIELDS: Readonly<Record<keyof StreamConfig, Check>> = {
  name: text,
  description: text,
  subjects: listOf(text),
  retention: oneOf(RETENTION_POLICIES),
  max_consumers: int,
  max_msgs: int,
  max_bytes: int,
  max_age: int,
  max_msgs_per_subject: int,
  max_msg_size: int32,
  discard: oneOf(DISCARD_POLICIES),
  storage: oneOf(STORAGE_TYPES),
  num_replicas: int,
  no_ack: flag,
  duplicate_window: int,
  placement: anyObject,
  mirror: source,
  sources: listOf(source),
  compression: oneOf(COMPRESSIONS),
  first_seq: count,
  subject_transform: transform,
  republish: objectOf({ src: text, dest: text, headers_only: flag }),
  allow_direct: flag,
  mirror_direct: flag,
  discard_new_per_subject: flag,
  sealed: flag,
  deny_delete: flag,
  deny_purge: flag,
  allow_rollup_hdrs: flag,
  consumer_limits: objectOf({ inactive_threshold: int, max_ack_pending: int }),
  allow_msg_ttl: flag,
  subject_delete_marker_ttl: int,
  allow_msg_counter: flag,
  allow_atomic: flag,
  allow_msg_schedules: flag,
  persist_mode: oneOf(PERSIST_MODES),
  allow_batched: flag,
  metadata: texts,
}

/** Fields that are left out while they say nothing. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'description',
  'subjects',
  'no_ack',
  'duplicate_window',
  'placement',
  'mirror',
  'sources',
  'first_seq',
  'subject_transform',
  'republish',
  'discard_new_per_subject',
  'subject_delete_marker_ttl',
  'allow_msg_counter',
  'allow_atomic',
  'allow_msg_schedules',
  'persist_mode',
  'allow_batched',
])

/** What clients ask for, or what is wrong with it. */
export interface ParsedStream {
  readonly wanted: WantedStream
  readonly isPedantic: boolean
}

export function parseStream(value: unknown): ParsedStream | string {
  if (!isObject(value)) return wrong(value, '', 'server.StreamConfigRequest')
  const problem = checkFields(value, { ...FIELDS, pedantic: flag }, '')
  if (problem !== null) return problem
  const wanted: Record<string, unknown> = { name: '' }
  for (const field of Object.keys(FIELDS)) {
    if (value[field] !== undefined && value[field] !== null) wanted[field] = value[field]
  }
  return { wanted: wanted as unknown as WantedStream, isPedantic: value['pedantic'] === true }
}

/** The whole configuration that holds: clients compare it with what they asked for. */
export function streamConfigJson(
  config: StreamConfig,
  serverMetadata: Readonly<Record<string, string>>,
): Fields {
  const shown: Record<string, unknown> = {}
  for (const field of Object.keys(FIELDS) as (keyof StreamConfig)[]) {
    const value = config[field]
    if (value === undefined || (OPTIONAL.has(field) && isNothing(value))) continue
    shown[field] = value
  }
  return { ...shown, metadata: { ...config.metadata, ...serverMetadata } }
}

function isNothing(value: unknown): boolean {
  if (value === '' || value === 0 || value === false || value === 'default') return true
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}

function checkFields(
  value: Fields,
  fields: Readonly<Record<string, Check>>,
  path: string,
): string | null {
  for (const [name, check] of Object.entries(fields)) {
    const inner = value[name]
    if (inner === undefined || inner === null) continue
    const problem = check(inner, `${path}${name}`)
    if (problem !== null) return problem
  }
  return null
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Source: UnmarshalTypeError of Go. */
function wrong(value: unknown, path: string, type: string): string {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  const field = path === '' ? 'value' : `struct field StreamConfigRequest.${path}`
  return `json: cannot unmarshal ${kind} into Go ${field} of type ${type}`
}

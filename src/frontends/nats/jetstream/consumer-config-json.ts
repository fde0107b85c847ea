import {
  ACK_POLICIES,
  type ConsumerConfig,
  DELIVER_POLICIES,
  PRIORITY_POLICIES,
  REPLAY_POLICIES,
} from '../../../broker/jetstream/consumer/consumer-config.ts'
import type { CreateRequest } from '../../../broker/jetstream/consumer/stream-consumers.ts'
import { millisecondsOf } from '../../../broker/jetstream/rfc3339.ts'
import { parseByteJson } from './byte-json.ts'

type Fields = Readonly<Record<string, unknown>>

/** Whether a value is of its type; the text says what it should be. */
interface FieldType {
  readonly text: string
  isValid(value: unknown): boolean
}

const text: FieldType = { text: 'a string', isValid: (value) => typeof value === 'string' }
const flag: FieldType = { text: 'true or false', isValid: (value) => typeof value === 'boolean' }
const whole: FieldType = { text: 'an integer', isValid: isWhole }
const count: FieldType = {
  text: 'an integer that is not negative',
  isValid: (value) => isWhole(value) && value >= 0,
}
const time: FieldType = {
  text: 'a time of RFC 3339',
  isValid: (value) => typeof value === 'string' && millisecondsOf(value) !== null,
}
const texts = listOf(text)
const wholes = listOf(whole)
const facts: FieldType = {
  text: 'an object of strings',
  isValid: (value) => isObject(value) && Object.values(value).every((v) => typeof v === 'string'),
}

/** All fields that there are. Source: ConsumerConfig of nats-server. */
const FIELDS: Readonly<Record<keyof ConsumerConfig, FieldType>> = {
  durable_name: text,
  name: text,
  description: text,
  deliver_policy: oneOf(DELIVER_POLICIES),
  opt_start_seq: count,
  opt_start_time: time,
  ack_policy: oneOf(ACK_POLICIES),
  ack_wait: whole,
  max_deliver: whole,
  backoff: wholes,
  filter_subject: text,
  filter_subjects: texts,
  replay_policy: oneOf(REPLAY_POLICIES),
  rate_limit_bps: count,
  sample_freq: text,
  max_waiting: whole,
  max_ack_pending: whole,
  flow_control: flag,
  headers_only: flag,
  max_batch: whole,
  max_expires: whole,
  max_bytes: whole,
  deliver_subject: text,
  deliver_group: text,
  idle_heartbeat: whole,
  inactive_threshold: whole,
  num_replicas: whole,
  mem_storage: flag,
  direct: flag,
  sourcing: flag,
  metadata: facts,
  pause_until: time,
  priority_groups: texts,
  priority_policy: oneOf(PRIORITY_POLICIES),
  priority_timeout: whole,
}

/** What a client asks for, and the stream that it names. */
export interface ParsedCreateRequest extends CreateRequest {
  readonly streamName: string
}

/**
 * Reads a request to create a consumer, its texts one character for each byte. Fields that nobody knows are left out.
 * @returns a text that says why it can't be read
 */
export function parseCreateRequest(body: Buffer): ParsedCreateRequest | string {
  let request: unknown
  try {
    request = parseByteJson(body)
  } catch (error) {
    return (error as Error).message
  }
  if (!isObject(request)) return 'the request must be an object'
  const { stream_name = '', config = {}, action = '', pedantic = false } = request
  if (typeof stream_name !== 'string') return 'stream_name must be a string'
  if (action !== '' && action !== 'create' && action !== 'update') {
    return `unknown consumer action: ${JSON.stringify(action)}`
  }
  if (!isObject(config)) return 'config must be an object'
  const parsed = parseConfig(config)
  if (typeof parsed === 'string') return parsed
  return { streamName: stream_name, config: parsed, action, isPedantic: pedantic === true }
}

function parseConfig(fields: Fields): ConsumerConfig | string {
  const config: Record<string, unknown> = {
    deliver_policy: 'all',
    ack_policy: 'none',
    replay_policy: 'instant',
    num_replicas: 0,
  }
  for (const [name, value] of Object.entries(fields)) {
    const type = FIELDS[name as keyof ConsumerConfig] as FieldType | undefined
    if (type === undefined || value === null || value === undefined) continue
    if (value === '' && type.text.startsWith('one of')) continue
    if (!type.isValid(value)) return `config.${name} must be ${type.text}`
    config[name] = value
  }
  return config as unknown as ConsumerConfig
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function oneOf(words: readonly string[]): FieldType {
  const isValid = (value: unknown): boolean => words.includes(value as string)
  return { text: `one of ${words.join(', ')}`, isValid }
}

function listOf(type: FieldType): FieldType {
  const isValid = (value: unknown): boolean => Array.isArray(value) && value.every(type.isValid)
  return { text: `a list, each ${type.text}`, isValid }
}

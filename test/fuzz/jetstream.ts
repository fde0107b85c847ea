import assert from 'node:assert/strict'
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { Broker } from '../../src/index.ts'
import { mutate } from './mutations.ts'
import type { NatsFuzzOptions } from './nats.ts'
import { SeededRandom } from './seeded-random.ts'

export interface JetStreamFuzzReport {
  /** Answers with what was asked for. */
  doneCount: number
  refusedCount: number
}

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Requests as clients send them, without `$JS.API.`. */
const CORPUS: readonly (readonly [string, Json])[] = [
  ['INFO', null],
  ['STREAM.NAMES', { offset: 0, subject: 's.>' }],
  ['STREAM.LIST', { offset: 0 }],
  ['STREAM.INFO.S', { deleted_details: true, subjects_filter: '>', offset: 0 }],
  [
    'STREAM.CREATE.S',
    {
      ...{ name: 'S', subjects: ['s.>'], retention: 'limits', storage: 'memory', discard: 'old' },
      ...{ max_msgs: 100, max_bytes: 1e6, max_age: 1e9, max_msgs_per_subject: 5, max_msg_size: -1 },
      ...{ duplicate_window: 1e9, num_replicas: 1, allow_direct: true, allow_rollup_hdrs: true },
      ...{
        allow_msg_ttl: true,
        metadata: { a: 'b' },
        republish: { src: 's.*', dest: 'r.{{wildcard(1)}}' },
      },
      subject_transform: { src: 's.*', dest: 's.x.{{partition(5,1)}}' },
    },
  ],
  [
    'STREAM.CREATE.M',
    { name: 'M', mirror: { name: 'S', opt_start_seq: 2, filter_subject: 's.a' } },
  ],
  [
    'STREAM.CREATE.Q',
    { name: 'Q', subjects: ['q'], retention: 'workqueue', sources: [{ name: 'S' }] },
  ],
  ['STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], max_msgs: 10, storage: 'memory' }],
  ['STREAM.PURGE.S', { filter: 's.a', keep: 2, seq: 0 }],
  ['STREAM.DELETE.M', null],
  [
    'STREAM.MSG.GET.S',
    { seq: 1, last_by_subj: 's.a', next_by_subj: 's.>', batch: 3, max_bytes: 9 },
  ],
  ['STREAM.MSG.DELETE.S', { seq: 2, no_erase: true }],
  ['DIRECT.GET.S', { seq: 1, batch: 2, multi_last: ['s.a', 's.b'], up_to_seq: 9 }],
  ['DIRECT.GET.S.s.a', null],
  ['STREAM.SNAPSHOT.S', { deliver_subject: 'snap', no_consumers: true, chunk_size: 1000 }],
  [
    'STREAM.RESTORE.R',
    { config: { name: 'R', subjects: ['r'] }, state: { messages: 1, bytes: 9 } },
  ],
  [
    'CONSUMER.CREATE.S.C',
    {
      stream_name: 'S',
      action: 'create',
      config: {
        ...{ durable_name: 'C', ack_policy: 'explicit', deliver_policy: 'by_start_sequence' },
        ...{
          opt_start_seq: 1,
          ack_wait: 1e9,
          max_deliver: 3,
          backoff: [1e6, 2e6],
          inactive_threshold: 1e9,
        },
        ...{ filter_subjects: ['s.a', 's.b'], max_ack_pending: 5, replay_policy: 'instant' },
        ...{ priority_groups: ['g'], priority_policy: 'overflow', sample_freq: '100%' },
      },
    },
  ],
  [
    'CONSUMER.CREATE.S',
    { stream_name: 'S', config: { deliver_subject: 'd', flow_control: true, idle_heartbeat: 1e9 } },
  ],
  ['CONSUMER.INFO.S.C', null],
  ['CONSUMER.LIST.S', { offset: 0 }],
  ['CONSUMER.NAMES.S', { offset: 0 }],
  ['CONSUMER.MSG.NEXT.S.C', { batch: 2, no_wait: true, expires: 1e6, max_bytes: 99, group: 'g' }],
  ['CONSUMER.PAUSE.S.C', { pause_until: '2030-01-01T00:00:00Z' }],
  ['CONSUMER.UNPIN.S.C', { group: 'g' }],
  ['CONSUMER.RESET.S.C', { seq: 1 }],
  ['CONSUMER.DELETE.S.C', null],
]

const ODD_VALUES: readonly Json[] = [
  ...[null, true, false, -1, 0, 1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 2 ** 64],
  ...['', ' ', '>', '*', 'a..b', '.', 's.>', 'S', 'C', '\u0000', '\r\n', '💣', 'x'.repeat(5000)],
  ...[
    '{{wildcard(9)}}',
    '{{partition(0,1)}}',
    '{{',
    '2030-13-45T99:99:99Z',
    'workqueue',
    'interest',
  ],
  ...[[], {}, [[[[]]]], ['a', 1, null], { name: 'S' }, { a: { b: { c: [] } } }],
]

/** Requests between two looks at what came, and for one broker. */
const BATCH_INPUTS = 100
const BROKER_INPUTS = 10_000
const ANSWER_LIMIT_MS = 20_000
const LARGEST_DEPTH = 20_000

/**
 * Sends changed requests of the JetStream API to a whole broker in memory. Whatever is asked, it answers
 * what it should, in JSON that a client can read, and goes on.
 * @throws Error with the requests after which it did not
 */
export async function fuzzJetStream(options: NatsFuzzOptions): Promise<JetStreamFuzzReport> {
  const report = { doneCount: 0, refusedCount: 0 }
  const random = new SeededRandom(options.seed)
  for (let done = 0; done < options.inputCount; ) {
    const count = Math.min(BROKER_INPUTS, options.inputCount - done)
    await fuzzBroker(count, random, report)
    done += count
    options.progress?.(done)
  }
  return report
}

async function fuzzBroker(
  count: number,
  random: SeededRandom,
  report: JetStreamFuzzReport,
): Promise<void> {
  const broker = await Broker.start({ natsPort: 0 })
  const client = await connect({ servers: broker.natsUrl ?? '', reconnect: false })
  try {
    let problem: Error | null = null
    const callback = (_error: Error | null, message: Msg): void => {
      try {
        read(message, report)
      } catch (cause) {
        problem ??= new Error(`the answer was ${JSON.stringify(message.string())}`, { cause })
      }
    }
    client.subscribe('answers.>', { callback })
    for (let done = 0; done < count; done += BATCH_INPUTS) {
      const inputs = Array.from({ length: BATCH_INPUTS }, () => inputOf(random))
      try {
        for (const [subject, body] of inputs) {
          client.publish(`$JS.API.${subject}`, body, { reply: `answers.${subject.length}` })
        }
        await isThere(client)
        if (problem !== null) throw problem
      } catch (error) {
        const sent = inputs.map(
          ([subject, body]) => `${subject} ${body.toString('latin1').slice(0, 300)}`,
        )
        throw new Error(`the requests were ${JSON.stringify(sent)}`, { cause: error })
      }
    }
  } finally {
    await client.close()
    await broker.stop()
  }
}

/** @throws Error when the API does not answer, or the answer was not what it should be */
async function isThere(client: NatsConnection): Promise<void> {
  const answer = await client.request('$JS.API.INFO', undefined, { timeout: ANSWER_LIMIT_MS })
  assert.equal(
    answer.json<{ type: string }>().type,
    'io.nats.jetstream.api.v1.account_info_response',
  )
}

function read(message: Msg, report: JetStreamFuzzReport): void {
  // Messages and statuses come with headers.
  if (message.headers !== undefined || message.data.byteLength === 0) return
  const { type, error } = message.json<{ type?: unknown; error?: Record<string, unknown> }>()
  assert.match(String(type), /^io\.nats\.jetstream\.api\.v1\.\w+_response$/)
  if (error === undefined) {
    report.doneCount++
    return
  }
  report.refusedCount++
  assert.equal(typeof error['code'], 'number')
  assert.equal(typeof error['description'], 'string')
}

function inputOf(random: SeededRandom): readonly [string, Buffer] {
  const [subject, body] = random.pick(CORPUS)
  const name = random.oneIn(10) ? changedSubject(subject, random) : subject
  if (body === null) return [name, random.oneIn(2) ? Buffer.alloc(0) : oddText(random)]
  if (random.oneIn(20)) return [name, oddText(random)]
  const bytes = Buffer.from(JSON.stringify(random.oneIn(4) ? body : changed(body, random)))
  const other = (): Buffer => Buffer.from(JSON.stringify(random.pick(CORPUS)[1]))
  return [name, random.oneIn(8) ? mutate(bytes, random, other) : bytes]
}

/** One value anywhere in it is another one, gone, or there twice under two names. */
function changed(value: Json, random: SeededRandom): Json {
  if (value === null || typeof value !== 'object' || random.oneIn(8)) return random.pick(ODD_VALUES)
  if (Array.isArray(value)) {
    const copy = [...value]
    const at = random.int(copy.length + 1)
    copy[at] = changed(copy[at] ?? null, random)
    return copy
  }
  const names = Object.keys(value)
  if (names.length === 0) return random.pick(ODD_VALUES)
  const name = random.pick(names)
  const copy = { ...value, [name]: changed(value[name] ?? null, random) }
  if (random.oneIn(10)) copy[random.pick(names)] = random.pick(ODD_VALUES)
  if (random.oneIn(10)) delete copy[random.pick(names)]
  return copy
}

function changedSubject(subject: string, random: SeededRandom): string {
  const tokens = subject.split('.')
  tokens[random.int(tokens.length)] = random.pick([
    'x',
    'S',
    'C',
    'M',
    '💣',
    'a:b',
    '-',
    '$JS',
    'x'.repeat(300),
  ])
  return tokens.join('.')
}

function oddText(random: SeededRandom): Buffer {
  const depth = random.int(LARGEST_DEPTH)
  const texts = [
    '{',
    '}',
    'null',
    '[]',
    '"',
    '{"a":',
    '{}{}',
    '\u0000',
    '['.repeat(depth),
    `${'{"a":'.repeat(depth)}1`,
  ]
  return Buffer.from(random.pick(texts))
}

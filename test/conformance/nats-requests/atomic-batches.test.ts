import assert from 'node:assert/strict'
import { it } from 'node:test'
import { answersOfBoth, type Request } from './conversation.ts'

const config = (name: string, more: object = {}): Request => [
  `$JS.API.STREAM.CREATE.${name}`,
  {},
  { name, subjects: [`${name}.>`], ...more },
]

const update = (name: string, more: object): Request => [
  `$JS.API.STREAM.UPDATE.${name}`,
  {},
  { name, subjects: [`${name}.>`], ...more },
]

const get = (stream: string, seq: number): Request => [
  `$JS.API.STREAM.MSG.GET.${stream}`,
  {},
  { seq },
]

const count = (stream: string): Request => [
  `$JS.API.STREAM.MSG.GET.${stream}`,
  {},
  { last_by_subj: `${stream}.>` },
]

/** A message of a batch: `id`, number, subject, and more headers. */
function of(id: string, seq: number | string, subject: string, more: object = {}): Request {
  const fields = { 'Nats-Batch-Id': id, 'Nats-Batch-Sequence': String(seq), ...more }
  return [subject, fields, `${seq}`]
}

const COMMIT = { 'Nats-Batch-Commit': '1' }
const EOB = { 'Nats-Batch-Commit': 'eob' }

/** A batch of two messages. */
function two(stream: string, first: object, second: object, subject = 'b'): Request[] {
  return [
    of('t', 1, `${stream}.a`, first),
    of('t', 2, `${stream}.${subject}`, { ...second, ...COMMIT }),
  ]
}

const expects = (name: string, value: string) => ({ [`Nats-Expected-${name}`]: value })

const REQUESTS: readonly Request[] = [
  config('A', { allow_atomic: true, allow_rollup_hdrs: true, max_msg_size: 500 }),
  config('N'),
  config('M', { subjects: [], mirror: { name: 'A' }, allow_atomic: true }),
  config('P', { persist_mode: 'async', allow_atomic: true }),
  of('x', 1, 'N.a'),
  of('x', 1, 'N.a', COMMIT),
  ['A.single'],
  of('x', 1, 'A.a'),
  of('x', 2, 'A.b'),
  of('x', 3, 'A.a', COMMIT),
  of('x', 4, 'A.a', COMMIT),
  get('A', 2),
  get('A', 4),
  of('y', 1, 'A.a'),
  of('y', 2, 'A.b', EOB),
  get('A', 5),
  get('A', 6),
  of('one', 1, 'A.a', COMMIT),
  of('one', 1, 'A.a', EOB),
  of('', 1, 'A.a'),
  of('x'.repeat(64), 1, 'A.a', COMMIT),
  of('x'.repeat(65), 1, 'A.a'),
  of('x', 'none', 'A.a'),
  ['A.a', { 'Nats-Batch-Id': 'x' }],
  of('x', 0, 'A.a'),
  of('x', 2, 'A.a'),
  of('x', 1000, 'A.a'),
  of('x', 1001, 'A.a'),
  of('x', 1001, 'A.a', EOB),
  of('x', 1002, 'A.a', EOB),
  of('gap', 1, 'A.a'),
  of('gap', 3, 'A.a'),
  of('gap', 2, 'A.a'),
  of('bad', 1, 'A.a', { 'Nats-Batch-Commit': '2' }),
  of('bad', 1, 'A.a'),
  of('bad', 2, 'A.a', { 'Nats-Batch-Commit': 'x' }),
  of('bad', 3, 'A.a', COMMIT),
  of('large', 1, 'A.a', { long: 'x'.repeat(500) }),
  of('large', 1, 'A.a'),
  of('large', 2, 'A.a', { long: 'x'.repeat(500), ...COMMIT }),
  of('large', 2, 'A.a', COMMIT),
  of('level', 1, 'A.a', { 'Nats-Required-Api-Level': '2', ...COMMIT }),
  of('level', 1, 'A.a', { 'Nats-Required-Api-Level': '99', ...COMMIT }),
  count('A'),
  update('A', { allow_atomic: true, allow_rollup_hdrs: true, sealed: true }),
  of('x', 1, 'A.a'),
]

const SUBJECT_SEQUENCE = 'Last-Subject-Sequence'
const EXPECTATIONS: readonly Request[] = [
  config('A', { allow_atomic: true, allow_rollup_hdrs: true, allow_msg_ttl: true }),
  ['A.a'],
  ...two('A', expects('Last-Sequence', '1'), {}),
  ...two('A', expects('Last-Sequence', '1'), {}),
  ...two('A', {}, expects('Last-Sequence', '4')),
  ...two('A', {}, expects('Last-Sequence', '3')),
  ...two('A', expects(SUBJECT_SEQUENCE, '2'), expects(SUBJECT_SEQUENCE, '3')),
  ...two('A', expects(SUBJECT_SEQUENCE, '2'), expects(SUBJECT_SEQUENCE, '3')),
  ...two('A', {}, expects(SUBJECT_SEQUENCE, '6'), 'a'),
  ...two('A', expects(SUBJECT_SEQUENCE, '4'), expects(SUBJECT_SEQUENCE, '4'), 'a'),
  ...two(
    'A',
    {},
    {
      ...expects(SUBJECT_SEQUENCE, '5'),
      ...expects(`${SUBJECT_SEQUENCE}-Subject`, 'A.*'),
    },
  ),
  ...two(
    'A',
    {},
    {
      ...expects(SUBJECT_SEQUENCE, '6'),
      ...expects(`${SUBJECT_SEQUENCE}-Subject`, 'A.a'),
    },
  ),
  ...two('A', {}, expects(`${SUBJECT_SEQUENCE}-Subject`, 'A.c')),
  ...two('A', {}, expects('Stream', 'B')),
  ...two('A', expects('Stream', 'A'), {}),
  ...two('A', {}, expects('Last-Msg-Id', 'x')),
  ...two('A', { 'Nats-Msg-Id': 'i' }, { 'Nats-Msg-Id': 'j' }),
  ...two('A', { 'Nats-Msg-Id': 'i' }, {}),
  ...two('A', { 'Nats-Msg-Id': 'k' }, { 'Nats-Msg-Id': 'k' }),
  ['A.b', { 'Nats-Msg-Id': 'j' }],
  ['A.b', { 'Nats-Msg-Id': 'k' }],
  ...two('A', { 'Nats-Rollup': 'all' }, {}),
  ...two('A', {}, { 'Nats-Rollup': 'all' }),
  ...two('A', {}, { 'Nats-Rollup': 'sub' }),
  ...two('A', {}, { 'Nats-Rollup': 'sub' }, 'a'),
  ...two('A', {}, { 'Nats-Rollup': 'x' }),
  ...two('A', {}, { 'Nats-TTL': '1h' }),
  ...two('A', {}, { 'Nats-TTL': 'x' }),
  ...two('A', {}, { 'Nats-Stream-Source': 'A 1 > > A.a' }),
  ...two('A', {}, { 'Nats-Incr': '1' }),
  ...two('A', {}, { 'Nats-Schedule': '@every 1h' }),
  count('A'),
  config('D', {
    ...{ allow_atomic: true, discard: 'new', max_msgs: 5 },
    ...{ max_msgs_per_subject: 2, discard_new_per_subject: true },
  }),
  ...two('D', {}, {}),
  ...two('D', {}, {}, 'a'),
  ...two('D', {}, {}),
  ...two('D', {}, {}),
  count('D'),
  config('C', { allow_atomic: true, allow_msg_counter: true }),
  ['C.a', { 'Nats-Incr': '5' }],
  ['C.a', { ...of('c', 1, '')[1], 'Nats-Incr': '1' }],
  ['C.a', { ...of('c', 2, '')[1], 'Nats-Incr': '2' }],
  ['C.a', { ...of('c', 3, '')[1], 'Nats-Incr': '3', ...COMMIT }],
  count('C'),
  ['C.a', { ...of('c', 1, '')[1], 'Nats-Incr': '1' }],
  ['C.a', { ...of('c', 2, '')[1], ...COMMIT }],
  ['C.a', { ...of('c', 1, '')[1], 'Nats-Incr': 'x', ...COMMIT }],
  ['C.a', { 'Nats-Incr': '1' }],
  config('S', { allow_atomic: true, allow_msg_schedules: true }),
  of('s', 1, 'S.a', {
    ...{ 'Nats-Schedule': '@every 1h', 'Nats-Schedule-Target': 'S.t' },
    ...COMMIT,
  }),
  get('S', 1),
  of('s', 1, 'S.a'),
  of('s', 2, 'S.a', {
    ...{ 'Nats-Schedule': '@every 1h', 'Nats-Schedule-Target': 'S.t' },
    ...COMMIT,
  }),
  config('T', {
    allow_atomic: true,
    subject_transform: { src: 'T.*', dest: 'T.{{wildcard(1)}}.x' },
  }),
  ...two('T', {}, expects(SUBJECT_SEQUENCE, '0')),
  ...two('T', {}, expects(SUBJECT_SEQUENCE, '2')),
  get('T', 4),
]

it('atomic batches are answered as nats-server answers them (ADR-50)', async () => {
  const { ours, theirs } = await answersOfBoth(REQUESTS)
  assert.deepEqual(ours, theirs)
})

it('what messages of an atomic batch expect is looked at as by nats-server', async () => {
  const { ours, theirs } = await answersOfBoth(EXPECTATIONS)
  assert.deepEqual(ours, theirs)
})

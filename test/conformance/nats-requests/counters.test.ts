import assert from 'node:assert/strict'
import { it } from 'node:test'
import { answersOfBoth, type Request } from './conversation.ts'

const CREATE = '$JS.API.STREAM.CREATE'
const GET = '$JS.API.STREAM.MSG.GET'

const config = (name: string, more: object): Request => [
  `${CREATE}.${name}`,
  {},
  { name, subjects: [`${name}.>`], allow_msg_counter: true, ...more },
]

const add = (subject: string, by: string, more = {}, body = ''): Request => [
  subject,
  { 'Nats-Incr': by, ...more },
  body,
]

const last = (stream: string, subject: string): Request => [
  `${GET}.${stream}`,
  {},
  { last_by_subj: subject },
]

it('counters are answered as nats-server answers them (ADR-49)', async () => {
  const { ours, theirs } = await answersOfBoth([
    config('C', {}),
    config('N', { discard: 'new' }),
    config('N', { allow_msg_ttl: true }),
    config('N', { retention: 'interest' }),
    config('N', { allow_msg_schedules: true }),
    config('N', { mirror: { name: 'C' }, subjects: [] }),
    ['$JS.API.STREAM.UPDATE.C', {}, { name: 'C', subjects: ['C.>'] }],
    ...['+2', '-5', '+0010', '9'.repeat(40), 'x', '1.5', '1_0'].map((by) => add('C.a', by)),
    ['C.a'],
    ['C.a', {}, 'x'],
    add('C.a', '1', {}, 'x'),
    add('C.a', '1', { 'Nats-Rollup': 'sub' }),
    add('C.a', '1', { 'Nats-Expected-Last-Sequence': '4' }),
    add('C.a', '1', { 'Nats-Expected-Stream': 'C' }),
    add('C.a', '1', { 'Nats-Msg-Id': 'm' }),
    add('C.a', '1', { 'Nats-Msg-Id': 'm' }),
    last('C', 'C.a'),
    ['$JS.API.STREAM.MSG.DELETE.C', {}, { seq: 5 }],
    add('C.a', '1'),
    ['$JS.API.STREAM.PURGE.C', {}, { filter: 'C.a' }],
    add('C.a', '7'),
    config('S', { sources: [{ name: 'C', subject_transforms: [{ src: 'C.>', dest: 'S.>' }] }] }),
    { request: last('S', 'S.a'), until: /\\"7\\"/ },
    add('S.a', '100'),
    add('C.a', '1'),
    { request: last('S', 'S.a'), until: /\\"108\\"/ },
  ])
  assert.deepEqual(ours, theirs)
})

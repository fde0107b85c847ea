import assert from 'node:assert/strict'
import { it } from 'node:test'
import { answersOfBoth, type Request } from './conversation.ts'

const FAR = '@at 2099-01-01T00:00:00Z'
const PAST = '@at 2025-01-01T00:00:00Z'

const BAD = [
  '@at x',
  '@at 2026-02-30T00:00:00Z',
  '@at 2026-02-28 00:00:00Z',
  '@every 1',
  '@every 0.5s',
]
BAD.push('@every -5s', '* * * * *', '60 * * * * *', '* * 24 * * *', '* * * 0 * *', '* * * * 13 *')
BAD.push(
  '* * * * * 7',
  '@never',
  '0 0 0 30 2 *',
  '0-5-6 * * * * *',
  '*/0 * * * * *',
  '5-1 * * * * *',
)
BAD.push('1/2/3 * * * * *', '@HOURLY', ', * * * * *')
const GOOD = [
  FAR,
  '@every 1h30m',
  '0 0 0 1 jan *',
  '0 0 0 ? JAN Mon-FRI',
  '0 0/5 * * * *',
  '@hourly',
]
GOOD.push(
  '@daily',
  '@weekly',
  '@monthly',
  '@yearly',
  '0 0 0 29 2 *',
  ',5, 0 0 1 1 *',
  '*-5 0 0 1 1 *',
)
const ZONES = ['Europe/Berlin', 'europe/berlin', 'UTC', '+01:00', 'Mars/X', 'Asia/Calcutta']

const plan = (subject: string, pattern: string, more = {}, body = ''): Request => [
  subject,
  { 'Nats-Schedule': pattern, 'Nats-Schedule-Target': 't.a', ...more },
  body,
]
const config = (name: string, more: object): Request => [
  `$JS.API.STREAM.CREATE.${name}`,
  {},
  { name, subjects: ['s.>', 't.>', 'src.>'], allow_msg_schedules: true, ...more },
]
const last = (subject: string): Request => [
  '$JS.API.STREAM.MSG.GET.D',
  {},
  { last_by_subj: subject },
]

const REFUSED: readonly Request[] = [
  ...['s.a', 'x.a', 't.*', 't..a'].map((to) => plan('s.a', FAR, { 'Nats-Schedule-Target': to })),
  ...['t.a', 's.a', 'x.a'].map((from) => plan('s.a', FAR, { 'Nats-Schedule-Source': from })),
  plan('s.a', FAR, { 'Nats-Schedule-TTL': '5s' }),
  plan('s.a', FAR, { 'Nats-Schedule-TTL': 'x' }),
  plan('s.a', FAR, { 'Nats-Schedule-Rollup': 'all' }),
  plan('s.a', FAR, { 'Nats-Rollup': 'all' }),
  ['s.a', { 'Nats-Schedule-Next': 'x' }],
  ['s.a', { 'Nats-Schedule-Next': 'purge' }],
  ['s.a', { 'Nats-Scheduler': 's.b' }],
  ['s.a', { 'Nats-Schedule-Next': 'purge', 'Nats-Scheduler': 's.a' }],
]

it('message schedules are answered as nats-server answers them (ADR-51)', async () => {
  const { ours, theirs } = await answersOfBoth([
    config('D', { discard: 'new' }),
    config('D', { pedantic: true }),
    config('DM', { mirror: { name: 'D' }, subjects: [] }),
    config('D', { deny_purge: true }),
    ['$JS.API.STREAM.CREATE.N', {}, { name: 'N', subjects: ['n.>'] }],
    plan('n.a', FAR),
    ['n.a', { 'Nats-Schedule-Time-Zone': 'Mars/X' }],
    ...BAD.map((pattern) => plan('s.bad', pattern)),
    ...GOOD.map((pattern) => plan('s.good', pattern)),
    ...ZONES.map((zone) => plan('s.zone', '@hourly', { 'Nats-Schedule-Time-Zone': zone })),
    plan('s.zone', FAR, { 'Nats-Schedule-Time-Zone': 'UTC' }),
    ...REFUSED,
    last('s.good'),
    ['t.b', { 'Nats-Schedule-Next': 'purge', 'Nats-Scheduler': 's.good' }],
    last('s.good'),
    plan(
      's.once',
      PAST,
      { 'X-A': '1', 'Nats-Msg-Id': 'm', 'Nats-Schedule-Rollup': 'sub' },
      'hello',
    ),
    { request: last('t.a'), until: /hello/ },
    last('s.once'),
    ['src.a', { 'X-S': 's' }, 'content'],
    plan('s.every', '@every 1s', { 'Nats-Schedule-Source': 'src.a' }, 'own'),
    { request: last('t.a'), until: /content/ },
    last('s.every'),
  ])
  assert.deepEqual(ours, theirs)
})

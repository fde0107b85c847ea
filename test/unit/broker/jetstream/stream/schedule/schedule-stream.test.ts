import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StoredMessage } from '../../../../../../src/broker/jetstream/stream/stream-reader.ts'
import { SubjectFilter } from '../../../../../../src/broker/jetstream/stream/subject-filter.ts'
import { configOf, type Outcome, StreamHarness } from '../stream-harness.ts'

const SECOND = 1000
const START = Date.parse('2026-11-26T12:00:00Z')

async function started(wanted = {}): Promise<StreamHarness> {
  const harness = await StreamHarness.start(configOf({ allow_msg_schedules: true, ...wanted }))
  harness.clock.timeMs = START
  return harness
}

const every = (pattern: string, more = {}): Readonly<Record<string, string>> => ({
  'Nats-Schedule': pattern,
  'Nats-Schedule-Target': 's.target',
  ...more,
})

function at(timeMs: number): string {
  return `@at ${new Date(timeMs).toISOString()}`
}

function errorOf(outcome: Outcome): number {
  assert.ok(outcome !== null, 'it was answered')
  return 'err_code' in outcome ? outcome.err_code : 0
}

function wait(harness: StreamHarness, ms: number): void {
  for (let left = ms; left > 0; left -= 500) {
    harness.scheduler.advance(Math.min(left, 500))
    harness.settle()
  }
}

/** How many messages a subject has. */
function count({ stream }: StreamHarness, subject: string): number {
  return stream.pendingCount(0, new SubjectFilter([subject]))
}

async function last({ stream }: StreamHarness, subject: string): Promise<StoredMessage | null> {
  const sequence = stream.state.index.lastOf(subject)
  return new Promise((resolve) => {
    stream.read([sequence], (_, [message]) => resolve(message ?? null))
  })
}

describe('a message schedule (ADR-51)', () => {
  it('stores its message at a time, and is gone then', async () => {
    const harness = await started()
    const more = { 'X-A': '1', 'Nats-Msg-Id': 'm' }
    harness.publish('s.once', every(at(START + 5 * SECOND), more), 'hello')
    wait(harness, 4 * SECOND)
    assert.equal(count(harness, 's.target'), 0)
    wait(harness, 2 * SECOND)
    const message = await last(harness, 's.target')
    assert.equal(message?.payload.toString(), 'hello')
    assert.equal(
      message?.headers?.toString(),
      'NATS/1.0\r\nX-A: 1\r\nNats-Scheduler: s.once\r\nNats-Schedule-Next: purge\r\n\r\n',
    )
    assert.equal(count(harness, 's.once'), 0)
    wait(harness, 10 * SECOND)
    assert.equal(count(harness, 's.target'), 1)
  })

  it('comes again and again, and says when next', async () => {
    const harness = await started()
    harness.publish('s.every', every('@every 10s'), 'tick')
    wait(harness, 31 * SECOND)
    assert.equal(count(harness, 's.target'), 3)
    const message = await last(harness, 's.target')
    assert.match(message?.headers?.toString() ?? '', /Nats-Schedule-Next: 2026-11-26T12:00:40Z\r\n/)
    assert.equal(count(harness, 's.every'), 1)
  })

  it('sends the last message of another subject, when there is one', async () => {
    const harness = await started()
    harness.publish('s.cron', every('0 * * * * *', { 'Nats-Schedule-Source': 's.from' }), 'own')
    wait(harness, 61 * SECOND)
    assert.equal((await last(harness, 's.target'))?.payload.toString(), 'own')
    harness.publish('s.from', { 'X-S': 's' }, 'content')
    wait(harness, 61 * SECOND)
    const message = await last(harness, 's.target')
    assert.equal(message?.payload.toString(), 'content')
    assert.match(
      message?.headers?.toString() ?? '',
      /^NATS\/1\.0\r\nX-S: s\r\nNats-Scheduler: s\.cron/,
    )
  })

  it('gives its messages a time to live and rolls them up', async () => {
    const harness = await started({ allow_msg_ttl: true })
    const more = { 'Nats-Schedule-TTL': '5s', 'Nats-Schedule-Rollup': 'sub' }
    harness.publish('s.every', every('@every 2s', more))
    wait(harness, 7 * SECOND)
    assert.equal(count(harness, 's.target'), 1)
    const message = await last(harness, 's.target')
    assert.match(message?.headers?.toString() ?? '', /Nats-TTL: 5s\r\nNats-Rollup: sub\r\n/)
  })

  it('takes the place of the one before it, and ends with a message without a schedule', async () => {
    const harness = await started()
    harness.publish('s.one', every('@every 2s'))
    harness.publish('s.one', every('@every 60s'))
    assert.equal(count(harness, 's.one'), 1)
    wait(harness, 50 * SECOND)
    assert.equal(count(harness, 's.target'), 0)
    harness.publish('s.one')
    wait(harness, 120 * SECOND)
    assert.equal(count(harness, 's.target'), 0)
  })

  it('ends when its message is purged, or somebody says so', async () => {
    const harness = await started()
    harness.publish('s.one', every('@every 2s'))
    harness.publish('s.two', every('@every 2s'))
    harness.purge(['s.one'])
    const purge = { 'Nats-Schedule-Next': 'purge', 'Nats-Scheduler': 's.two' }
    assert.equal(errorOf(harness.publish('s.end', purge)), 0)
    wait(harness, 10 * SECOND)
    assert.equal(count(harness, 's.target'), 0)
    assert.equal(count(harness, 's.two'), 0)
  })
})

describe('message schedules after a crash (ADR-51)', () => {
  it('go on when they were due next, each time once', async () => {
    const harness = await started()
    harness.publish('s.every', every('@every 10s'))
    harness.publish('s.once', every(at(START + 25 * SECOND), { 'Nats-Schedule-Target': 's.other' }))
    wait(harness, 21 * SECOND)
    await harness.restart()
    wait(harness, 5 * SECOND)
    assert.equal(count(harness, 's.target'), 2)
    assert.equal(count(harness, 's.other'), 1)
    await harness.restart()
    wait(harness, 5 * SECOND)
    assert.equal(count(harness, 's.target'), 3)
    assert.equal(count(harness, 's.other'), 1)
  })

  it('make up for times that were missed once, and go on from now', async () => {
    const harness = await started()
    harness.publish('s.every', every('@every 10s'))
    harness.clock.timeMs += 65 * SECOND
    await harness.restart()
    wait(harness, SECOND)
    assert.equal(count(harness, 's.target'), 1)
    const message = await last(harness, 's.target')
    assert.match(
      message?.headers?.toString() ?? '',
      /Nats-Schedule-Next: 2026-11-26T12:01:1[56]Z\r\n/,
    )
  })

  it('forget a message that was under way, and send it then', async () => {
    const harness = await started()
    harness.publish('s.once', every(at(START + SECOND)))
    await harness.restart()
    assert.equal(count(harness, 's.target'), 0)
    wait(harness, 2 * SECOND)
    assert.equal(count(harness, 's.target'), 1)
  })
})

describe('a message schedule that is refused', () => {
  it('is told why, with the numbers of nats-server', async () => {
    const harness = await started()
    const errors = [
      every('@every 0.5s'),
      every('@at tomorrow'),
      every('0 0 0 30 2 *'),
      every('@every 5s', { 'Nats-Schedule-Time-Zone': 'UTC' }),
      every('@hourly', { 'Nats-Schedule-Time-Zone': 'Mars/Base' }),
      every('@hourly', { 'Nats-Schedule-Target': 's.a' }),
      every('@hourly', { 'Nats-Schedule-Target': 'elsewhere' }),
      every('@hourly', { 'Nats-Schedule-Target': 's.*' }),
      every('@hourly', { 'Nats-Schedule-Source': 's.target' }),
      every('@hourly', { 'Nats-Schedule-Source': 'elsewhere' }),
      every('@hourly', { 'Nats-Schedule-TTL': 'x' }),
      every('@hourly', { 'Nats-Schedule-TTL': '5s' }),
      every('@hourly', { 'Nats-Schedule-Rollup': 'all' }),
      every('@hourly', { 'Nats-Rollup': 'all' }),
      { 'Nats-Scheduler': 's.b' },
      { 'Nats-Scheduler': 's.b', 'Nats-Schedule-Next': 'later' },
      { 'Nats-Scheduler': 's.a', 'Nats-Schedule-Next': 'purge' },
    ].map((headers) => errorOf(harness.publish('s.a', headers)))
    const pattern = [10189, 10189, 10189, 10189, 10223]
    const subjects = [10190, 10190, 10190, 10203, 10203]
    const rest = [10191, 10166, 10192, 10192, 10212, 10212, 10212]
    assert.deepEqual(errors, [...pattern, ...subjects, ...rest])
    assert.equal(harness.log.logEndOffset, 0)
  })
})

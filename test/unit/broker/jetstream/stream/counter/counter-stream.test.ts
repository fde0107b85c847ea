import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StoredMessage } from '../../../../../../src/broker/jetstream/stream/stream-reader.ts'
import { configOf, type Outcome, StreamHarness } from '../stream-harness.ts'

function started(wanted = {}): Promise<StreamHarness> {
  return StreamHarness.start(configOf({ allow_msg_counter: true, ...wanted }))
}

/** What a client is told: the total, or the number of the error. */
function told(outcome: Outcome): string | number | undefined {
  assert.ok(outcome !== null, 'it was answered')
  return 'err_code' in outcome ? outcome.err_code : outcome.counter
}

function add(harness: StreamHarness, subject: string, by: string): string | number | undefined {
  return told(harness.publish(subject, { 'Nats-Incr': by }, ''))
}

async function read({ stream }: StreamHarness, sequence: number): Promise<StoredMessage | null> {
  return new Promise((resolve, reject) => {
    stream.read([sequence], (error, [message]) =>
      error ? reject(error) : resolve(message ?? null),
    )
  })
}

describe('a stream of counters (ADR-49)', () => {
  it('answers with the total of the subject, and stores it', async () => {
    const harness = await started()
    assert.equal(add(harness, 's.a', '+2'), '2')
    assert.equal(add(harness, 's.b', '10'), '10')
    assert.equal(add(harness, 's.a', '-5'), '-3')
    const last = await read(harness, 3)
    assert.equal(last?.payload.toString(), '{"val":"-3"}')
    assert.equal(last?.headers?.toString(), 'NATS/1.0\r\nNats-Incr: -5\r\n\r\n')
  })

  it('sees increments that are on their way', async () => {
    const harness = await started()
    const outcomes = ['1', '1', '1'].map((by) =>
      harness.publishOnly('s.a', { 'Nats-Incr': by }, ''),
    )
    harness.scheduler.finishTurn()
    const later = harness.publishOnly('s.a', { 'Nats-Incr': '4' }, '')
    harness.settle()
    assert.deepEqual(
      [...outcomes, later].map((outcome) => told(outcome())),
      ['1', '2', '3', '7'],
    )
  })

  it('goes on with the totals that the log has after a crash', async () => {
    const harness = await started()
    add(harness, 's.a', '9007199254740993')
    add(harness, 's.b', '1')
    await harness.restart()
    assert.equal(add(harness, 's.a', '1'), '9007199254740994')
    assert.equal(add(harness, 's.b', '1'), '2')
  })

  it('counts from the last message that is there, also when one was removed', async () => {
    const harness = await started()
    for (const by of ['1', '2', '4']) add(harness, 's.a', by)
    harness.stream.removeMessage(3, () => undefined)
    assert.equal(add(harness, 's.a', '1'), '4')
    for (const sequence of [1, 2, 4]) harness.stream.removeMessage(sequence, () => undefined)
    assert.equal(add(harness, 's.a', '1'), '1')
  })
})

describe('what is refused in a stream of counters (ADR-49)', () => {
  it('says what is wrong with the numbers of nats-server', async () => {
    const harness = await started()
    const incr = { 'Nats-Incr': '1' }
    const errors = [
      harness.publish('s.a'),
      harness.publish('s.a', {}, 'x'),
      harness.publish('s.a', incr, 'x'),
      harness.publish('s.a', { 'Nats-Incr': 'x' }, ''),
      harness.publish('s.a', { ...incr, 'Nats-Rollup': 'sub' }, ''),
      harness.publish('s.a', { ...incr, 'Nats-Expected-Stream': 'S' }, ''),
      harness.publish('s.a', { ...incr, 'Nats-Expected-Last-Sequence': '0' }, ''),
      harness.publish('s.a', { ...incr, 'Nats-Expected-Last-Msg-Id': 'm' }, ''),
    ].map(told)
    assert.deepEqual(errors, [10169, 10169, 10170, 10171, 10171, 10171, 10171, 10171])
    assert.equal(harness.log.logEndOffset, 0)
  })

  it('answers an id that comes again without counting it', async () => {
    const harness = await started()
    const headers = { 'Nats-Incr': '1', 'Nats-Msg-Id': 'm' }
    assert.equal(told(harness.publish('s.a', headers, '')), '1')
    assert.deepEqual(harness.publish('s.a', headers, ''), { sequence: 1, isDuplicate: true })
    assert.equal(add(harness, 's.a', '1'), '2')
  })

  it('is not combined with what makes no sense for counters', () => {
    const reason = (wanted: object): string => {
      try {
        configOf({ allow_msg_counter: true, ...wanted })
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    assert.equal(reason({}), '')
    assert.equal(reason({ discard: 'new' }), 'counter stream cannot use discard new')
    assert.equal(reason({ allow_msg_ttl: true }), 'counter stream cannot use message TTLs')
    assert.equal(reason({ retention: 'workqueue' }), 'counter stream can only use limits retention')
  })
})

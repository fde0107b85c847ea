import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ErrorCode } from '../../../../../../src/base/error-code.ts'
import { batchPositions } from '../../../../../../src/records/records-iterator.ts'
import { configOf } from '../stream-harness.ts'
import { BatchHarness, type OfBatch } from './batch-harness.ts'

const two = (second: Omit<OfBatch, 'seq'> = {}): readonly [OfBatch, OfBatch] => [
  { seq: 1, subject: 's.a' },
  { seq: 2, subject: 's.b', commit: '1', ...second },
]

describe('an atomic batch (ADR-50)', () => {
  it('is seen as a whole once it is committed and durable', async () => {
    const harness = await BatchHarness.start()
    const first = harness.send({ seq: 1 })
    harness.streams.settle()
    assert.equal(first(), 'held')
    assert.deepEqual(harness.there, [])
    const commit = harness.send({ seq: 2, subject: 's.b', commit: '1' })
    harness.streams.scheduler.finishTurn()
    assert.equal(commit(), null)
    assert.deepEqual(harness.there, [])
    harness.streams.settle()
    assert.deepEqual(commit(), { batchId: 'b', sequence: 2, count: 2 })
    assert.deepEqual(harness.there, ['1 s.a', '2 s.b'])
    assert.deepEqual([harness.quota.atomicCount, harness.quota.heldBytes], [0, 0])
  })

  it('is one batch of the log, whatever comes between its messages', async () => {
    const harness = await BatchHarness.start()
    const { streams } = harness
    harness.send({ seq: 1 })
    streams.publishOnly('s.x')
    harness.send({ seq: 2, commit: '1' })
    streams.publishOnly('s.y')
    streams.settle()
    assert.deepEqual(harness.there, ['1 s.x', '2 s.a', '3 s.a', '4 s.y'])
    const slice = streams.log.read(
      {
        ...{ offset: 0, endOffset: 4, maxBytes: 1e6 },
        ...{ atLeastOne: true, includeAborted: false },
      },
      () => undefined,
    )
    assert.ok(slice !== null)
    assert.equal([...batchPositions(Buffer.concat([...slice.pieces]))].length, 3)
    slice.release()
  })

  it('may be of one message, and may end with one that is not stored', async () => {
    const harness = await BatchHarness.start()
    const one = harness.sendAll({ seq: 1, commit: '1' })
    assert.deepEqual(one, { batchId: 'b', sequence: 1, count: 1 })
    const two = harness.sendAll({ seq: 1 }, { seq: 2 }, { seq: 3, commit: 'eob' })
    assert.deepEqual(two, { batchId: 'b', sequence: 3, count: 2 })
    let text = ''
    harness.streams.stream.read([3], (_, [message]) => {
      text = message?.headers?.toString('latin1') ?? ''
    })
    assert.equal(
      text,
      'NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: 2\r\nNats-Batch-Commit: 1\r\n\r\n',
    )
  })

  it('leaves nothing when it is refused, and the next begins anew', async () => {
    const harness = await BatchHarness.start()
    const wrong = { 'Nats-Expected-Last-Subject-Sequence': '7' }
    assert.equal(harness.errorOf(...two({ headers: wrong })), 10071)
    assert.deepEqual(harness.there, [])
    assert.deepEqual([harness.quota.atomicCount, harness.quota.heldBytes], [0, 0])
    assert.equal(harness.errorOf({ seq: 3, commit: '1' }), 10176)
    assert.equal(harness.errorOf(...two()), 0)
    assert.deepEqual(harness.there, ['1 s.a', '2 s.b'])
  })
})

describe('an atomic batch that fails', () => {
  it('with the log of its stream is refused once', async () => {
    const harness = await BatchHarness.start()
    harness.send({ seq: 1 })
    harness.streams.log.nextAppendError = ErrorCode.KAFKA_STORAGE_ERROR
    assert.equal(harness.errorOf({ seq: 2, commit: '1' }), 10077)
    assert.equal(harness.quota.heldBytes, 0)
    assert.equal(harness.errorOf(...two()), 0)
    assert.deepEqual(harness.there, ['1 s.a', '2 s.b'])
  })

  it('with the process was not committed; one that is durable is there', async () => {
    const harness = await BatchHarness.start()
    harness.sendAll(...two())
    harness.sendAll({ id: 'open', seq: 1 })
    const before = harness.streams.snapshot()
    await harness.restart()
    assert.deepEqual(harness.streams.snapshot(), before)
    assert.equal(harness.errorOf({ id: 'open', seq: 2, commit: '1' }), 10176)
  })
})

describe('messages of an atomic batch', () => {
  it('have the subjects that the stream makes of those of its messages', async () => {
    const transform = { src: 's.*', dest: 't.{{wildcard(1)}}' }
    const harness = await BatchHarness.start({ subject_transform: transform })
    harness.sendAll(...two())
    assert.deepEqual(harness.there, ['1 t.a', '2 t.b'])
  })

  it('are stored without the level of the API that they need', async () => {
    const harness = await BatchHarness.start()
    const level = (text: string) => ({ 'Nats-Required-Api-Level': text })
    assert.equal(harness.errorOf({ seq: 1, commit: '1', headers: level('4') }), 0)
    assert.equal(harness.errorOf({ seq: 1, headers: level('5') }), 10185)
    assert.equal(harness.errorOf({ seq: 1, headers: level('x') }), 10185)
    assert.deepEqual(harness.abandoned, ['b unsupported', 'b unsupported'])
    harness.streams.stream.read([1], (_, [message]) => {
      assert.doesNotMatch(message?.headers?.toString('latin1') ?? '', /Level/)
    })
  })
})

describe('a message of an atomic batch that may not be', () => {
  it('is refused in the numbers of nats-server, and its batch is given up', async () => {
    const harness = await BatchHarness.start({ max_msg_size: 200 })
    const errors = [
      harness.errorOf({ seq: 2 }),
      harness.errorOf({ seq: 'x' }),
      harness.errorOf({ seq: 0 }),
      harness.errorOf({ seq: 1002, commit: 'eob' }),
      harness.errorOf({ seq: 1001, commit: 'eob' }),
      harness.errorOf({ id: 'i'.repeat(65), seq: 1 }),
      harness.errorOf({ seq: 1, payload: Buffer.alloc(200) }),
      harness.errorOf({ seq: 1, commit: 'no' }),
      harness.errorOf({ seq: 1, commit: '' }),
      harness.errorOf({ seq: 1, commit: 'eob' }),
      harness.errorOf({ seq: 1 }, { seq: 3 }),
    ]
    const expected = [10176, 10175, 10176, 10199, 10176, 10179, 10054, 10200, 10200, 10176, 10176]
    assert.deepEqual(errors, expected)
    assert.deepEqual(harness.abandoned, ['b incomplete', 'b incomplete'])
    assert.equal(harness.quota.atomicCount, 0)
  })

  it('is refused by a stream that takes no batches, which forgets those that are open', async () => {
    const harness = await BatchHarness.start()
    harness.sendAll({ seq: 1 })
    const { stream } = harness.streams
    stream.configure(configOf({ allow_atomic: false }), ['s.>'])
    harness.batches.configured()
    assert.equal(harness.quota.atomicCount, 0)
    assert.equal(harness.errorOf({ seq: 2, commit: '1' }), 10174)
    stream.configure(configOf({ allow_atomic: true, sealed: true }), ['s.>'])
    assert.equal(harness.errorOf({ seq: 1 }), 10109)
    assert.deepEqual(harness.abandoned, [])
  })
})

describe('what a message of an atomic batch expects', () => {
  it('is looked at against the stream as it is at the commit, not at what the batch brings', async () => {
    const harness = await BatchHarness.start({ allow_rollup_hdrs: true })
    const lastOfSubject = (seq: string, subject?: string) => ({
      'Nats-Expected-Last-Subject-Sequence': seq,
      ...(subject !== undefined && { 'Nats-Expected-Last-Subject-Sequence-Subject': subject }),
    })
    const errors = [
      harness.errorOf(...two({ headers: lastOfSubject('0') })),
      harness.errorOf(...two({ headers: lastOfSubject('2') })),
      harness.errorOf(...two({ subject: 's.a', headers: lastOfSubject('3') })),
      harness.errorOf(...two({ headers: lastOfSubject('4', 's.*') })),
      harness.errorOf(...two({ headers: { 'Nats-Expected-Last-Sequence': '6' } })),
      harness.errorOf(...two({ headers: { 'Nats-Expected-Last-Sequence': '7' } })),
      harness.errorOf(...two({ headers: { 'Nats-Expected-Last-Msg-Id': 'x' } })),
      harness.errorOf(...two({ headers: { 'Nats-Rollup': 'all' } })),
      harness.errorOf(...two({ subject: 's.a', headers: { 'Nats-Rollup': 'sub' } })),
      harness.errorOf(...two({ headers: { 'Nats-Rollup': 'sub' } })),
    ]
    assert.deepEqual(errors, [0, 0, 10164, 0, 10071, 10164, 10177, 10111, 10111, 0])
    assert.deepEqual(harness.there, ['1 s.a', '3 s.a', '5 s.a', '7 s.a', '8 s.b'])
  })

  it('is that its id is none of another, in the batch, before it or on its way', async () => {
    const harness = await BatchHarness.start()
    const { streams } = harness
    const id = (text: string) => ({ headers: { 'Nats-Msg-Id': text } })
    streams.publish('s.a', { 'Nats-Msg-Id': 'old' })
    assert.equal(harness.errorOf(...two(id('old'))), 10201)
    assert.equal(
      harness.errorOf({ seq: 1, ...id('x') }, { seq: 2, commit: '1', ...id('x') }),
      10201,
    )
    streams.publishOnly('s.a', { 'Nats-Msg-Id': 'new' })
    assert.equal(harness.errorOf(...two(id('new'))), 10201)
    assert.equal(harness.errorOf(...two(id('y'))), 0)
    const again = streams.publish('s.b', { 'Nats-Msg-Id': 'y' })
    assert.deepEqual(again, { sequence: 4, isDuplicate: true })
  })

  it('is room, which a stream that discards new messages may not have', async () => {
    const harness = await BatchHarness.start({ discard: 'new', max_msgs: 3 })
    assert.equal(harness.errorOf(...two()), 0)
    assert.equal(harness.errorOf(...two()), 10077)
    assert.equal(harness.errorOf({ seq: 1, commit: '1' }), 0)
    assert.deepEqual(harness.there, ['1 s.a', '2 s.b', '3 s.a'])
    const perSubject = await BatchHarness.start({
      ...{ discard: 'new', discard_new_per_subject: true, max_msgs_per_subject: 2 },
      allow_rollup_hdrs: true,
    })
    assert.equal(perSubject.errorOf(...two({ subject: 's.a' })), 0)
    assert.equal(perSubject.errorOf({ seq: 1, commit: '1' }), 10077)
    const rollup = { headers: { 'Nats-Rollup': 'sub' } }
    assert.equal(perSubject.errorOf({ seq: 1, commit: '1', ...rollup }), 0)
  })
})

describe('counters and schedules in an atomic batch', () => {
  it('are added up within it, and are as before when it is refused', async () => {
    const harness = await BatchHarness.start({ allow_msg_counter: true })
    const by = (text: string) => ({ headers: { 'Nats-Incr': text }, payload: '' })
    const add = (id: string, commit: object) => [
      { id, seq: 1, ...by('1') },
      { id, seq: 2, ...by('10') },
      { id, seq: 3, ...commit },
    ]
    assert.equal(harness.errorOf(...add('x', { commit: '1', ...by('100') })), 0)
    assert.equal(harness.errorOf(...add('y', { commit: '1', payload: '' })), 10169)
    const outcome = harness.streams.publish('s.a', { 'Nats-Incr': '1000' }, '')
    assert.deepEqual(outcome, { sequence: 4, isDuplicate: false, counter: '1111' })
  })

  it('that were held are read again when others changed the counter meanwhile', async () => {
    const harness = await BatchHarness.start({ allow_msg_counter: true })
    const by = { headers: { 'Nats-Incr': '1' }, payload: '' }
    harness.sendAll({ seq: 1, ...by })
    harness.streams.publish('s.a', { 'Nats-Incr': '5' }, '')
    harness.streams.stream.removeMessage(1, () => undefined)
    harness.sendAll({ seq: 2, subject: 's.b', commit: '1', ...by })
    harness.streams.stream.read([2], (_, [message]) => {
      assert.equal(message?.payload.toString(), '{"val":"1"}')
    })
  })

  it('roll up their subject, which the batch may not have written to', async () => {
    const harness = await BatchHarness.start({ allow_msg_schedules: true })
    const headers = { 'Nats-Schedule': '@every 1h', 'Nats-Schedule-Target': 's.t' }
    assert.equal(harness.errorOf({ seq: 1, commit: '1', headers }), 0)
    assert.equal(harness.errorOf({ seq: 1 }, { seq: 2, commit: '1', headers }), 10111)
    const end = { 'Nats-Schedule-Next': 'purge', 'Nats-Scheduler': 's.a' }
    const done = two({ subject: 's.t', headers: end })
    assert.equal(harness.errorOf(...done), 10212)
    assert.equal(harness.errorOf({ seq: 1, subject: 's.t', commit: '1', headers: end }), 0)
    assert.deepEqual(harness.there, ['2 s.t'])
  })
})

describe('open atomic batches', () => {
  it('are limited in number, per stream and server', async () => {
    const limits = { maxAtomicPerStream: 3, maxAtomicCount: 5 }
    const harness = await BatchHarness.start({}, limits)
    const begin = (id: number) => harness.errorOf({ id: String(id), seq: 1 })
    assert.deepEqual([1, 2, 3, 4].map(begin), [0, 0, 0, 10210])
    assert.equal(harness.errorOf({ id: '1', seq: 2, commit: '1' }), 0)
    harness.quota.atomicCount += 3
    assert.equal(begin(4), 10210)
    harness.quota.atomicCount -= 3
    assert.equal(begin(4), 0)
  })

  it('are limited in messages and bytes', async () => {
    const limits = { maxMessageCount: 3, maxHeldBytes: 3500 }
    const harness = await BatchHarness.start({}, limits)
    const three = [{ seq: 1 }, { seq: 2 }, { seq: 3 }]
    assert.equal(harness.errorOf(...three, { seq: 4, commit: 'eob' }), 0)
    assert.equal(harness.errorOf(...three, { seq: 4, commit: '1' }), 10199)
    const payload = Buffer.alloc(1000)
    assert.equal(harness.errorOf({ id: 'x', seq: 1, payload }), 0)
    assert.equal(harness.errorOf({ id: 'y', seq: 1, payload }), 0)
    assert.equal(harness.errorOf({ id: 'z', seq: 1, payload }), 10023)
    assert.deepEqual(harness.abandoned, ['b large', 'z incomplete'])
    assert.equal(harness.errorOf({ id: 'x', seq: 2, commit: '1' }), 0)
    assert.equal(harness.errorOf({ id: 'z', seq: 1, payload }), 0)
  })

  it('may not grow above max.message.bytes of the topic, which is how they are stored', async () => {
    const harness = await BatchHarness.start()
    const { partition } = harness.streams
    partition.configure({ ...partition.settings, maxMessageBytes: 2000 })
    const payload = Buffer.alloc(800)
    assert.equal(harness.errorOf({ seq: 1, payload }, { seq: 2, payload, commit: '1' }), 0)
    const three = [
      { seq: 1, payload },
      { seq: 2, payload },
      { seq: 3, payload },
    ]
    const outcome = harness.sendAll(...three)
    assert.deepEqual(outcome, {
      ...{ code: 400, err_code: 10199 },
      description: 'atomic publish batch is too large: 2000 bytes',
    })
    assert.deepEqual(harness.abandoned, ['b large'])
    assert.equal(harness.quota.heldBytes, 0)
    // What the stream counts is never less than what the log holds.
    const { log } = harness.streams
    assert.ok(log.sizeBytes <= 2000)
  })

  it('are given up when nothing comes for ten seconds', async () => {
    const harness = await BatchHarness.start()
    const { scheduler } = harness.streams
    harness.sendAll({ id: 'idle', seq: 1 })
    harness.sendAll({ id: 'busy', seq: 1 })
    scheduler.advance(9_999)
    harness.sendAll({ id: 'busy', seq: 2 })
    scheduler.advance(1)
    assert.deepEqual(harness.abandoned, ['idle timeout'])
    assert.equal(harness.errorOf({ id: 'idle', seq: 2, commit: '1' }), 10176)
    scheduler.advance(9_998)
    assert.equal(harness.errorOf({ id: 'busy', seq: 3, commit: '1' }), 0)
    scheduler.advance(60_000)
    assert.deepEqual(harness.abandoned, ['idle timeout'])
    assert.equal(scheduler.pendingCount, 0)
  })
})

describe('whatever batches do', () => {
  it('all of a batch is there or none, before and after a crash', async () => {
    const step = fc.record({
      id: fc.constantFrom('x', 'y', 'z'),
      skip: fc.boolean(),
      commit: fc.constantFrom(undefined, undefined, '1', 'eob'),
      subject: fc.constantFrom('s.a', 's.b'),
      expected: fc.constantFrom(undefined, undefined, '0'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const harness = await BatchHarness.start()
        const next = new Map<string, number>()
        const outcomes: (() => unknown)[] = []
        for (const { id, skip, commit, subject, expected } of steps) {
          const seq = (next.get(id) ?? 1) + (skip && next.has(id) ? 1 : 0)
          const headers =
            expected === undefined ? {} : { 'Nats-Expected-Last-Subject-Sequence': expected }
          const message = { id, seq, subject, headers, ...(commit !== undefined && { commit }) }
          outcomes.push(harness.send(message))
          if (commit === undefined && !skip) next.set(id, seq + 1)
          else next.delete(id)
        }
        harness.streams.settle()
        let count = 0
        for (const outcome of outcomes) {
          const told = outcome()
          assert.ok(told !== null, 'each message is answered')
          if (typeof told === 'object' && told !== null && 'count' in told) {
            count += told.count as number
          }
        }
        assert.equal(harness.there.length, count)
        const before = harness.streams.snapshot()
        await harness.restart()
        assert.deepEqual(harness.streams.snapshot(), before)
      }),
      { numRuns: 100 },
    )
  })
})

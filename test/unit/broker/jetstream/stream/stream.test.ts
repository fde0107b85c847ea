import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { UNPOOLED } from '../../../../../src/base/lease.ts'
import { withHeaders } from '../../../../../src/broker/jetstream/stream/message-headers.ts'
import { sizeOf } from '../../../../../src/broker/jetstream/stream/record-mapping.ts'
import type {
  StreamConfig,
  WantedStream,
} from '../../../../../src/broker/jetstream/stream/stream-config.ts'
import { wholeOf } from '../../../../../src/broker/jetstream/stream/stream-log.ts'
import type { StoredMessage } from '../../../../../src/broker/jetstream/stream/stream-reader.ts'
import { SubjectFilter } from '../../../../../src/broker/jetstream/stream/subject-filter.ts'
import type { LogSlice } from '../../../../../src/ports/partition-log.ts'
import { buildBatch } from '../../../../../src/records/batch-builder.ts'
import { batchPositions, recordsOf } from '../../../../../src/records/records-iterator.ts'
import { configOf, type Outcome, StreamHarness } from './stream-harness.ts'

const ALL = new SubjectFilter([])

/** The error number of a refusal; 0 when it was stored. */
function errorOf(outcome: Outcome): number {
  assert.ok(outcome !== null, 'it was answered')
  return 'err_code' in outcome ? outcome.err_code : 0
}

function sequenceOf(outcome: Outcome): number {
  assert.ok(outcome !== null && !('err_code' in outcome), 'it was stored')
  return outcome.sequence
}

async function started(wanted: Omit<WantedStream, 'name'> = {}): Promise<StreamHarness> {
  return StreamHarness.start(configOf(wanted))
}

/** The sequences that are there. */
function there({ stream }: StreamHarness): number[] {
  const found: number[] = []
  for (let at = stream.nextSequence(0, ALL); Number.isFinite(at); ) {
    found.push(at)
    at = stream.nextSequence(at + 1, ALL)
  }
  return found
}

describe('publishing to a stream', () => {
  it('answers when the message is durable, and shows it then', async () => {
    const harness = await started()
    const outcome = harness.publishOnly('s.a')
    harness.scheduler.finishTurn()
    assert.equal(outcome(), null)
    assert.equal(harness.stream.lastSequence, 0)
    harness.log.flush()
    assert.deepEqual(outcome(), { sequence: 1, isDuplicate: false })
    assert.equal(harness.stream.lastSequence, 1)
  })

  it('lets a question wait for what was published before it', async () => {
    const harness = await started()
    const counts: number[] = []
    const ask = () => harness.stream.whenCaughtUp(() => counts.push(harness.stream.lastSequence))
    ask()
    harness.publishOnly('s.a')
    ask()
    harness.publishOnly('s.b')
    assert.deepEqual(counts, [0])
    harness.settle()
    assert.deepEqual(counts, [0, 2])
  })

  it('makes one batch of the messages of a turn', async () => {
    const harness = await started()
    for (let i = 0; i < 5; i++) harness.publishOnly(`s.${i}`)
    harness.settle()
    assert.equal(harness.log.logEndOffset, 5)
    assert.equal(harness.stream.pendingCount(1, ALL), 5)
  })

  it('knows an id again within the window, also while the first is on its way', async () => {
    const harness = await started({ duplicate_window: 1_000_000_000 })
    const first = harness.publishOnly('s.a', { 'Nats-Msg-Id': '1' })
    const again = harness.publishOnly('s.a', { 'Nats-Msg-Id': '1' })
    harness.settle()
    assert.deepEqual(first(), { sequence: 1, isDuplicate: false })
    assert.deepEqual(again(), { sequence: 1, isDuplicate: true })
    harness.clock.timeMs += 999
    assert.deepEqual(harness.publish('s.a', { 'Nats-Msg-Id': '1' }), {
      sequence: 1,
      isDuplicate: true,
    })
    harness.clock.timeMs += 1
    assert.equal(sequenceOf(harness.publish('s.a', { 'Nats-Msg-Id': '1' })), 2)
  })

  it('checks what is expected against what is on its way', async () => {
    const harness = await started()
    const bySubject = { 'Nats-Expected-Last-Subject-Sequence': '0' }
    const outcomes = [
      harness.publishOnly('s.a', bySubject),
      harness.publishOnly('s.a', bySubject),
      harness.publishOnly('s.b', { 'Nats-Expected-Last-Sequence': '1' }),
      harness.publishOnly('s.b', { 'Nats-Expected-Last-Sequence': '1' }),
      harness.publishOnly('s.b', {
        'Nats-Expected-Last-Subject-Sequence': '2',
        'Nats-Expected-Last-Subject-Sequence-Subject': 's.*',
      }),
    ]
    harness.settle()
    assert.deepEqual(
      outcomes.map((outcome) => errorOf(outcome())),
      [0, 10071, 0, 10071, 0],
    )
  })
})

describe('a message that may not be stored', () => {
  it('is refused with the numbers of nats-server', async () => {
    const harness = await started({ max_msg_size: 100 })
    const errors = [
      harness.publish('s.a', { 'Nats-Expected-Stream': 'other' }),
      harness.publish('s.a', { 'Nats-Expected-Last-Msg-Id': 'x' }),
      harness.publish('s.a', { 'Nats-Rollup': 'sub' }),
      harness.publish('s.a', { 'Nats-TTL': '5s' }),
      harness.publish('s.a', { 'Nats-Expected-Last-Subject-Sequence-Subject': 's.a' }),
      harness.publish('s.a', { 'Nats-Incr': '+1' }),
      harness.publish('s.a', { 'Nats-Schedule': '@every 5s' }),
      harness.publish('s.a', {}, 'x'.repeat(101)),
    ].map(errorOf)
    assert.deepEqual(errors, [10060, 10070, 10111, 10166, 10193, 10168, 10188, 10054])
    assert.equal(harness.log.logEndOffset, 0)
  })

  it('is refused when it finds no room and new ones are discarded', async () => {
    const harness = await started({ discard: 'new', max_msgs: 2, max_msgs_per_subject: 1 })
    assert.equal(errorOf(harness.publish('s.a')), 0)
    assert.equal(errorOf(harness.publish('s.b')), 0)
    assert.equal(errorOf(harness.publish('s.c')), 10077)
    assert.equal(errorOf(harness.publish('s.a')), 0)
    assert.deepEqual(there(harness), [2, 3])
  })

  it('is refused when the log takes nothing any more', async () => {
    const harness = await started()
    const outcome = harness.publishOnly('s.a')
    harness.scheduler.finishTurn()
    harness.log.fail()
    assert.equal(errorOf(outcome()), 10077)
  })
})

describe('limits of a stream', () => {
  it('remove the oldest messages, of all and of each subject', async () => {
    const harness = await started({ max_msgs: 4, max_msgs_per_subject: 2 })
    for (const subject of ['s.a', 's.a', 's.a', 's.b', 's.c', 's.d']) harness.publish(subject)
    assert.deepEqual(there(harness), [3, 4, 5, 6])
  })

  it('remove what is too old, and leave a marker of a subject that has nothing else', async () => {
    const harness = await started({
      max_age: 5_000_000_000,
      allow_msg_ttl: true,
      subject_delete_marker_ttl: 60_000_000_000,
      allow_rollup_hdrs: true,
    })
    harness.publish('s.a')
    harness.publish('s.b', { 'Nats-TTL': 'never' })
    harness.scheduler.advance(5_100)
    harness.settle()
    assert.deepEqual(there(harness), [2, 3])
    const [marker] = await messagesOf(harness, [3])
    assert.equal(marker?.subject, 's.a')
    assert.match(marker?.headers?.toString() ?? '', /Nats-Marker-Reason: MaxAge/)
  })

  it('leave no marker of a marker that is too old, nor of a purge of a key', async () => {
    const config = { allow_msg_ttl: true, allow_rollup_hdrs: true }
    const harness = await started({ ...config, subject_delete_marker_ttl: 1_000_000_000 })
    harness.publish('s.a', { 'Nats-TTL': '1s' })
    harness.publish('s.b', { 'KV-Operation': 'PURGE', 'Nats-TTL': '1s' })
    harness.scheduler.advance(1_100)
    harness.settle()
    assert.deepEqual(there(harness), [3])
    harness.scheduler.advance(1_100)
    harness.settle()
    assert.deepEqual(there(harness), [])
    harness.scheduler.advance(10_000)
    harness.settle()
    assert.equal(harness.stream.lastSequence, 3)
  })

  it('let a message live for its own time', async () => {
    const harness = await started({ allow_msg_ttl: true })
    harness.publish('s.a', { 'Nats-TTL': '2' })
    harness.publish('s.b', { 'Nats-TTL': '1m' })
    harness.publish('s.c')
    assert.equal(errorOf(harness.publish('s.d', { 'Nats-TTL': 'soon' })), 10165)
    harness.scheduler.advance(2_100)
    assert.deepEqual(there(harness), [2, 3])
    harness.scheduler.advance(60_000)
    assert.deepEqual(there(harness), [3])
  })
})

async function messagesOf(harness: StreamHarness, sequences: readonly number[], maxBytes?: number) {
  return new Promise<readonly (StoredMessage | null)[]>((resolve, reject) => {
    const done = (error: Error | null, messages: readonly (StoredMessage | null)[]): void =>
      error === null ? resolve(messages) : reject(error)
    harness.stream.read(sequences, done, maxBytes === undefined ? {} : { maxBytes })
  })
}

describe('reading a stream with a limit of bytes', () => {
  it('answers the messages that come first, at least one, and says of each up to there that is gone', async () => {
    const harness = await started()
    const sequences = [1, 2, 3, 4, 5, 6]
    for (const sequence of sequences) harness.publish(`s.${sequence}`)
    harness.stream.removeMessage(2, () => undefined)
    harness.settle()
    const whole = await messagesOf(harness, sequences)
    assert.deepEqual(
      whole.map((message) => message?.subject ?? null),
      ['s.1', null, 's.3', 's.4', 's.5', 's.6'],
    )
    for (const maxBytes of [1, 150, 1_000_000]) {
      const found: (StoredMessage | null)[] = []
      const counts: number[] = []
      while (found.length < sequences.length) {
        const some = await messagesOf(harness, sequences.slice(found.length), maxBytes)
        assert.ok(some.length > 0, 'a read goes on')
        found.push(...some)
        counts.push(some.length)
      }
      assert.deepEqual(found, whole)
      assert.equal(counts.length > 1, maxBytes < 1000, `${counts} messages for ${maxBytes} bytes`)
    }
  })
})

describe('records that a Kafka client produces', () => {
  it('are messages whose keys are subjects, or tokens of them', async () => {
    const harness = await started()
    const key = (text: string | null) => (text === null ? null : Buffer.from(text))
    const batch = buildBatch(
      ['s.1', 'customer 7', null].map((text) => ({
        timestamp: 5,
        key: key(text),
        value: Buffer.from('v'),
        headers: [
          { key: 'kind', value: Buffer.from('a') },
          { key: 'lines', value: Buffer.from('1\n2') },
        ],
      })),
    )
    harness.partition.appendOwn(batch, UNPOOLED, { appendDone() {} }, 0)
    harness.log.flush()
    const messages = await messagesOf(harness, [1, 2, 3])
    assert.deepEqual(
      messages.map((message) => message?.subject),
      ['s.1', 'S.customer%207', 'S'],
    )
    const block = 'NATS/1.0\r\nkind: a\r\nlines;b64: MQoy\r\n\r\n'
    assert.equal(messages[0]?.headers?.toString(), block)
    assert.equal(harness.stream.pendingCount(1, new SubjectFilter(['S.*'])), 1)
  })

  it('are deletions of keys in a bucket when they are tombstones', async () => {
    const harness = await started({ subjects: ['$KV.b.>', 's.>'] })
    const purge = { key: 'KV-Operation', value: Buffer.from('PURGE') }
    const tombstones = [
      { key: '$KV.b.k', headers: [] },
      { key: '$KV.b.k', headers: [{ key: 'kind', value: Buffer.from('a') }] },
      { key: '$KV.b.k', headers: [purge] },
      { key: 's.1', headers: [] },
    ]
    const records = tombstones.map(({ key, headers }) => ({
      ...{ timestamp: 5, key: Buffer.from(key), value: null, headers },
    }))
    harness.partition.appendOwn(buildBatch(records), UNPOOLED, { appendDone() {} }, 0)
    harness.log.flush()
    const messages = await messagesOf(harness, [1, 2, 3, 4])
    assert.deepEqual(
      messages.map((message) => message?.headers?.toString() ?? null),
      [
        'NATS/1.0\r\nKV-Operation: DEL\r\n\r\n',
        'NATS/1.0\r\nkind: a\r\nKV-Operation: DEL\r\n\r\n',
        'NATS/1.0\r\nKV-Operation: PURGE\r\n\r\n',
        null,
      ],
    )
    const sizes = [1, 2, 3, 4].map((sequence) => harness.stream.state.index.sizeOf(sequence))
    const expected = messages.map((message) => {
      const { subject = '', headers = null } = message ?? {}
      return sizeOf({ subject, headers, payload: Buffer.alloc(0) })
    })
    assert.deepEqual(sizes, expected)
  })
})

describe('deletions of keys in a bucket', () => {
  const BUCKET = { subjects: ['$KV.b.>', 's.>'], allow_rollup_hdrs: true, max_msgs_per_subject: 9 }

  async function storedValues(harness: StreamHarness): Promise<(string | null)[]> {
    harness.log.flush()
    const values: (string | null)[] = []
    const request = { offset: 0, endOffset: harness.log.highWatermark, maxBytes: 1 << 20 }
    await new Promise<void>((resolve, reject) => {
      const take = (slice: LogSlice): void => {
        const bytes = wholeOf(slice)
        for (const position of batchPositions(bytes)) {
          for (const { value } of recordsOf(bytes, position, 1 << 20)) {
            values.push(value === null ? null : value.toString())
          }
        }
        slice.release()
        resolve()
      }
      const options = { ...request, atLeastOne: true, includeAborted: false }
      const slice = harness.log.read(options, (error, later) => {
        if (error !== null || later === null) reject(error)
        else take(later)
      })
      if (slice !== null) take(slice)
    })
    return values
  }

  const PUBLISHED: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['$KV.b.k', { 'KV-Operation': 'DEL' }, ''],
    ['$KV.b.k', { kind: 'a', 'KV-Operation': 'PURGE' }, ''],
    ['$KV.b.m', { 'Nats-Marker-Reason': 'MaxAge' }, ''],
    ['$KV.b.k', {}, ''],
    ['$KV.b.k', { 'KV-Operation': 'PUT' }, ''],
    ['$KV.b.k', { 'KV-Operation': 'DEL' }, 'with a value'],
    ['s.1', { 'KV-Operation': 'DEL' }, ''],
  ]

  it('are tombstones in the log, and nothing else is', async () => {
    const harness = await started(BUCKET)
    for (const [subject, headers, payload] of PUBLISHED) harness.publish(subject, headers, payload)
    const values = await storedValues(harness)
    assert.deepEqual(values, [null, null, null, '', '', 'with a value', ''])
  })

  it('are read as they were published, and have the same size after a restart', async () => {
    const harness = await started(BUCKET)
    for (const [subject, headers, payload] of PUBLISHED) harness.publish(subject, headers, payload)
    const sequences = PUBLISHED.map((_, index) => index + 1)
    const sizes = (): number[] =>
      sequences.map((sequence) => harness.stream.state.index.sizeOf(sequence))
    const before = sizes()
    await harness.restart()
    assert.deepEqual(sizes(), before)
    const messages = await messagesOf(harness, sequences)
    assert.deepEqual(
      messages.map((message) => [message?.headers?.toString(), message?.payload.toString()]),
      PUBLISHED.map(([, headers, payload]) => {
        const block =
          Object.keys(headers).length === 0 ? null : withHeaders(null, Object.entries(headers))
        return [block?.toString(), payload]
      }),
    )
  })
})

const SETTINGS: Omit<WantedStream, 'name'>[] = [
  {},
  { max_msgs: 5 },
  { max_msgs_per_subject: 2 },
  { max_bytes: 400, max_msgs_per_subject: 3 },
  { max_age: 3_000_000_000, duplicate_window: 1_000_000_000 },
  { first_seq: 1000, discard: 'new', max_msgs: 6 },
]

const SHARED = { allow_rollup_hdrs: true, allow_msg_ttl: true }

type Step =
  | { kind: 'publish'; subject: string; header: string; settles: boolean }
  | { kind: 'remove'; pick: number }
  | { kind: 'purge'; subject: string; keep: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'configure'; maxMessages: number }

const subject = fc.constantFrom('s.a', 's.b', 's.c', 's.d')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      subject,
      header: fc.constantFrom('', '', '', 'Nats-Msg-Id: 7', 'Nats-Rollup: sub', 'Nats-TTL: 2'),
      settles: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat(30) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('purge' as const),
      subject: fc.constantFrom('s.a', 's.*', '>'),
      keep: fc.nat(3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(100, 1500) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('configure' as const),
      maxMessages: fc.constantFrom(-1, 3, 6),
    }),
  },
)

async function play(harness: StreamHarness, one: Step): Promise<void> {
  const { stream, scheduler } = harness
  switch (one.kind) {
    case 'publish': {
      const [name = '', value = ''] = one.header.split(': ')
      harness.publishOnly(one.subject, name === '' ? {} : { [name]: value })
      if (one.settles) harness.settle()
      break
    }
    case 'remove':
      stream.removeMessage(stream.firstSequence + one.pick, () => undefined)
      break
    case 'purge':
      harness.purge([one.subject], Number.POSITIVE_INFINITY, one.keep)
      break
    case 'wait':
      scheduler.advance(one.ms)
      harness.settle()
      break
    case 'configure': {
      await stream.keepRemovals()
      const config: StreamConfig = { ...stream.config, max_msgs: one.maxMessages }
      stream.configure(config, stream.everySubject)
    }
  }
}

describe('a stream that is made again from its log', () => {
  it('is what it was, whatever happened to it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SETTINGS),
        fc.array(step, { maxLength: 40 }),
        async (settings, steps) => {
          const harness = await started({ ...settings, ...SHARED })
          for (const one of steps) await play(harness, one)
          harness.settle()
          // What expired is decided by the clock, which goes on.
          harness.scheduler.advance(20)
          harness.settle()
          const before = harness.snapshot()
          await harness.restart()
          harness.settle()
          assert.deepEqual(withoutIds(harness.snapshot()), withoutIds(before))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('answers an id of its window as a duplicate', async () => {
    const harness = await started()
    harness.publish('s.a', { 'Nats-Msg-Id': '1' })
    await harness.restart()
    assert.deepEqual(harness.publish('s.a', { 'Nats-Msg-Id': '1' }), {
      sequence: 1,
      isDuplicate: true,
    })
  })
})

/** Ids, and the time of a message that is gone, go with the records that had them. */
function withoutIds(snapshot: object): object {
  const { idCount, lastMessageId, lastTimeMs, ...rest } = snapshot as Record<string, unknown>
  return rest
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StreamRestore } from '../../../../../src/broker/jetstream/stream/backup/restore.ts'
import {
  endEntry,
  messageEntry,
  partEntry,
} from '../../../../../src/broker/jetstream/stream/backup/snapshot-archive.ts'
import { SnapshotCompressor } from '../../../../../src/broker/jetstream/stream/backup/snapshot-compression.ts'
import type { StoredMessage } from '../../../../../src/broker/jetstream/stream/stream-reader.ts'
import { Partition } from '../../../../../src/broker/topics/partition.ts'
import { RestoreSession } from '../../../../../src/frontends/nats/jetstream/restore-session.ts'
import { STREAM } from '../../../broker/jetstream/consumer/consumer-fixture.ts'
import { configOf } from '../../../broker/jetstream/stream/stream-harness.ts'
import { MemoryLog } from '../../../support/memory-log.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const STATE = { first_seq: 5, last_seq: 12, consumer_count: 1 }
const CONSUMER = {
  config: { durable_name: 'C', ack_policy: 'explicit', deliver_policy: 'all' },
  state: {
    delivered: { consumer_seq: 4, stream_seq: 8 },
    ack_floor: { consumer_seq: 1, stream_seq: 5 },
    pending: {
      8: { Sequence: 3, Timestamp: 1_700_000_000_000_000_000 },
      6: { Sequence: 2, Timestamp: 1 },
    },
    redelivered: { 8: 2 },
  },
}

function messageOf(sequence: number, subject = 's.a'): StoredMessage {
  const headers = sequence === 5 ? Buffer.from('NATS/1.0\r\nA: 1\r\n\r\n') : null
  return { sequence, subject, headers, payload: Buffer.from(`m${sequence}`), timestampMs: 1000 }
}

const MESSAGES = [5, 6, 8, 9].map((sequence) => messageOf(sequence))

const part = (name: string, value: unknown): Buffer[] =>
  partEntry({ name, content: Buffer.from(JSON.stringify(value)) }, 7)

function archive(
  consumer: unknown = CONSUMER,
  messages: readonly StoredMessage[] = MESSAGES,
  state: object = STATE,
): Buffer[] {
  return [
    Buffer.from('NATSARC1'),
    ...part('state.json', state),
    ...part('consumers/C', consumer),
    ...messages.flatMap(messageEntry),
    ...endEntry(),
  ]
}

class Fixture {
  readonly partition = new Partition('S', TOPIC_ID, 0)
  readonly log = new MemoryLog('S', TOPIC_ID, 0, this.partition)
  readonly restore: StreamRestore
  readonly session: RestoreSession

  constructor() {
    this.partition.attach(this.log)
    this.restore = new StreamRestore(configOf({}), this.partition)
    this.session = new RestoreSession(this.restore, STREAM, 99)
  }

  async takeAll(pieces: readonly Buffer[], chunkBytes = 100_000): Promise<void> {
    const bytes = Buffer.concat(new SnapshotCompressor().push(pieces, true))
    for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
      await this.session.take(Buffer.from(bytes.subarray(at, at + chunkBytes)))
    }
    await this.session.end()
  }
}

describe('a backup that is restored', () => {
  for (const chunkBytes of [3, 100_000]) {
    it(`gives the log its sequences and gaps, in chunks of ${chunkBytes} bytes`, async () => {
      const fixture = new Fixture()
      await fixture.takeAll(archive(), chunkBytes)
      assert.equal(fixture.restore.baseSequence, 5)
      // 5 to 12, of which 7, 10, 11 and 12 have no message.
      assert.equal(fixture.log.logEndOffset, 8)
      assert.deepEqual(fixture.restore.everySubject, ['s.>'])
    })
  }

  it('gives consumers what waits for acks, with counts of deliveries', async () => {
    const fixture = new Fixture()
    await fixture.takeAll(archive())
    const [consumer] = fixture.session.consumers
    assert.equal(consumer?.name, 'C')
    assert.equal(consumer?.createdMs, 99)
    const run = (sequence: number, firstConsumerSequence: number, deliveryCount: number) => ({
      ...{ firstSequence: sequence, lastSequence: sequence, firstConsumerSequence, deliveryCount },
    })
    assert.deepEqual(consumer?.state, [
      {
        isWhole: true,
        delivered: { consumer: 4, stream: 8 },
        ackFloor: { consumer: 1, stream: 5 },
        pending: [run(6, 2, 1), run(8, 3, 3)],
        finished: [],
        exhausted: [],
      },
    ])
  })

  it('may have subjects that the stream does not take any more', async () => {
    const fixture = new Fixture()
    await fixture.takeAll(archive(CONSUMER, [...MESSAGES, messageOf(10, 'old.a')]))
    assert.deepEqual(fixture.restore.everySubject, ['>'])
  })

  it('may be empty behind its last sequence', async () => {
    const fixture = new Fixture()
    const state = { first_seq: 101, last_seq: 100, consumer_count: 1 }
    const nothing = { ...CONSUMER, state: {} }
    await fixture.takeAll(archive(nothing, [], state))
    assert.equal(fixture.restore.baseSequence, 101)
    assert.equal(fixture.log.logEndOffset, 0)
  })
})

describe('a backup that is refused', () => {
  const withState = (state: object): Buffer[] => archive({ ...CONSUMER, state })
  const { state } = CONSUMER
  const bad: readonly [string, RegExp, Buffer[]][] = [
    ['of the format of older servers', /NATSARC1/, [Buffer.from('meta.inf\0\0\0')]],
    ['without a state', /expected state.json/, [Buffer.from('NATSARC1'), ...endEntry()]],
    ['with a state that is no count', /first_seq .* no count/, archive({}, [], { first_seq: -1 })],
    ['that is cut off', /truncated/, archive().slice(0, -1)],
    ['that goes on', /behind its end/, [...archive(), ...endEntry()]],
    [
      'with messages out of order',
      /6 .* out of order/,
      archive(CONSUMER, [messageOf(8), messageOf(6)]),
    ],
    ['with a wide gap', /gap of more than/, archive(CONSUMER, [messageOf(2 ** 40)])],
    ['with a message that has no subject', /no subject/, archive(CONSUMER, [messageOf(6, 's.*')])],
    [
      'without a consumer it speaks of',
      /expected consumer/,
      archive().filter((_, at) => at < 3 || at > 4),
    ],
    ['with a consumer without a configuration', /missing config/, archive({ state })],
    ['with a consumer without a state', /missing state/, archive({ config: CONSUMER.config })],
    [
      'with a consumer of another name',
      /wrong name/,
      archive({ ...CONSUMER, config: { ...CONSUMER.config, durable_name: 'D' } }),
    ],
    [
      'with pending messages that were not delivered',
      /contradicts/,
      withState({ ...state, pending: { 9: { Sequence: 2, Timestamp: 1 } } }),
    ],
    [
      'with an ack floor behind what was delivered',
      /contradicts/,
      withState({ ...state, ack_floor: { consumer_seq: 1, stream_seq: 9 } }),
    ],
    [
      'with a pending message that is no number',
      /can not be read/,
      withState({ pending: { x: {} } }),
    ],
  ]
  for (const [what, problem, pieces] of bad) {
    it(what, async () => {
      await assert.rejects(new Fixture().takeAll(pieces), problem)
    })
  }

  it('with an entry of 1 TiB, of which nothing is kept', async () => {
    const size = Buffer.from('808080808020', 'hex')
    const header = Buffer.concat([Buffer.from([0, 0, 0, 0]), size])
    const pieces = [Buffer.from('NATSARC1'), header]
    await assert.rejects(new Fixture().takeAll(pieces), /larger than 16777216 bytes/)
  })
})

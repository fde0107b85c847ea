import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../../src/base/error-code.ts'
import {
  BatchQuota,
  DEFAULT_BATCH_LIMITS,
} from '../../../../../../src/broker/jetstream/stream/batch/batch-quota.ts'
import {
  FastBatches,
  type FastPublish,
} from '../../../../../../src/broker/jetstream/stream/batch/fast-batches.ts'
import { withHeaders } from '../../../../../../src/broker/jetstream/stream/message-headers.ts'
import type { WantedStream } from '../../../../../../src/broker/jetstream/stream/stream-config.ts'
import { configOf, StreamHarness } from '../stream-harness.ts'

type Headers = Readonly<Record<string, string>>

const FIRST: FastPublish = {
  ...{ batchId: 'b', sequence: 1, maxAckEvery: 10 },
  ...{ isGapAllowed: false, operation: 'store' },
}

/** A stream that takes fast batches, and what their publishers were told. */
class FastHarness {
  readonly streams: StreamHarness
  readonly quota: BatchQuota
  readonly batches: FastBatches
  committedTo = ''
  #told: string[] = []

  private constructor(streams: StreamHarness, quota: BatchQuota) {
    this.streams = streams
    this.quota = quota
    const { clock, scheduler, stream } = streams
    this.batches = new FastBatches({
      ...{ clock, scheduler, quota, target: stream, apiLevel: 4 },
      answers: {
        flow: (_, sequence, every) => this.#told.push(`ack ${sequence} every ${every}`),
        gap: (_, expected, sequence) => this.#told.push(`gap ${expected} to ${sequence}`),
        failed: (_, sequence, { err_code }) => this.#told.push(`err ${sequence} ${err_code}`),
        refused: (_, { err_code }) => this.#told.push(`refused ${err_code}`),
        committed: (reply, { sequence, count, isDuplicate }) => {
          this.committedTo = reply
          this.#told.push(`committed ${count} at ${sequence}${isDuplicate ? ' again' : ''}`)
        },
      },
    })
  }

  static async start(
    wanted: Omit<WantedStream, 'name'> = {},
    limits: Partial<typeof DEFAULT_BATCH_LIMITS> = {},
  ): Promise<FastHarness> {
    const streams = await StreamHarness.start(configOf({ allow_batched: true, ...wanted }))
    return new FastHarness(streams, new BatchQuota({ ...DEFAULT_BATCH_LIMITS, ...limits }))
  }

  send(publish: Partial<FastPublish> | null, headers: Headers = {}, subject = 's.a'): void {
    const block =
      Object.keys(headers).length === 0 ? null : withHeaders(null, Object.entries(headers))
    const message = { subject, headers: block, payload: Buffer.from('x') }
    this.batches.take(
      message,
      publish === null ? null : { ...FIRST, ...publish },
      `to ${publish?.sequence}`,
    )
  }

  /** Sends one message and waits. Returns all that was told meanwhile. */
  tell(publish: Partial<FastPublish> | null, headers: Headers = {}): string[] {
    this.send(publish, headers)
    return this.settle()
  }

  settle(): string[] {
    this.streams.settle()
    return this.told()
  }

  /** What was told since the last time. */
  told(): string[] {
    const told = this.#told
    this.#told = []
    return told
  }
}

describe('a fast batch (ADR-50)', () => {
  it('stores each message as it comes, and tells its publisher now and then', async () => {
    const harness = await FastHarness.start()
    assert.deepEqual(harness.tell({ maxAckEvery: 2 }), ['ack 0 every 2'])
    assert.equal(harness.streams.stream.lastSequence, 1)
    assert.deepEqual(harness.tell({ sequence: 2 }), ['ack 2 every 2'])
    assert.deepEqual(harness.tell({ sequence: 3 }), [])
    assert.deepEqual(harness.tell({ sequence: 4, operation: 'commit' }), ['committed 4 at 4'])
    assert.equal(harness.quota.fastCount, 0)
    assert.deepEqual(harness.tell({ sequence: 5 }), ['refused 10208'])
  })

  it('acknowledges what is durable, not what only came', async () => {
    const harness = await FastHarness.start()
    for (let sequence = 1; sequence <= 5; sequence++) harness.send({ sequence, maxAckEvery: 2 })
    harness.streams.scheduler.finishTurn()
    assert.deepEqual(harness.told(), ['ack 0 every 2'])
    harness.send({ sequence: 6, operation: 'end' })
    harness.streams.scheduler.finishTurn()
    assert.deepEqual(harness.told(), [])
    assert.deepEqual(harness.settle(), ['ack 2 every 2', 'ack 4 every 2', 'committed 5 at 5'])
    assert.equal(harness.committedTo, 'to 6')
  })

  it('ends with a message that is not stored', async () => {
    const harness = await FastHarness.start()
    harness.tell({})
    assert.deepEqual(harness.tell({ sequence: 2, operation: 'end' }), ['committed 1 at 1'])
    assert.equal(harness.streams.stream.lastSequence, 1)
  })

  it('is acknowledged more often when there are others, and slowly less', async () => {
    const harness = await FastHarness.start()
    assert.deepEqual(harness.tell({ batchId: 'one', maxAckEvery: 400 }), ['ack 0 every 400'])
    const told = harness.tell({ batchId: 'two', maxAckEvery: 400 })
    assert.deepEqual(told, ['ack 0 every 1', 'ack 1 every 2'])
    for (let sequence = 2; sequence <= 600; sequence++) harness.send({ batchId: 'two', sequence })
    const numbers = harness.settle().map((text) => Number(text.split(' ').at(-1)))
    assert.deepEqual(numbers, [4, 8, 16, 32, 64, 128, 250, 250])
  })

  it('says how far it is when it is asked', async () => {
    const harness = await FastHarness.start()
    harness.tell({ maxAckEvery: 2 })
    harness.tell({ sequence: 2 })
    const ping = harness.tell({ sequence: 2, operation: 'ping' })
    assert.deepEqual(ping, ['ack 2 every 2'])
    const lost = harness.tell({ sequence: 5, operation: 'ping' })
    assert.deepEqual(lost, ['gap 3 to 6', 'committed 2 at 2'])
  })
})

describe('a gap in a fast batch', () => {
  it('ends it, with what came before', async () => {
    const harness = await FastHarness.start()
    harness.tell({})
    assert.deepEqual(harness.tell({ sequence: 3 }), ['gap 2 to 3', 'committed 1 at 1'])
    assert.equal(harness.streams.stream.lastSequence, 1)
  })

  it('ends it once what came before is durable; what comes after is left out', async () => {
    const harness = await FastHarness.start()
    harness.send({})
    harness.send({ sequence: 3 })
    harness.send({ sequence: 2 })
    harness.streams.scheduler.finishTurn()
    assert.deepEqual(harness.told(), ['ack 0 every 10', 'gap 2 to 3'])
    assert.deepEqual(harness.settle(), ['committed 1 at 1'])
    assert.equal(harness.streams.stream.lastSequence, 1)
  })

  it('is told and no more where gaps are allowed, but never backwards', async () => {
    const harness = await FastHarness.start()
    const isGapAllowed = true
    harness.tell({ isGapAllowed, maxAckEvery: 5 })
    assert.deepEqual(harness.tell({ sequence: 4, isGapAllowed }), ['gap 2 to 4'])
    const ping = harness.tell({ sequence: 6, isGapAllowed, operation: 'ping' })
    assert.deepEqual(ping, ['gap 5 to 7', 'ack 5 every 5'])
    assert.deepEqual(harness.tell({ sequence: 6, isGapAllowed }), ['committed 6 at 2'])
  })
})

describe('a message of a fast batch that is refused', () => {
  it('ends the batch, or is left out where gaps are allowed', async () => {
    const harness = await FastHarness.start()
    const wrong = { 'Nats-Expected-Last-Sequence': '9' }
    harness.tell({})
    assert.deepEqual(harness.tell({ sequence: 2 }, wrong), ['err 2 10071', 'committed 1 at 1'])
    const isGapAllowed = true
    harness.tell({ isGapAllowed })
    assert.deepEqual(harness.tell({ sequence: 2, isGapAllowed }, wrong), ['err 2 10071'])
    const end = harness.tell({ sequence: 3, isGapAllowed, operation: 'end' })
    assert.deepEqual(end, ['committed 2 at 2'])
  })

  it('is answered as a single message when it is the first', async () => {
    const harness = await FastHarness.start()
    const wrong = { 'Nats-Expected-Last-Sequence': '9' }
    assert.deepEqual(harness.tell({}, wrong), ['ack 0 every 10', 'refused 10071'])
    assert.deepEqual(harness.tell({ operation: 'commit' }, wrong), ['refused 10071'])
    assert.equal(harness.quota.fastCount, 0)
    const lastId = { 'Nats-Expected-Last-Msg-Id': 'x' }
    assert.deepEqual(harness.tell({ operation: 'commit' }, lastId), ['refused 10070'])
  })

  it('is left out when it had been stored before', async () => {
    const harness = await FastHarness.start()
    const id = { 'Nats-Msg-Id': '1' }
    harness.streams.publish('s.a', id)
    assert.deepEqual(harness.tell({ maxAckEvery: 2 }, id), ['ack 0 every 2'])
    assert.deepEqual(harness.tell({ sequence: 2 }), ['ack 2 every 2'])
    const commit = harness.tell({ sequence: 3, operation: 'commit' }, id)
    assert.deepEqual(commit, ['committed 3 at 2'])
    const only = harness.tell({ operation: 'commit' }, id)
    assert.deepEqual(only, ['committed 1 at 1 again'])
  })

  it('ends the batch when the log fails', async () => {
    const harness = await FastHarness.start()
    harness.tell({})
    harness.streams.log.nextAppendError = ErrorCode.KAFKA_STORAGE_ERROR
    assert.deepEqual(harness.tell({ sequence: 2 }), ['refused 10077'])
    assert.equal(harness.quota.fastCount, 0)
  })

  it('has the numbers of nats-server', async () => {
    const harness = await FastHarness.start({ max_msg_size: 100 })
    const told = [
      ...harness.tell(null),
      ...harness.tell({ sequence: 2 }),
      ...harness.tell({ operation: 'ping' }),
      ...harness.tell({ batchId: 'i'.repeat(65) }),
      ...harness.tell({}, { long: 'x'.repeat(100) }),
      ...harness.tell({}, { 'Nats-Required-Api-Level': '5' }),
    ]
    const numbers = [10206, 10208, 10208, 10207, 10054, 10185]
    assert.deepEqual(
      told,
      numbers.map((code) => `refused ${code}`),
    )
    harness.tell({})
    harness.streams.stream.configure(configOf({}), ['s.>'])
    harness.batches.configured()
    assert.equal(harness.quota.fastCount, 0)
    assert.deepEqual(harness.tell({ sequence: 2 }), ['refused 10205'])
  })
})

describe('open fast batches', () => {
  it('are limited in number, per stream and server', async () => {
    const harness = await FastHarness.start({}, { maxFastPerStream: 2, maxFastCount: 3 })
    harness.tell({ batchId: '1' })
    harness.tell({ batchId: '2' })
    assert.deepEqual(harness.tell({ batchId: '3' }), ['refused 10211'])
    assert.deepEqual(harness.tell({ batchId: '1', sequence: 2, operation: 'commit' }), [
      'committed 2 at 3',
    ])
    harness.quota.fastCount += 2
    assert.deepEqual(harness.tell({ batchId: '3' }), ['refused 10211'])
  })

  it('are forgotten when nothing comes for ten seconds', async () => {
    const harness = await FastHarness.start()
    const { scheduler } = harness.streams
    harness.tell({ batchId: 'idle' })
    harness.tell({ batchId: 'busy' })
    scheduler.advance(9_999)
    harness.tell({ batchId: 'busy', sequence: 2 })
    scheduler.advance(1)
    assert.deepEqual(harness.tell({ batchId: 'idle', sequence: 2 }), ['refused 10208'])
    const commit = harness.tell({ batchId: 'busy', sequence: 3, operation: 'commit' })
    assert.deepEqual(commit, ['committed 3 at 4'])
    assert.deepEqual([harness.quota.fastCount, scheduler.pendingCount], [0, 0])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { kafkaHandlers } from '../../../src/app/kafka-handlers.ts'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { type Frame, FramePool } from '../../../src/base/frame-pool.ts'
import { FetchSessions } from '../../../src/frontends/kafka/fetch-session.ts'
import type { Exchange } from '../../../src/frontends/kafka/handler.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { type ProduceResponse, produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { CountingRandom } from '../support/ports.ts'
import { ConfiguredBroker } from './configured-broker.ts'

const TIMEOUT_MS = 30_000
const PRODUCER = { producerId: 9, producerEpoch: 0 }

/** Sends Produce requests to a broker whose disk does nothing until it is told to. */
class Client {
  readonly broker: ConfiguredBroker
  readonly pool = new FramePool(0)
  readonly answers: ProduceResponse[] = []

  constructor(broker: ConfiguredBroker) {
    this.broker = broker
  }

  produce(baseSequence: number, valueBytes = 10): void {
    const { broker } = this
    const record = { timestamp: broker.clock.timeMs, value: Buffer.alloc(valueBytes) }
    const batch = buildBatch([record], { ...PRODUCER, baseSequence })
    const frame = this.pool.take(batch.byteLength)
    batch.copy(frame.buffer)
    const records = frame.buffer.subarray(0, batch.byteLength)
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }]
    const request = { transactionalId: null, acks: -1, timeoutMs: TIMEOUT_MS, topicData }
    this.#handler().handle(request, this.#exchange(frame))
    broker.scheduler.finishTurn()
  }

  codeOf(at: number): number | undefined {
    return this.answers[at]?.responses[0]?.partitionResponses[0]?.errorCode
  }

  #handler() {
    const { core, clock } = this.broker
    const options = { maxSessions: 10, minEvictionMs: 1000 }
    const handlers = kafkaHandlers(core, {
      sessions: new FetchSessions(options, clock, new CountingRandom()),
      apis: () => [],
      logDir: '/data',
      diskBytes: () => ({ total: -1, usable: -1 }),
    })
    const handler = handlers.find(({ api }) => api === produceApi)
    assert(handler !== undefined)
    return handler
  }

  #exchange(frame: Frame): Exchange {
    return {
      apiKey: 0,
      apiVersion: 9,
      correlationId: 1,
      clientId: null,
      connection: {
        id: 1,
        remoteAddress: '127.0.0.1',
        advertised: { host: '127.0.0.1', port: 9092 },
        principal: 'User:ANONYMOUS',
        softwareName: 'test',
        softwareVersion: '1',
      },
      lease: frame,
      isClosed: false,
      respond: (response) => {
        this.answers.push(response as ProduceResponse)
        frame.release()
      },
      respondNothing() {},
      closeConnection() {},
      onClose() {},
    }
  }
}

describe('Produce with acks=all while the disk hangs', () => {
  it('is REQUEST_TIMED_OUT after timeout.ms, and a retry is a duplicate of what stayed', async () => {
    const broker = await ConfiguredBroker.start({}, {})
    const client = new Client(broker)
    client.produce(0)
    broker.scheduler.advance(TIMEOUT_MS - 1000)
    assert.equal(client.answers.length, 0)
    broker.scheduler.advance(1100)
    assert.equal(client.codeOf(0), ErrorCode.REQUEST_TIMED_OUT)
    assert.deepEqual([broker.log.logEndOffset, broker.log.highWatermark], [1, 0])
    client.produce(0)
    await broker.settle()
    assert.equal(client.codeOf(1), ErrorCode.NONE)
    assert.equal(client.answers[1]?.responses[0]?.partitionResponses[0]?.baseOffset, 0)
    assert.deepEqual([broker.log.logEndOffset, broker.log.highWatermark], [1, 1])
    assert.equal(client.answers.length, 2)
    await broker.stop()
  })

  it('holds no memory of requests that were answered, but for the tail', async () => {
    const tailBytes = 1_048_576
    const broker = await ConfiguredBroker.start({ 'spool.tail.cache.bytes': String(tailBytes) }, {})
    const client = new Client(broker)
    for (let i = 0; i < 300; i++) {
      client.produce(i, 60_000)
      if (i % 10 === 9) broker.scheduler.advance(TIMEOUT_MS + 200)
      assert(client.pool.usedBytes <= tailBytes + 11 * 65_536, String(client.pool.usedBytes))
    }
    assert.equal(client.answers.length, 300)
    assert(client.answers.every((_, at) => client.codeOf(at) === ErrorCode.REQUEST_TIMED_OUT))
    await broker.settle()
    assert.equal(broker.log.highWatermark, 300)
    await broker.stop()
    assert.equal(client.pool.usedBytes, 0)
  })
})

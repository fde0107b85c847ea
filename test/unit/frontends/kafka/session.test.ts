import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { produceApi } from '../../../../src/wire/kafka/messages/00-produce.ts'
import { apiVersionsApi } from '../../../../src/wire/kafka/messages/18-api-versions.ts'
import { correlationIdOf, type Peer, readResponse, settle } from './peer.ts'
import { apiVersionsFrame, batchOf, fetchFrame, produceFrame } from './requests.ts'
import { SLAB_BYTES, TestBroker } from './test-broker.ts'

const ids = (peer: Peer): number[] => peer.takeFrames().map(correlationIdOf)

function prefix(byteCount: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(byteCount)
  return bytes
}

/** Nothing is left of any request: what remains is the slab that small requests share. */
function assertNothingHeld(broker: TestBroker): void {
  assert.equal(broker.inFlightBytes, 0)
  assert.ok([0, SLAB_BYTES].includes(broker.frameBytes), `${broker.frameBytes} bytes in use`)
}

describe('frames of a connection', () => {
  it('are the same however the bytes were cut, at every place', async () => {
    const sent = Buffer.concat([
      apiVersionsFrame(3, { correlationId: 1 }),
      produceFrame({ correlationId: 2 }),
      apiVersionsFrame(0, { correlationId: 3, clientId: null }),
    ])
    for (let at = 1; at < sent.byteLength; at++) {
      const broker = await TestBroker.start()
      const peer = broker.connect()
      peer.send(sent.subarray(0, at))
      peer.send(sent.subarray(at))
      await settle()
      assert.deepEqual(ids(peer), [1, 2, 3], `cut at ${at}`)
      assert.equal(broker.log().logEndOffset, 1)
      assertNothingHeld(broker)
    }
  })

  it('may come byte by byte', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.readBytes = 1
    peer.send(Buffer.concat([produceFrame({ correlationId: 7 }), apiVersionsFrame()]))
    await settle()
    assert.deepEqual(ids(peer), [7, 1])
    assertNothingHeld(broker)
  })

  it('larger than one read arrive whole, with what follows them', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    const records = batchOf(1_000_000)
    peer.send(Buffer.concat([produceFrame({ records }), apiVersionsFrame(3, { correlationId: 2 })]))
    await settle()
    assert.deepEqual(ids(peer), [1, 2])
    assert.equal(broker.log().sizeBytes, records.byteLength)
    assertNothingHeld(broker)
  })
})

describe('the length of a frame', () => {})

describe('frame lengths', () => {
  it('above socket.request.max.bytes closes the connection before the rest is read', async () => {
    const broker = await TestBroker.start({ limits: { maxRequestBytes: 1000 } })
    const peer = broker.connect()
    peer.send(prefix(1001))
    assert.equal(peer.isDestroyed, true)
    assert.equal(broker.protocolErrorCount, 1)
    assert.equal(broker.connectionCount, 0)
  })

  it('of 2 GiB - 1 takes no memory (KAFKA-14063)', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.send(prefix(0x7fff_ffff))
    assert.equal(peer.isDestroyed, true)
    assert.equal(broker.frameBytes, 0)
  })

  for (const size of [-2_147_483_648, -1, 0, 1, 2, 3]) {
    it(`of ${size} bytes close the connection, whole or in parts`, async () => {
      for (const readBytes of [Number.POSITIVE_INFINITY, 4, 1]) {
        const broker = await TestBroker.start()
        const peer = broker.connect()
        peer.readBytes = readBytes
        peer.send(Buffer.concat([prefix(size), Buffer.from('0012'.repeat(4), 'hex')]))
        assert.equal(peer.isDestroyed, true, `reads of ${readBytes}`)
        assert.equal(broker.protocolErrorCount, 1)
        assertNothingHeld(broker)
      }
    })
  }

  it('of one byte behind a waiting Produce close that connection only', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame())
    peer.readBytes = 1
    peer.send(Buffer.concat([prefix(1), Buffer.of(0)]))
    assert.equal(peer.isDestroyed, true)
    broker.log().flush()
    assertNothingHeld(broker)
  })

  it('of a small API may not be as large as those with records', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    const header = apiVersionsFrame().subarray(4)
    peer.send(Buffer.concat([prefix(17 * 1024 * 1024), header]))
    assert.equal(peer.isDestroyed, true)
    assert.equal(broker.protocolErrorCount, 1)
  })
})

describe('bytes after a request', () => {
  it('are ignored, as librdkafka 2.16 sends some with Metadata v13', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    const frame = Buffer.concat([apiVersionsFrame(), Buffer.from([1, 0, 0])])
    frame.writeInt32BE(frame.byteLength - 4)
    peer.send(Buffer.concat([frame, apiVersionsFrame(3, { correlationId: 2 })]))
    await settle()
    assert.deepEqual(ids(peer), [1, 2])
    assertNothingHeld(broker)
  })
})

describe('requests that are not served', () => {
  const cases = new Map([
    ['an unknown API key', '03e7000000000001ffff'],
    ['a negative API key', 'ffff000000000001ffff'],
    ['a version that is too new', '0001007f00000001ffff'],
    ['a version that is too old', '0000000000000001ffff'],
    ['a negative version', '0001ffff00000001ffff'],
    ['a body that ends too early', '0002000100000001ffffffff'],
    ['an unknown ApiVersions version without a correlation id', '0012006300'],
  ])
  for (const [name, hex] of cases) {
    it(`close the connection without an answer: ${name}`, async () => {
      const broker = await TestBroker.start()
      const bytes = Buffer.from(hex, 'hex')
      const [peer, other] = [broker.connect(), broker.connect()]
      peer.send(Buffer.concat([prefix(bytes.byteLength), bytes]))
      other.send(apiVersionsFrame())
      await settle()
      assert.equal(peer.isDestroyed, true)
      assert.deepEqual(peer.takeFrames(), [])
      assert.deepEqual(ids(other), [1])
      assert.equal(broker.protocolErrorCount, 1)
      assert.equal(broker.connectionCount, 1)
      assertNothingHeld(broker)
    })
  }

  it('give back the memory of the frame that was under way behind them', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    const unknown = Buffer.from('0000000a03e7000000000001ffff', 'hex')
    peer.send(Buffer.concat([unknown, produceFrame({ records: batchOf(5000) }).subarray(0, 1000)]))
    assert.equal(peer.isDestroyed, true)
    await settle()
    assertNothingHeld(broker)
  })

  it('end what came before them: earlier answers were sent, later frames are dropped', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    const unknown = Buffer.from('0000000a03e7000000000001ffff', 'hex')
    peer.send(Buffer.concat([apiVersionsFrame(), unknown, produceFrame()]))
    await settle()
    assert.deepEqual(ids(peer), [1])
    assert.equal(broker.log().logEndOffset, 0)
    assertNothingHeld(broker)
  })
})

describe('pipelined requests', () => {
  it('are answered in order: ApiVersions waits for the long poll before it', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.send(fetchFrame({ maxWaitMs: 700, correlationId: 1 }))
    peer.send(apiVersionsFrame(3, { correlationId: 2 }))
    await settle()
    assert.deepEqual(ids(peer), [])
    broker.scheduler.advance(699)
    assert.deepEqual(ids(peer), [])
    broker.scheduler.advance(1)
    assert.deepEqual(ids(peer), [1, 2])
  })

  it('of Produce overlap: both are appended before the first is safe, answers keep order', async () => {
    const broker = await TestBroker.start()
    broker.log(0).isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ correlationId: 1, partition: 0 }))
    peer.send(produceFrame({ correlationId: 2, partition: 1 }))
    await settle()
    assert.equal(broker.log(1).highWatermark, 1)
    assert.deepEqual(ids(peer), [])
    broker.log(0).flush()
    assert.deepEqual(ids(peer), [1, 2])
  })

  it('do not overlap Produce with anything else', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ correlationId: 1 }))
    peer.send(fetchFrame({ correlationId: 2 }))
    peer.send(produceFrame({ correlationId: 3 }))
    await settle()
    assert.equal(broker.log().logEndOffset, 1)
    broker.log().flush()
    assert.deepEqual(ids(peer), [1, 2])
    broker.log().flush()
    assert.deepEqual(ids(peer), [3])
  })

  it('need no client id (redpanda-data/redpanda#6570)', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.send(apiVersionsFrame(0, { correlationId: 1, clientId: null }))
    peer.send(produceFrame({ version: 9, correlationId: 2, clientId: null }))
    await settle()
    const [first, second] = peer.takeFrames()
    assert.ok(first !== undefined && second !== undefined)
    assert.equal(readResponse(apiVersionsApi, 0, first).body.errorCode, 0)
    const [topic] = readResponse(produceApi, 9, second).body.responses
    assert.equal(topic?.partitionResponses[0]?.errorCode, 0)
  })
})

describe('a connection that ends', () => {
  it('in the middle of a small or a large frame gives its memory back', async () => {
    for (const valueBytes of [100, 500_000, 5_000_000]) {
      const broker = await TestBroker.start()
      const peer = broker.connect()
      const frame = produceFrame({ records: batchOf(valueBytes) })
      peer.send(frame.subarray(0, frame.byteLength - 1))
      peer.close()
      assertNothingHeld(broker)
      assert.equal(broker.connectionCount, 0)
    }
  })

  it('with requests being served and waiting gives their memory back', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    for (let id = 1; id <= 3; id++) {
      peer.send(produceFrame({ correlationId: id, records: batchOf(200_000) }))
    }
    peer.send(fetchFrame())
    assert.ok(broker.inFlightBytes > 600_000)
    peer.close()
    assert.equal(broker.inFlightBytes, 0)
    assert.ok(broker.frameBytes > SLAB_BYTES, 'the log still writes from the frames')
    broker.log().flush()
    await settle()
    assertNothingHeld(broker)
    assert.deepEqual(peer.takeFrames(), [])
  })

  it('during a long poll ends the poll and its timer', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.send(fetchFrame({ maxWaitMs: 30_000 }))
    assert.equal(broker.scheduler.pendingCount, 1)
    peer.close()
    assert.equal(broker.scheduler.pendingCount, 0)
    assertNothingHeld(broker)
  })

  it('before the kernel took its answer frees the records of the answer', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.isSlow = true
    peer.send(produceFrame())
    await settle()
    peer.takeAnswers()
    peer.send(fetchFrame())
    assert.equal(broker.log().openSliceCount, 1)
    peer.close()
    assert.equal(broker.log().openSliceCount, 0)
    assertNothingHeld(broker)
  })

  it('with an answer that waits for an older one frees both', async () => {
    const broker = await TestBroker.start()
    broker.log(0).isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ correlationId: 1, partition: 0 }))
    peer.send(produceFrame({ correlationId: 2, partition: 1 }))
    await settle()
    peer.close()
    broker.log(0).flush()
    await settle()
    assertNothingHeld(broker)
  })
})

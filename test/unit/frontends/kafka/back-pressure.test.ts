import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { correlationIdOf, type Peer, settle } from './peer.ts'
import { apiVersionsFrame, batchOf, fetchFrame, produceFrame } from './requests.ts'
import { SLAB_BYTES, TestBroker } from './test-broker.ts'

const MIB = 1024 * 1024

const ids = (peer: Peer): number[] => peer.takeFrames().map(correlationIdOf)

function numbered(count: number, frameOf: (correlationId: number) => Buffer): Buffer[] {
  return Array.from({ length: count }, (_, index) => frameOf(index + 1))
}

function assertNothingHeld(broker: TestBroker): void {
  assert.equal(broker.inFlightBytes, 0)
  assert.ok([0, SLAB_BYTES].includes(broker.frameBytes), `${broker.frameBytes} bytes in use`)
}

/** One connection holds more than the budget, and gives it back when partition 0 flushes. */
async function fullBroker(): Promise<TestBroker> {
  const broker = await TestBroker.start({ maxInFlightBytes: 2 * MIB })
  for (const index of [0, 1]) broker.configure({ maxMessageBytes: 10 * MIB }, index)
  broker.log(0).isSlow = true
  broker.connect().send(produceFrame({ records: batchOf(2 * MIB), partition: 0 }))
  assert.ok(broker.inFlightBytes > 2 * MIB)
  return broker
}

describe('back-pressure of one connection', () => {
  it('stops reading above the requests in flight, and reads on when they are answered', async () => {
    const broker = await TestBroker.start({ limits: { maxInFlightCount: 4 } })
    broker.log().isSlow = true
    const peer = broker.connect()
    const frames = numbered(10, (correlationId) => produceFrame({ correlationId }))
    for (const frame of frames) peer.send(frame)
    assert.equal(peer.isPaused, true)
    assert.equal(broker.log().logEndOffset, 5, 'one more than the limit, then none')
    while (broker.log().highWatermark < 10) {
      broker.log().flush()
      await settle()
    }
    assert.deepEqual(
      ids(peer),
      frames.map((_, index) => index + 1),
    )
    assert.equal(peer.isPaused, false)
    assertNothingHeld(broker)
  })

  it('stops reading above the bytes in flight', async () => {
    const broker = await TestBroker.start({ limits: { maxInFlightBytes: 300_000 } })
    broker.log().isSlow = true
    const peer = broker.connect()
    for (const frame of numbered(5, (correlationId) =>
      produceFrame({ correlationId, records: batchOf(200_000) }),
    )) {
      peer.send(frame)
    }
    assert.equal(peer.isPaused, true)
    assert.equal(broker.log().logEndOffset, 2)
    assert.ok(broker.inFlightBytes < 600_000)
    peer.close()
    broker.log().flush()
    await settle()
    assertNothingHeld(broker)
  })

  it('holds no more than one read above its limits while a long poll is open', async () => {
    const broker = await TestBroker.start({ limits: { maxInFlightCount: 4 } })
    const peer = broker.connect()
    peer.send(fetchFrame({ maxWaitMs: 1000, correlationId: 0 }))
    const frame = apiVersionsFrame()
    for (let i = 0; i < 10_000; i++) peer.send(frame)
    assert.equal(peer.isPaused, true)
    assert.ok(broker.inFlightBytes < 64 * 1024)
    broker.scheduler.advance(1000)
    await settle()
    peer.close()
    await settle()
    assertNothingHeld(broker)
  })
})

describe('a peer that does not read its answers', () => {
  it('is served nothing more until it does', async () => {
    const broker = await TestBroker.start({ limits: { maxUnsentBytes: 100_000 } })
    const peer = broker.connect()
    peer.send(produceFrame({ records: batchOf(200_000) }))
    await settle()
    peer.takeFrames()
    peer.isSlow = true
    for (let id = 1; id <= 50; id++) peer.send(fetchFrame({ correlationId: id }))
    await settle()
    assert.deepEqual(ids(peer), [1], 'one answer above the limit, then none')
    assert.equal(broker.log().openSliceCount, 1)
    assert.equal(peer.isPaused, true)
    peer.takeAnswers()
    assert.deepEqual(ids(peer), [2])
    while (peer.unreadBytes > 0 || peer.unsentBytes > 0) {
      peer.takeAnswers()
      await settle()
    }
    assert.equal(ids(peer).at(-1), 50)
    assert.equal(broker.log().openSliceCount, 0)
    assert.equal(peer.isPaused, false)
    assertNothingHeld(broker)
  })

  it('does not slow others down', async () => {
    const broker = await TestBroker.start({ limits: { maxUnsentBytes: 1000 } })
    const [slow, quick] = [broker.connect(), broker.connect()]
    slow.isSlow = true
    for (let i = 0; i < 100; i++) slow.send(apiVersionsFrame())
    quick.send(apiVersionsFrame(3, { correlationId: 9 }))
    await settle()
    assert.deepEqual(ids(quick), [9])
    slow.close()
    await settle()
    assertNothingHeld(broker)
  })
})

describe('memory of all connections', () => {
  it('is checked before a large frame grows: it waits until there is room', async () => {
    const broker = await fullBroker()
    const peer = broker.connect()
    peer.send(produceFrame({ records: batchOf(4 * MIB), partition: 1, correlationId: 5 }))
    assert.equal(peer.isPaused, true)
    assert.ok(peer.unreadBytes > 2 * MIB)
    const heldBytes = broker.frameBytes
    assert.ok(heldBytes < 5 * MIB, `${heldBytes}`)
    broker.log(0).flush()
    await settle()
    assert.deepEqual(ids(peer), [5])
    assert.equal(broker.log(1).logEndOffset, 1)
    assert.equal(peer.isPaused, false)
    assertNothingHeld(broker)
  })

  it('keeps the read that was under way when a large frame had to wait', async () => {
    for (const readBytes of [1, 63, 64]) {
      const broker = await fullBroker()
      const peer = broker.connect()
      const records = batchOf(4 * MIB)
      peer.send(produceFrame({ records, partition: 1, correlationId: 5 }))
      assert.equal(peer.isPaused, true)
      peer.readBytes = readBytes
      peer.deliverOneRead()
      peer.readBytes = Number.POSITIVE_INFINITY
      broker.log(0).flush()
      await settle()
      assert.deepEqual(ids(peer), [5], `a read of ${readBytes}`)
      assert.equal(broker.log(1).sizeBytes, records.byteLength)
      assertNothingHeld(broker)
    }
  })

  it('keeps what follows a frame that ended in such a read', async () => {
    const broker = await fullBroker()
    const peer = broker.connect()
    // The first part is all but 10 bytes of the frame: a size class of the pool is full then.
    const plain = produceFrame({ partition: 1, records: batchOf(0) })
    const records = batchOf(64 * 1024 + 10 - plain.byteLength + 4 - 6)
    const frame = produceFrame({ partition: 1, records, correlationId: 5 })
    const follower = apiVersionsFrame(3, { correlationId: 6 })
    peer.send(Buffer.concat([frame, follower]))
    await settle()
    assert.equal(peer.isPaused, true)
    assert.ok(peer.unreadBytes > 0 && peer.unreadBytes < 64, `${peer.unreadBytes}`)
    peer.deliverOneRead()
    broker.log(0).flush()
    await settle()
    assert.deepEqual(ids(peer), [5, 6])
    assertNothingHeld(broker)
  })
})

describe('memory of large frames', () => {
  it('is given back by a connection that ends while its large frame waits', async () => {
    const broker = await fullBroker()
    const peer = broker.connect()
    peer.send(produceFrame({ records: batchOf(4 * MIB), partition: 1 }))
    assert.equal(peer.isPaused, true)
    peer.close()
    broker.log(0).flush()
    await settle()
    assertNothingHeld(broker)
  })

  it('is given back by a connection that ends in a large frame that has its memory', async () => {
    const broker = await TestBroker.start({ maxInFlightBytes: 2 * MIB })
    const peer = broker.connect()
    const frame = produceFrame({ records: batchOf(4 * MIB) })
    peer.send(frame.subarray(0, frame.byteLength - 10))
    assert.equal(broker.inFlightBytes, frame.byteLength - 4)
    peer.close()
    assertNothingHeld(broker)
  })

  it('wakes the connections that wait one after the other, as far as it goes', async () => {
    const broker = await fullBroker()
    const peers = [broker.connect(), broker.connect(), broker.connect()]
    for (const [index, peer] of peers.entries()) {
      const records = batchOf(3 * MIB)
      peer.send(produceFrame({ records, partition: 1, correlationId: index }))
    }
    assert.deepEqual(
      peers.map(({ isPaused }) => isPaused),
      [true, true, true],
    )
    broker.log(0).flush()
    await settle()
    assert.deepEqual(peers.map(ids), [[0], [1], [2]])
    assertNothingHeld(broker)
  })

  it('above its limit still lets small requests in', async () => {
    const broker = await fullBroker()
    const peer = broker.connect()
    peer.send(apiVersionsFrame())
    await settle()
    assert.deepEqual(ids(peer), [1])
    assert.equal(peer.isPaused, false)
  })

  it('above its limit stops connections that have requests in flight', async () => {
    const broker = await fullBroker()
    broker.log(2).isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ partition: 2 }))
    assert.equal(peer.isPaused, true)
    broker.log(2).flush()
    await settle()
    assert.equal(peer.isPaused, false)
    broker.log(0).flush()
    await settle()
    assertNothingHeld(broker)
  })
})

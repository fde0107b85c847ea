import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ClientConnection, defineHandler } from '../../../../src/frontends/kafka/handler.ts'
import { listGroupsApi } from '../../../../src/wire/kafka/messages/16-list-groups.ts'
import { correlationIdOf, type Peer, requestFrame, settle } from './peer.ts'
import { apiVersionsFrame, batchOf, fetchFrame, produceFrame } from './requests.ts'
import { TestBroker } from './test-broker.ts'

const ids = (peer: Peer): number[] => peer.takeFrames().map(correlationIdOf)

/** Stops the broker while time goes on, up to `graceMs`. */
async function stop(broker: TestBroker, graceMs: number): Promise<() => boolean> {
  let isStopped = false
  const stopped = broker.frontend.stop(graceMs).then(() => {
    isStopped = true
  })
  stopped.catch(() => {})
  await settle()
  return () => isStopped
}

async function pass(broker: TestBroker, byMs: number): Promise<void> {
  broker.scheduler.advance(byMs)
  await settle()
}

describe('a broker that stops', () => {
  it('takes no new connections and closes those that are idle', async () => {
    const broker = await TestBroker.start()
    const peers = [broker.connect(), broker.connect()]
    const isStopped = await stop(broker, 10_000)
    assert.equal(broker.isAccepting, false)
    assert.deepEqual(
      peers.map(({ isEnded }) => isEnded),
      [true, true],
    )
    await pass(broker, 5)
    assert.equal(isStopped(), true)
    assert.equal(broker.connectionCount, 0)
  })

  it('serves what came, answers it, and closes', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ correlationId: 1 }))
    peer.send(apiVersionsFrame(3, { correlationId: 2 }))
    const isStopped = await stop(broker, 10_000)
    assert.equal(peer.isEnded, false)
    broker.log().flush()
    await settle()
    assert.deepEqual(ids(peer), [1, 2])
    assert.equal(peer.isEnded, true)
    await pass(broker, 5)
    assert.equal(isStopped(), true)
  })

  it('reads no further requests', async () => {
    const broker = await TestBroker.start()
    broker.log().isSlow = true
    const peer = broker.connect()
    peer.send(produceFrame({ correlationId: 1 }))
    await stop(broker, 10_000)
    peer.send(produceFrame({ correlationId: 2 }))
    broker.log().flush()
    await settle()
    assert.deepEqual(ids(peer), [1])
    assert.equal(broker.log().logEndOffset, 1)
  })
})

describe('a broker that stops, with slow connections', () => {
  it('closes a connection whose answer the kernel has not taken yet, once it has', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.isSlow = true
    peer.send(apiVersionsFrame())
    const isStopped = await stop(broker, 10_000)
    peer.takeAnswers()
    assert.equal(peer.isEnded, true)
    await pass(broker, 5)
    assert.equal(isStopped(), true)
    assert.equal(broker.connectionCount, 0)
  })

  it('answers requests that wait for a slow reader before it closes', async () => {
    const broker = await TestBroker.start({ limits: { maxUnsentBytes: 10 } })
    const peer = broker.connect()
    peer.isSlow = true
    for (let id = 1; id <= 3; id++) peer.send(apiVersionsFrame(3, { correlationId: id }))
    await stop(broker, 10_000)
    for (let i = 0; i < 3; i++) peer.takeAnswers()
    assert.deepEqual(ids(peer), [1, 2, 3])
    assert.equal(peer.isEnded, true)
  })

  it('cuts what is not served after the grace time, and frees it', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    peer.send(fetchFrame({ maxWaitMs: 60_000 }))
    const isStopped = await stop(broker, 1000)
    await pass(broker, 995)
    assert.equal(isStopped(), false)
    await pass(broker, 10)
    assert.equal(isStopped(), true)
    assert.equal(peer.isDestroyed, true)
    assert.equal(broker.inFlightBytes, 0)
  })
})

describe('what is known of a client', () => {
  async function clientOf(advertised: { host: string; port: number } | null) {
    let seen: ClientConnection | undefined
    const probe = defineHandler(listGroupsApi, (_request, exchange) => {
      seen = exchange.connection
      return { throttleTimeMs: 0, errorCode: 0, groups: [] }
    })
    const broker = await TestBroker.start({ advertised, extraHandlers: [probe] })
    const peer = broker.connect()
    peer.send(apiVersionsFrame(3))
    peer.send(requestFrame(listGroupsApi, 0, {}))
    await settle()
    assert.ok(seen !== undefined)
    return seen
  }

  it('is the address it reached, and the software it named (KIP-511)', async () => {
    const client = await clientOf(null)
    assert.deepEqual(client.advertised, { host: '127.0.0.1', port: 9092 })
    assert.equal(client.principal, 'User:ANONYMOUS')
    assert.equal(client.softwareName, 'test')
    assert.equal(client.softwareVersion, '1.0')
  })

  it('is the advertised listener when there is one', async () => {
    const advertised = { host: 'broker.example', port: 19_092 }
    assert.deepEqual((await clientOf(advertised)).advertised, advertised)
  })
})

describe('a request that fails in the broker', () => {
  it('closes its connection; others go on and memory comes back', async () => {
    const broken = defineHandler(listGroupsApi, () => Promise.reject(new Error('a broken part')))
    const broker = await TestBroker.start({ extraHandlers: [broken] })
    const [peer, other] = [broker.connect(), broker.connect()]
    peer.send(requestFrame(listGroupsApi, 0, {}))
    peer.send(produceFrame({ records: batchOf(100) }))
    other.send(apiVersionsFrame())
    await settle()
    assert.equal(peer.isDestroyed, true)
    assert.deepEqual(ids(other), [1])
    assert.equal(broker.inFlightBytes, 0)
    assert.equal(broker.connectionCount, 1)
    assert.equal(broker.log().logEndOffset, 0)
  })
})

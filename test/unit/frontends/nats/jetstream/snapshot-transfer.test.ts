import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Account } from '../../../../../src/frontends/nats/account.ts'
import { ApiRouter } from '../../../../../src/frontends/nats/jetstream/api-router.ts'
import { SnapshotTransfer } from '../../../../../src/frontends/nats/jetstream/snapshot-transfer.ts'
import { NatsHub } from '../../../../../src/frontends/nats/nats-hub.ts'
import { type Subscriber, Subscription } from '../../../../../src/frontends/nats/subscription.ts'
import type { PublishedMessage } from '../../../../../src/wire/nats/published-message.ts'
import { ManualScheduler } from '../../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock } from '../../../support/ports.ts'

const CHUNK_BYTES = 1024

/** A client that reads chunks, and acknowledges those that the test lets it. */
class Fixture implements Subscriber {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  /** What came: the bytes of a chunk, or the status that ends it. */
  readonly got: (number | string)[] = []
  readonly replies: string[] = []
  readonly #subscription = new Subscription(this, '_INBOX.x', '', '1')
  readonly #account: Account
  readonly #router: ApiRouter
  result: string | null | undefined

  constructor() {
    const random = new CountingRandom()
    this.#account = new Account('$G', new NatsHub(random), random, this.scheduler)
    this.#router = new ApiRouter(this.#account, this.#account.publisher, this.scheduler)
  }

  deliver(_: Subscription, message: PublishedMessage): boolean {
    const { bytes, bodyStart, bodyEnd, hasHeaders } = message
    const text = bytes.toString('latin1', bodyStart, bodyEnd)
    this.got.push(hasHeaders || text === '' ? text.trim() : text.length)
    if (message.reply() !== '') this.replies.push(message.reply())
    return true
  }

  listen(): void {
    this.#account.router.insert('_INBOX.x', '', this.#subscription)
  }

  leave(): void {
    this.#account.router.remove('_INBOX.x', '', this.#subscription)
  }

  acknowledge(count: number): void {
    for (const reply of this.replies.splice(0, count)) {
      this.#account.publisher.publish(reply, null, null, Buffer.alloc(0))
    }
  }

  /** @param sizes of what is read, one after the other */
  start(sizes: readonly (number | Error)[], windowBytes = 4 * CHUNK_BYTES): void {
    const left = [...sizes]
    const read = async (): Promise<Buffer> => {
      const size = left.shift() ?? 0
      if (size instanceof Error) throw size
      return Buffer.alloc(size, 'x')
    }
    const transfer = new SnapshotTransfer({
      router: this.#router,
      publisher: this.#account.publisher,
      scheduler: this.scheduler,
      snapshot: { read },
      deliverSubject: '_INBOX.x',
      ackSubject: '$JS.SNAPSHOT.ACK.S.id',
      chunkBytes: CHUNK_BYTES,
      windowBytes,
    })
    void transfer.run().then((result) => {
      this.result = result
    })
  }

  /** Lets all that can happen now happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) {
      this.scheduler.finishTurn()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const chunks = (count: number): number[] => new Array<number>(count).fill(CHUNK_BYTES)

describe('a snapshot on its way to a client', () => {
  it('comes in chunks with subjects for their acks, and ends with 204', async () => {
    const fixture = new Fixture()
    fixture.listen()
    fixture.start([...chunks(2), 10])
    await fixture.settle()
    assert.deepEqual(fixture.got, [CHUNK_BYTES, CHUNK_BYTES, 10, 'NATS/1.0 204'])
    const acks = ['$JS.SNAPSHOT.ACK.S.id.1024.1', '$JS.SNAPSHOT.ACK.S.id.1024.2']
    assert.deepEqual(fixture.replies, acks)
    assert.equal(fixture.result, null)
  })

  it('that is one small chunk ends with an empty message', async () => {
    const fixture = new Fixture()
    fixture.listen()
    fixture.start([10])
    await fixture.settle()
    assert.deepEqual(fixture.got, [10, ''])
  })

  it('waits for acks when the window is full', async () => {
    const fixture = new Fixture()
    fixture.listen()
    fixture.start([...chunks(7), 0])
    await fixture.settle()
    assert.deepEqual(fixture.got, chunks(4))
    fixture.acknowledge(1)
    await fixture.settle()
    assert.deepEqual(fixture.got, chunks(5))
    fixture.acknowledge(4)
    await fixture.settle()
    assert.deepEqual(fixture.got, [...chunks(7), 'NATS/1.0 204'])
    assert.equal(fixture.result, null)
  })
})

describe('a snapshot that does not get through', () => {
  it('to a client that never acknowledges ends after five seconds', async () => {
    const fixture = new Fixture()
    fixture.listen()
    fixture.start(chunks(100))
    await fixture.settle()
    fixture.scheduler.advance(4999)
    await fixture.settle()
    assert.deepEqual(fixture.got, chunks(4))
    fixture.scheduler.advance(1)
    await fixture.settle()
    assert.deepEqual(fixture.got, [...chunks(4), 'NATS/1.0 408 No Flow Response'])
    assert.equal(fixture.result, 'no flow response')
  })

  it('waits two seconds for the client to subscribe, and no longer', async () => {
    const early = new Fixture()
    early.start([10])
    await early.settle()
    early.scheduler.advance(1999)
    early.listen()
    await early.settle()
    assert.deepEqual(early.got, [10, ''])
    const never = new Fixture()
    never.start([10])
    await never.settle()
    never.scheduler.advance(2000)
    await never.settle()
    assert.equal(never.result, 'no interest')
  })

  it('ends when the client goes', async () => {
    const fixture = new Fixture()
    fixture.listen()
    fixture.start(chunks(100))
    await fixture.settle()
    fixture.leave()
    await fixture.settle()
    assert.equal(fixture.result, 'no interest')
  })

  it('ends with 500 when the stream can not be read', async () => {
    const fixture = new Fixture()
    fixture.listen()
    fixture.start([CHUNK_BYTES, new Error('disk\r\ngone')])
    await fixture.settle()
    assert.deepEqual(fixture.got, [CHUNK_BYTES, 'NATS/1.0 500 disk gone'])
    assert.equal(fixture.result, 'disk\r\ngone')
  })
})

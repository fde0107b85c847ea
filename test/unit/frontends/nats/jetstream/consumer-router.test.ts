import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StreamConsumers } from '../../../../../src/broker/jetstream/consumer/stream-consumers.ts'
import { Account } from '../../../../../src/frontends/nats/account.ts'
import { ApiRouter } from '../../../../../src/frontends/nats/jetstream/api-router.ts'
import { NatsConsumerOutput } from '../../../../../src/frontends/nats/jetstream/consumer-output.ts'
import { ConsumerRequests } from '../../../../../src/frontends/nats/jetstream/consumer-requests.ts'
import { ConsumerRouter } from '../../../../../src/frontends/nats/jetstream/consumer-router.ts'
import { NatsHub } from '../../../../../src/frontends/nats/nats-hub.ts'
import type { ServerPublisher } from '../../../../../src/frontends/nats/server-publisher.ts'
import { type Subscriber, Subscription } from '../../../../../src/frontends/nats/subscription.ts'
import type { PublishedMessage } from '../../../../../src/wire/nats/published-message.ts'
import { FakeStore, STREAM } from '../../../broker/jetstream/consumer/consumer-fixture.ts'
import { FakeStream } from '../../../broker/jetstream/consumer/fake-stream.ts'
import { ManualScheduler } from '../../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../../support/ports.ts'

interface Got {
  readonly to: string
  readonly subject: string
  readonly reply: string
  readonly headers: string
  readonly payload: string
}

/** A client with all its subscriptions. */
class Inbox implements Subscriber {
  readonly got: Got[] = []
  isBehind = false

  deliver({ subject: to }: Subscription, message: PublishedMessage): boolean {
    const { bytes, bodyStart, bodyEnd, hasHeaders, headerByteCount } = message
    const headerEnd = bodyStart + (hasHeaders ? headerByteCount : 0)
    this.got.push({
      to,
      subject: message.subject(),
      reply: message.reply(),
      headers: bytes.toString('latin1', bodyStart, headerEnd),
      payload: bytes.toString('utf8', headerEnd, bodyEnd),
    })
    return true
  }
}

/** One stream `S`, its consumers, and a client, on the subjects of one account. */
class Fixture {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly reader = new FakeStream(this.clock)
  readonly inbox = new Inbox()
  readonly #account: Account
  readonly #publisher: ServerPublisher

  constructor() {
    const random = new CountingRandom()
    const hub = new NatsHub(random)
    this.#account = new Account('$G', hub, random, this.scheduler)
    const { clock, scheduler } = this
    const { publisher } = this.#account
    const router = new ApiRouter(this.#account, publisher, scheduler)
    const output = new NatsConsumerOutput(publisher, clock, random, '')
    const host = {
      reader: this.reader,
      facts: () => STREAM,
      consumersChanged() {},
      finished() {},
      neverAgain() {},
    }
    const ports = { clock, scheduler, random, output, logger: SILENT }
    const consumers = new StreamConsumers(host, new FakeStore(), ports)
    const directory = {
      consumersOf: (name: string) => (name === 'S' ? consumers : undefined),
    }
    const requests = new ConsumerRequests(directory, clock, { '_nats.ver': '2.12.0' })
    new ConsumerRouter({ router, publisher, requests, directory, logger: SILENT, apiLevel: 2 })
    this.#publisher = publisher
    this.listen('_INBOX.>')
  }

  listen(subject: string): void {
    this.#account.router.insert(subject, '', new Subscription(this.inbox, subject, '', '1'))
  }

  /** Messages that came of it. */
  async publish(
    subject: string,
    reply: string | null,
    body: unknown,
    headers: Buffer | null = null,
  ): Promise<Got[]> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    this.#publisher.publish(subject, reply, headers, Buffer.from(text))
    await this.settle()
    return this.inbox.got.splice(0)
  }

  /** The answer to a request. */
  async request(subject: string, body: unknown = ''): Promise<Record<string, unknown>> {
    const [answer] = await this.publish(subject, '_INBOX.answer', body)
    return JSON.parse(answer?.payload ?? 'null') as Record<string, unknown>
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      this.scheduler.finishTurn()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const CREATE = { stream_name: 'S', config: { durable_name: 'c', ack_policy: 'explicit' } }

describe('the API of consumers', () => {
  it('creates a consumer and answers with all that holds of it', async () => {
    const fixture = new Fixture()
    fixture.reader.publish('a')
    const info = await fixture.request('$JS.API.CONSUMER.CREATE.S.c', CREATE)
    assert.deepEqual(info, {
      type: 'io.nats.jetstream.api.v1.consumer_create_response',
      stream_name: 'S',
      name: 'c',
      created: '2023-11-14T22:13:20.000Z',
      config: {
        durable_name: 'c',
        name: 'c',
        deliver_policy: 'all',
        ack_policy: 'explicit',
        replay_policy: 'instant',
        ack_wait: 30_000_000_000,
        max_deliver: -1,
        max_ack_pending: 1000,
        max_waiting: 512,
        num_replicas: 0,
        metadata: { '_nats.req.level': '0', '_nats.ver': '2.12.0' },
      },
      delivered: { consumer_seq: 0, stream_seq: 0 },
      ack_floor: { consumer_seq: 0, stream_seq: 0 },
      num_ack_pending: 0,
      num_redelivered: 0,
      num_waiting: 0,
      num_pending: 1,
      ts: '2023-11-14T22:13:20.000Z',
    })
  })

  it('lists, names, tells of and deletes consumers', async () => {
    const fixture = new Fixture()
    await fixture.request('$JS.API.CONSUMER.DURABLE.CREATE.S.c', CREATE)
    const names = await fixture.request('$JS.API.CONSUMER.NAMES.S')
    assert.deepEqual(names['consumers'], ['c'])
    const list = await fixture.request('$JS.API.CONSUMER.LIST.S', { offset: 0 })
    assert.deepEqual([list['total'], list['limit']], [1, 256])
    const info = await fixture.request('$JS.API.CONSUMER.INFO.S.c')
    assert.equal(info['name'], 'c')
    const gone = await fixture.request('$JS.API.CONSUMER.DELETE.S.c')
    assert.equal(gone['success'], true)
    const again = await fixture.request('$JS.API.CONSUMER.INFO.S.c')
    assert.deepEqual(again['error'], {
      code: 404,
      err_code: 10014,
      description: 'consumer not found',
    })
  })
})

describe('the API of consumers, asked for what can not be', () => {
  it('refuses what does not fit together, as nats-server does', async () => {
    const fixture = new Fixture()
    const config = { durable_name: 'c', filter_subject: 'a' }
    const refused: [string, unknown, number][] = [
      ['CREATE.S.c', '{', 10025],
      ['CREATE.T.c', CREATE, 10056],
      ['CREATE.T.c', { ...CREATE, stream_name: 'T' }, 10059],
      ['CREATE.S', CREATE, 10020],
      ['CREATE.S.d', CREATE, 10017],
      ['CREATE.S.c/d', { stream_name: 'S' }, 10127],
      ['CREATE.S.c.b', { stream_name: 'S', config }, 10131],
      [
        'CREATE.S.c.b',
        { stream_name: 'S', config: { durable_name: 'c', filter_subjects: ['b'] } },
        10137,
      ],
      ['DURABLE.CREATE.S.c', { stream_name: 'S' }, 10018],
      ['CREATE.S.c', { stream_name: 'S', config: { durable_name: 'c', num_replicas: 3 } }, 10074],
      ['PAUSE.S.c', { pause_until: 'x' }, 10025],
      ['UNPIN.S.c', { group: 'a b' }, 10162],
      ['UNPIN.S.c', {}, 10025],
      ['RESET.S.c', { seq: 1 }, 10014],
    ]
    for (const [subject, body, number] of refused) {
      const answer = await fixture.request(`$JS.API.CONSUMER.${subject}`, body)
      const { err_code } = answer['error'] as { err_code: number }
      assert.equal(err_code, number, subject)
    }
  })
})

describe('a consumer that is paused', () => {
  it('says so until its time comes, or until it goes on', async () => {
    const fixture = new Fixture()
    await fixture.request('$JS.API.CONSUMER.CREATE.S.c', CREATE)
    const until = '2023-11-14T22:13:30.000000001Z'
    const paused = await fixture.request('$JS.API.CONSUMER.PAUSE.S.c', { pause_until: until })
    assert.equal(paused['paused'], true)
    assert.equal(paused['pause_until'], until)
    assert.equal(paused['pause_remaining'], 10_000_000_000)
    const info = await fixture.request('$JS.API.CONSUMER.INFO.S.c')
    assert.equal(info['paused'], true)
    const resumed = await fixture.request('$JS.API.CONSUMER.PAUSE.S.c')
    assert.deepEqual([resumed['paused'], resumed['pause_until']], [false, '0001-01-01T00:00:00Z'])
  })
})

describe('messages of a consumer', () => {
  it('come with their own subject and an ack subject, and the ack is answered when it holds', async () => {
    const fixture = new Fixture()
    await fixture.request('$JS.API.CONSUMER.CREATE.S.c', CREATE)
    fixture.reader.publish('a', 'hello', Buffer.from('NATS/1.0\r\nA: b\r\n\r\n'))
    fixture.reader.publish('b', 'world')
    const got = await fixture.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '_INBOX.1', '{"batch":2}')
    assert.deepEqual(
      got.map(({ to, ...rest }) => rest),
      [
        {
          subject: 'a',
          reply: '$JS.ACK.S.c.1.1.1.1700000000000000000.1',
          headers: 'NATS/1.0\r\nA: b\r\n\r\n',
          payload: 'hello',
        },
        {
          subject: 'b',
          reply: '$JS.ACK.S.c.1.2.2.1700000000000000000.0',
          headers: '',
          payload: 'world',
        },
      ],
    )
    const [told] = await fixture.publish(got[0]?.reply ?? '', '_INBOX.2', '+ACK')
    assert.deepEqual([told?.subject, told?.payload], ['_INBOX.2', ''])
    const info = await fixture.request('$JS.API.CONSUMER.INFO.S.c')
    assert.equal(info['num_ack_pending'], 1)
  })

  it('are not given to clients that need a newer API', async () => {
    const fixture = new Fixture()
    const headers = Buffer.from('NATS/1.0\r\nNats-Required-Api-Level: 3\r\n\r\n')
    const [answer] = await fixture.publish(
      '$JS.API.CONSUMER.CREATE.S.c',
      '_INBOX.1',
      CREATE,
      headers,
    )
    assert.match(answer?.payload ?? '', /"err_code":10185/)
    await fixture.request('$JS.API.CONSUMER.CREATE.S.c', CREATE)
    const [status] = await fixture.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '_INBOX.1', '', headers)
    assert.equal(status?.headers, 'NATS/1.0 412 Required Api Level\r\n\r\n')
  })

  it('pass filters of any letters', async () => {
    const fixture = new Fixture()
    const subject = Buffer.from('grüße').toString('latin1')
    fixture.reader.publish(subject)
    const config = { durable_name: 'c', filter_subject: 'grüße', description: 'ö' }
    const info = await fixture.request('$JS.API.CONSUMER.CREATE.S.c', { stream_name: 'S', config })
    assert.equal(info['num_pending'], 1)
    assert.equal((info['config'] as { filter_subject: string }).filter_subject, 'grüße')
    assert.equal((info['config'] as { description: string }).description, 'ö')
  })

  it('follow an ack that asks for more', async () => {
    const fixture = new Fixture()
    await fixture.request('$JS.API.CONSUMER.CREATE.S.c', CREATE)
    fixture.reader.publish('a')
    fixture.reader.publish('b')
    const [first] = await fixture.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '_INBOX.1', '')
    const [second] = await fixture.publish(first?.reply ?? '', '_INBOX.2', '+NXT')
    assert.equal(second?.subject, 'b')
  })

  it('are replaced by a status when there is nothing, or nobody to ask', async () => {
    const fixture = new Fixture()
    await fixture.request('$JS.API.CONSUMER.CREATE.S.c', CREATE)
    const next = '$JS.API.CONSUMER.MSG.NEXT.S.'
    const [none] = await fixture.publish(`${next}c`, '_INBOX.1', '{"no_wait":true}')
    assert.equal(none?.headers, 'NATS/1.0 404 No Messages\r\n\r\n')
    const [nobody] = await fixture.publish(`${next}x`, '_INBOX.1', '')
    assert.equal(nobody?.headers, `NATS/1.0 503\r\nNats-Subject: ${next}x\r\n\r\n`)
    const [wrong] = await fixture.publish(`${next}c`, '_INBOX.1', '{"batch":"x"}')
    assert.equal(wrong?.headers, 'NATS/1.0 400 Bad Request - batch must be a number\r\n\r\n')
  })
})

describe('messages that are pushed', () => {
  it('go to whoever listens, without their payload if that is wanted', async () => {
    const fixture = new Fixture()
    fixture.listen('d')
    const config = { deliver_subject: 'd', headers_only: true }
    await fixture.request('$JS.API.CONSUMER.CREATE.S', { stream_name: 'S', config })
    fixture.reader.publish('a', 'hello')
    await fixture.settle()
    const [message] = fixture.inbox.got
    assert.equal(message?.headers, 'NATS/1.0\r\nNats-Msg-Size: 5\r\n\r\n')
    assert.equal(message?.payload, '')
  })

  it('wait while their client does not keep up', async () => {
    const fixture = new Fixture()
    fixture.listen('d')
    const config = { deliver_subject: 'd', durable_name: 'c' }
    await fixture.request('$JS.API.CONSUMER.CREATE.S.c', { stream_name: 'S', config })
    fixture.inbox.isBehind = true
    fixture.reader.publish('a')
    fixture.reader.publish('b')
    await fixture.settle()
    assert.equal(fixture.inbox.got.length, 1)
    fixture.inbox.isBehind = false
    fixture.scheduler.advance(10)
    await fixture.settle()
    assert.equal(fixture.inbox.got.length, 2)
  })

  it('are told of to whoever listens for advisories', async () => {
    const fixture = new Fixture()
    fixture.listen('$JS.EVENT.ADVISORY.>')
    await fixture.publish('$JS.API.CONSUMER.CREATE.S.c', null, CREATE)
    fixture.reader.publish('a')
    const [message] = await fixture.publish('$JS.API.CONSUMER.MSG.NEXT.S.c', '_INBOX.1', '')
    const [advisory] = await fixture.publish(message?.reply ?? '', null, '+TERM broken')
    assert.equal(advisory?.subject, '$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.c')
    const { id, ...json } = JSON.parse(advisory?.payload ?? '{}')
    assert.equal(typeof id, 'string')
    assert.deepEqual(json, {
      type: 'io.nats.jetstream.advisory.v1.terminated',
      timestamp: '2023-11-14T22:13:20.000Z',
      stream: 'S',
      consumer: 'c',
      consumer_seq: 1,
      stream_seq: 1,
      deliveries: 1,
      reason: 'broken',
    })
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Account } from '../../../../../src/frontends/nats/account.ts'
import {
  type ApiRequest,
  ApiRouter,
  type Gathering,
} from '../../../../../src/frontends/nats/jetstream/api-router.ts'
import { NatsHub } from '../../../../../src/frontends/nats/nats-hub.ts'
import { type Subscriber, Subscription } from '../../../../../src/frontends/nats/subscription.ts'
import type { PublishedMessage } from '../../../../../src/wire/nats/published-message.ts'
import { ManualScheduler } from '../../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock } from '../../../support/ports.ts'

/** Keeps what it gets as text. */
class Inbox implements Subscriber {
  readonly got: string[] = []

  deliver(_: Subscription, message: PublishedMessage): boolean {
    const { bytes, bodyStart, bodyEnd, headerByteCount } = message
    const headers = message.hasHeaders
      ? bytes.toString('latin1', bodyStart, bodyStart + headerByteCount)
      : ''
    const payload = bytes.toString('latin1', bodyStart + headerByteCount, bodyEnd)
    this.got.push([message.subject(), message.reply(), headers, payload].join('|'))
    return true
  }
}

function setUp() {
  const random = new CountingRandom()
  const hub = new NatsHub(random)
  const scheduler = new ManualScheduler(new FakeClock())
  const account = new Account('$G', hub, random, scheduler)
  const { publisher } = account
  const router = new ApiRouter(account, publisher, scheduler)
  const inbox = new Inbox()
  const listen = (subject: string): Subscription => {
    const subscription = new Subscription(inbox, subject, '', '1')
    account.router.insert(subject, '', subscription)
    return subscription
  }
  return { account, publisher, router, scheduler, inbox, listen }
}

describe('requests to the server', () => {
  it('reach the handler of their subject at the end of the turn, with what the wildcards stand for', () => {
    const { publisher, router, scheduler } = setUp()
    const requests: ApiRequest[] = []
    router.on('$JS.API.DIRECT.GET.*.>', (request) => requests.push(request))
    const headers = Buffer.from('NATS/1.0\r\nA: b\r\n\r\n')
    const isTaken = publisher.publish(
      '$JS.API.DIRECT.GET.S.a.b',
      '_INBOX.1',
      headers,
      Buffer.from('x'),
    )
    assert.equal(isTaken, true)
    assert.equal(requests.length, 0)
    scheduler.finishTurn()
    const [request] = requests
    assert.deepEqual(request?.tokens, ['S', 'a.b'])
    assert.equal(request?.reply, '_INBOX.1')
    assert.equal(request?.headers?.toString(), headers.toString())
    assert.equal(request?.payload.toString(), 'x')
  })

  it('are answered with the type of the answer, or with why not', () => {
    const { publisher, router, scheduler, inbox, listen } = setUp()
    listen('_INBOX.*')
    router.on('$JS.API.INFO', (request) =>
      router.answer(request, 'account_info_response', { a: 1 }),
    )
    router.on('$JS.API.X', (request) =>
      router.refuse(request, 'x_response', { code: 404, err_code: 1, description: 'no' }),
    )
    publisher.publish('$JS.API.INFO', '_INBOX.1', null, Buffer.alloc(0))
    publisher.publish('$JS.API.X', '_INBOX.2', null, Buffer.alloc(0))
    publisher.publish('$JS.API.X', null, null, Buffer.alloc(0))
    scheduler.finishTurn()
    const type = 'io.nats.jetstream.api.v1'
    assert.deepEqual(inbox.got, [
      `_INBOX.1|||{"type":"${type}.account_info_response","a":1}`,
      `_INBOX.2|||{"type":"${type}.x_response","error":{"code":404,"err_code":1,"description":"no"}}`,
    ])
  })
})

describe('requests that are gathered', () => {
  it('are handled in their order among the others', () => {
    const { publisher, router, scheduler } = setUp()
    const handled: string[] = []
    const gather = (): Gathering => {
      const subjects: string[] = []
      return {
        // Two of them at most belong together.
        add: (message) =>
          subjects.length < 2 &&
          message.subject() !== 'ack.alone' &&
          subjects.push(message.subject()) > 0,
        run: () => handled.push(subjects.join('+')),
      }
    }
    router.on('ack.>', ({ subject }) => handled.push(subject), gather)
    router.on('next.>', ({ subject }) => handled.push(subject))
    const subjects = ['ack.1', 'ack.2', 'ack.3', 'next.1', 'ack.4', 'ack.alone', 'ack.5', 'ack.6']
    for (const subject of subjects) publisher.publish(subject, null, null, Buffer.from('+ACK'))
    assert.deepEqual(handled, [])
    scheduler.finishTurn()
    assert.deepEqual(handled, [
      'ack.1+ack.2',
      'ack.3',
      'next.1',
      'ack.4',
      'ack.alone',
      'ack.5+ack.6',
    ])
  })

  it('are dropped when too many wait', () => {
    const { publisher, router, scheduler } = setUp()
    let count = 0
    const gather = (): Gathering => ({ add: () => ++count > 0, run: () => undefined })
    router.on('ack.>', () => undefined, gather)
    const publish = (): boolean => publisher.publish('ack.1', null, null, Buffer.alloc(0))
    let taken = 0
    while (publish()) taken++
    assert.equal(taken, 65_536)
    assert.equal(count, taken)
    scheduler.finishTurn()
    assert.equal(publish(), true)
  })
})

describe('messages of the server', () => {
  it('say whether anybody got them', () => {
    const { publisher, inbox, listen } = setUp()
    assert.equal(publisher.publish('a.b', null, null, Buffer.from('x')), false)
    listen('a.>')
    assert.equal(publisher.hasInterest('a.b'), true)
    const status = Buffer.from('NATS/1.0 404 No Messages\r\n\r\n')
    assert.equal(publisher.publish('a.b', 'r', status, Buffer.alloc(0)), true)
    assert.deepEqual(inbox.got, [`a.b|r|${status.toString()}|`])
  })

  it('tell when interest in a subject may have come or gone', () => {
    const { account, publisher, scheduler, listen } = setUp()
    let count = 0
    const watch = publisher.watchInterest('deliver.1', () => count++)
    const subscription = listen('deliver.1')
    scheduler.finishTurn()
    assert.equal(count, 1)
    listen('deliver.*')
    listen('other.*')
    scheduler.finishTurn()
    assert.equal(count, 2)
    account.router.remove('deliver.1', '', subscription)
    scheduler.finishTurn()
    assert.equal(count, 3)
    watch.stop()
    listen('deliver.1')
    scheduler.finishTurn()
    assert.equal(count, 3)
  })
})

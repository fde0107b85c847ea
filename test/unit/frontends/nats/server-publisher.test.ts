import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Account } from '../../../../src/frontends/nats/account.ts'
import { NatsHub } from '../../../../src/frontends/nats/nats-hub.ts'
import { type Subscriber, Subscription } from '../../../../src/frontends/nats/subscription.ts'
import type { PublishedMessage } from '../../../../src/wire/nats/published-message.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock } from '../../support/ports.ts'

it('a message of another account, published in turn, leaves the message as it was', () => {
  const random = new CountingRandom()
  const hub = new NatsHub(random)
  const scheduler = new ManualScheduler(new FakeClock())
  const [one, other] = ['A', 'B'].map((name) => new Account(name, hub, random, scheduler))
  assert.ok(one !== undefined && other !== undefined)
  const seen: string[] = []
  const listen = ({ router }: Account, deliver: (message: PublishedMessage) => void): void => {
    const subscriber: Subscriber = {
      deliver: (_, message) => {
        deliver(message)
        return true
      },
    }
    router.insert('s', '', new Subscription(subscriber, 's', '', ''))
  }
  const keep = (message: PublishedMessage): void => {
    seen.push(`${message.reply()} ${message.payload().toString()}`)
  }
  listen(one, () => other.publisher.publish('s', 'b', null, Buffer.from('second')))
  listen(one, keep)
  listen(other, keep)
  for (let i = 0; i < 2; i++) one.publisher.publish('s', 'a', null, Buffer.from('first'))
  assert.deepEqual(seen, ['b second', 'a first', 'b second', 'a first'])
})

it('who is told after one that publishes in turn gets the message as it was', () => {
  const random = new CountingRandom()
  const account = new Account(
    'A',
    new NatsHub(random),
    random,
    new ManualScheduler(new FakeClock()),
  )
  const { publisher, router } = account
  const seen: string[] = []
  const listen = (subject: string, deliver: (message: PublishedMessage) => void): void => {
    const subscriber: Subscriber = {
      deliver: (_, message) => {
        deliver(message)
        return true
      },
    }
    router.insert(subject, '', new Subscription(subscriber, subject, '', ''))
  }
  const keep = (message: PublishedMessage): void => {
    seen.push(`${message.subject()} ${message.reply()} ${message.payload().toString()}`)
  }
  const publishInTurn = (): void => {
    publisher.publish('inner', 'other', null, Buffer.from('second'))
  }
  listen('outer', publishInTurn)
  listen('outer', keep)
  listen('outer', publishInTurn)
  listen('inner', keep)
  publisher.publish('outer', 'reply', null, Buffer.from('first'))
  assert.deepEqual(seen, ['inner other second', 'outer reply first', 'inner other second'])
  seen.length = 0
  publisher.publish('inner', 'again', null, Buffer.from('third'))
  assert.deepEqual(seen, ['inner again third'])
})

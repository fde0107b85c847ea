import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Consumer } from '../../../../../src/broker/jetstream/consumer/consumer.ts'
import { ONE_MESSAGE } from '../../../../../src/broker/jetstream/consumer/pull-request.ts'
import { ConsumerFixture, configOf } from './consumer-fixture.ts'

const ACK_WAIT_MS = 1000
const MAX_DELIVERIES = 3
/** Acks that nobody asked about. */
const KEPT_AFTER_MS = 10
const SUBJECTS = ['a', 'b', 'c']

type Step =
  | { kind: 'publish'; subject: number }
  | { kind: 'pull'; batch: number }
  | { kind: 'ack' | 'nak' | 'progress' | 'term'; pick: number; isLate: boolean; isAsked: boolean }
  | { kind: 'remove'; pick: number; count: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'slow' | 'catch-up' | 'kill' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), subject: fc.nat(2) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pull' as const),
      batch: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('ack' as const, 'nak' as const, 'progress' as const, 'term' as const),
      pick: fc.nat(30),
      isLate: fc.boolean(),
      isAsked: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('remove' as const),
      pick: fc.nat(30),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 500, 1001) }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>({ kind: 'slow' }, { kind: 'catch-up' }, { kind: 'kill' }),
  },
)

/** What must hold of each message, in the simplest form. */
interface Known {
  deliveries: number
  isDone: boolean
}

class Model {
  readonly fixture = new ConsumerFixture()
  readonly messages = new Map<number, Known>()
  readonly removed = new Set<number>()
  /** Acknowledged just now, and nobody asked whether that is kept: a crash may forget it. */
  readonly #unkept = new Set<number>()
  readonly #filters: readonly string[]
  #seen = 0
  #lastConsumerSequence = 0

  constructor(filters: readonly string[]) {
    this.#filters = filters
  }

  async start(): Promise<void> {
    const created = await this.fixture.consumers.create({
      config: configOf({
        durable_name: 'c',
        ack_wait: ACK_WAIT_MS * 1_000_000,
        max_deliver: MAX_DELIVERIES,
        max_ack_pending: 6,
        filter_subjects: this.#filters,
      }),
      action: '',
      isPedantic: false,
    })
    assert.ok(created instanceof Consumer)
  }

  get consumer(): Consumer {
    return this.fixture.consumers.get('c') as Consumer
  }

  play(one: Step): void {
    const { reader } = this.fixture
    switch (one.kind) {
      case 'publish':
        reader.publish(SUBJECTS[one.subject] as string)
        break
      case 'pull':
        this.consumer.pull('r', { ...ONE_MESSAGE, batch: one.batch, expires: 5e9 })
        break
      case 'remove':
        this.#remove(one.pick, Math.min(one.pick + one.count - 1, reader.lastSequence))
        break
      case 'wait':
        this.#advance(one.ms)
        break
      case 'slow':
        reader.isSlow = true
        break
      case 'catch-up':
        reader.isSlow = false
        reader.catchUp()
        break
      case 'kill':
        this.#kill()
        break
      default:
        this.#say(one)
    }
    this.fixture.scheduler.finishTurn()
    this.check()
  }

  #remove(first: number, last: number): void {
    if (first > last) return
    for (let at = first; at <= last; at++) this.removed.add(at)
    this.fixture.reader.remove(first, last)
  }

  #kill(): void {
    const { reader } = this.fixture
    reader.isSlow = false
    this.fixture.restart(true)
    reader.catchUp()
    this.#lastConsumerSequence = this.consumer.info().delivered.consumer
    for (const sequence of this.#unkept) {
      const known = this.messages.get(sequence)
      const subject = reader.subjectOf(sequence)
      if (known === undefined || subject === undefined) continue
      known.isDone = !this.consumer.needs(sequence, subject)
    }
    this.#unkept.clear()
    for (const [sequence, known] of this.messages) {
      // A crash forgets deliveries that nothing came back of.
      if (!known.isDone && sequence > this.consumer.info().delivered.stream) known.deliveries = 0
    }
  }

  #advance(ms: number): void {
    this.fixture.advance(ms)
    if (ms >= KEPT_AFTER_MS) this.#unkept.clear()
  }

  #say({ kind, pick, isLate, isAsked }: Extract<Step, { isLate: boolean }>): void {
    const { delivered } = this.fixture
    if (delivered.length === 0) return
    const { outgoing } = delivered[
      (delivered.length - 1 - (pick % delivered.length)) % delivered.length
    ] as (typeof delivered)[number]
    if (isLate) this.#advance(ACK_WAIT_MS + 1)
    this.check()
    const { sequence } = outgoing.message
    const facts = {
      streamSequence: sequence,
      consumerSequence: outgoing.consumerSequence,
      deliveries: outgoing.deliveryCount,
    }
    const verb =
      kind === 'nak' ? { kind, delayMs: 0 } : kind === 'term' ? { kind, reason: '' } : { kind }
    const isKnown = sequence <= this.consumer.info().delivered.stream
    // An answer to `progress` says nothing of what is kept.
    const told = kind === 'progress' ? () => undefined : () => this.#unkept.clear()
    this.consumer.acknowledge({ verb, ...facts }, isAsked ? told : null)
    const known = this.messages.get(sequence)
    if (known === undefined || !isKnown || (kind !== 'ack' && kind !== 'term')) return
    if (!known.isDone) this.#unkept.add(sequence)
    known.isDone = true
  }

  check(): void {
    const { delivered, reader } = this.fixture
    for (const { outgoing } of delivered.slice(this.#seen)) this.#checkDelivery(outgoing)
    this.#seen = delivered.length
    const info = this.consumer.info()
    let toCome = 0
    let unacknowledged = 0
    for (let at = 1; at <= reader.lastSequence; at++) {
      const subject = reader.subjectOf(at)
      if (subject === undefined || !this.#passes(subject)) continue
      if (at > info.delivered.stream) toCome++
      else if (this.messages.get(at)?.isDone === false) unacknowledged++
    }
    assert.equal(info.pendingCount, toCome, 'what is to come is counted exactly')
    assert.ok(info.ackPendingCount <= unacknowledged, 'nothing that is done is pending')
    assert.ok(info.ackPendingCount <= 6, 'no more than may be are on their way')
    assert.ok(info.ackFloor.stream <= info.delivered.stream, 'the floor is behind')
    assert.ok(info.ackFloor.consumer <= info.delivered.consumer, 'the floor is behind')
    for (const [sequence, { isDone, deliveries }] of this.messages) {
      if (sequence > info.ackFloor.stream) continue
      const isOver = isDone || this.removed.has(sequence) || deliveries >= MAX_DELIVERIES
      assert.ok(isOver, `${sequence} is below the floor and not done`)
    }
  }

  #checkDelivery(outgoing: (typeof this.fixture.delivered)[number]['outgoing']): void {
    const { sequence, subject } = outgoing.message
    const known = this.messages.get(sequence) ?? { deliveries: 0, isDone: false }
    assert.ok(this.#passes(subject), 'what does not pass is not delivered')
    assert.equal(known.isDone, false, `${sequence} was done and came again`)
    known.deliveries++
    assert.ok(known.deliveries <= MAX_DELIVERIES + 1, 'not more often than may be')
    assert.equal(
      outgoing.consumerSequence,
      this.#lastConsumerSequence + 1,
      'deliveries are counted',
    )
    this.#lastConsumerSequence = outgoing.consumerSequence
    this.messages.set(sequence, known)
  }

  #passes(subject: string): boolean {
    return this.#filters.length === 0 || this.#filters.includes(subject)
  }

  /** All that is left gets through. */
  finish(): void {
    const { reader } = this.fixture
    reader.isSlow = false
    reader.catchUp()
    for (let round = 0; round < 200; round++) {
      this.consumer.pull('r', { ...ONE_MESSAGE, batch: 5, expires: 1e9 })
      this.check()
      for (const { outgoing } of this.fixture.delivered.slice(-5)) {
        const { message, consumerSequence, deliveryCount: deliveries } = outgoing
        const facts = { streamSequence: message.sequence, consumerSequence, deliveries }
        this.consumer.acknowledge({ verb: { kind: 'ack' }, ...facts }, null)
        const known = this.messages.get(message.sequence)
        if (known !== undefined && message.sequence <= this.consumer.info().delivered.stream)
          known.isDone = true
      }
      this.fixture.advance(ACK_WAIT_MS + 1)
      const { pendingCount, ackPendingCount } = this.consumer.info()
      if (pendingCount === 0 && ackPendingCount === 0) return
    }
    assert.fail('something is never delivered')
  }
}

describe('a JetStream consumer, whatever happens', () => {
  it('loses nothing, counts exactly and keeps acks over crashes', async () => {
    const filters = fc.constantFrom<readonly string[]>([], ['a'], ['a', 'c'])
    const steps = fc.array(step, { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(filters, steps, async (only, all) => {
        const model = new Model(only)
        await model.start()
        for (const one of all) model.play(one)
        model.finish()
      }),
      { numRuns: 300 },
    )
  })
})

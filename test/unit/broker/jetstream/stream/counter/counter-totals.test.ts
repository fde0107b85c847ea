import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CounterTotals } from '../../../../../../src/broker/jetstream/stream/counter/counter-totals.ts'
import { withHeaders } from '../../../../../../src/broker/jetstream/stream/message-headers.ts'
import {
  NO_FACTS,
  type PublishFacts,
} from '../../../../../../src/broker/jetstream/stream/publish-facts.ts'
import type { MessagesRead } from '../../../../../../src/broker/jetstream/stream/stream-reader.ts'

const FACTS: PublishFacts = { ...NO_FACTS, increment: '1' }
const MESSAGE = {
  subject: 's.a',
  headers: withHeaders(null, [['Nats-Incr', '1']]),
  payload: Buffer.alloc(0),
}

class Reads {
  readonly asked: (readonly number[])[] = []
  readonly #done: MessagesRead[] = []
  readonly totals = new CounterTotals((sequences, done) => {
    this.asked.push(sequences)
    this.#done.push(done)
  })

  /** @param body null: the message is gone */
  answer(sequence: number, body: string | null): void {
    const message = {
      ...{ sequence, subject: 's.a', headers: null, timestampMs: 1 },
      payload: Buffer.from(body ?? ''),
    }
    this.#done.shift()?.(null, [body === null ? null : message])
  }
}

describe('counters of which the last message has to be read', () => {
  it('are read once, and known after that', () => {
    const reads = new Reads()
    let readyCount = 0
    const prepare = (last: number): boolean =>
      reads.totals.prepare(
        ['s.a', 's.a'],
        () => last,
        9,
        () => readyCount++,
      )
    assert.equal(prepare(7), false)
    assert.equal(reads.totals.isReading, true)
    reads.answer(7, '{"val":"41"}')
    assert.equal(readyCount, 1)
    assert.equal(prepare(7), true)
    const added = reads.totals.add(MESSAGE, FACTS, 7, 10)
    assert.ok(!('err_code' in added))
    assert.equal(added.payload.toString(), '{"val":"42"}')
    assert.equal(prepare(10), true)
    assert.equal(prepare(8), false)
    assert.deepEqual(reads.asked, [[7], [8]])
  })

  it('refuse increments while they are broken or can not be read, and are read again then', () => {
    const reads = new Reads()
    const prepare = (): boolean =>
      reads.totals.prepare(
        ['s.a'],
        () => 7,
        9,
        () => undefined,
      )
    const errorOf = (): number | undefined => {
      const added = reads.totals.add(MESSAGE, FACTS, 7, 10)
      return 'err_code' in added ? added.err_code : undefined
    }
    prepare()
    reads.answer(7, 'hello')
    assert.equal(errorOf(), 10172)
    const others = new Reads()
    others.totals.prepare(
      ['s.a'],
      () => 7,
      9,
      () => undefined,
    )
    others.answer(7, null)
    const added = others.totals.add(MESSAGE, FACTS, 7, 10)
    assert.equal('err_code' in added && added.err_code, 10077)
    assert.equal(
      others.totals.prepare(
        ['s.a'],
        () => 7,
        9,
        () => undefined,
      ),
      false,
    )
  })
})

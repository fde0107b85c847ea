import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  addTo,
  counterOf,
  incrementOf,
  NO_COUNTER,
} from '../../../../../../src/broker/jetstream/stream/counter/counter-value.ts'
import { withHeaders } from '../../../../../../src/broker/jetstream/stream/message-headers.ts'
import type { NewMessage } from '../../../../../../src/broker/jetstream/stream/record-mapping.ts'

const NO_PAYLOAD = Buffer.alloc(0)

function increment(subject: string, by: bigint | string): NewMessage {
  return { subject, headers: withHeaders(null, [['Nats-Incr', String(by)]]), payload: NO_PAYLOAD }
}

/** As it comes from another stream. */
function copied(stream: string, total: bigint | string, by = '+1'): NewMessage {
  const headers = withHeaders(null, [
    ['Nats-Incr', by],
    ['Nats-Stream-Source', `${stream} 7 > > c.a id`],
  ])
  return { subject: 'all.a', headers, payload: Buffer.from(`{"val":"${total}"}`) }
}

describe('a counter (ADR-49)', () => {
  it('takes decimal integers of any size as increments', () => {
    assert.equal(incrementOf('+1'), 1n)
    assert.equal(incrementOf('-12'), -12n)
    assert.equal(incrementOf('0'), 0n)
    assert.equal(incrementOf('9'.repeat(60)), 10n ** 60n - 1n)
    for (const text of ['', '+', '1.5', '0x10', '1 2', '1_000', 'one']) {
      assert.equal(incrementOf(text), null, text)
    }
  })

  it('is the sum of its increments, whatever they are, in the body of the last message', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt(), { minLength: 1 }), (increments) => {
        let counter = NO_COUNTER
        for (const by of increments) {
          const added = addTo(counter, increment('c.a', by), by)
          assert.ok(added !== null)
          counter = counterOf(added.message.headers, added.message.payload) ?? NO_COUNTER
        }
        const sum = increments.reduce((total, by) => total + by, 0n)
        assert.equal(counter.total, sum)
      }),
    )
  })

  it('adds what is new in the total of a source, and keeps what each gave', () => {
    const first = addTo({ total: 5n, sources: new Map() }, copied('B', 3n), 1n)
    assert.ok(first !== null)
    assert.equal(first.message.payload.toString(), '{"val":"8"}')
    assert.equal(
      first.message.headers?.toString('latin1'),
      'NATS/1.0\r\nNats-Incr: 3\r\nNats-Stream-Source: B 7 > > c.a id\r\n' +
        'Nats-Counter-Sources: {"B":{"c.a":"3"}}\r\n\r\n',
    )
    const other = addTo(first.counter, copied('A&B', -2n), 1n)
    assert.ok(other !== null)
    const kept = counterOf(other.message.headers, other.message.payload)
    assert.deepEqual(kept, other.counter)
    assert.match(
      other.message.headers?.toString('latin1') ?? '',
      /Nats-Counter-Sources: \{"A\\u0026B":\{"c.a":"-2"\},"B":\{"c.a":"3"\}\}\r\n/,
    )
    const again = addTo(other.counter, copied('B', 10n), 1n)
    assert.equal(again?.message.payload.toString(), '{"val":"13"}')
    assert.match(again?.message.headers?.toString('latin1') ?? '', /Nats-Incr: 7\r\n/)
  })

  it('is broken when the body or the sources are something else', () => {
    const sources = withHeaders(null, [['Nats-Counter-Sources', '{"A":5}']])
    assert.equal(counterOf(null, Buffer.from('5')), null)
    assert.equal(counterOf(null, Buffer.from('{"val":5}')), null)
    assert.equal(counterOf(null, Buffer.from('["val"]')), null)
    assert.equal(counterOf(sources, Buffer.from('{"val":"5"}')), null)
    assert.deepEqual(counterOf(null, Buffer.from('{}')), NO_COUNTER)
    const message = { ...copied('B', 1n), payload: Buffer.from('hello') }
    assert.equal(addTo(NO_COUNTER, message, 1n), null)
  })
})

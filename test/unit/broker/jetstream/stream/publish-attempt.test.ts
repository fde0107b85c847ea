import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { withHeaders } from '../../../../../src/broker/jetstream/stream/message-headers.ts'
import { configOf, type Outcome, StreamHarness } from './stream-harness.ts'

/** What would come of a message, or that it was not told. */
function attempt(
  { stream, scheduler }: StreamHarness,
  subject: string,
  headers: Readonly<Record<string, string>> = {},
): Outcome | 'not told' {
  let told: Outcome | 'not told' = 'not told'
  const message = {
    subject,
    headers: withHeaders(null, Object.entries(headers)),
    payload: Buffer.from('x'),
  }
  stream.attempt(message, (outcome) => {
    told = outcome
  })
  scheduler.finishTurn()
  return told
}

describe('a message that is only to be traced', () => {
  it('leaves nothing in the stream, not even its id', async () => {
    const harness = await StreamHarness.start(configOf({}))
    assert.equal(attempt(harness, 's.a', { 'Nats-Msg-Id': 'i' }), null)
    assert.deepEqual(harness.publish('s.a', { 'Nats-Msg-Id': 'i' }), {
      ...{ sequence: 1, isDuplicate: false },
    })
    assert.equal(harness.stream.lastSequence, 1)
  })

  it('is refused as it would be behind what is on its way', async () => {
    const harness = await StreamHarness.start(configOf({ max_msg_size: 60 }))
    harness.publishOnly('s.a', { 'Nats-Msg-Id': 'i' })
    assert.deepEqual(attempt(harness, 's.a', { 'Nats-Msg-Id': 'i' }), {
      ...{ sequence: 1, isDuplicate: true },
    })
    const refused: readonly (readonly [name: string, value: string, error: number])[] = [
      ['Nats-Expected-Last-Sequence', '0', 10071],
      ['Nats-Expected-Last-Msg-Id', 'other', 10070],
      ['Nats-Expected-Stream', 'other', 10060],
      ['Nats-Rollup', 'sub', 10111],
      ['A', 'x'.repeat(60), 10054],
    ]
    for (const [name, value, error] of refused) {
      const outcome = attempt(harness, 's.a', { [name]: value })
      assert.ok(outcome !== null && typeof outcome === 'object' && 'err_code' in outcome, name)
      assert.equal(outcome.err_code, error)
    }
    assert.equal(attempt(harness, 's.a', { 'Nats-Expected-Last-Sequence': '1' }), null)
  })

  it('is not a counter without an increment', async () => {
    const harness = await StreamHarness.start(configOf({ allow_msg_counter: true }))
    const refused = attempt(harness, 's.a')
    assert.ok(refused !== null && typeof refused === 'object' && 'err_code' in refused)
    assert.equal(refused.err_code, 10169)
  })

  it('finds no interest in a stream for consumers that has none', async () => {
    const harness = await StreamHarness.start(configOf({ retention: 'interest' }))
    assert.equal(harness.stream.hasNoInterest('s.a'), true)
    harness.stream.setNeeds((_sequence, subject) => subject === 's.a')
    assert.deepEqual(
      ['s.a', 's.b'].map((subject) => harness.stream.hasNoInterest(subject)),
      [false, true],
    )
    const plain = await StreamHarness.start(configOf({}))
    assert.equal(plain.stream.hasNoInterest('s.a'), false)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConsumerFixture, configOf } from './consumer-fixture.ts'

async function pushed(fixture: ConsumerFixture, optStartSequence: number): Promise<void> {
  const config = configOf({
    durable_name: 'C',
    deliver_subject: 'd',
    deliver_policy: 'by_start_sequence',
    opt_start_seq: optStartSequence,
    ack_policy: 'none',
  })
  const made = await fixture.consumers.create({ config, action: '', isPedantic: false })
  assert.ok(!('err_code' in made))
}

function sequences({ delivered }: ConsumerFixture): number[] {
  return delivered.map(({ outgoing }) => outgoing.message.sequence)
}

describe('a consumer of a stream whose log lost its end', () => {
  it('is given what is published after the damage', async () => {
    const fixture = new ConsumerFixture()
    for (let i = 1; i <= 4; i++) fixture.reader.publish('s.a')
    await pushed(fixture, 1)
    fixture.advance(1000)
    assert.deepEqual(sequences(fixture), [1, 2, 3, 4])
    fixture.reader.loseAfter(2)
    fixture.restart(false)
    assert.equal(fixture.reader.publish('s.b'), 5)
    fixture.advance(1000)
    assert.deepEqual(sequences(fixture), [1, 2, 3, 4, 5])
  })

  it('takes no sequences from the stream when it only waits for one that is to come', async () => {
    const fixture = new ConsumerFixture()
    await pushed(fixture, 100)
    fixture.restart(false)
    assert.equal(fixture.reader.publish('s.a'), 1)
  })
})

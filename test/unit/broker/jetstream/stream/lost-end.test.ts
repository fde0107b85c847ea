import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lastRemoved } from '../../../../../src/broker/jetstream/stream/removal-keeper.ts'
import { configOf, StreamHarness } from './stream-harness.ts'

async function tenMessages(): Promise<StreamHarness> {
  const harness = await StreamHarness.start(configOf({}))
  for (let i = 1; i <= 10; i++) harness.publish(`s.${i}`)
  return harness
}

async function loseAfter(harness: StreamHarness, sequence: number): Promise<void> {
  harness.log.loseFrom(sequence)
  await harness.restart()
  harness.settle()
}

describe('a stream whose log lost its end', () => {
  it('gives no sequence that a removal speaks of to a new message', async () => {
    const harness = await tenMessages()
    harness.stream.removeMessage(8, () => undefined)
    await loseAfter(harness, 5)
    assert.equal(harness.stream.lastSequence, 8)
    for (const sequence of [9, 10]) {
      assert.deepEqual(harness.publish('s.new'), { sequence, isDuplicate: false })
    }
    const before = harness.snapshot()
    await harness.restart()
    assert.deepEqual(harness.snapshot(), before)
    assert.equal(harness.stream.state.index.messageCount, 7)
  })

  it('begins behind a purge that was above its end', async () => {
    const harness = await tenMessages()
    assert.equal(harness.purge([]), 10)
    await loseAfter(harness, 5)
    assert.deepEqual(harness.publish('s.new'), { sequence: 11, isDuplicate: false })
    await harness.restart()
    assert.equal(harness.stream.state.index.messageCount, 1)
    assert.equal(harness.stream.firstSequence, 11)
  })

  it('gives up what consumers were given', async () => {
    const harness = await tenMessages()
    await loseAfter(harness, 5)
    harness.stream.neverAgain(7)
    harness.settle()
    assert.deepEqual(harness.publish('s.new'), { sequence: 8, isDuplicate: false })
  })

  it('goes on as before when nothing is lost', async () => {
    const harness = await tenMessages()
    harness.stream.removeMessage(10, () => undefined)
    await harness.restart()
    assert.equal(harness.log.logEndOffset, 10)
    assert.deepEqual(harness.publish('s.new'), { sequence: 11, isDuplicate: false })
  })

  it('finds the highest removed sequence in any block', () => {
    const bits = Buffer.alloc(1024)
    bits[0] = 0b101
    bits[1] = 0b10
    assert.equal(lastRemoved({ floor: 4, blocks: new Map() }), 3)
    assert.equal(lastRemoved({ floor: 0, blocks: new Map([[1, bits]]) }), 8192 + 9)
    assert.equal(lastRemoved({ floor: 9000, blocks: new Map([[0, bits]]) }), 8999)
  })
})

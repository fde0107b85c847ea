import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  isFastReply,
  parseFastReply,
} from '../../../../../src/frontends/nats/jetstream/fast-batch-reply.ts'

describe('the reply subject of a fast batch (ADR-50)', () => {
  it('is told from others by its end', () => {
    const isFast = (text: string) => isFastReply(Buffer.from(`${text} 5`), 0, text.length)
    assert.equal(isFast('_INBOX.x.b.10.ok.1.0.$FI'), true)
    assert.equal(isFast('_INBOX.x.$FI.y'), false)
    assert.equal(isFast('.$FI'), false)
    assert.equal(isFast(''), false)
  })

  it('says what the message is to its batch', () => {
    assert.deepEqual(parseFastReply('_INBOX.x.batch.50.ok.1.0.$FI'), {
      ...{ batchId: 'batch', sequence: 1, maxAckEvery: 50 },
      ...{ isGapAllowed: true, operation: 'store' },
    })
    const operations = ['7.1', '1.2', '7.2', '7.3', '7.4'].map(
      (text) => parseFastReply(`p.b.1.fail.${text}.$FI`)?.operation,
    )
    assert.deepEqual(operations, ['store', 'commit', 'commit', 'end', 'ping'])
  })

  it('takes a flow that is none for 10, and one that is too large for the largest', () => {
    const flowOf = (text: string) => parseFastReply(`p.b.${text}.ok.1.0.$FI`)?.maxAckEvery
    assert.deepEqual(['0', 'x', '-3', '70000', '65535'].map(flowOf), [10, 10, 10, 65_535, 65_535])
  })

  it('may not begin but with the first message, nor have other words', () => {
    const bad = [
      ...['b.1.ok.1.0', 'p.b.1.maybe.1.0', 'p.b.1.ok.x.0', 'p.b.1.ok.0.0', 'p.b.1.ok.2.0'],
      ...['p.b.1.ok.1.1', 'p.b.1.ok.1.3', 'p.b.1.ok.1.5', 'p.b.1.ok.1.-1', 'p.b.1.ok.1.'],
    ]
    for (const text of bad) assert.equal(parseFastReply(`${text}.$FI`), null, text)
  })
})

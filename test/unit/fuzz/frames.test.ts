import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fuzz } from '../../fuzz/fuzz.ts'

/** `npm run fuzz` sends more, from a new seed each time. */
const SEED = 20_000

describe('20,000 changed frames', () => {
  it('get answers or close their connection, leave nothing behind and a disk that opens', async () => {
    const report = await fuzz({ frameCount: 20_000, seed: SEED })
    assert.ok(report.frameCount >= 20_000)
    assert.ok(report.answerCount > 4000, `${report.answerCount} answers`)
    assert.ok(report.closedCount > 1000, `${report.closedCount} closed`)
    assert.ok(report.topicCount > 2)
  })
})

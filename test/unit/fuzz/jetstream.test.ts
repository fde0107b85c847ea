import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fuzzJetStream } from '../../fuzz/jetstream.ts'

/** `npm run fuzz -- --jetstream` sends more, from a new seed each time. */
const SEED = 4222

describe('2,000 changed requests of the JetStream API', () => {
  it('are answered in JSON, and the next one too', async () => {
    const report = await fuzzJetStream({ inputCount: 2000, seed: SEED })
    assert.ok(report.doneCount > 200, `${report.doneCount} done`)
    assert.ok(report.refusedCount > 500, `${report.refusedCount} refused`)
  })
})

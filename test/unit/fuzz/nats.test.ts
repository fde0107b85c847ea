import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fuzzNats } from '../../fuzz/nats.ts'

/** `npm run fuzz -- --nats` sends more, from a new seed each time. */
const SEED = 4222

describe('10,000 changed NATS operations', () => {
  it('harm nobody else, whatever pieces they come in, and leave nothing behind', async () => {
    const report = await fuzzNats({ inputCount: 10_000, seed: SEED })
    assert.ok(report.closedCount > 2000, `${report.closedCount} closed`)
    assert.ok(report.deliveredCount > 2000, `${report.deliveredCount} delivered`)
    assert.ok(report.errorCount > 500, `${report.errorCount} errors`)
  })
})

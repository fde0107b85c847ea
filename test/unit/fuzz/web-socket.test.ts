import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fuzzWebSocket } from '../../fuzz/web-socket.ts'

/** `npm run fuzz -- --web-socket` sends more, from a new seed each time. */
const SEED = 8080

describe('1,000 changed requests and frames of WebSocket', () => {
  it('harm nobody else, and leave nothing behind', async () => {
    const report = await fuzzWebSocket({ inputCount: 1000, seed: SEED })
    assert.ok(report.refusedCount > 20, `${report.refusedCount} refused`)
    assert.ok(report.closedCount > 0, `${report.closedCount} closed`)
  })
})

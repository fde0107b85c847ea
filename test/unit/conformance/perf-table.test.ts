import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { perfRow, progressRate, withoutProgress } from '../../support/perf-table.ts'

/** Printed by the tools of Kafka 4.4.0. */
const CONSUMER = `start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
2026-11-26 12:27:32:841, 2026-11-26 12:27:33:405, 0.4768, 0.8455, 5000, 8865.2482, 513, 51, 9.3497, 98039.2157
`
const SHARE_CONSUMER = `start.time, end.time, data.consumed.in.MB, MB.sec, nMsg.sec, data.consumed.in.nMsg, fetch.time.ms
2026-11-26 12:27:37:782, 2026-11-26 12:27:43:363, 0.4768, 0.0854, 895.8968, 5000, 5581
`
const SHARE_PROGRESS = `2026-11-26 16:26:28:694, 2026-11-26 16:26:33:951, 0.0010, 0.0002, 0.1902, 1, 5257 for share consumer 1
2026-11-26 16:26:33:951, 2026-11-26 16:26:33:964, 0.5029, 38.6118, 39538.4615, 515, 13 for share consumer 1
2026-11-26 16:26:33:964, 2026-11-26 16:26:34:006, 1.0264, 12.4628, 12761.9048, 1051, 42 for share consumer 1
`

describe('the table of a performance tool of Kafka', () => {
  it('gives the same columns of both consumers, wherever they stand', () => {
    for (const [output, perSecond, fetchMs] of [
      [CONSUMER, 8865.2482, 51],
      [SHARE_CONSUMER, 895.8968, 5581],
    ] as const) {
      const row = perfRow(output)
      assert.equal(row('data.consumed.in.nMsg'), 5000)
      assert.equal(row('data.consumed.in.MB'), 0.4768)
      assert.equal(row('nMsg.sec'), perSecond)
      assert.equal(row('fetch.time.ms'), fetchMs)
    }
  })

  it('is found behind warnings', () => {
    const noise = 'WARN: Exiting before consuming the expected number of records, timed out\n\n'
    assert.equal(perfRow(noise + SHARE_CONSUMER)('fetch.time.ms'), 5581)
  })

  it('has no number where it has a time, or no such column', () => {
    const row = perfRow(SHARE_CONSUMER)
    assert.throws(() => row('start.time'), /no number start\.time/)
    assert.throws(() => row('rebalance.time.ms'), /no number rebalance\.time\.ms/)
  })

  it('is told apart from the progress before it, which gives the rate without the time to join', () => {
    const [header, result] = SHARE_CONSUMER.split('\n')
    const output = `${header}\n${SHARE_PROGRESS}${result}\n`
    assert.equal(perfRow(withoutProgress(output))('fetch.time.ms'), 5581)
    assert.equal(progressRate(output), (1.0264 - 0.001) / 0.055)
    assert.throws(() => progressRate(SHARE_CONSUMER), /no progress/)
  })

  it('is missing when the tool failed, also after the header', () => {
    assert.throws(() => perfRow('Error: no such topic'), /no table/)
    assert.throws(() => perfRow(CONSUMER.split('\n')[0] ?? ''), /no table/)
  })
})

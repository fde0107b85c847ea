import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { damageDirectory, makeHistory } from '../../fuzz/metadata-directory.ts'

const SEED = 1
const CASE_COUNT = 250

describe('a start on damaged metadata serves what was committed, says what it lost, or refuses', () => {
  for (const isCleanlyStopped of [true, false]) {
    const when = isCleanlyStopped ? 'a clean stop' : 'kill -9'
    for (const damage of ['bytes', 'records'] as const) {
      it(`after ${when}, with changed ${damage}`, async () => {
        const history = await makeHistory(isCleanlyStopped)
        const report = await damageDirectory(history, {
          seed: SEED,
          caseCount: CASE_COUNT,
          damage,
        })
        const text = JSON.stringify(report)
        assert.ok(report.whole > CASE_COUNT / 4 && report.refused > CASE_COUNT / 50, text)
        if (damage === 'bytes') assert.equal(report.older > 0, !isCleanlyStopped, text)
        else assert.ok(report.changed > 0, text)
      })
    }
  }
})

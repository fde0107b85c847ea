import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { runRound } from './round.ts'

const ROUNDS = 3
const firstSeed = randomInt(1_000_000)

for (let seed = firstSeed; seed < firstSeed + ROUNDS; seed++) {
  test(`after kill -9 no acknowledged record is missing and no idempotent one is there twice (seed ${seed})`, async () => {
    const result = await runRound({ kind: 'spool', seed, killCount: 2 })
    assert.ok(result.ackedCount > 0, 'the kills came before anything was acknowledged')
    assert.ok(result.commitCount > 0, 'the kills came before any offset was committed')
  })
}

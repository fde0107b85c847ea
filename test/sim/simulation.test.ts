import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { simulate } from './simulation.ts'

const SMOKE_SEEDS = 200
const TIMEOUT_MS = 300_000

async function hashOfTrace(seed: number): Promise<string> {
  const hash = createHash('sha256')
  await simulate({ seed, trace: (line) => hash.update(line) })
  return hash.digest('hex')
}

describe('a broker on a disk that lies', { timeout: TIMEOUT_MS }, () => {
  it('keeps its promises whatever happens, seed by seed', { timeout: TIMEOUT_MS }, async () => {
    for (let seed = 1; seed <= SMOKE_SEEDS; seed++) {
      try {
        await simulate({ seed })
      } catch (error) {
        assert.fail(`npm run sim -- --seed ${seed} --trace: ${(error as Error).message}`)
      }
    }
  })

  it('does exactly the same for the same seed', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      assert.equal(await hashOfTrace(seed), await hashOfTrace(seed), `seed ${seed}`)
    }
  })

  it('does something else for another seed', async () => {
    assert.notEqual(await hashOfTrace(1), await hashOfTrace(2))
  })
})

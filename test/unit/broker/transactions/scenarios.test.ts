import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { TransactionScenario } from './transaction-scenario.ts'

const FOLDER = fileURLToPath(new URL('../../../scenarios/transactions/', import.meta.url))
/** `node test/unit/broker/transactions/scenarios.test.ts --rewrite`, then review the difference. */
const isRewrite = process.argv.includes('--rewrite')

describe('scenarios of transactions', () => {
  const files = globSync(`${FOLDER}*.txt`).sort()

  it('are there', () => {
    assert.ok(files.length >= 6)
  })

  for (const file of files) {
    it(`${basename(file, '.txt')} goes as written`, async () => {
      const script = readFileSync(file, 'utf8')
      const played = await new TransactionScenario().play(script)
      if (isRewrite) writeFileSync(file, played)
      else assert.equal(played, script)
    })
  }
})

import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Scenario } from './scenario.ts'

const FOLDER = fileURLToPath(new URL('../../../scenarios/groups/', import.meta.url))
/** `node test/unit/broker/groups/scenarios.test.ts --rewrite`, then review the difference. */
const isRewrite = process.argv.includes('--rewrite')

describe('scenarios of consumer groups', () => {
  const files = globSync(`${FOLDER}*.txt`).sort()

  it('are there', () => {
    assert.ok(files.length >= 6)
  })

  for (const file of files) {
    it(`${basename(file, '.txt')} goes as written`, async () => {
      const script = readFileSync(file, 'utf8')
      const played = await new Scenario().play(script)
      if (isRewrite) writeFileSync(file, played)
      else assert.equal(played, script)
    })
  }
})

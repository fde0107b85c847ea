import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openFileLimit } from '../../../src/adapters/open-file-limit.ts'

const HEAD = 'Limit                     Soft Limit           Hard Limit           Units     \n'

describe('openFileLimit', () => {
  it('reads the soft limit as Linux prints it', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'spool-limits-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const file = join(directory, 'limits')
    for (const [text, limit] of [
      ['1024                 524288', 1024],
      ['unlimited            unlimited', Number.MAX_SAFE_INTEGER],
    ] as const) {
      writeFileSync(file, `${HEAD}Max processes  1 2\nMax open files            ${text}  files\n`)
      assert.equal(openFileLimit(file), limit)
    }
    writeFileSync(file, HEAD)
    assert.equal(openFileLimit(file), null)
    assert.equal(openFileLimit(join(directory, 'missing')), null)
  })
})

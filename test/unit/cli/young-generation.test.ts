import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

const MODULE = join(import.meta.dirname, '../../../src/cli/young-generation.ts')
const MB = 1024 * 1024

/** Makes many objects, of which enough live for a while that V8 wants a larger space for them. */
const LOAD = `
  import { getHeapSpaceStatistics } from 'node:v8'
  let kept = []
  for (let turn = 0; turn < 400; turn++) {
    for (let i = 0; i < 10_000; i++) kept.push({ i })
    if (kept.length > 50_000) kept = []
    await new Promise((resolve) => setImmediate(resolve))
  }
  const space = getHeapSpaceStatistics().find((each) => each.space_name === 'new_space')
  console.log(space.space_size)
`

async function newSpaceAfter(script: string): Promise<number> {
  const args = ['--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return Number(stdout)
}

describe('the space of new objects', () => {
  it('stops growing at 8 MB, where V8 would go on', async () => {
    const bounded = `import { boundYoungGeneration } from ${JSON.stringify(MODULE)}\nboundYoungGeneration()\n${LOAD}`
    const sizes = await Promise.all([newSpaceAfter(bounded), newSpaceAfter(LOAD)])
    assert.ok(sizes[0] >= 4 * MB && sizes[0] < 16 * MB, `${sizes[0]} bytes`)
    assert.ok(sizes[1] >= 16 * MB, `${sizes[1]} bytes without a bound`)
  })
})

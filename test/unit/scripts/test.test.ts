import { strict as assert } from 'node:assert'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { readCounts } from '../../../scripts/run-step.ts'
import { runNode, withTree } from './temporary-tree.ts'

const script = resolve('scripts/test.ts')
const PASSING = "import { it } from 'node:test'\nit('holds', () => {})\n"
const FAILING =
  "import { it } from 'node:test'\nit('fails', () => { throw new Error('planted') })\n"

async function lastLineOf(files: Readonly<Record<string, string>>, ...args: string[]) {
  let ended = { exitCode: -1, lastLine: '' }
  const tree = { ...files, 'package.json': '{"type":"module"}' }
  await withTree(tree, async (root) => {
    const { exitCode, stdout } = await runNode([script, ...args], { cwd: root })
    ended = { exitCode, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' }
  })
  return ended
}

describe('the test runner', () => {
  it('adds up the counts of unit and end-to-end tests and exits 0', async () => {
    const files = { 'test/unit/a.test.ts': PASSING, 'test/e2e/b.test.ts': PASSING }
    assert.deepEqual(await lastLineOf(files), { exitCode: 0, lastLine: '2 passed, 0 failed' })
  })

  it('runs the smoke of the bench only when it is named', async () => {
    const files = {
      'test/unit/a.test.ts': PASSING,
      'test/e2e/b.test.ts': PASSING,
      'test/bench/c.test.ts': FAILING,
    }
    assert.deepEqual(await lastLineOf(files), { exitCode: 0, lastLine: '2 passed, 0 failed' })
    assert.deepEqual(await lastLineOf(files, 'bench'), {
      exitCode: 1,
      lastLine: '0 passed, 1 failed',
    })
  })

  it('counts a failed test and exits 1', async () => {
    const files = { 'test/unit/a.test.ts': PASSING + FAILING.split('\n')[1] }
    const ended = await lastLineOf(files, 'unit')
    assert.deepEqual(ended, { exitCode: 1, lastLine: '1 passed, 1 failed' })
  })

  it('fails when a file cannot be loaded', async () => {
    const files = { 'test/unit/a.test.ts': "import './gone.ts'\n" }
    assert.equal((await lastLineOf(files, 'unit')).exitCode, 1)
  })

  it('fails when there is no test', async () => {
    assert.deepEqual(await lastLineOf({}, 'unit'), { exitCode: 1, lastLine: '0 passed, 1 failed' })
    assert.equal((await lastLineOf({}, 'nonsense')).exitCode, 1)
  })
})

describe('reading counts', () => {
  it('takes the last count of an output', () => {
    const output = '3 passed, 1 failed\nmore\n10 passed, 0 failed\n'
    assert.deepEqual(readCounts(output), { passed: 10, failed: 0 })
  })

  it('finds none in other text', () => {
    assert.equal(readCounts('all 3 passed, 0 failed'), undefined)
  })
})

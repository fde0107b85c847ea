import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { runNode, withTree } from './temporary-tree.ts'

async function problemsWith(files: Readonly<Record<string, string>>): Promise<string> {
  let stderr = ''
  await withTree(files, async (root) => {
    const ended = await runNode(['scripts/check-tidy.ts', root])
    stderr = ended.stderr
    assert.equal(ended.exitCode, stderr === '' ? 0 : 1)
  })
  return stderr
}

// The planted words are put together so that this file itself stays tidy.
describe('check-tidy', () => {
  it('accepts a tidy tree', async () => {
    const files = { 'a.ts': 'export const a = 1\n', 'b.md': 'See [a](a.ts) and [b](#top).\n' }
    assert.equal(await problemsWith(files), '')
  })

  it('fails on words that mark unfinished work', async () => {
    for (const word of ['TO' + 'DO', 'FIX' + 'ME']) {
      assert.match(await problemsWith({ 'a.ts': `// ${word}: later\n` }), /a\.ts:1: unfinished/)
    }
  })

  it('fails on paths of one machine', async () => {
    const files = { 'a.md': `ok\nrun /${'work'}/main/bin\n` }
    assert.match(await problemsWith(files), /a\.md:2: a path of one machine/)
  })

  it('fails on hosts of package registries', async () => {
    const files = { 'run.sh': `curl https://registry.${'npmjs'}.org/x\n` }
    assert.match(await problemsWith(files), /run\.sh:1: names the package registry/)
  })

  it('fails on a link to a file that is not there', async () => {
    assert.match(await problemsWith({ 'a.md': '[gone](gone.md)\n' }), /a\.md:1: dead link gone\.md/)
  })

  it('fails on a file that is too large', async () => {
    assert.match(await problemsWith({ 'a.txt': 'x'.repeat(1024 * 1024 + 1) }), /1048577 bytes/)
  })

  it('fails when it saw nothing', async () => {
    assert.match(await problemsWith({}), /no file seen/)
  })
})

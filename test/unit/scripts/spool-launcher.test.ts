import { strict as assert } from 'node:assert'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { runNode, withTree } from './temporary-tree.ts'

/** What the programs of bin/ share, as an older Node sees it: only the version it reads is another. */
function runSeeing(version: string): string {
  const text = readFileSync('bin/run.mjs', 'utf8')
  const changed = text.replaceAll('process.versions.node', `'${version}'`)
  assert.notEqual(changed, text)
  return changed
}

const SPOOL = readFileSync('bin/spool.mjs', 'utf8')
const MAIN = 'export const runCommandLine = () => console.log("started")\n'

describe('bin/spool.mjs', () => {
  it('runs the built code of a published package', async () => {
    const files = {
      'bin/spool.mjs': SPOOL,
      'bin/run.mjs': readFileSync('bin/run.mjs', 'utf8'),
      'lib/main.js': MAIN,
    }
    await withTree(files, async (root) => {
      const ended = await runNode([`${root}/bin/spool.mjs`], { env: { XDG_CACHE_HOME: root } })
      assert.equal(ended.stdout, 'started\n')
    })
  })

  it('says what to do when Node is too old and npm installed no other', async () => {
    const files = {
      'bin/spool.mjs': SPOOL,
      'bin/run.mjs': runSeeing('20.20.2'),
      'lib/main.js': MAIN,
    }
    await withTree(files, async (root) => {
      const ended = await runNode([`${root}/bin/spool.mjs`])
      assert.equal(ended.exitCode, 1)
      assert.match(ended.stderr, /^spool: Node 20\.20\.2 is too old: run "npm ci".*\n$/)
      assert.equal(ended.stdout, '')
    })
  })

  it('refuses 24.11 and accepts 24.12, 24.21 and 25', async () => {
    for (const [version, isAccepted] of [
      ['24.11.9', false],
      ['24.12.0', true],
      ['24.21.0', true],
      ['25.0.0', true],
    ] as const) {
      const files = {
        'bin/spool.mjs': SPOOL,
        'bin/run.mjs': runSeeing(version),
        'lib/main.js': MAIN,
      }
      await withTree(files, async (root) => {
        const ended = await runNode([`${root}/bin/spool.mjs`], { env: { XDG_CACHE_HOME: root } })
        assert.equal(ended.exitCode, isAccepted ? 0 : 1, version)
      })
    }
  })

  it('continues on the Node that npm installed and passes its exit code on', async () => {
    const home = `node_modules/node-${process.platform}-${process.arch}`
    const files = {
      'bin/spool.mjs': SPOOL,
      'bin/run.mjs': runSeeing('20.20.2'),
      [`${home}/package.json`]: '{}',
      [`${home}/bin/node`]: '#!/bin/sh\necho "other node: $2"\nexit 7\n',
    }
    await withTree(files, async (root) => {
      const { chmodSync } = await import('node:fs')
      chmodSync(`${root}/${home}/bin/node`, 0o755)
      const ended = await runNode([`${root}/bin/spool.mjs`, 'serve'])
      assert.equal(ended.stdout, 'other node: serve\n')
      assert.equal(ended.exitCode, 7)
    })
  })
})

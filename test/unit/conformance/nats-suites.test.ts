import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import { configurationOf } from '../../conformance/suites/nats-go/tested-server.ts'
import { parseReporter } from '../../conformance/suites/reported-tests.ts'
import { runNode, withTree } from '../scripts/temporary-tree.ts'

const DENO_TEST = `
import { assertEquals, assertRejects } from '@std/assert'
import { type Kind, twice } from '@acme/core/internal'
import { helper } from './helper'
import { own } from 'nst'
import { packaged } from 'npm:packaged@^1.2.3'
enum Answer { Yes = 42 }
Deno.test('holds', async (t) => {
  assertEquals(twice(21), Answer.Yes)
  assertEquals([helper, own, packaged], ['helper', 'own', 'packaged'])
  assertEquals(new Uint8Array([1]), Buffer.from([1]))
  await t.step('a step', () => assertRejects(() => Promise.reject(new TypeError('as planted')), TypeError, 'planted'))
})
Deno.test({ name: 'ignored', ignore: true, fn: () => { throw new Error('it ran') } })
Deno.test.ignore('never', () => { throw new Error('it ran') })
Deno.test('abroad', () => { throw new Error('nats://demo.nats.io') })
Deno.test('fails', { sanitizeOps: false }, async () => {
  await assertRejects(() => Promise.resolve())
})
`

describe('the tests of nats.js on Node', () => {
  it('find their modules as in Deno, have its test function and its assertions', async () => {
    const tree = {
      'core/deno.json': JSON.stringify({
        name: '@acme/core',
        exports: { '.': './src/mod.ts', './internal': './src/internal.ts' },
      }),
      'core/src/internal.ts':
        'export interface Kind { a: number }\nexport const twice = (a: number) => 2 * a',
      'core/tests/a_test.ts': DENO_TEST,
      'core/tests/helper.ts': "export const helper = 'helper'",
      'core/tests/nst.ts': "export const own = 'own'",
      'packages/node_modules/packaged/package.json': '{ "type": "module", "main": "index.js" }',
      'packages/node_modules/packaged/index.js': "export const packaged = 'packaged'",
    }
    await withTree(tree, async (root) => {
      const suites = resolve('test/conformance/suites')
      const reporter = `--test-reporter=${suites}/line-reporter.ts`
      const runtime = `${suites}/nats-js/deno-runtime.ts`
      const env = { NATS_JS_CHECKOUT: root, NATS_JS_PACKAGES: `${root}/packages` }
      const args = ['--import', runtime, '--test', reporter, 'core/tests/a_test.ts']
      const { stdout } = await runNode(args, { cwd: root, env: { ...process.env, ...env } })
      const found = parseReporter(stdout).map(({ name, status }) => {
        return `${status} ${name.replace(/^\S+ > /, '')}`
      })
      assert.deepEqual(found, [
        'pass holds > a step',
        'skip ignored',
        'skip never',
        'skip abroad',
        'fail fails',
      ])
    })
  })
})

describe('a server that tests of nats.go ask for', () => {
  const facts = {
    ...{ name: 's1', program: 'nats-server', directory: '/d', port: 4222, jetstream: true },
    ports: { websocket: 8080 },
  }

  it('has five accounts unless the test says otherwise', () => {
    const text = configurationOf(facts, {})
    assert.match(text, /listen: 127\.0\.0\.1:4222/)
    assert.match(text, /jetstream \{ store_dir: "\/d\/data"/)
    for (const name of ['user1', 'user5', 'system'])
      assert.match(text, new RegExp(`user: ${name},`))
    assert.match(text, /no_auth_user: user1/)
  })

  it('has what the test brings in their places, with ports and folders filled in', () => {
    const text = configurationOf(facts, {
      accounts: '# none',
      websocket: 'websocket { port: {{ .Ports.websocket }} }',
      jetstream: 'max_file: 1G # {{.StoreDir}}',
    })
    assert.doesNotMatch(text, /user1,/)
    assert.match(text, /websocket \{ port: 8080 \}/)
    assert.match(text, /max_file: 1G # \/d\/data \}/)
  })
})

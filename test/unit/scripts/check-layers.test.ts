import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { runNode, withTree } from './temporary-tree.ts'

const check = (root: string) => runNode(['scripts/check-layers.ts', root])

describe('check-layers', () => {
  it('accepts imports that point inward', async () => {
    const files = {
      'base/errors.ts': 'export const a = 1\n',
      'broker/topic.ts': "import { a } from '../base/errors.ts'\nexport const b = a\n",
    }
    await withTree(files, async (root) => assert.equal((await check(root)).exitCode, 0))
  })

  it('fails when the domain imports the wire', async () => {
    const files = {
      'wire/kafka/frame.ts': 'export const a = 1\n',
      'broker/topic.ts': "import { a } from '../wire/kafka/frame.ts'\nexport const b = a\n",
    }
    await withTree(files, async (root) => {
      const ended = await check(root)
      assert.equal(ended.exitCode, 1)
      assert.match(ended.stderr, /broker must not import wire\/kafka/)
    })
  })

  it('fails when two folders of layer 2 import each other, also by import()', async () => {
    const files = {
      'storage/log.ts': 'export const a = 1\n',
      'cluster/store.ts': "export const b = () => import('../storage/log.ts')\n",
    }
    await withTree(files, async (root) => {
      assert.match((await check(root)).stderr, /cluster must not import storage/)
    })
  })

  it('fails when files of a folder import each other in a circle, also for types', async () => {
    const files = {
      'base/a.ts': "import type { C } from './c.ts'\nexport type A = C\n",
      'base/b.ts': "import type { A } from './a.ts'\nexport type B = A\n",
      'base/c.ts': "import type { B } from './b.ts'\nexport type C = B\n",
      'base/d.ts': "import type { A } from './a.ts'\nexport type D = A\n",
    }
    await withTree(files, async (root) => {
      const ended = await check(root)
      assert.equal(ended.exitCode, 1)
      assert.match(
        ended.stderr,
        /^a circle of imports: \S*a\.ts → \S*c\.ts → \S*b\.ts → \S*a\.ts\n$/,
      )
    })
  })

  it('fails for a folder that has no row', async () => {
    const files = {
      'misc/thing.ts': "import '../base/a.ts'\n",
      'base/a.ts': 'export const a = 1\n',
    }
    await withTree(files, async (root) => {
      assert.match((await check(root)).stderr, /its folder has no row/)
    })
  })

  it('fails when it saw nothing', async () => {
    await withTree({}, async (root) => assert.equal((await check(root)).exitCode, 1))
  })
})

import { strict as assert } from 'node:assert'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { diagnose } from '../../../src/app/diagnosis.ts'
import { Broker } from '../../../src/index.ts'
import { withTree } from '../scripts/temporary-tree.ts'

async function stateOf(dataDir: string, port: number, check: RegExp) {
  const found = await diagnose(dataDir, { host: '127.0.0.1', port })
  const one = found.find((diagnosis) => check.test(diagnosis.check))
  assert.ok(one !== undefined)
  return one
}

describe('doctor', () => {
  it('is content with a directory that can be made', async () => {
    await withTree({}, async (root) => {
      const found = await diagnose(`${root}/a/b`, { host: '127.0.0.1', port: 0 })
      assert.ok(found.every(({ state }) => state !== 'problem'))
      const { detail } = await stateOf(`${root}/a/b`, 0, /^data directory$/)
      assert.match(detail, /will be made/)
    })
  })

  it('sees that a file stands where the directory should be', async () => {
    await withTree({ file: '' }, async (root) => {
      const { state, detail } = await stateOf(`${root}/file`, 0, /^data directory$/)
      assert.equal(state, 'problem')
      assert.match(detail, /is no directory/)
    })
  })

  it('sees who uses the directory and the port', async () => {
    await withTree({}, async (root) => {
      const dataDir = `${root}/data`
      await using _broker = await Broker.start({ dataDir })
      assert.match((await stateOf(dataDir, 0, /lock/)).detail, /in use by/)
    })
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    const { state, detail } = await stateOf('.', address.port, /address/)
    server.close()
    assert.equal(state, 'warning')
    assert.match(detail, /in use/)
  })
})

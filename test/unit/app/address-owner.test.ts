import { strict as assert } from 'node:assert'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { describeAddressInUse } from '../../../src/app/address-owner.ts'

describe('an address in use', () => {
  it('is told with the process that has it', { skip: process.platform !== 'linux' }, async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const address = server.address()
      assert.ok(address !== null && typeof address === 'object')
      const text = describeAddressInUse('127.0.0.1', address.port)
      const start = `the address 127.0.0.1:${address.port} is in use by pid ${process.pid} (node`
      assert.ok(text.startsWith(start), text)
    } finally {
      server.close()
    }
  })

  it('is told without a process nobody can see', () => {
    // Port 0 is never listened on.
    assert.equal(describeAddressInUse('h', 0), 'the address h:0 is in use')
  })
})

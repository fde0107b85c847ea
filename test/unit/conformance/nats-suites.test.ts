import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { assertEquals, assertRejects } from '../../conformance/suites/nats/assertions.ts'
import { serverConfig } from '../../conformance/suites/nats/server-config.ts'

const place = { name: 's1', port: 4300, ports: { websocket: 4301 }, storeDir: '/tmp/store' }

describe('the configuration that the tester of nats.go writes', () => {
  it('has accounts of users and of the system, with JetStream for those of users', () => {
    const lines = serverConfig(place, true, {}).split('\n')
    assert.deepEqual(lines.slice(0, 5), [
      'server_name: s1',
      'listen: 127.0.0.1:4300',
      'jetstream {',
      'store_dir: "/tmp/store"',
      '',
    ])
    assert.ok(
      lines.includes('USERS2: { jetstream: enabled, users: [{ user: user2, password: pass2 }] }'),
    )
    assert.ok(lines.includes('$SYS: { users: [{ user: system, password: s3cret }] }'))
    assert.deepEqual(lines.slice(-2), ['system_account: "$SYS"', 'no_auth_user: user1'])
  })

  it('takes the place of accounts and authorization that a test brings', () => {
    const snippets = { accounts: 'accounts {}', authorization: 'authorization { token: t }' }
    const config = serverConfig(place, false, snippets)
    assert.doesNotMatch(config, /USERS1|no_auth_user|jetstream/)
    assert.match(config, /^accounts \{\}$/m)
    assert.match(config, /^authorization \{ token: t \}$/m)
  })

  it('fills in ports and the store where a test names them', () => {
    const snippets = {
      top: 'max_payload: 100',
      websocket: 'websocket { port: {{ .Ports.websocket }} }',
    }
    const lines = serverConfig(place, false, snippets).split('\n')
    assert.equal(lines[0], 'max_payload: 100')
    assert.equal(lines.at(-1), 'websocket { port: 4301 }')
    const jetstream = 'key: "{{.StoreDir}}/key"'
    assert.match(serverConfig(place, true, { jetstream }), /^key: "\/tmp\/store\/key"$/m)
  })
})

describe("what stands in for Deno's assertions", () => {
  it('takes byte arrays of different kinds for equal', () => {
    assertEquals(Buffer.from('ab'), new TextEncoder().encode('ab'))
    assert.throws(() => assertEquals(Buffer.from('ab'), new TextEncoder().encode('ac')))
  })

  it('asks for the class and for a part of the text of an error', async () => {
    const reject = (): Promise<never> => Promise.reject(new TypeError('no such stream'))
    await assertRejects(reject, TypeError, 'stream')
    await assert.rejects(assertRejects(reject, RangeError), /no RangeError/)
    await assert.rejects(
      assertRejects(reject, TypeError, 'consumer'),
      /does not contain "consumer"/,
    )
    await assert.rejects(
      assertRejects(async () => {}),
      /did not reject/,
    )
  })
})

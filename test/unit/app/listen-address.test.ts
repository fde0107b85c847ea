import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { isLoopback } from '../../../src/adapters/loopback.ts'
import {
  formatAddress,
  parseListenAddress,
  requireLoopback,
} from '../../../src/app/listen-address.ts'

describe('listen addresses', () => {
  it('reads host and port, IPv6 in brackets, and no host as all addresses', () => {
    const read = (text: string) => parseListenAddress(text, '--kafka')
    assert.deepEqual(read('127.0.0.1:9092'), { host: '127.0.0.1', port: 9092 })
    assert.deepEqual(read('[::1]:0'), { host: '::1', port: 0 })
    assert.deepEqual(read(':9092'), { host: '0.0.0.0', port: 9092 })
    assert.equal(formatAddress(read('[::1]:7')), '[::1]:7')
    assert.equal(formatAddress(read('localhost:7')), 'localhost:7')
  })

  it('names the flag and the text it cannot read', () => {
    for (const text of ['9092', 'host', 'host:', 'host:65536', 'a:b:1', 'http://x:1', '::1:9092']) {
      assert.throws(() => parseListenAddress(text, '--http'), {
        name: 'ConfigError',
        message: `--http "${text}" is not HOST:PORT, such as 127.0.0.1:9092`,
      })
    }
  })

  it('knows what only this machine reaches', () => {
    for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) assert.ok(isLoopback(host))
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example']) {
      assert.equal(isLoopback(host), false, host)
    }
  })

  it('refuses other addresses unless the operator says so in words', () => {
    const address = { host: '0.0.0.0', port: 9092 }
    assert.throws(() => requireLoopback(address, false), /0\.0\.0\.0:9092 .*--allow-anonymous/)
    assert.doesNotThrow(() => requireLoopback(address, true))
  })
})

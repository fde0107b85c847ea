import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SourceNetworks } from '../../../../../src/frontends/nats/auth/source-networks.ts'

describe('the networks that a user of claims may come from', () => {
  const cases: readonly (readonly [ranges: string[], address: string, isIn: boolean])[] = [
    [['10.0.0.0/8'], '10.255.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['192.168.7.9/24'], '192.168.7.200', true],
    [['192.0.2.1/32', '127.0.0.0/8'], '127.0.0.1', true],
    [['0.0.0.0/0'], '203.0.113.7', true],
    [['0.0.0.0/0'], '::1', false],
    [['2001:db8::/32'], '2001:db8:1::5', true],
    [['2001:db8::/32'], '2001:db9::5', false],
    [['::1/128'], '127.0.0.1', false],
    [['0.0.0.0/0'], '', false],
    [['0.0.0.0/0'], 'localhost', false],
  ]
  for (const [ranges, address, isIn] of cases) {
    it(`${isIn ? 'have' : 'do not have'} "${address}" in ${ranges.join(' and ')}`, () => {
      assert.equal(SourceNetworks.of(ranges)?.has(address), isIn)
    })
  }

  const unreadable = ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', '010.0.0.0/8', '::/129', '', '/8']
  for (const range of [...unreadable, 'fe80::1%lo/64', '10.0.0.0/-1', '10.0.0.0/8 ']) {
    it(`can not be read when one is "${range}", though another has the address`, () => {
      assert.equal(SourceNetworks.of(['0.0.0.0/0', range]), null)
    })
  }
})

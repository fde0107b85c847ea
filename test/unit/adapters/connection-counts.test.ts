import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConnectionCounts } from '../../../src/adapters/connection-counts.ts'

describe('counts of connections', () => {
  it('hold the limit of all, that of an address, and its own where it has one', () => {
    const counts = new ConnectionCounts({
      maxConnections: 5,
      maxConnectionsPerIp: 2,
      maxConnectionsPerIpOverrides: new Map([['10.0.0.9', 3]]),
    })
    const from = (...addresses: string[]) => addresses.map((address) => counts.add(address))
    assert.deepEqual(from('10.0.0.1', '10.0.0.1', '10.0.0.1'), [true, true, false])
    assert.deepEqual(from('10.0.0.9', '10.0.0.9', '10.0.0.9', '10.0.0.9'), [
      true,
      true,
      true,
      false,
    ])
    assert.equal(counts.add('10.0.0.2'), false)
    assert.deepEqual([counts.total, counts.of('10.0.0.1'), counts.of('10.0.0.2')], [5, 2, 0])
    counts.remove('10.0.0.1')
    assert.deepEqual(from('10.0.0.2', '10.0.0.1'), [true, false])
    assert.equal(counts.total, 5)
  })

  it('are also those of several listeners together', () => {
    const limits = { maxConnections: 3, maxConnectionsPerIp: 2 }
    const all = { ...limits, maxConnectionsPerIpOverrides: new Map() }
    const shared = new ConnectionCounts(all)
    const [kafka, nats] = [0, 1].map(() => new ConnectionCounts({ ...all, shared }))
    assert.ok(kafka !== undefined && nats !== undefined)
    assert.deepEqual([kafka.add('10.0.0.1'), nats.add('10.0.0.1')], [true, true])
    assert.deepEqual([kafka.add('10.0.0.1'), nats.add('10.0.0.1')], [false, false])
    assert.deepEqual([kafka.add('10.0.0.2'), nats.add('10.0.0.3')], [true, false])
    assert.deepEqual([kafka.total, nats.total, shared.total], [2, 1, 3])
    nats.remove('10.0.0.1')
    assert.equal(kafka.add('10.0.0.1'), true)
    assert.deepEqual([kafka.total, nats.total, shared.total], [3, 0, 3])
  })
})

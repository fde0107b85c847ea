import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConsumerDirectory } from '../../../../../src/broker/jetstream/consumer/consumer-directory.ts'
import { CountingRandom, SILENT } from '../../../support/ports.ts'
import { ConsumerFixture, configOf } from './consumer-fixture.ts'

function setUp() {
  const fixture = new ConsumerFixture()
  const { clock, scheduler, store } = fixture
  const ports = { clock, scheduler, random: new CountingRandom(), output: fixture, logger: SILENT }
  return { fixture, directory: new ConsumerDirectory(store, ports) }
}

describe('the consumers of all streams', () => {
  it('are there while their stream is, and go from the disk with it', async () => {
    const { fixture, directory } = setUp()
    assert.equal(directory.consumersOf('S'), undefined)
    const consumers = directory.streamOpened(fixture, [])
    const config = configOf({ durable_name: 'c' })
    await consumers.create({ config, action: '', isPedantic: false })
    assert.equal(directory.consumerCount, 1)
    assert.equal(fixture.store.kept.size, 1)
    await directory.streamDeleted('S')
    assert.equal(directory.consumersOf('S'), undefined)
    assert.equal(fixture.store.kept.size, 0)
  })

  it('come back with their stream after a stop', async () => {
    const { fixture, directory } = setUp()
    const config = configOf({ durable_name: 'c' })
    await directory.streamOpened(fixture, []).create({ config, action: '', isPedantic: false })
    directory.close()
    assert.equal(directory.consumerCount, 0)
    directory.streamOpened(fixture, [...fixture.store.kept.values()])
    assert.equal(directory.consumersOf('S')?.get('c')?.config.durable_name, 'c')
  })
})

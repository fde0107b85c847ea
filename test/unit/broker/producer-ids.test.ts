import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProducerIds } from '../../../src/broker/producer-ids.ts'
import { FakeMetadata } from '../support/fake-cluster.ts'

describe('producer ids (KIP-730)', () => {
  it('come from blocks of 1000 that the metadata records before the first is used', async () => {
    const metadata = new FakeMetadata()
    const ids = new ProducerIds(metadata)
    assert.equal(ids.take(), undefined)
    assert.equal(await ids.next(), 0)
    assert.equal(metadata.image.nextProducerId, 1000)
    for (let id = 1; id < 1000; id++) assert.equal(ids.take(), id)
    assert.equal(ids.take(), undefined)
    assert.equal(await ids.next(), 1000)
    assert.equal(metadata.image.nextProducerId, 2000)
  })

  it('are never given twice, to many at once nor after a restart', async () => {
    const metadata = new FakeMetadata()
    const ids = new ProducerIds(metadata)
    const given = await Promise.all(Array.from({ length: 2500 }, () => ids.next()))
    assert.equal(new Set(given).size, 2500)
    assert.equal(metadata.image.nextProducerId, 3000)
    assert.equal(await new ProducerIds(metadata).next(), 3000)
  })

  it('are not given when the block could not be recorded', async () => {
    const metadata = new FakeMetadata()
    const ids = new ProducerIds(metadata)
    metadata.failure = new Error('disk is gone')
    await assert.rejects(ids.next(), /disk is gone/)
    metadata.failure = null
    assert.equal(await ids.next(), 0)
  })
})

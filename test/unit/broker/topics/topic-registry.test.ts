import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { makeCluster, topicImage } from '../../support/fake-cluster.ts'
import { FakeLogStore } from '../../support/fake-log-store.ts'

const ORDERS = topicImage('orders', 'c3Bvb2wtdG9waWMtaWQwMQ', 2)

describe('the topic registry', () => {
  it('has the partitions of a new topic when the commit resolves', async () => {
    const { metadata, registry } = await makeCluster()
    await metadata.commit([{ kind: 'topicCreated', topic: ORDERS }])
    assert.equal(registry.partition('orders', 1)?.partition, 1)
    assert.equal(registry.partitionById(ORDERS.topicId, 0)?.topic, 'orders')
    assert.equal(registry.partition('orders', 2), undefined)
    assert.equal(registry.partition('orders', -1), undefined)
    assert.equal(registry.partition('other', 0), undefined)
    assert.equal(registry.topicName(ORDERS.topicId), 'orders')
    assert.equal(registry.topicId('orders'), ORDERS.topicId)
  })

  it('has the same topics and configs after a restart', async () => {
    const logStore = new FakeLogStore()
    const first = await makeCluster({ logStore })
    await first.metadata.commit([
      { kind: 'topicCreated', topic: ORDERS },
      { kind: 'configSet', type: 2, resourceName: 'orders', name: 'retention.ms', value: '5000' },
    ])
    const { registry } = await makeCluster({ logStore, metadata: first.metadata })
    assert.equal(registry.partition('orders', 1)?.topicId, ORDERS.topicId)
    assert.equal(logStore.logs.get('orders-1')?.config.retentionMs, 5000)
  })

  it('takes over the logs that were opened before the metadata named them', async () => {
    const { metadata, registry, logStore } = await makeCluster()
    await registry.prepare(ORDERS, ORDERS.partitions, new Map([['segment.bytes', '2097152']]))
    const log = logStore.logs.get('orders-0')
    assert.equal(log?.config.segmentBytes, 2_097_152)
    assert.equal(registry.partition('orders', 0), undefined)
    await metadata.commit([{ kind: 'topicCreated', topic: ORDERS }])
    assert.equal(registry.partition('orders', 0)?.log, log)
  })

  it('leaves nothing behind when a log of a new topic cannot be made', async () => {
    const { registry, logStore } = await makeCluster()
    logStore.broken.add('orders-1')
    await assert.rejects(registry.prepare(ORDERS, ORDERS.partitions, new Map()), /no space left/)
    assert.deepEqual(logStore.deleted, ['orders-0'])
  })

  it('wakes those who wait at a partition when its topic is deleted, and deletes its log', async () => {
    const { metadata, registry, logStore } = await makeCluster()
    await metadata.commit([{ kind: 'topicCreated', topic: ORDERS }])
    const partition = registry.partition('orders', 0)
    assert.ok(partition)
    let availability: number = ErrorCode.NONE
    partition.watch({
      partitionAdvanced() {
        availability = partition.availability
      },
    })
    await metadata.commit([{ kind: 'topicDeleted', name: 'orders', topicId: ORDERS.topicId }])
    assert.equal(availability, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    assert.equal(registry.topic('orders'), undefined)
    assert.equal(registry.topicById(ORDERS.topicId), undefined)
    assert.deepEqual(logStore.deleted, ['orders-0', 'orders-1'])
  })
})

describe('the logs of the topic registry', () => {
  it('get changed topic and broker configs', async () => {
    const { metadata, logStore } = await makeCluster()
    await metadata.commit([{ kind: 'topicCreated', topic: ORDERS }])
    const log = logStore.logs.get('orders-0')
    assert.equal(log?.config.retentionMs, 604_800_000)
    const set = (type: 2 | 4, resourceName: string, name: string, value: string | null) =>
      metadata.commit([{ kind: 'configSet', type, resourceName, name, value }])
    await set(4, '', 'log.retention.ms', '1000')
    assert.equal(log?.config.retentionMs, 1000)
    await set(2, 'orders', 'retention.ms', '2000')
    assert.equal(log?.config.retentionMs, 2000)
    await set(2, 'orders', 'cleanup.policy', 'compact')
    assert.equal(log?.config.isCompacted, true)
    await set(2, 'orders', 'retention.ms', null)
    assert.equal(log?.config.retentionMs, 1000)
  })

  it('start a new leader epoch after a crash only (KIP-320)', async () => {
    const logStore = new FakeLogStore()
    const first = await makeCluster({ logStore })
    await first.metadata.commit([{ kind: 'topicCreated', topic: ORDERS }])
    const { metadata } = await makeCluster({ logStore, metadata: first.metadata })
    assert.equal(metadata.image.topics.get('orders')?.partitions[1]?.leaderEpoch, 0)
    logStore.isAfterCrash = true
    await makeCluster({ logStore, metadata })
    assert.equal(metadata.image.topics.get('orders')?.partitions[1]?.leaderEpoch, 1)
    assert.equal(logStore.logs.get('orders-1')?.leaderEpoch, 1)
  })
})

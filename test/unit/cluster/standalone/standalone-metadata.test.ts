import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { BrokerError, ConfigError } from '../../../../src/base/errors.ts'
import { UNPOOLED } from '../../../../src/base/lease.ts'
import { loadNodeIdentity } from '../../../../src/cluster/standalone/meta-properties.ts'
import { encodeSnapshot } from '../../../../src/cluster/standalone/metadata-snapshot.ts'
import { QuorumVoters } from '../../../../src/cluster/standalone/quorum-voters.ts'
import { StandaloneMetadata } from '../../../../src/cluster/standalone/standalone-metadata.ts'
import type { MetadataChange, TopicImage } from '../../../../src/ports/metadata-store.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import {
  decodeControlType,
  decodeControlValue,
  votersRecord,
} from '../../../../src/records/internal/control-records.ts'
import { encodeMetadataRecord } from '../../../../src/records/internal/metadata-record.ts'
import { decodeMetadataRecord } from '../../../../src/records/internal/metadata-records.ts'
import {
  abortTransactionRecord,
  beginTransactionRecord,
  endTransactionRecord,
  partitionChangeRecord,
  partitionRecord,
  topicRecord,
} from '../../../../src/records/internal/topic-metadata-records.ts'
import { isControl, partitionLeaderEpochOf } from '../../../../src/records/record-batch.ts'
import { recordsOf } from '../../../../src/records/records-iterator.ts'
import { FakeLogStore } from '../../support/fake-log-store.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'

const TOPIC_ID = 'c3Bvb2wtdG9waWMtaWQwMQ'

function topic(name: string, topicId: string, count: number): TopicImage {
  return {
    name,
    topicId,
    partitions: Array.from({ length: count }, (_, partition) => ({
      partition,
      replicas: [1],
      isr: [1],
      leaderId: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
    })),
  }
}

class Node {
  readonly fs = new MemoryFileSystem()
  readonly logStore = new FakeLogStore()

  open(): Promise<StandaloneMetadata> {
    const directory = {
      fs: this.fs,
      dataDir: '/data',
      random: new CountingRandom(),
      nodeId: 1,
    }
    loadNodeIdentity(directory)
    this.fs.makeDirectory('/data/__cluster_metadata-0')
    return StandaloneMetadata.open({
      ...directory,
      logStore: this.logStore,
      clock: new FakeClock(),
      scheduler: new ManualScheduler(new FakeClock()),
      logger: SILENT,
    })
  }

  /** A snapshot that ends where the log ends now. */
  snapshot(records: Buffer[], epoch: number): void {
    const end = this.logStore.logs.get('__cluster_metadata-0')?.logEndOffset ?? 0
    const name = `${String(end).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
    const times = { lastAppendMs: 0, nowMs: 0 }
    const batches = encodeSnapshot({ endOffset: end, epoch }, new QuorumVoters(), records, times)
    this.fs.writeFileAtomic(`/data/__cluster_metadata-0/${name}`, Buffer.concat(batches))
  }

  get batches(): Buffer[] {
    return this.logStore.logs.get('__cluster_metadata-0')?.batches ?? []
  }

  /** What another program, such as Kafka, would have written. */
  write(records: Buffer[]): void {
    const log = this.logStore.logs.get('__cluster_metadata-0')
    assert.ok(log)
    log.append({
      batch: buildBatch(records.map((value) => ({ timestamp: 0, value }))),
      lease: UNPOOLED,
      safety: 'none',
      waiter: { appendDone() {} },
      slot: 0,
      logAppendTimeMs: -1,
    })
  }
}

const recordNames = (batch: Buffer): string[] =>
  [...recordsOf(batch, 0)].map(({ value }) => decodeMetadataRecord(value as Buffer).name)

describe('standalone metadata (KIP-631)', () => {
  it('begins a new log with the leader, the KRaft version, the voters and six features', async () => {
    const node = new Node()
    const metadata = await node.open()
    const [control, first] = node.batches
    assert.ok(control && first && node.batches.length === 2)
    assert.ok(isControl(control, 0))
    const records = [...recordsOf(control, 0)]
    assert.deepEqual(
      records.map(({ key }) => decodeControlType(key)),
      [2, 5, 6],
    )
    const voters = decodeControlValue(votersRecord, records[2]?.value as Buffer)
    assert.equal(voters.voters[0]?.voterId, 1)
    assert.equal(voters.voters[0]?.voterDirectoryId, metadata.directoryId)
    assert.equal(partitionLeaderEpochOf(control, 0), 1)
    assert.deepEqual(recordNames(first), [
      ...new Array(6).fill('FeatureLevelRecord'),
      'ConfigRecord',
    ])
    assert.equal(metadata.image.features.get('metadata.version'), 33)
    assert.equal(metadata.image.offset, 9)
  })

  it('starts every run with a higher leader epoch and says so in quorum-state', async () => {
    const node = new Node()
    await node.open()
    const metadata = await node.open()
    assert.equal(metadata.leaderEpoch, 2)
    assert.equal(partitionLeaderEpochOf(node.batches.at(-1) as Buffer, 0), 2)
    assert.equal([...recordsOf(node.batches.at(-1) as Buffer, 0)].length, 1)
    assert.equal(
      node.fs.readFile('/data/__cluster_metadata-0/quorum-state').toString(),
      '{"leaderId":1,"leaderEpoch":2,"votedId":-1,' +
        '"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}',
    )
  })

  it('holds after a restart exactly what was committed', async () => {
    const node = new Node()
    const metadata = await node.open()
    const other = 'c3Bvb2wtdG9waWMtaWQwMg'
    await metadata.commit([
      { kind: 'topicCreated', topic: topic('orders', TOPIC_ID, 2) },
      { kind: 'topicCreated', topic: topic('gone', other, 1) },
      { kind: 'configSet', type: 2, resourceName: 'orders', name: 'retention.ms', value: '7' },
      { kind: 'configSet', type: 2, resourceName: 'gone', name: 'retention.ms', value: '8' },
    ])
    await metadata.commit([
      { kind: 'topicDeleted', name: 'gone', topicId: other },
      {
        kind: 'partitionsAdded',
        topicId: TOPIC_ID,
        partitions: topic('orders', TOPIC_ID, 3).partitions.slice(2),
      },
      { kind: 'leaderChanged', topicId: TOPIC_ID, partition: 1, leaderId: 1, leaderEpoch: 3 },
      { kind: 'producerIdsTaken', nextProducerId: 1000 },
    ])
    const before = metadata.image
    const after = (await node.open()).image
    assert.deepEqual([...after.topics], [...before.topics])
    assert.deepEqual([...after.topicsById.keys()], [TOPIC_ID])
    assert.equal(after.topics.get('orders')?.partitions.length, 3)
    assert.equal(after.topics.get('orders')?.partitions[1]?.leaderEpoch, 3)
    assert.equal(after.topics.get('orders')?.partitions[1]?.partitionEpoch, 3)
    assert.deepEqual([...after.configs(2, 'orders')], [['retention.ms', '7']])
    assert.equal(after.configs(2, 'gone').size, 0)
    assert.deepEqual(after.configuredResources(2), ['orders'])
    assert.equal(after.nextProducerId, 1000)
    assert.equal(after.clusterId, before.clusterId)
  })
})

describe('a commit to standalone metadata', () => {
  it('makes the changes of a commit one batch and tells listeners when the image has them', async () => {
    const node = new Node()
    const metadata = await node.open()
    const seen: string[] = []
    metadata.subscribe({
      metadataChanged(changes, image) {
        seen.push(changes.map(({ kind }) => kind).join(), String(image.topics.has('orders')))
      },
    })
    const count = node.batches.length
    await metadata.commit([
      { kind: 'topicCreated', topic: topic('orders', TOPIC_ID, 1) },
      { kind: 'configSet', type: 2, resourceName: 'orders', name: 'retention.ms', value: '7' },
    ])
    assert.deepEqual(seen, ['topicCreated,configSet', 'true'])
    assert.equal(node.batches.length, count + 1)
  })

  it('refuses a change that another commit overtook, and changes nothing', async () => {
    const node = new Node()
    const metadata = await node.open()
    const create: MetadataChange = { kind: 'topicCreated', topic: topic('orders', TOPIC_ID, 1) }
    const [first, second] = await Promise.allSettled([
      metadata.commit([create]),
      metadata.commit([{ kind: 'producerIdsTaken', nextProducerId: 5 }, create]),
    ])
    assert.equal(first.status, 'fulfilled')
    assert.ok(second.status === 'rejected' && second.reason instanceof BrokerError)
    assert.equal(second.reason.code, ErrorCode.TOPIC_ALREADY_EXISTS)
    assert.equal(metadata.image.nextProducerId, 0)
  })

  it('takes no more commits after its log failed', async () => {
    const node = new Node()
    const metadata = await node.open()
    const log = node.logStore.logs.get('__cluster_metadata-0')
    assert.ok(log)
    log.isFailed = true
    const change: MetadataChange = { kind: 'producerIdsTaken', nextProducerId: 5 }
    await assert.rejects(metadata.commit([change]), /KAFKA_STORAGE_ERROR/)
    log.isFailed = false
    await assert.rejects(metadata.commit([change]), /KAFKA_STORAGE_ERROR/)
    assert.equal(metadata.image.nextProducerId, 0)
  })
})

const foreignTopic = [
  encodeMetadataRecord(topicRecord, 0, { name: 'orders', topicId: TOPIC_ID }),
  encodeMetadataRecord(partitionRecord, 2, {
    partitionId: 0,
    topicId: TOPIC_ID,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch: 4,
    partitionEpoch: 6,
    directories: ['AAAAAAAAAAAAAAAAAAAAAA'],
  }),
]

describe('standalone metadata on a directory of Kafka', () => {
  it('leads again the partitions that a clean stop left without leader', async () => {
    const node = new Node()
    await node.open()
    const stopped = encodeMetadataRecord(partitionChangeRecord, 2, {
      partitionId: 0,
      topicId: TOPIC_ID,
      isr: [],
      leader: -1,
      eligibleLeaderReplicas: [1],
      lastKnownElr: [1],
    })
    node.write([...foreignTopic, stopped])
    const metadata = await node.open()
    assert.deepEqual(metadata.image.topics.get('orders')?.partitions[0], {
      partition: 0,
      replicas: [1],
      isr: [1],
      leaderId: 1,
      leaderEpoch: 6,
      partitionEpoch: 8,
    })
  })

  it('counts a metadata transaction only when its end is there (KIP-868)', async () => {
    const node = new Node()
    await node.open()
    const begin = encodeMetadataRecord(beginTransactionRecord, 0, { name: 'test' })
    const abort = encodeMetadataRecord(abortTransactionRecord, 0, { reason: null })
    const end = encodeMetadataRecord(endTransactionRecord, 0, {})
    node.write([begin, ...foreignTopic])
    assert.equal((await node.open()).image.topics.size, 0)
    assert.deepEqual(recordNames(node.batches.at(-1) as Buffer), ['AbortTransactionRecord'])
    node.write([begin, ...foreignTopic, abort, begin, ...foreignTopic, end])
    assert.equal((await node.open()).image.topics.size, 1)
  })

  it('reads a snapshot and the log from its end on', async () => {
    const node = new Node()
    await node.open()
    node.snapshot(foreignTopic, 9)
    const metadata = await node.open()
    assert.equal(metadata.image.topics.get('orders')?.partitions[0]?.leaderEpoch, 4)
    assert.equal(metadata.leaderEpoch, 10)
  })
})

describe('standalone metadata refuses a directory', () => {
  it('with records of unknown type or version, naming their offset', async () => {
    const node = new Node()
    await node.open()
    node.write([Buffer.from([1, 99, 0, 0])])
    await assert.rejects(node.open(), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /offset 10 .*type 99 .*newer version/)
      return true
    })
  })
})

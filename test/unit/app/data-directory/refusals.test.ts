import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import { ConfigError } from '../../../../src/base/errors.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import { encodeMetadataRecord } from '../../../../src/records/internal/metadata-record.ts'
import {
  configRecord,
  partitionChangeRecord,
} from '../../../../src/records/internal/topic-metadata-records.ts'
import { patchCrc } from '../../../../src/records/record-batch.ts'
import { brokerOf, topicOf, UUID } from '../../cluster/standalone/metadata-records.ts'
import type { ManualScheduler } from '../../support/manual-scheduler.ts'
import {
  addPartition,
  contentOf,
  DATA_DIR,
  featureOf,
  kafkaDirectory,
  METADATA_DIR,
  openBroker,
  settled,
  writeSegment,
} from './kafka-directory.ts'

/** The start is refused with one sentence that fits, and every file stays as it was. */
async function refuses(fs: MemoryFileSystem, expected: RegExp, nodeId = 1): Promise<void> {
  const before = contentOf(fs)
  await assert.rejects(openBroker(fs, nodeId), (error) => {
    assert.ok(error instanceof ConfigError, String(error))
    assert.match(error.message, expected)
    assert.doesNotMatch(error.message, /\n/)
    return true
  })
  assert.deepEqual(contentOf(fs), before)
}

const withRecords = (...records: Buffer[]): MemoryFileSystem => kafkaDirectory({ records })

describe('a data directory of Apache Kafka is refused, and stays as it is, for its quorum', () => {
  it('with more than one voter', async () => {
    const voters = [
      [1, UUID.directory],
      [2, UUID.otherDirectory],
    ] as const
    await refuses(kafkaDirectory({ voters }), /the voters \[1, 2\].*remove the controllers/)
    await refuses(kafkaDirectory({ leaderVoters: [1, 2, 3] }), /the voters \[1, 2, 3\]/)
  })

  it('with a controller on another node', async () => {
    const fs = kafkaDirectory({ leaderVoters: [9] })
    await refuses(fs, /the controller of node 1 is node 9; only a node that is broker and/)
  })

  it('with another directory id than the voter has', async () => {
    const fs = kafkaDirectory({ voters: [[1, UUID.otherDirectory]] })
    await refuses(fs, new RegExp(`${UUID.otherDirectory}.*directory\\.id=${UUID.directory}`))
  })
})

describe('a data directory of Apache Kafka is refused, and stays as it is', () => {
  it('with more than one log directory', async () => {
    const logDirs = [UUID.directory, UUID.otherDirectory]
    await refuses(withRecords(brokerOf({ logDirs })), /node 1 has 2 log directories \(log\.dirs\)/)
    await refuses(
      withRecords(...topicOf('orders', { directories: [UUID.otherDirectory] })),
      /orders-0 is in another log directory than/,
    )
  })

  it('with replicas elsewhere', async () => {
    await refuses(
      withRecords(...topicOf('orders', { replicas: [1, 2], directories: [] })),
      /orders-0 has the replicas \[1, 2\], but one node .* reassign them with Kafka first/,
    )
    await refuses(
      withRecords(...topicOf('orders', { replicas: [2], directories: [] })),
      /orders-0 has the replicas \[2\]/,
    )
  })

  it('of a newer metadata.version, also when its records can not be read', async () => {
    const newer = /metadata\.version 34, and 33 is the newest/
    await refuses(withRecords(featureOf(34)), newer)
    await refuses(withRecords(featureOf(34), Buffer.from([1, 99, 0, 0])), newer)
  })

  it('with records of a type or version nobody knows', async () => {
    await refuses(withRecords(Buffer.from([1, 99, 0, 0])), /offset 2 .*type 99 is not known/)
    await refuses(withRecords(Buffer.from([1, 2, 7, 0])), /offset 2 .*version/)
  })

  it('with tiered storage', async () => {
    const name = 'remote.storage.enable'
    const config = { resourceType: 2, resourceName: 'orders', name, value: 'true' }
    const remote = encodeMetadataRecord(configRecord, 0, config)
    await refuses(withRecords(...topicOf('orders'), remote), /the topic orders uses tiered storage/)
  })

  it('of another node, and says which', async () => {
    await refuses(kafkaDirectory({ nodeId: 7 }), /belongs to node 7.*set node\.id=7/)
  })

  it('with meta.properties of another version', async () => {
    await refuses(
      kafkaDirectory({ metaProperties: 'version=2\ncluster.id=x\nnode.id=1\n' }),
      /has version 2, and only version 1.*newer version/,
    )
  })
})

describe('a data directory with lost files is refused, and stays as it is', () => {
  it('when partitions have no metadata log', async () => {
    const fs = withRecords()
    fs.remove(METADATA_DIR)
    addPartition(fs, 'orders-0')
    await refuses(fs, /holds orders-0 but no metadata log/)
  })

  it('when it was formatted by an older Kafka and never started', async () => {
    const fs = withRecords()
    fs.remove(METADATA_DIR)
    fs.writeFileAtomic(`${DATA_DIR}/bootstrap.checkpoint`, 'x')
    await refuses(fs, /never started; start Kafka on it once/)
  })

  it('when a partition belongs to another topic', async () => {
    const fs = withRecords(brokerOf({ fenced: false }), ...topicOf('orders'))
    addPartition(fs, 'orders-0', { topicId: UUID.entry })
    await refuses(fs, new RegExp(`/data/orders-0 belongs to topic id ${UUID.entry}`))
  })

  it('when a segment is of an old format', async () => {
    const fs = withRecords(brokerOf({ fenced: false }), ...topicOf('orders'))
    const old = buildBatch([{ timestamp: 1, value: null }])
    old.writeInt8(1, 16)
    addPartition(fs, 'orders-0', { content: old })
    await refuses(fs, /holds records of format 1/)
  })

  it('when the log starts can not be read', async () => {
    const fs = withRecords()
    fs.writeFileAtomic(`${DATA_DIR}/log-start-offset-checkpoint`, 'garbage\n')
    await refuses(fs, /log-start-offset-checkpoint is damaged/)
  })
})

describe('a data directory with damaged metadata is refused, and stays as it is', () => {
  it('when the metadata log has a gap', async () => {
    const fs = withRecords()
    const value = featureOf(33)
    writeSegment(fs, 9, buildBatch([{ timestamp: 1, value }], { baseOffset: 9 }))
    await refuses(fs, /no records from offset 2 to 9/)
  })

  it('when the metadata log is damaged before its end', async () => {
    const fs = withRecords()
    const path = `${METADATA_DIR}/00000000000000000000.log`
    const log = fs.readFile(path)
    const more = buildBatch([{ timestamp: 1, value: featureOf(33) }], { baseOffset: 2 })
    log[100] = (log[100] as number) ^ 1
    fs.writeFileAtomic(path, Buffer.concat([log, more]))
    await refuses(fs, /is damaged at byte \d+ .*and records follow at byte \d+/)
  })

  it('when a batch of the metadata log has another offset, which no CRC covers', async () => {
    const fs = withRecords()
    const path = `${METADATA_DIR}/00000000000000000000.log`
    const log = fs.readFile(path)
    const more = buildBatch([{ timestamp: 1, value: featureOf(33) }], { baseOffset: 2 })
    for (const baseOffset of [1, 3, 2 ** 40]) {
      more.writeBigInt64BE(BigInt(baseOffset))
      fs.writeFileAtomic(path, Buffer.concat([log, more]))
      await refuses(fs, /is damaged at byte \d+ \(its offset is not 2\)/)
    }
  })

  it('when an old segment is damaged that a start after a crash would check', async () => {
    const fs = withRecords()
    const batchAt = (baseOffset: number) =>
      buildBatch([{ timestamp: 1, value: featureOf(33) }], { baseOffset })
    writeSegment(fs, 2, batchAt(2).fill(1, 70))
    writeSegment(fs, 3, batchAt(3))
    await refuses(fs, /no records from offset 2 to 3/)
  })

  it('when the metadata log ends before what was safe on disk', async () => {
    const fs = withRecords(brokerOf({ fenced: false }))
    const core = await openBroker(fs)
    await settled(core.close(), core.scheduler as ManualScheduler)
    fs.kill()
    const last = fs.list(METADATA_DIR).findLast((name) => name.endsWith('.log'))
    const path = `${METADATA_DIR}/${last}`
    fs.writeFileAtomic(path, fs.readFile(path).subarray(0, -1))
    await refuses(
      fs,
      /ends at offset \d+, but it was on disk up to \d+; .* or remove recovery-point/,
    )
    fs.remove(`${DATA_DIR}/recovery-point-offset-checkpoint`)
    await openBroker(fs)
  })

  it('when records can not be read though their CRC is right', async () => {
    const path = `${METADATA_DIR}/00000000000000000000.log`
    const fs = withRecords()
    const batch = buildBatch([{ timestamp: 1, value: featureOf(33) }], { baseOffset: 2 })
    batch.writeInt8(0x7f, 61)
    patchCrc(batch, 0)
    fs.writeFileAtomic(path, Buffer.concat([fs.readFile(path), batch]))
    await refuses(fs, /record at offset 2 is damaged \(malformed record/)
  })
})

describe('a data directory is judged by how its metadata ends', () => {
  it('so a cluster that shrank to this node is served', async () => {
    const shrunk = encodeMetadataRecord(partitionChangeRecord, 2, {
      partitionId: 0,
      topicId: UUID.topic,
      isr: [1],
      replicas: [1],
      directories: [UUID.directory],
    })
    const wide = topicOf('orders', {
      replicas: [1, 2],
      directories: [UUID.otherDirectory, UUID.otherDirectory],
    })
    const logDirs = [UUID.directory, UUID.otherDirectory]
    const fs = withRecords(brokerOf({ logDirs }), brokerOf({}), ...wide, shrunk)
    const core = await openBroker(fs)
    assert.deepEqual(core.metadata.image.topics.get('orders')?.partitions[0]?.replicas, [1])
  })
})

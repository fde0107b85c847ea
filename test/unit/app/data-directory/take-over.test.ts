import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import type { BrokerCore } from '../../../../src/app/broker-core.ts'
import { decodeControlType } from '../../../../src/records/internal/control-records.ts'
import { encodeMetadataRecord } from '../../../../src/records/internal/metadata-record.ts'
import { decodeMetadataRecord } from '../../../../src/records/internal/metadata-records.ts'
import { brokerRegistrationChangeRecord } from '../../../../src/records/internal/node-metadata-records.ts'
import { partitionChangeRecord } from '../../../../src/records/internal/topic-metadata-records.ts'
import { isControl, partitionLeaderEpochOf } from '../../../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../../src/records/records-iterator.ts'
import { brokerOf, topicOf, UUID } from '../../cluster/standalone/metadata-records.ts'
import {
  addPartition,
  DATA_DIR,
  featureOf,
  kafkaDirectory,
  METADATA_DIR,
  openBroker,
} from './kafka-directory.ts'

/** The records of the metadata log from an epoch on: types of control records, names of others. */
function recordsSince(fs: MemoryFileSystem, epoch: number) {
  const names = fs.list(METADATA_DIR).filter((name) => name.endsWith('.log'))
  const log = Buffer.concat(names.map((name) => fs.readFile(`${METADATA_DIR}/${name}`)))
  const records: { readonly name: string | number; readonly version: number }[] = []
  for (const position of batchPositions(log)) {
    if (partitionLeaderEpochOf(log, position) < epoch) continue
    for (const { key, value } of recordsOf(log, position)) {
      if (isControl(log, position)) records.push({ name: decodeControlType(key), version: 0 })
      else records.push(decodeMetadataRecord(value as Buffer))
    }
  }
  return records
}

const namesSince = (fs: MemoryFileSystem, epoch: number) =>
  recordsSince(fs, epoch).map(({ name }) => name)

/** What a clean stop of Kafka says of the only partition. */
const stopped = (): Buffer[] => [
  encodeMetadataRecord(brokerRegistrationChangeRecord, 1, {
    brokerId: 1,
    brokerEpoch: 7,
    inControlledShutdown: 1,
  }),
  encodeMetadataRecord(partitionChangeRecord, 2, {
    partitionId: 0,
    topicId: UUID.topic,
    isr: [],
    leader: -1,
    eligibleLeaderReplicas: [1],
    lastKnownElr: [1],
  }),
  encodeMetadataRecord(brokerRegistrationChangeRecord, 0, {
    brokerId: 1,
    brokerEpoch: 7,
    fenced: 1,
  }),
]

const leaderOf = (core: BrokerCore) =>
  core.metadata.image.topics.get('orders')?.partitions[0]?.leaderId

describe('taking over a directory of Apache Kafka', () => {
  it('leads the partitions of a broker that was killed, and fences it once', async () => {
    const fs = kafkaDirectory({ records: [brokerOf({ fenced: false }), ...topicOf('orders')] })
    addPartition(fs, 'orders-0')
    const core = await openBroker(fs)
    assert.equal(leaderOf(core), 1)
    assert.equal(core.registry.partition('orders', 0)?.log.logEndOffset, 1)
    assert.deepEqual(namesSince(fs, 4), [
      2,
      'BrokerRegistrationChangeRecord',
      'PartitionChangeRecord',
    ])
    fs.kill()
    await openBroker(fs)
    assert.deepEqual(namesSince(fs, 5), [2, 'PartitionChangeRecord'])
  })

  it('leads the partitions that a clean stop left without leader', async () => {
    const records = [brokerOf({ fenced: false }), ...topicOf('orders'), ...stopped()]
    const fs = kafkaDirectory({ records })
    addPartition(fs, 'orders-0')
    fs.writeFileAtomic(`${DATA_DIR}/.kafka_cleanshutdown`, '{"version":0,"brokerEpoch":7}')
    const core = await openBroker(fs)
    assert.equal(leaderOf(core), 1)
    assert.deepEqual(namesSince(fs, 4), [2, 'PartitionChangeRecord'])
    assert.equal(fs.stat(`${DATA_DIR}/.kafka_cleanshutdown`), undefined)
  })

  it('adds no voters to a log of a static quorum', async () => {
    const fs = kafkaDirectory()
    await openBroker(fs)
    assert.deepEqual(namesSince(fs, 0).filter(Number.isInteger), [2, 2])
  })

  it('writes records in the versions of its metadata.version', async () => {
    const records = [featureOf(21), brokerOf({ fenced: false }), ...topicOf('orders')]
    const fs = kafkaDirectory({ records })
    await openBroker(fs)
    const change = recordsSince(fs, 4).find(({ name }) => name === 'PartitionChangeRecord')
    assert.equal(change?.version, 1)
  })
})

describe('a directory without an id', () => {
  const metaProperties = 'version=1\ncluster.id=c3Bvb2wtY2x1c3Rlci1pZA\nnode.id=1\n'
  const idIn = (fs: MemoryFileSystem): string | undefined =>
    /^directory\.id=(.*)$/m.exec(fs.readFile(`${DATA_DIR}/meta.properties`).toString())?.[1]

  it('gets that of the voter, or of the registered broker', async () => {
    const voter = kafkaDirectory({ metaProperties, voters: [[1, UUID.directory]] })
    await openBroker(voter)
    assert.equal(idIn(voter), UUID.directory)
    const broker = kafkaDirectory({ metaProperties, records: [brokerOf({})] })
    await openBroker(broker)
    assert.equal(idIn(broker), UUID.directory)
  })

  it('gets a new one when nothing names it, and keeps it', async () => {
    const fs = kafkaDirectory({ metaProperties })
    await openBroker(fs)
    const id = idIn(fs)
    assert.match(id ?? '', /^[\w-]{22}$/)
    fs.kill()
    await openBroker(fs)
    assert.equal(idIn(fs), id)
  })
})

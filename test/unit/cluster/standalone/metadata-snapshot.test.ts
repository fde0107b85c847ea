import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MetadataReplay } from '../../../../src/cluster/standalone/metadata-replay.ts'
import {
  encodeSnapshot,
  findSnapshotProblem,
  lastAppendMsOf,
  parseSnapshotFileName,
  snapshotFileName,
} from '../../../../src/cluster/standalone/metadata-snapshot.ts'
import { MetadataState } from '../../../../src/cluster/standalone/metadata-state.ts'
import { ownVoters, voterRecords } from '../../../../src/cluster/standalone/node-records.ts'
import { QuorumVoters } from '../../../../src/cluster/standalone/quorum-voters.ts'
import { snapshotRecords } from '../../../../src/cluster/standalone/snapshot-records.ts'
import { ConfigResourceType } from '../../../../src/ports/metadata-store.ts'
import {
  decodeControlType,
  decodeControlValue,
  snapshotHeaderRecord,
} from '../../../../src/records/internal/control-records.ts'
import { decodeMetadataRecord } from '../../../../src/records/internal/metadata-records.ts'
import {
  isControl,
  partitionLeaderEpochOf,
  recordCountOf,
} from '../../../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../../src/records/records-iterator.ts'
import { aclOf, brokerOf, quotaOf, scramOf, tokenOf, topicOf, UUID } from './metadata-records.ts'

const ID = { endOffset: 41, epoch: 7 }
const TIMES = { lastAppendMs: 1_700_000_000_000, nowMs: 1_700_000_000_500 }

function votersOf(): QuorumVoters {
  const voters = new QuorumVoters()
  const identity = { clusterId: 'c', nodeId: 1, directoryId: UUID.directory }
  for (const { key, value } of voterRecords(ownVoters(identity))) voters.apply(key, value)
  return voters
}

/** A state with something of everything. */
function richState(): MetadataState {
  const state = new MetadataState('c', 1)
  const replay = new MetadataReplay(state)
  const records = [
    ...topicOf('orders'),
    brokerOf({}),
    aclOf(),
    scramOf('alice'),
    tokenOf('t1'),
    quotaOf([{ entityType: 'user', entityName: null }], 5),
  ]
  const batches = encodeSnapshot(ID, votersOf(), records, TIMES)
  for (const batch of batches) replay.applyBatches(batch, false)
  const { image } = state
  image.setFeature('group.version', 1)
  image.setFeature('metadata.version', 33)
  image.setConfig(ConfigResourceType.TOPIC, 'orders', 'retention.ms', '7')
  image.setConfig(ConfigResourceType.BROKER, '', 'min.insync.replicas', '1')
  image.setConfig(ConfigResourceType.GROUP, 'g', 'consumer.session.timeout.ms', '9000')
  image.takeProducerIds(3000)
  return state
}

const encode = (values: readonly Buffer[], voters = votersOf()): Buffer =>
  Buffer.concat(encodeSnapshot(ID, voters, values, TIMES))

describe('the name of a metadata snapshot (KIP-630)', () => {
  it('is the end offset with 20 digits and the epoch with 10', () => {
    assert.equal(snapshotFileName(ID), '00000000000000000041-0000000007.checkpoint')
    assert.deepEqual(parseSnapshotFileName(snapshotFileName(ID)), ID)
  })

  it('of a part, of a deleted or of another file is none', () => {
    for (const suffix of ['.part', '.deleted', '.corrupt', '.tmp'])
      assert.equal(parseSnapshotFileName(snapshotFileName(ID) + suffix), null)
    assert.equal(parseSnapshotFileName('00000000000000000041.snapshot'), null)
    assert.equal(parseSnapshotFileName('leader-epoch-checkpoint'), null)
  })
})

describe('a metadata snapshot (KIP-630)', () => {
  it('has a header with the voters, the state, and a footer, at offsets from 0', () => {
    const content = encode([aclOf(), scramOf('alice')])
    const positions = [...batchPositions(content)]
    assert.deepEqual(
      positions.map((position) => [
        isControl(content, position),
        partitionLeaderEpochOf(content, position),
      ]),
      [
        [true, 7],
        [false, 7],
        [true, 7],
      ],
    )
    const records = positions.flatMap((position) => [...recordsOf(content, position)])
    assert.deepEqual(
      records.map(({ offset }) => offset),
      [0, 1, 2, 3, 4, 5],
    )
    const types = records.map(({ key }) => key && decodeControlType(key))
    assert.deepEqual(types, [3, 5, 6, null, null, 4])
    const header = decodeControlValue(snapshotHeaderRecord, records[0]?.value as Buffer)
    assert.equal(header.lastContainedLogTimestamp, TIMES.lastAppendMs)
    assert.equal(lastAppendMsOf(content), TIMES.lastAppendMs)
    assert.equal(findSnapshotProblem(content), null)
  })

  it('of a static quorum names no voters', () => {
    const content = encode([], new QuorumVoters())
    const types = [...batchPositions(content)].flatMap((position) =>
      Array.from(recordsOf(content, position), ({ key }) => decodeControlType(key)),
    )
    assert.deepEqual(types, [3, 4])
    assert.equal(findSnapshotProblem(content), null)
  })

  it('has its records in batches that a reader can hold', () => {
    const values = Array.from({ length: 3000 }, (_, i) => scramOf(`user ${i} ${'x'.repeat(400)}`))
    const content = encode(values)
    const counts = [...batchPositions(content)].map((position) => recordCountOf(content, position))
    assert.ok(counts.length > 4)
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      3000 + 4,
    )
    assert.equal(findSnapshotProblem(content), null)
  })
})

describe('the records of a metadata snapshot', () => {
  it('begin with the metadata.version and have everything of the state', () => {
    const state = richState()
    const records = snapshotRecords(state, UUID.directory)
    const names = records.map((value) => decodeMetadataRecord(value).name)
    assert.deepEqual(decodeMetadataRecord(records[0] as Buffer).value, {
      name: 'metadata.version',
      featureLevel: 33,
    })
    assert.deepEqual(names, [
      'FeatureLevelRecord',
      'FeatureLevelRecord',
      'RegisterBrokerRecord',
      'TopicRecord',
      'PartitionRecord',
      'ConfigRecord',
      'ConfigRecord',
      'ConfigRecord',
      'ClientQuotaRecord',
      'ProducerIdsRecord',
      'AccessControlEntryRecord',
      'UserScramCredentialRecord',
      'DelegationTokenRecord',
    ])
  })

  it('make the same state again when they are read', () => {
    const state = richState()
    const records = snapshotRecords(state, UUID.directory)
    const again = new MetadataState('c', 1)
    new MetadataReplay(again).applyBatches(encode(records, state.voters), false)
    assert.deepEqual(snapshotRecords(again, UUID.directory), records)
    assert.deepEqual(again.voters.voters, state.voters.voters)
    assert.deepEqual([...again.image.topics], [...state.image.topics])
    assert.equal(again.image.nextProducerId, 3000)
  })
})

describe('a damaged metadata snapshot', () => {
  const content = encode(snapshotRecords(richState(), UUID.directory))

  it('is noticed wherever it is cut', () => {
    for (let length = 0; length < content.byteLength; length++)
      assert.notEqual(findSnapshotProblem(content.subarray(0, length)), null, `${length} bytes`)
  })

  it('is noticed for any changed byte but those of the leader epochs', () => {
    const epochs = new Set<number>()
    for (const position of batchPositions(content))
      for (let i = 12; i < 16; i++) epochs.add(position + i)
    const places = fc.nat(content.byteLength - 1).filter((position) => !epochs.has(position))
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 255 }), (position, change) => {
        const damaged = Buffer.from(content)
        damaged[position] = (damaged[position] as number) ^ change
        assert.notEqual(findSnapshotProblem(damaged), null)
      }),
      { numRuns: 300 },
    )
  })

  it('says of no time what is in it', () => {
    assert.equal(lastAppendMsOf(content.subarray(0, 100)), -1)
    assert.equal(lastAppendMsOf(Buffer.alloc(0)), -1)
    assert.equal(lastAppendMsOf(Buffer.alloc(500)), -1)
  })

  it('is noticed when something is behind it', () => {
    assert.notEqual(findSnapshotProblem(Buffer.concat([content, Buffer.alloc(70)])), null)
    assert.notEqual(findSnapshotProblem(Buffer.concat([content, content])), null)
  })
})

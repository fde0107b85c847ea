import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import {
  encodeSnapshot,
  snapshotFileName,
} from '../../../../src/cluster/standalone/metadata-snapshot.ts'
import { QuorumVoters } from '../../../../src/cluster/standalone/quorum-voters.ts'
import { encodeMetadataRecord } from '../../../../src/records/internal/metadata-record.ts'
import { decodeMetadataRecord } from '../../../../src/records/internal/metadata-records.ts'
import { featureLevelRecord } from '../../../../src/records/internal/topic-metadata-records.ts'
import { isControl } from '../../../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../../src/records/records-iterator.ts'
import { METADATA_DIRECTORY, MetadataNode, type NodeSettings } from './metadata-node.ts'
import { aclOf, scramOf } from './metadata-records.ts'

/** A snapshot after each commit, the log cut behind each: every step of both, many times. */
const SETTINGS: NodeSettings = {
  snapshots: { maxBytesBetween: 1, maxIntervalMs: 0, retentionBytes: 1 },
  log: { segmentBytes: 4096 },
}
const COMMIT_COUNT = 5

/** What Kafka's format tool leaves: the first records are in a snapshot, the log is empty. */
function formattedNode(): MetadataNode {
  const node = new MetadataNode(SETTINGS)
  const { fs } = node
  const id = { endOffset: 0, epoch: 0 }
  const version = { name: 'metadata.version', featureLevel: 33 }
  const records = [encodeMetadataRecord(featureLevelRecord, 0, version), aclOf(), scramOf('alice')]
  const times = { lastAppendMs: 0, nowMs: 0 }
  const content = Buffer.concat(encodeSnapshot(id, new QuorumVoters(), records, times))
  fs.makeDirectory(METADATA_DIRECTORY)
  fs.writeFileAtomic(`${METADATA_DIRECTORY}/${snapshotFileName(id)}`, content)
  fs.writeFileAtomic(
    '/data/meta.properties',
    'version=1\ncluster.id=c3Bvb2wtY2x1c3Rlci1pZA\nnode.id=1\ndirectory.id=c3Bvb2wtZGlyZWN0b3J5MQ\n',
  )
  fs.syncDirectory('/data')
  return node
}

interface Progress {
  /** Number of the last commit that was answered, and of the last that was begun; -1: none. */
  acked: number
  begun: number
}

async function work(node: MetadataNode, progress: Progress): Promise<void> {
  await node.open()
  for (let index = 0; index < COMMIT_COUNT; index++) {
    progress.begun = index
    const value = String(index).padStart(1500, '0')
    await node.commit([
      { kind: 'configSet', type: 4, resourceName: '', name: 'log.retention.ms', value },
    ])
    progress.acked = index
    await node.idle()
  }
  await node.stop()
}

/** Everything a disk does from the given operation on fails: the process stops there. */
function failFrom(fs: MemoryFileSystem, step: number): { readonly count: () => number } {
  let count = 0
  fs.fault = () => (++count >= step ? { code: 'EIO' } : undefined)
  return { count: () => count }
}

/** How a disk treats what was written and not synced. */
const REMAINS = [
  undefined,
  (_path: string, _synced: number, written: number) => written,
  (_path: string, synced: number, written: number) => Math.floor((synced + written) / 2),
] as const

/** The state as a snapshot of it says, so that nothing is left out. */
async function keptNames(node: MetadataNode): Promise<string[]> {
  const before = node.names(/\.checkpoint$/)
  await node.commit([{ kind: 'producerIdsTaken', nextProducerId: 1000 }])
  await node.idle()
  const newest = node.names(/\.checkpoint$/).at(-1)
  assert.notEqual(newest, before.at(-1))
  const content = node.fs.readFile(`${METADATA_DIRECTORY}/${newest}`)
  return [...batchPositions(content)]
    .filter((position) => !isControl(content, position))
    .flatMap((position) => [...recordsOf(content, position)])
    .map(({ value }) => decodeMetadataRecord(value as Buffer).name)
}

async function checkAfterCrash(node: MetadataNode, progress: Progress): Promise<void> {
  const metadata = await node.open()
  const value = metadata.image.configs(4, '').get('log.retention.ms')
  const found = value === undefined ? -1 : Number(value)
  assert.ok(found >= progress.acked, `commit ${progress.acked} was answered, found ${found}`)
  assert.ok(found <= progress.begun, `commit ${found} was never begun`)
  assert.equal(metadata.image.features.get('metadata.version'), 33)
  const names = await keptNames(node)
  assert.ok(names.includes('AccessControlEntryRecord'))
  assert.ok(names.includes('UserScramCredentialRecord'))
  await node.stop()
}

describe('metadata after a power failure', () => {
  for (const [index, remains] of REMAINS.entries()) {
    const what = ['nothing', 'all', 'half'][index]
    it(`at every step of the disk has what was answered, when ${what} un-synced is left`, async () => {
      let stepCount = 0
      for (let step = 1; step <= stepCount || stepCount === 0; step++) {
        const node = formattedNode()
        const progress = { acked: -1, begun: -1 }
        const { count } = failFrom(node.fs, step)
        const isDone = await work(node, progress).then(
          () => true,
          () => false,
        )
        await node.idle()
        node.fs.fault = undefined
        if (isDone) {
          stepCount = count()
          assert.ok(stepCount > 100, 'the work has many steps')
          break
        }
        node.fs.crash(remains)
        await checkAfterCrash(node, progress)
      }
      assert.ok(stepCount > 0)
    })
  }
})

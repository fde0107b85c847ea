import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SnapshotFiles } from '../../../../src/cluster/standalone/snapshot-files.ts'
import type { MetadataChange } from '../../../../src/ports/metadata-store.ts'
import { METADATA_DIRECTORY, MetadataNode } from './metadata-node.ts'

const CHECKPOINT = /\.checkpoint$/
/** Small, so that a few commits are enough. */
const BETWEEN = 4096

/** About a kilobyte of metadata that stays as large as it is. */
const configOf = (index: number): MetadataChange => ({
  kind: 'configSet',
  type: 2,
  resourceName: 'orders',
  name: 'retention.ms',
  value: String(index).padStart(1000, '0'),
})

async function commitConfigs(node: MetadataNode, count: number, from = 0): Promise<void> {
  for (let index = from; index < from + count; index++) await node.commit([configOf(index)])
  await node.idle()
}

const valueIn = (node: MetadataNode): string | undefined =>
  node.metadata.image
    .configs(2, 'orders')
    .get('retention.ms')
    ?.replace(/^0+(?=.)/, '')

const segmentBases = (node: MetadataNode): number[] =>
  node.names(/\.log$/).map((name) => Number(name.slice(0, 20)))

describe('when metadata snapshots are written (KIP-630)', () => {
  it('after so many bytes of records, and never in between', async () => {
    const node = new MetadataNode({ snapshots: { maxBytesBetween: BETWEEN, maxIntervalMs: 0 } })
    await node.open()
    await commitConfigs(node, 2)
    assert.deepEqual(node.names(CHECKPOINT), [])
    await commitConfigs(node, 2, 2)
    const [first, ...others] = node.names(CHECKPOINT)
    assert.match(first ?? '', /^\d{20}-0000000001\.checkpoint$/)
    assert.deepEqual(others, [])
    await commitConfigs(node, 2, 4)
    assert.equal(node.names(CHECKPOINT).length, 1)
    await commitConfigs(node, 3, 6)
    assert.equal(node.names(CHECKPOINT).length, 2)
  })

  it('at the start, when the log has grown long without one', async () => {
    const long = new MetadataNode({ snapshots: { maxBytesBetween: 1 << 30 } })
    await long.open()
    await commitConfigs(long, 6)
    await long.stop()
    const node = new MetadataNode({ snapshots: { maxBytesBetween: BETWEEN } }, long.fs)
    await node.open()
    await node.idle()
    assert.equal(node.names(CHECKPOINT).length, 1)
  })

  it('after a while, when there is anything new', async () => {
    const node = new MetadataNode({ snapshots: { maxIntervalMs: 60_000 } })
    await node.open()
    node.scheduler.advance(59_999)
    await node.idle()
    assert.deepEqual(node.names(CHECKPOINT), [])
    node.scheduler.advance(1)
    await node.idle()
    assert.equal(node.names(CHECKPOINT).length, 1)
    node.scheduler.advance(180_000)
    await node.idle()
    assert.equal(node.names(CHECKPOINT).length, 1)
    await commitConfigs(node, 1)
    node.scheduler.advance(60_000)
    await node.idle()
    assert.equal(node.names(CHECKPOINT).length, 2)
  })

  it('not any more once the metadata is closed', async () => {
    const node = new MetadataNode({ snapshots: { maxIntervalMs: 60_000 } })
    await node.open()
    await node.settled(node.metadata.close())
    assert.equal(node.scheduler.pendingCount, 0)
  })
})

describe('the metadata log behind a snapshot', () => {
  const tight = { maxBytesBetween: 1, maxIntervalMs: 0, retentionBytes: 1 }

  it('is cut before the older of the last two', async () => {
    // Segments of their least size, so that cutting shows in the files.
    const node = new MetadataNode({ snapshots: tight, log: { segmentBytes: 4096 } })
    await node.open()
    await commitConfigs(node, 12)
    const kept = node.names(CHECKPOINT)
    assert.equal(kept.length, 2)
    const older = Number(kept[0]?.slice(0, 20))
    const [base, second] = segmentBases(node)
    assert.ok(base !== undefined && base > 0 && base <= older, `${base} is before ${older}`)
    assert.ok(second === undefined || second > older, 'all whole segments before it are gone')
    await node.stop()
    await node.open()
    assert.equal(valueIn(node), '11')
  })

  it('stays whole while there is room, and when no time has passed', async () => {
    const snapshots = { maxBytesBetween: 1, maxIntervalMs: 0 }
    const node = new MetadataNode({ snapshots })
    await node.open()
    await commitConfigs(node, 5)
    assert.ok(node.names(CHECKPOINT).length >= 5)
    assert.deepEqual(segmentBases(node), [0])
  })

  it('is cut by age too', async () => {
    const snapshots = { maxBytesBetween: 1, maxIntervalMs: 0, retentionMs: 1000 }
    const node = new MetadataNode({ snapshots })
    await node.open()
    await commitConfigs(node, 5)
    const before = node.names(CHECKPOINT).length
    assert.ok(before > 2)
    node.clock.timeMs += 1001
    await commitConfigs(node, 1, 5)
    assert.equal(node.names(CHECKPOINT).length, 2)
  })
})

describe('a snapshot that can not be written', () => {
  it('costs no commit, leaves no part, and is tried again', async () => {
    const node = new MetadataNode({
      snapshots: { maxBytesBetween: BETWEEN, maxIntervalMs: 60_000 },
    })
    await node.open()
    node.fs.fault = (operation, path) =>
      operation === 'write' && path.endsWith('.part') ? { code: 'ENOSPC' } : undefined
    await commitConfigs(node, 6)
    assert.equal(valueIn(node), '5')
    assert.deepEqual(node.names(/\.checkpoint/), [])
    node.fs.fault = undefined
    node.scheduler.advance(60_000)
    await node.idle()
    assert.equal(node.names(CHECKPOINT).length, 1)
  })
})

describe('a damaged newest snapshot', () => {
  async function damagedNode(): Promise<MetadataNode> {
    const node = new MetadataNode({ snapshots: { maxBytesBetween: BETWEEN, maxIntervalMs: 0 } })
    await node.open()
    await commitConfigs(node, 10)
    await node.stop()
    assert.equal(node.names(CHECKPOINT).length, 2)
    return node
  }
  const damage = (node: MetadataNode, name: string | undefined): void => {
    const path = `${METADATA_DIRECTORY}/${name}`
    const content = node.fs.readFile(path)
    content[content.byteLength - 20] = (content[content.byteLength - 20] as number) ^ 1
    node.fs.writeFileAtomic(path, content)
  }

  it('is put aside, and the one before it with its log is as good', async () => {
    const node = await damagedNode()
    const [, newest] = node.names(CHECKPOINT)
    damage(node, newest)
    await node.open()
    assert.equal(valueIn(node), '9')
    assert.equal(node.names(CHECKPOINT).includes(newest ?? ''), false)
    assert.deepEqual(node.names(/\.corrupt$/), [`${newest}.corrupt`])
  })

  it('without an older one is made good from the log, as long as that is whole', async () => {
    const node = await damagedNode()
    for (const name of node.names(CHECKPOINT)) damage(node, name)
    await node.open()
    assert.equal(valueIn(node), '9')
    assert.equal(node.names(/\.corrupt$/).length, 2)
  })

  it('stops the start when what it held is nowhere else', async () => {
    const node = new MetadataNode({
      snapshots: { maxBytesBetween: 1, maxIntervalMs: 0, retentionBytes: 1 },
    })
    await node.open()
    await commitConfigs(node, 5)
    await node.stop()
    const names = node.names(CHECKPOINT)
    for (const name of names) damage(node, name)
    await assert.rejects(
      node.open(),
      /^ConfigError: the metadata log begins at offset \d+ .*checkpoint is damaged: .* from a backup/,
    )
    assert.deepEqual(node.names(CHECKPOINT), names)
    assert.deepEqual(node.names(/corrupt/), [])
  })
})

describe('what a crash leaves of a snapshot', () => {
  it('is removed at the next start when it was not finished', async () => {
    const node = new MetadataNode()
    await node.open()
    const part = `${METADATA_DIRECTORY}/00000000000000000005-0000000001.checkpoint.part`
    node.fs.open(part, 'create').close()
    await node.stop()
    await node.open()
    assert.equal(node.fs.stat(part), undefined)
    assert.deepEqual(new SnapshotFiles(node.fs, METADATA_DIRECTORY).list(), [])
  })
})

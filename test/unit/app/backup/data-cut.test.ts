import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { readCut } from '../../../../src/app/backup/data-cut.ts'
import { withTree } from '../../scripts/temporary-tree.ts'

const META = 'version=1\ncluster.id=abc\nnode.id=1\n'
const segment = (offset: number, suffix: string): string =>
  `${String(offset).padStart(20, '0')}${suffix}`

const paths = (root: string): string[] => readCut(root).files.map(({ path }) => path)

describe('a cut of a data directory', () => {
  it('has checkpoints first, transactions, what groups keep, records, and the metadata last', async () => {
    const topics = ['__cluster_metadata', 'a', '__consumer_offsets', '__transaction_state', 'z']
    const logs = topics.map((topic) => [`${topic}-0/${segment(0, '.log')}`, 'x'])
    const tree = { ...Object.fromEntries(logs), 'log-start-offset-checkpoint': '0\n0\n' }
    await withTree({ ...tree, 'meta.properties': META }, async (root) => {
      assert.deepEqual(
        paths(root).map((path) => path.split('/')[0]),
        [
          'log-start-offset-checkpoint',
          'meta.properties',
          '__transaction_state-0',
          '__consumer_offsets-0',
          'a-0',
          'z-0',
          '__cluster_metadata-0',
        ],
      )
      assert.equal(readCut(root).clusterId, 'abc')
      assert.equal(readCut(root).isAtomic, true)
    })
  })

  it('leaves out locks, markers, what is on its way out, and the indexes of the last segment', async () => {
    const kept = [
      segment(0, '.index'),
      segment(0, '.log'),
      segment(0, '.timeindex'),
      segment(0, '.txnindex'),
      segment(7, '.log'),
      segment(7, '.snapshot'),
      'leader-epoch-checkpoint',
      'partition.metadata',
    ]
    const left = [
      segment(0, '.log.deleted'),
      segment(0, '.log.cleaned'),
      segment(7, '.index'),
      segment(7, '.timeindex'),
      segment(7, '.txnindex'),
      `${segment(0, '.log')}.corrupt-12`,
      'leader-epoch-checkpoint.tmp',
    ]
    const inTopic = [...kept, ...left].map((name) => [`t-0/${name}`, 'x'])
    const tree = {
      ...Object.fromEntries(inTopic),
      'meta.properties': META,
      '.lock': '{}',
      '.kafka_cleanshutdown': '{}',
      [`t-1.${'0'.repeat(32)}-delete/${segment(0, '.log')}`]: 'x',
      [`t-2.${'0'.repeat(32)}-stray/${segment(0, '.log')}`]: 'x',
    }
    await withTree(tree, async (root) => {
      const wanted = ['meta.properties', ...kept.map((name) => `t-0/${name}`)]
      assert.deepEqual(paths(root).toSorted(), wanted.toSorted())
      const growing = readCut(root).files.filter(({ isGrowing }) => isGrowing)
      assert.deepEqual(
        growing.map(({ path }) => path),
        [`t-0/${segment(7, '.log')}`],
      )
    })
  })

  it('has the snapshots of the metadata and says which segments are being swapped', async () => {
    const snapshot = `__cluster_metadata-0/${segment(9, '-0000000001.checkpoint')}`
    const swapped = `t-0/${segment(0, '.log.swap')}`
    const tree = { [snapshot]: 'x', [swapped]: 'x', [`t-0/${segment(5, '.log')}`]: 'x' }
    await withTree({ ...tree, 'meta.properties': META }, async (root) => {
      assert.ok(paths(root).includes(snapshot))
      assert.deepEqual(readCut(root).swapPaths, [swapped])
    })
  })

  it('refuses a directory without an owner', async () => {
    await withTree({ 'meta.properties': 'version=1\n' }, async (root) => {
      assert.throws(() => readCut(root), /meta\.properties has no cluster\.id/)
    })
  })
})

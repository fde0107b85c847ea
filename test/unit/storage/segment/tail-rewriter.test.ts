import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../../src/base/errors.ts'
import { TailRewriter } from '../../../../src/storage/segment/tail-rewriter.ts'
import { SeededRandom } from '../../../fuzz/seeded-random.ts'
import { type DiskFault, SimulatedDisk } from '../../../sim/disk/simulated-disk.ts'
import { append, batchOf, Harness } from '../log-harness.ts'

/** A file with records that a sync lost, although the page cache still shows them. */
function afterFailedSync(seed: number): SimulatedDisk {
  let fault: DiskFault | undefined
  const disk = new SimulatedDisk({
    random: new SeededRandom(seed),
    nowMs: () => 0,
    before: (operation) => (operation === 'sync' ? fault : undefined),
  })
  const handle = disk.mount().open('/a', 'create')
  disk.mount().syncDirectory('/')
  handle.writeNow([Buffer.from('records')], 0)
  fault = { kind: 'error', code: 'EIO' }
  assert.throws(() => handle.dataSyncNow(), StorageError)
  fault = undefined
  disk.kill()
  return disk
}

function contentAfterPowerFailure(disk: SimulatedDisk): string {
  disk.losePower()
  return disk.mount().readFile('/a').toString('latin1')
}

describe('the end of a log after a sync that failed', () => {
  it('is lost by a sync that succeeds, unless it is written again before', () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      const disk = afterFailedSync(seed)
      disk.mount().open('/a', 'write').dataSyncNow()
      outcomes.add(contentAfterPowerFailure(disk))
    }
    assert(outcomes.has(''))
  })

  it('is safe when it is written over itself and synced', () => {
    for (let seed = 0; seed < 50; seed++) {
      const disk = afterFailedSync(seed)
      const handle = disk.mount().open('/a', 'write')
      const bytes = disk.mount().readFile('/a')
      const rewriter = new TailRewriter(handle, 0)
      rewriter.add(bytes, 0, 3, 0)
      rewriter.add(bytes, 3, 4, 3)
      rewriter.flush()
      handle.dataSyncNow()
      assert.equal(contentAfterPowerFailure(disk), 'records')
    }
  })

  it('is written again by recovery where somebody waits for syncs, and nowhere else', () => {
    const written = (durability: 'fsync' | 'os'): number => {
      const harness = new Harness()
      append(harness.open(), batchOf())
      harness.settle()
      harness.kill()
      harness.start()
      let count = 0
      harness.fs.fault = (operation, path) => {
        if (operation === 'write' && path.endsWith('.log')) count++
        return undefined
      }
      harness.open({ durability })
      return count
    }
    assert.deepEqual([written('fsync'), written('os')], [1, 0])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../src/base/errors.ts'
import type { FileHandle, FileSystem } from '../../../src/ports/file-system.ts'
import { SeededRandom } from '../../fuzz/seeded-random.ts'
import { type DiskFault, type DiskOptions, SimulatedDisk } from './simulated-disk.ts'

interface Fixture {
  readonly disk: SimulatedDisk
  readonly fs: FileSystem
  /** Given to the next operation of that kind. */
  readonly faults: Map<string, DiskFault>
}

function fresh(seed: number, options: Partial<DiskOptions> = {}): Fixture {
  const faults = new Map<string, DiskFault>()
  const disk = new SimulatedDisk({
    random: new SeededRandom(seed),
    nowMs: () => 0,
    before: (operation) => {
      const fault = faults.get(operation)
      faults.delete(operation)
      return fault
    },
    ...options,
  })
  const fs = disk.mount()
  fs.makeDirectory('/d')
  fs.syncDirectory('/')
  return { disk, fs, faults }
}

function fileOf(fs: FileSystem, content: string): FileHandle {
  const handle = fs.open('/d/a', 'create')
  fs.syncDirectory('/d')
  handle.writeNow([Buffer.from(content)], 0)
  return handle
}

/** What power failures leave, over many seeds. */
function outcomes(run: (seed: number) => string, seedCount = 300): Set<string> {
  return new Set(Array.from({ length: seedCount }, (_, seed) => run(seed)))
}

const namesAfter = (disk: SimulatedDisk): string => {
  disk.losePower()
  return disk.mount().list('/d').join(' ')
}

const contentAfter = (disk: SimulatedDisk): string => {
  disk.losePower()
  return disk.mount().readFile('/d/a').toString('latin1')
}

function isRefused(code: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof StorageError && (error.cause as { code?: string }).code === code
}

describe('bytes on a disk that loses power', () => {
  it('are there when they were synced, whatever came after', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      const handle = fileOf(fs, 'safe')
      handle.dataSyncNow()
      handle.writeNow([Buffer.from('gone')], 4)
      return contentAfter(disk).slice(0, 4)
    })
    assert.deepEqual([...found], ['safe'])
  })

  it('are lost, whole, cut or with zeros in their midst when they were not', () => {
    const content = 'x'.repeat(1536)
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      fileOf(fs, content)
      return contentAfter(disk)
        .replaceAll('\0', '.')
        .replaceAll(/(.)\1*/g, (run, one) => `${one}${run.length} `)
    })
    for (const expected of ['', 'x1536 ', 'x512 ', '.512 x512 ', 'x512 .512 x512 '])
      assert(found.has(expected), `${JSON.stringify(expected)} of ${JSON.stringify([...found])}`)
  })

  it('that were written over are the old ones or the new ones, piece by piece', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      const handle = fileOf(fs, 'o'.repeat(1024))
      handle.dataSyncNow()
      handle.writeNow([Buffer.alloc(1024, 'n')], 0)
      return contentAfter(disk).replaceAll(/(.)\1*/gs, '$1')
    })
    assert.deepEqual([...found].sort(), ['n', 'no', 'o', 'on'])
  })

  it('that were cut off can come back', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      const handle = fileOf(fs, 'abcd')
      handle.dataSyncNow()
      handle.truncate(2)
      return contentAfter(disk)
    })
    assert.deepEqual([...found].sort(), ['ab', 'abcd'])
  })

  it('are not promised when they were written after the sync began', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      const handle = fileOf(fs, 'ab')
      let isDone = false
      handle.dataSync(() => {
        isDone = true
      })
      handle.writeNow([Buffer.from('cd')], 2)
      disk.runTask()
      assert(isDone)
      return contentAfter(disk)
    })
    assert.deepEqual([...found].sort(), ['ab', 'ab\0\0', 'abcd'])
  })

  it('stay in the page cache when only the process is killed', () => {
    const { disk, fs } = fresh(1)
    fileOf(fs, 'ab')
    disk.kill()
    assert.equal(disk.mount().readFile('/d/a').toString(), 'ab')
  })
})

describe('bytes of which a sync failed', () => {
  it('are lost, although the next one succeeds', () => {
    const found = outcomes((seed) => {
      const { disk, fs, faults } = fresh(seed)
      const handle = fileOf(fs, 'ab')
      faults.set('sync', { kind: 'error', code: 'EIO' })
      assert.throws(() => handle.dataSyncNow(), isRefused('EIO'))
      handle.dataSyncNow()
      assert.equal(fs.readFile('/d/a').toString(), 'ab')
      return contentAfter(disk)
    })
    assert(found.has(''))
  })

  it('are cut where they were cut before, once the next one succeeds', () => {
    const found = outcomes((seed) => {
      const { disk, fs, faults } = fresh(seed)
      const handle = fileOf(fs, 'abcd')
      handle.dataSyncNow()
      handle.truncate(2)
      faults.set('sync', { kind: 'error', code: 'EIO' })
      assert.throws(() => handle.dataSyncNow(), isRefused('EIO'))
      handle.dataSyncNow()
      return contentAfter(disk)
    })
    assert.deepEqual([...found], ['ab'])
  })
})

describe('names on a disk that loses power', () => {
  it('are there when their directory was synced', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      fs.open('/d/a', 'create')
      fs.syncDirectory('/d')
      return namesAfter(disk)
    })
    assert.deepEqual([...found], ['a'])
  })

  it('are any of those that were made since, where POSIX is all that is known', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed, { names: 'any' })
      fs.open('/d/a', 'create').dataSyncNow()
      fs.open('/d/b', 'create').dataSyncNow()
      return namesAfter(disk)
    })
    assert.deepEqual([...found].sort(), ['', 'a', 'a b', 'b'])
  })

  it('come in their order with a journal, and with the sync of any file', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed, { names: 'journal' })
      fs.open('/d/a', 'create').dataSyncNow()
      fs.open('/d/b', 'create')
      fs.open('/d/c', 'create')
      return namesAfter(disk)
    })
    assert.deepEqual([...found].sort(), ['a', 'a b', 'a b c'])
  })

  it('are the old or the new one after a rename, never both or none', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      fileOf(fs, 'x')
      fs.rename('/d/a', '/d/b')
      return namesAfter(disk)
    })
    assert.deepEqual([...found].sort(), ['a', 'b'])
  })

  it('come back when they were removed', () => {
    const found = outcomes((seed) => {
      const { disk, fs } = fresh(seed)
      fileOf(fs, 'x')
      fs.remove('/d')
      disk.losePower()
      const after = disk.mount()
      return after.stat('/d') === undefined ? 'none' : after.list('/d').join(' ')
    })
    assert.deepEqual([...found].sort(), ['', 'a', 'none'])
  })
})

describe('a disk that fails', () => {
  it('writes a part and gives the error', () => {
    const { fs, faults } = fresh(1)
    const handle = fileOf(fs, '')
    faults.set('write', { kind: 'error', code: 'EIO', share: 0.5 })
    assert.throws(
      () => handle.writeNow([Buffer.from('abc'), Buffer.from('def')], 0),
      isRefused('EIO'),
    )
    assert.equal(fs.readFile('/d/a').toString(), 'abc')
  })

  it('takes what fits when it is full', () => {
    const { disk, fs } = fresh(1)
    const handle = fileOf(fs, '')
    disk.capacityBytes = 4
    assert.throws(() => handle.writeNow([Buffer.from('abcdef')], 0), isRefused('ENOSPC'))
    assert.equal(fs.readFile('/d/a').toString(), 'abcd')
    handle.writeNow([Buffer.from('xy')], 1)
    assert.throws(() => fs.open('/d/b', 'create'), isRefused('ENOSPC'))
  })

  it('flips one bit of what is read, and none of what it holds', () => {
    const { fs, faults } = fresh(1)
    fileOf(fs, '\0\0\0\0')
    faults.set('read', { kind: 'flippedBit' })
    const bits = [...fs.readFile('/d/a')].filter((byte) => byte !== 0)
    assert.equal(bits.length, 1)
    assert(Number.isInteger(Math.log2(bits[0] as number)))
    assert.deepEqual([...fs.readFile('/d/a')], [0, 0, 0, 0])
  })

  it('does nothing more for a process that died, nor tells it anything', () => {
    const { disk, fs } = fresh(1)
    const handle = fileOf(fs, 'ab')
    handle.dataSync(() => assert.fail('told a dead process'))
    disk.kill()
    assert.equal(disk.taskCount, 0)
    assert.throws(() => handle.writeNow([Buffer.from('x')], 0), isRefused('EBADF'))
  })

  it('does not do the operation at which the plug was pulled', () => {
    const { disk, fs } = fresh(1, {
      before: (operation) => {
        if (operation === 'rename') disk.losePower()
        return undefined
      },
    })
    fileOf(fs, 'x').dataSyncNow()
    assert.throws(() => fs.rename('/d/a', '/d/b'), isRefused('EPIPE'))
    assert.throws(() => fs.list('/d'), isRefused('EBADF'))
    assert.deepEqual(disk.mount().list('/d'), ['a'])
  })

  it('fails in the same way for the same seed', () => {
    const run = () => {
      const { disk, fs } = fresh(77)
      fileOf(fs, 'q'.repeat(20_000))
      return contentAfter(disk)
    }
    assert.equal(run(), run())
  })
})

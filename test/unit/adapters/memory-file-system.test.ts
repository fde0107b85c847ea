import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryFileSystem } from '../../../src/adapters/memory-file-system.ts'
import { ConfigError, StorageError } from '../../../src/base/errors.ts'

function fresh(): MemoryFileSystem {
  const files = new MemoryFileSystem({ tracksSyncs: true })
  files.makeDirectory('/d')
  files.syncDirectory('')
  return files
}

describe('a power failure in memory', () => {
  it('takes names that no directory sync made safe', () => {
    const files = fresh()
    files.open('/d/synced', 'create').dataSyncNow()
    files.syncDirectory('/d')
    files.open('/d/lost', 'create').dataSyncNow()
    files.crash()
    assert.deepEqual(files.list('/d'), ['synced'])
  })

  it('takes bytes that no sync of the file made safe', () => {
    const files = fresh()
    const handle = files.open('/d/a', 'create')
    handle.writeNow([Buffer.from('safe')], 0)
    handle.dataSyncNow()
    files.syncDirectory('/d')
    handle.writeNow([Buffer.from('gone')], 4)
    files.crash()
    assert.equal(files.readFile('/d/a').toString(), 'safe')
  })

  it('can leave a part of them', () => {
    const files = fresh()
    const handle = files.open('/d/a', 'create')
    handle.writeNow([Buffer.from('abcdef')], 0)
    files.syncDirectory('/d')
    files.crash((path, synced, written) => {
      assert.deepEqual([path, synced, written], ['/d/a', 0, 6])
      return 2
    })
    assert.equal(files.readFile('/d/a').toString(), 'ab')
  })

  it('takes renames and removals back', () => {
    const files = fresh()
    for (const name of ['a', 'b']) files.open(`/d/${name}`, 'create').dataSyncNow()
    files.syncDirectory('/d')
    files.rename('/d/a', '/d/c')
    files.remove('/d/b')
    files.crash()
    assert.deepEqual(files.list('/d'), ['a', 'b'])
  })

  it('ends handles, callbacks and locks of before', () => {
    const tasks: (() => void)[] = []
    const files = new MemoryFileSystem({ tracksSyncs: true, defer: (task) => tasks.push(task) })
    files.makeDirectory('/d')
    const handle = files.open('/d/a', 'create')
    files.lock('/d/.lock')
    assert.throws(() => files.lock('/d/.lock'), ConfigError)
    let isTold = false
    handle.dataSync(() => {
      isTold = true
    })
    files.crash()
    for (const task of tasks) task()
    assert.equal(isTold, false)
    assert.throws(() => handle.writeNow([Buffer.from('x')], 0), StorageError)
    files.lock('/d/.lock')
  })
})

describe('a full disk in memory', () => {
  it('takes what fits and fails with ENOSPC', () => {
    const files = new MemoryFileSystem({ capacityBytes: 6 })
    files.makeDirectory('/d')
    const handle = files.open('/d/a', 'create')
    handle.writeNow([Buffer.from('abcd')], 0)
    assert.throws(
      () => handle.writeNow([Buffer.from('efgh')], 4),
      (error) =>
        error instanceof StorageError && (error.cause as { code?: string }).code === 'ENOSPC',
    )
    assert.equal(files.readFile('/d/a').toString(), 'abcdef')
    assert.equal(files.freeBytes(), 0)
  })
})

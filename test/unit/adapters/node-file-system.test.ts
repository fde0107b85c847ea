import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { MemoryFileSystem } from '../../../src/adapters/memory-file-system.ts'
import { NodeFileSystem } from '../../../src/adapters/node-file-system.ts'
import { StorageError } from '../../../src/base/errors.ts'
import type { FileSystem } from '../../../src/ports/file-system.ts'

let root = ''
before(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'spool-files-'))
})
after(() => fs.rmSync(root, { recursive: true, force: true }))

const callback = (start: (done: (error: Error | null, value?: number) => void) => void) =>
  new Promise<number | undefined>((resolve, reject) => {
    start((error, value) => (error === null ? resolve(value) : reject(error)))
  })

const SYSTEMS: readonly (readonly [string, () => FileSystem])[] = [
  ['of this machine', () => new NodeFileSystem()],
  ['in memory', () => new MemoryFileSystem({ tracksSyncs: true })],
]
let directoryCount = 0

function prepare(make: () => FileSystem): { files: FileSystem; dir: string } {
  const files = make()
  const dir = `${root}/${directoryCount++}`
  files.makeDirectory(`${dir}/deep`)
  return { files, dir }
}

for (const [name, make] of SYSTEMS) {
  describe(`the bytes of files ${name}`, () => {
    it('take pieces in order at a position, and give them back', () => {
      const { files, dir } = prepare(make)
      const handle = files.open(`${dir}/a`, 'create')
      handle.writeNow([Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')], 2)
      handle.writeNow([Buffer.from('3')], 8)
      assert.equal(handle.sizeBytes(), 9)
      const into = Buffer.alloc(12, 0x2e)
      assert.equal(handle.readNow(into, 1, 20 - 9, 0), 9)
      assert.equal(into.toString('latin1'), '.\0\0onetwo3..')
      handle.close()
    })

    it('take 3000 pieces at once, more than one system call can', async () => {
      const { files, dir } = prepare(make)
      const handle = files.open(`${dir}/a`, 'create')
      const pieces = Array.from({ length: 3000 }, (_, i) => Buffer.from(String(i % 10)))
      handle.writeNow(pieces, 0)
      await callback((done) => handle.write(pieces, 3000, done))
      assert.equal(files.readFile(`${dir}/a`).toString(), '0123456789'.repeat(600))
      handle.close()
    })

    it('are read, written and synced without blocking', async () => {
      const { files, dir } = prepare(make)
      const handle = files.open(`${dir}/a`, 'create')
      await callback((done) => handle.write([Buffer.from('hello')], 0, done))
      await callback((done) => handle.dataSync(done))
      await callback((done) => files.syncDirectoryLater(dir, done))
      handle.dataSyncNow()
      const into = Buffer.alloc(8)
      const bytesRead = await callback((done) => handle.read(into, 0, 8, 1, done))
      assert.equal(bytesRead, 4)
      assert.equal(into.toString('latin1', 0, 4), 'ello')
      handle.close()
    })

    it('are cut and grown with zeros', () => {
      const { files, dir } = prepare(make)
      const handle = files.open(`${dir}/a`, 'create')
      handle.writeNow([Buffer.from('abcdef')], 0)
      handle.truncate(3)
      handle.truncate(5)
      assert.equal(files.readFile(`${dir}/a`).toString('latin1'), 'abc\0\0')
      handle.writeNow([Buffer.alloc(200_000, 0x61)], 70_000)
      assert.equal(files.readFile(`${dir}/a`).readUInt8(69_999), 0)
      assert.equal(files.stat(`${dir}/a`)?.sizeBytes, 270_000)
      handle.close()
    })
  })

  describe(`the names of files ${name}`, () => {
    it('are listed sorted, renamed with what is in them, and removed', () => {
      const { files, dir } = prepare(make)
      for (const file of ['b', 'a', 'deep/c']) files.open(`${dir}/${file}`, 'create').close()
      assert.deepEqual(files.list(dir), ['a', 'b', 'deep'])
      files.rename(`${dir}/deep`, `${dir}/moved`)
      assert.deepEqual(files.list(`${dir}/moved`), ['c'])
      assert.equal(files.stat(`${dir}/moved`)?.isDirectory, true)
      files.remove(`${dir}/moved`)
      files.remove(`${dir}/nothing`)
      assert.equal(files.stat(`${dir}/moved/c`), undefined)
      assert.deepEqual(files.list(dir), ['a', 'b'])
    })

    it('are replaced as a whole, without leftovers', () => {
      const { files, dir } = prepare(make)
      files.writeFileAtomic(`${dir}/a`, 'a long first content')
      files.writeFileAtomic(`${dir}/a`, Buffer.from('second'))
      assert.equal(files.readFile(`${dir}/a`).toString(), 'second')
      assert.deepEqual(files.list(dir), ['a', 'deep'])
    })

    it('that are missing are a StorageError with the path and the cause', () => {
      const { files, dir } = prepare(make)
      for (const action of [
        () => files.open(`${dir}/none`, 'write'),
        () => files.open(`${dir}/none`, 'read'),
        () => files.readFile(`${dir}/none`),
        () => files.list(`${dir}/none`),
        () => files.rename(`${dir}/none`, `${dir}/other`),
      ])
        assert.throws(
          action,
          (error) =>
            error instanceof StorageError &&
            error.message.includes(`${dir}/none`) &&
            (error.cause as { code?: string }).code === 'ENOENT',
        )
    })

    it('have free space', () => {
      const { files, dir } = prepare(make)
      assert(files.freeBytes(dir) > 0)
    })
  })
}

describe('a real disk that is full', () => {
  it('is told by the cause', { skip: !fs.existsSync('/dev/full') }, () => {
    const handle = new NodeFileSystem().open('/dev/full', 'write')
    assert.throws(
      () => handle.writeNow([Buffer.from('x')], 0),
      (error) =>
        error instanceof StorageError && (error.cause as { code?: string }).code === 'ENOSPC',
    )
    handle.close()
  })
})

describe('the lock of a data directory', () => {
  const files = new NodeFileSystem()
  const lockPath = () => join(fs.mkdtempSync(join(root, 'lock-')), '.lock')
  const inAnotherProcess = (path: string, then: string, wrapper: readonly string[] = []) => {
    const [program = '', ...first] = [...wrapper, process.execPath]
    return spawnSync(
      program,
      [
        ...first,
        '--input-type=module',
        '-e',
        `import { NodeFileSystem } from ${JSON.stringify(
          new URL('../../../src/adapters/node-file-system.ts', import.meta.url).href,
        )}
        try { new NodeFileSystem().lock(${JSON.stringify(path)}) }
        catch (error) { console.log(error.name + ': ' + error.message) }
        ${then}`,
      ],
      { encoding: 'utf8' },
    )
  }

  it('names the process that has it', () => {
    const path = lockPath()
    const lock = files.lock(path)
    const other = inAnotherProcess(path, '')
    assert.equal(
      other.stdout.trim(),
      `ConfigError: data directory ${join(path, '..')} is in use by Spool process ${process.pid}: ` +
        'stop it or choose another --data-dir',
    )
    assert.throws(() => files.lock(path), /is in use by Spool process/)
    lock.release()
    files.lock(path).release()
    assert.deepEqual(fs.readdirSync(join(path, '..')), [])
  })

  it('is free again after its process was killed', () => {
    const path = lockPath()
    const other = inAnotherProcess(path, "process.kill(process.pid, 'SIGKILL')")
    assert.equal(other.signal, 'SIGKILL')
    assert.notEqual(fs.readFileSync(path, 'utf8'), '')
    files.lock(path).release()
  })

  it('is not held by a process that only got the same pid later', () => {
    const path = lockPath()
    fs.writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }))
    files.lock(path).release()
  })

  it('is held by who has a lock of the system on it, also when it names a killed process', (test) => {
    const path = lockPath()
    for (const content of ['', JSON.stringify({ pid: 999_999_999, startedAt: '1' })]) {
      fs.writeFileSync(path, content)
      const other = inAnotherProcess(path, '', ['flock', path])
      if (other.error !== undefined || !fs.existsSync('/proc/locks')) return test.skip('no flock')
      assert.match(other.stdout, /^ConfigError: .* is in use by Apache Kafka, or another program/)
      assert.equal(fs.readFileSync(path, 'utf8'), content)
    }
  })

  it('takes the empty file that a killed Apache Kafka left', () => {
    const path = lockPath()
    fs.writeFileSync(path, '')
    files.lock(path).release()
  })
})

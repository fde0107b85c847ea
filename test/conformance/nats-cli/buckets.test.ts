import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { useNatsCli } from './use-nats-cli.ts'

const cli = useNatsCli()
const kv = (...args: string[]) => cli().run('kv', ...args)
const object = (...args: string[]) => cli().run('object', ...args)

describe('the nats CLI and key-value buckets', () => {
  it('kv puts, gets, updates by revision and shows the history', async () => {
    assert.match(await kv('add', 'CFG', '--history', '5'), /Bucket Name: CFG\s+History Kept: 5/)
    await kv('put', 'CFG', 'color', 'red')
    await kv('put', 'CFG', 'color', 'green')
    assert.equal(await kv('get', 'CFG', 'color', '--raw'), 'green')
    assert.match(await kv('get', 'CFG', 'color'), /CFG > color revision: 2 created/)
    const exists = await cli().result('kv', 'create', 'CFG', 'color', 'blue')
    assert.notEqual(exists.code, 0)
    assert.match(exists.stderr + exists.stdout, /wrong last sequence: 2: key exists/)
    await kv('update', 'CFG', 'color', 'blue', '2')
    await kv('del', 'CFG', 'color', '-f')
    const rows = [
      ...(await kv('history', 'CFG', 'color')).matchAll(/│ color │ +(\d+) │ (\w+) .*│ (\w*) +│$/gm),
    ]
    assert.deepEqual(
      rows.map(([, revision, operation, value]) => [revision, operation, value]),
      [
        ['1', 'PUT', 'red'],
        ['2', 'PUT', 'green'],
        ['3', 'PUT', 'blue'],
        ['4', 'DELETE', ''],
      ],
    )
    const missing = await cli().result('kv', 'get', 'CFG', 'none')
    assert.notEqual(missing.code, 0)
    assert.match(missing.stderr + missing.stdout, /key not found/)
  })

  it('kv watch shows what is there and what comes', async () => {
    await kv('add', 'WATCHED')
    await kv('put', 'WATCHED', 'a', 'before')
    await cli().beside(['kv', 'watch', 'WATCHED'], async (watch) => {
      await watch.prints(/PUT WATCHED > a: before/)
      await kv('put', 'WATCHED', 'b', 'while')
      await watch.prints(/PUT WATCHED > b: while/)
      await kv('del', 'WATCHED', 'a', '-f')
      await watch.prints(/DELETE WATCHED > a/)
      await kv('purge', 'WATCHED', 'b', '-f')
      await watch.prints(/PURGE WATCHED > b/)
    })
  })

  it('kv ls, info, server check kv and rm know the bucket', async () => {
    await kv('add', 'LISTED')
    await kv('put', 'LISTED', 'one', '1')
    await kv('put', 'LISTED', 'two', '2')
    assert.deepEqual((await kv('ls', 'LISTED')).trim().split('\n').sort(), ['one', 'two'])
    assert.match(await kv('ls'), /│ LISTED +│/)
    assert.match(await kv('info', 'LISTED'), /Values Stored: 2\s/)
    const found = await cli().run('server', 'check', 'kv', '--bucket', 'LISTED', '--key', 'one')
    assert.match(found, /^OK LISTED /)
    await kv('rm', 'LISTED', '-f')
    const gone = await cli().result('server', 'check', 'kv', '--bucket', 'LISTED')
    assert.equal(gone.code, 2)
    assert.match(gone.stdout, /bucket LISTED not found/)
  })

  it('bench kv puts and gets', async () => {
    const counted = ['--msgs', '50', '--no-progress']
    assert.match(await cli().run('bench', 'kv', 'put', ...counted), /KV putter stats: [\d,]+ msgs/)
    assert.match(await cli().run('bench', 'kv', 'get', ...counted), /KV getter stats: [\d,]+ msgs/)
    assert.match(await kv('info', 'benchbucket'), /Values Stored: 50\s/)
  })
})

describe('the nats CLI and object stores', () => {
  it('an object comes back as it was put', async () => {
    const bytes = Buffer.alloc(300_000, 'all bytes of a file ')
    const [put, got] = ['put.bin', 'got.bin'].map((name) => join(cli().directory, name)) as [
      string,
      string,
    ]
    await writeFile(put, bytes)
    const digest = createHash('sha256').update(bytes).digest('hex')
    assert.match(await object('add', 'FILES'), /Object Store Bucket FILES created/)
    const stored = await object('put', 'FILES', put, '--name', 'file', '-f', '--no-progress')
    assert.match(stored, /Chunks: 3\s/)
    assert.ok(stored.includes(`SHA-256 ${digest}`), stored)
    assert.match(await object('ls', 'FILES'), /│ file │ 293 KiB │/)
    assert.ok((await object('info', 'FILES', 'file')).includes(digest))
    await object('get', 'FILES', 'file', '-O', got, '-f', '--no-progress')
    assert.ok((await readFile(got)).equals(bytes))
    assert.match(await object('rm', 'FILES', 'file', '-f'), /Removed FILES > file/)
    const missing = await cli().result('object', 'get', 'FILES', 'file', '-O', got, '-f')
    assert.notEqual(missing.code, 0)
    assert.match(missing.stderr + missing.stdout, /object not found/)
    assert.match(await object('seal', 'FILES', '-f'), /Sealed: true/)
    await object('rm', 'FILES', '-f')
  })
})

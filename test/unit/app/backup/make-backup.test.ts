import { strict as assert } from 'node:assert'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeBackup } from '../../../../src/app/backup/make-backup.ts'
import { withTree } from '../../scripts/temporary-tree.ts'
import { restoredKeys, withBroker } from './backup-fixture.ts'

const silent = { started: () => {}, progress: () => {} }

describe('a backup of a running broker', () => {
  it('restores to all records that were acknowledged before it began', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      const during: Promise<void>[] = []
      let produced = 0
      await fixture.backup(() => {
        if (produced < 3) during.push(fixture.produce([`during-${produced++}`]))
      })
      await Promise.all(during)
      assert.equal(produced, 3)
      const keys = await restoredKeys(fixture)
      assert.deepEqual(keys.slice(0, 7), ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    })
  })

  it('copies again only what changed, and drops what is not needed any more', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a', 'b', 'c', 'd', 'e'])
      const first = await fixture.backup()
      assert.equal(first.copiedCount, first.fileCount)
      const second = await fixture.backup()
      assert.equal(second.copiedCount, 0)
      assert.equal(second.fileCount, first.fileCount)
      await fixture.produce(['f'])
      const active = statSync(fixture.filesOf('.log').at(-1) ?? '')
      const third = await fixture.backup()
      assert.deepEqual([third.copiedCount, third.copiedBytes], [1, active.size])
      assert.equal(third.removedCount, 1, 'the shorter copy of the last segment')
      assert.deepEqual(await restoredKeys(fixture), ['a', 'b', 'c', 'd', 'e', 'f'])
    })
  })

  it('takes the listing again when retention removes a segment that is being copied', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      let isRemoved = false
      await fixture.backup(() => {
        if (isRemoved) return
        isRemoved = true
        for (const file of fixture.filesOf('')) {
          if (/\/0{20}\./.test(file)) renameSync(file, `${file}.deleted`)
        }
      })
      assert.deepEqual(await restoredKeys(fixture), ['d', 'e', 'f', 'g'])
    })
  })

  it('takes the listing again when a segment is replaced by another of the same name', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      const [first = ''] = fixture.filesOf('.log')
      let replacedInode = 0
      const { copiedBytes, byteCount } = await fixture.backup(() => {
        if (replacedInode !== 0) return
        copyFileSync(first, `${first}.other`)
        replacedInode = statSync(first).ino
        renameSync(`${first}.other`, first)
      })
      assert.notEqual(statSync(first).ino, replacedInode)
      assert.ok(copiedBytes >= byteCount)
      assert.deepEqual(await restoredKeys(fixture), ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    })
  })
})

describe('a backup that meets trouble', () => {
  it('leaves the last backup whole when it is interrupted, and goes on where it was', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a', 'b', 'c', 'd'])
      await fixture.backup()
      await fixture.produce(['e', 'f', 'g', 'h', 'i', 'j'])
      const changed = fixture.filesOf('.log').slice(1)
      assert.ok(changed.length >= 3)
      const firstBytes = statSync(changed[0] ?? '').size
      let copiedBytes = 0
      const interrupted = fixture.backup((byteCount) => {
        copiedBytes += byteCount
        if (copiedBytes > firstBytes + 100_000) throw new Error('pulled the plug')
      })
      await assert.rejects(interrupted, /pulled the plug/)
      assert.deepEqual(await restoredKeys(fixture), ['a', 'b', 'c', 'd'])
      const whole = await fixture.backup()
      const changedBytes = changed.reduce((sum, file) => sum + statSync(file).size, 0)
      assert.ok(whole.copiedBytes < changedBytes, 'the segment that was copied is not copied again')
      assert.equal((await restoredKeys(fixture)).length, 10)
    })
  })

  it('tells of damaged batches that it copied', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a', 'b', 'c', 'd'])
      const [first = ''] = fixture.filesOf('.log')
      const file = openSync(first, 'r+')
      writeSync(file, Buffer.of(0xee, 0xee), 0, 2, 1000)
      closeSync(file)
      const { warnings } = await fixture.backup()
      assert.deepEqual(warnings, [`${first} is damaged at 0: the CRC of a batch is wrong`])
    })
  })

  it('waits for a compaction that is being put in place', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a', 'b', 'c', 'd'])
      const [first = ''] = fixture.filesOf('.log')
      renameSync(first, `${first}.swap`)
      const back = setTimeout(() => renameSync(`${first}.swap`, first), 100)
      await fixture.backup()
      clearTimeout(back)
      assert.deepEqual(await restoredKeys(fixture), ['a', 'b', 'c', 'd'])
    })
  })
})

describe('a backup refuses', () => {
  it('a directory with other files, and leaves them', async () => {
    await withBroker(async ({ backupDir, backup }) => {
      mkdirSync(backupDir)
      writeFileSync(join(backupDir, 'letter.txt'), 'dear all')
      await assert.rejects(backup(), /backup holds letter\.txt, which is of no backup/)
      assert.deepEqual(readdirSync(backupDir), ['letter.txt'])
    })
  })

  it('a place inside the data directory or around it', async () => {
    await withBroker(async ({ root, dataDir }) => {
      for (const directory of [dataDir, join(dataDir, 'backup'), root]) {
        const made = makeBackup({ dataDir, directory, ...silent })
        await assert.rejects(made, /lie in one another/)
      }
      assert.ok(!readdirSync(dataDir).includes('backup'))
    })
  })

  it('a directory that is no data directory, before it makes anything', async () => {
    await withTree({ 'data/a.txt': 'x' }, async (root) => {
      const directory = join(root, 'backup')
      const made = makeBackup({ dataDir: join(root, 'data'), directory, ...silent })
      await assert.rejects(made, /data is no data directory: it has no meta\.properties/)
      assert.deepEqual(readdirSync(root), ['data'])
    })
  })

  it('the backup of another cluster', async () => {
    await withBroker(async (first) => {
      await first.backup()
      await withBroker(async ({ dataDir }) => {
        const made = makeBackup({ dataDir, directory: first.backupDir, ...silent })
        await assert.rejects(made, /has a backup of cluster .*, and .* is of .*: choose another/)
      })
    })
  })

  it('a second run while the first is not done', async () => {
    await withBroker(async (fixture) => {
      await fixture.produce(['a'])
      let second: Promise<unknown> | undefined
      await fixture.backup(() => {
        second ??= assert.rejects(fixture.backup(), /another backup to .* is running/)
      })
      assert.ok(second !== undefined)
      await second
    })
  })

  it('a manifest that is damaged', async () => {
    await withBroker(async ({ backup, backupDir }) => {
      await backup()
      const damaged = '{"format":"spool-backup","version":1,"sha256":"","manifest":{}}'
      writeFileSync(join(backupDir, 'manifest.json'), damaged)
      await assert.rejects(backup(), /manifest\.json is damaged: its checksum is wrong/)
    })
  })
})

import { strict as assert } from 'node:assert'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type BackupManifest,
  decodeManifest,
  encodeManifest,
} from '../../../../src/app/backup/backup-manifest.ts'
import { checkBackup, restoreBackup } from '../../../../src/app/backup/restore-backup.ts'
import { withTree } from '../../scripts/temporary-tree.ts'
import { type Fixture, withBroker } from './backup-fixture.ts'

const silent = { started: () => {}, progress: () => {} }

const restore = ({ root, backupDir }: Fixture, name = 'new') =>
  restoreBackup(join(root, name), { directory: backupDir, ...silent })

const check = ({ backupDir }: Fixture) => checkBackup({ directory: backupDir, ...silent })

function manifestOf({ backupDir }: Fixture): BackupManifest {
  return decodeManifest(readFileSync(join(backupDir, 'manifest.json'), 'utf8'), 'manifest.json')
}

/** A copied segment of the backup. */
function storedSegment(fixture: Fixture): string {
  const { files } = manifestOf(fixture)
  const stored = files.find(({ stored: path }) => path?.includes('.log'))?.stored
  assert.ok(stored !== undefined)
  return join(fixture.backupDir, stored)
}

async function withBackup(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  await withBroker(async (fixture) => {
    await fixture.produce(['a', 'b', 'c', 'd'])
    await fixture.backup()
    await use(fixture)
  })
}

describe('a restore', () => {
  it('writes the files of the backup byte for byte', async () => {
    await withBackup(async (fixture) => {
      await fixture.broker.stop()
      const { fileCount, byteCount } = await restore(fixture)
      const { files } = manifestOf(fixture)
      assert.equal(fileCount, files.length)
      let total = 0
      for (const { path } of files) {
        const restored = readFileSync(join(fixture.root, 'new', path))
        total += restored.byteLength
        // A stopping broker writes the checkpoints of the top anew.
        if (!path.includes('/') || path.includes('epoch')) continue
        const original = readFileSync(join(fixture.dataDir, path))
        assert.deepEqual(restored, original.subarray(0, restored.byteLength), path)
      }
      assert.equal(total, byteCount)
    })
  })

  it('tells the total before it begins, and every byte on the way', async () => {
    await withBackup(async ({ root, backupDir }) => {
      let total = 0
      let seen = 0
      const watch = {
        started: (totalBytes: number) => {
          total = totalBytes
        },
        progress: (byteCount: number) => {
          seen += byteCount
        },
      }
      const options = { directory: backupDir, ...watch }
      const { byteCount } = await restoreBackup(join(root, 'new'), options)
      assert.deepEqual([total, seen], [byteCount, byteCount])
    })
  })

  it('refuses a directory that has something, and leaves it', async () => {
    await withBackup(async (fixture) => {
      mkdirSync(join(fixture.root, 'full'))
      writeFileSync(join(fixture.root, 'full', 'letter.txt'), 'dear all')
      await assert.rejects(restore(fixture, 'full'), /full holds letter\.txt: restore into/)
      assert.deepEqual(readdirSync(join(fixture.root, 'full')), ['letter.txt'])
    })
  })

  it('refuses what is no finished backup', async () => {
    await withTree({ 'a.txt': 'x' }, async (root) => {
      const target = join(root, 'new')
      for (const directory of [root, join(root, 'none')]) {
        const restored = restoreBackup(target, { directory, ...silent })
        await assert.rejects(restored, /is no finished backup: it has no manifest\.json/)
      }
      assert.deepEqual(readdirSync(root), ['a.txt'])
    })
  })

  it('refuses a manifest that would write outside of the data directory', async () => {
    await withBackup(async (fixture) => {
      const manifest = manifestOf(fixture)
      const [file] = manifest.files
      assert.ok(file !== undefined)
      for (const path of ['../evil', '/evil', 'a/../../evil']) {
        const changed = { ...manifest, files: [{ ...file, path }] }
        writeFileSync(join(fixture.backupDir, 'manifest.json'), encodeManifest(changed))
        await assert.rejects(restore(fixture), /which is outside/)
      }
    })
  })
})

describe('a damaged backup', () => {
  it('is not restored, nothing stays, and the file is named', async () => {
    await withBackup(async (fixture) => {
      const stored = storedSegment(fixture)
      const file = openSync(stored, 'r+')
      writeSync(file, Buffer.of(0xee, 0xee), 0, 2, 100_000)
      closeSync(file)
      const reason = new RegExp(`${stored} .*is damaged, its checksum is wrong`)
      await assert.rejects(restore(fixture), reason)
      assert.ok(!readdirSync(fixture.root).includes('new'))
      mkdirSync(join(fixture.root, 'empty'))
      await assert.rejects(restore(fixture, 'empty'), reason)
      assert.deepEqual(readdirSync(join(fixture.root, 'empty')), [])
      await assert.rejects(check(fixture), reason)
    })
  })

  it('is found when a file of it is missing or cut', async () => {
    await withBackup(async (fixture) => {
      assert.equal((await check(fixture)).fileCount, manifestOf(fixture).files.length)
      const stored = storedSegment(fixture)
      writeFileSync(stored, readFileSync(stored).subarray(0, 1000))
      await assert.rejects(check(fixture), /is damaged, a file ends at 1000/)
      rmSync(stored)
      await assert.rejects(check(fixture), /is damaged, .* is gone/)
      await assert.rejects(restore(fixture), /is damaged, .* is gone/)
    })
  })

  it('is told from one of a newer version', async () => {
    await withTree({ 'manifest.json': '{"format":"spool-backup","version":2}' }, async (root) => {
      const checked = () => checkBackup({ directory: root, ...silent })
      await assert.rejects(checked(), /has version 2, and only 1 can be read/)
      writeFileSync(join(root, 'manifest.json'), '{"some":"json"}')
      await assert.rejects(checked(), /is no manifest of a backup/)
      writeFileSync(join(root, 'manifest.json'), '{"cut')
      await assert.rejects(checked(), /is damaged: /)
    })
  })
})

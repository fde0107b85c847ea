import { utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError, StorageError } from '../../base/errors.ts'
import { type BackupFile, type BackupManifest, sha256Of } from './backup-manifest.ts'
import { openManifest } from './backup-store.ts'
import { copyFile, hashFile, SourceChanged } from './file-copy.ts'

export interface RestoreOptions {
  /** Where the backup is. */
  readonly directory: string
  readonly started: (totalBytes: number) => void
  readonly progress: (byteCount: number) => void
}

export interface RestoreResult {
  readonly clusterId: string
  /** Everything acknowledged before is there. */
  readonly startedAt: string
  readonly fileCount: number
  readonly byteCount: number
}

/** Without it a broker does not start on a directory with logs, so it is written last. */
const META_PROPERTIES = 'meta.properties'
/** May be in a directory that is new. */
const LOST_AND_FOUND = 'lost+found'

const fs = new NodeFileSystem()

/**
 * Writes the data directory of a backup; a broker recovers it as after a crash. When anything is wrong
 * nothing of it stays.
 * @throws ConfigError when the data directory is not empty, or there is no backup
 * @throws StorageError naming the file of the backup that is damaged, or what the system refused
 */
export async function restoreBackup(
  dataDir: string,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const manifest = openManifest(options.directory)
  const isNew = fs.stat(dataDir) === undefined
  if (!isNew) expectEmpty(dataDir)
  fs.makeDirectory(dataDir)
  const totalBytes = byteCountOf(manifest)
  try {
    expectSpace(dataDir, totalBytes)
    options.started(totalBytes)
    await writeFiles(dataDir, manifest, options)
  } catch (error) {
    for (const name of fs.list(dataDir)) if (name !== LOST_AND_FOUND) fs.remove(join(dataDir, name))
    if (isNew) fs.remove(dataDir)
    throw error
  }
  return resultOf(manifest)
}

/**
 * Reads a backup as a restore would, and writes nothing.
 * @throws ConfigError, StorageError as `restoreBackup`
 */
export async function checkBackup(options: RestoreOptions): Promise<RestoreResult> {
  const { directory, started, progress } = options
  const manifest = openManifest(directory)
  started(byteCountOf(manifest))
  for (const file of manifest.files) {
    await reading(directory, file, async (stored) => {
      if (stored !== undefined) return await hashFile(stored, file.sizeBytes, progress)
      progress(file.sizeBytes)
      return sha256Of(contentOf(file))
    })
  }
  return resultOf(manifest)
}

async function writeFiles(
  dataDir: string,
  { files }: BackupManifest,
  { directory, progress }: RestoreOptions,
): Promise<void> {
  const isLast = ({ path }: BackupFile): boolean => path === META_PROPERTIES
  const directories = new Set<string>()
  for (const file of [...files.filter((each) => !isLast(each)), ...files.filter(isLast)]) {
    if (isLast(file)) for (const made of directories) fs.syncDirectory(made)
    const target = join(dataDir, file.path)
    fs.makeDirectory(dirname(target))
    directories.add(dirname(target))
    await reading(directory, file, async (stored) => {
      if (stored !== undefined) return await copyFile(stored, target, file.sizeBytes, { progress })
      const content = contentOf(file)
      writeSynced(target, content)
      progress(content.byteLength)
      return sha256Of(content)
    })
    // `segment.ms` counts from it where records have no time.
    const modified = Number(BigInt(file.source.modifiedNs) / 1_000_000n) / 1000
    utimesSync(target, modified, modified)
  }
  fs.syncDirectory(dataDir)
  fs.syncDirectory(dirname(dataDir))
}

/** @throws StorageError unless what `read` read has the checksum of the manifest */
async function reading(
  directory: string,
  file: BackupFile,
  read: (stored: string | undefined) => Promise<string>,
): Promise<void> {
  const stored = file.stored === undefined ? undefined : join(directory, file.stored)
  let sha256: string
  try {
    sha256 = await read(stored)
  } catch (error) {
    if (!(error instanceof SourceChanged)) throw error
    throw damaged(stored ?? directory, file, error.message)
  }
  if (sha256 !== file.sha256) throw damaged(stored ?? directory, file, 'its checksum is wrong')
}

function damaged(where: string, { path }: BackupFile, why: string): StorageError {
  return new StorageError(`${where} (of ${path}) is damaged, ${why}: use another backup`)
}

function contentOf({ content = '' }: BackupFile): Buffer {
  return Buffer.from(content, 'base64')
}

function writeSynced(path: string, content: Buffer): void {
  const handle = fs.open(path, 'create')
  try {
    handle.writeNow([content], 0)
    handle.dataSyncNow()
  } finally {
    handle.close()
  }
}

function expectEmpty(dataDir: string): void {
  if (fs.stat(dataDir)?.isDirectory !== true) throw new ConfigError(`${dataDir} is no directory`)
  const found = fs.list(dataDir).find((name) => name !== LOST_AND_FOUND)
  if (found !== undefined) {
    throw new ConfigError(
      `${dataDir} holds ${found}: restore into a directory that is empty or new`,
    )
  }
}

function expectSpace(dataDir: string, neededBytes: number): void {
  const freeBytes = fs.freeBytes(dataDir)
  if (neededBytes <= freeBytes) return
  throw new StorageError(`${dataDir} has ${freeBytes} bytes free, and ${neededBytes} are needed`)
}

function byteCountOf({ files }: BackupManifest): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

function resultOf(manifest: BackupManifest): RestoreResult {
  const { clusterId, startedAt, files } = manifest
  return { clusterId, startedAt, fileCount: files.length, byteCount: byteCountOf(manifest) }
}

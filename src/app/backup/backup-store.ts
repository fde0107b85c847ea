import { appendFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError, StorageError } from '../../base/errors.ts'
import type { FileLock } from '../../ports/file-system.ts'
import {
  type BackupFile,
  type BackupManifest,
  decodeManifest,
  encodeManifest,
  sha256Of,
} from './backup-manifest.ts'
import { type CutFile, isSameIdentity } from './data-cut.ts'
import {
  type CopyOptions,
  copyFile,
  hashFile,
  identityNow,
  readStart,
  SourceChanged,
} from './file-copy.ts'

const MANIFEST_FILE = 'manifest.json'
const FILES_DIRECTORY = 'files'
const JOURNAL_FILE = 'copied.jsonl'
const LOCK_FILE = '.lock'
const OWN_NAMES: ReadonlySet<string> = new Set([MANIFEST_FILE, FILES_DIRECTORY, JOURNAL_FILE])
const TEMPORARY_SUFFIX = '.tmp'
/** Content up to this size is in the manifest: a file of its own would take a block and a sync. */
const INLINE_BYTES = 4096
/** Of a checksum in the name of a stored file; the manifest has all of it. */
const NAME_DIGITS = 16

const fs = new NodeFileSystem()

/**
 * The directory of a backup: a manifest, and the files it names. Files are written under new names and
 * never changed, then the manifest is replaced: at every moment there is one whole backup, or none yet.
 */
export class BackupStore {
  readonly directory: string
  /** The last backup that was finished. */
  readonly manifest: BackupManifest | undefined
  readonly #lock: FileLock
  /** By path: what this run, one that was interrupted, or the last backup has. */
  readonly #known: Map<string, BackupFile>

  private constructor(directory: string, lock: FileLock, manifest: BackupManifest | undefined) {
    this.directory = directory
    this.#lock = lock
    this.manifest = manifest
    const files = [...(manifest?.files ?? []), ...readJournal(directory)]
    this.#known = new Map(files.map((file) => [file.path, file]))
  }

  /**
   * Opens a directory for a backup, or makes it.
   * @throws ConfigError when it holds something else, or another backup is running
   */
  static open(directory: string): BackupStore {
    const stat = fs.stat(directory)
    if (stat !== undefined && !stat.isDirectory) {
      throw new ConfigError(`${directory} is no directory`)
    }
    if (stat === undefined) fs.makeDirectory(directory)
    const foreign = fs.list(directory).find((name) => !isOwnName(name))
    if (foreign !== undefined) {
      throw new ConfigError(
        `${directory} holds ${foreign}, which is of no backup: choose an empty directory`,
      )
    }
    const lock = takeLock(directory)
    try {
      return new BackupStore(directory, lock, readManifest(directory))
    } catch (error) {
      lock.release()
      throw error
    }
  }

  close(): void {
    this.#lock.release()
  }

  /** What is in the backup of this file, when it is still the same. */
  find({ path, identity, content }: CutFile): BackupFile | undefined {
    const known = this.#known.get(path)
    if (known === undefined) return undefined
    if (content !== undefined) return known.sha256 === sha256Of(content) ? known : undefined
    return isSameIdentity(known.source, identity) ? known : undefined
  }

  /**
   * Takes a file into the backup.
   * @throws SourceChanged when it is not any more what it was in the cut
   */
  async add(dataDir: string, file: CutFile, options: CopyOptions): Promise<BackupFile> {
    const added =
      file.content === undefined
        ? await this.#copy(join(dataDir, file.path), file, options)
        : inlined(file, file.content)
    if (added.stored === undefined) options.progress(added.sizeBytes)
    this.#known.set(file.path, added)
    return added
  }

  /** Makes `manifest` the backup, and removes what belonged only to the one before. */
  commit(manifest: BackupManifest): { readonly removedCount: number } {
    fs.writeFileAtomic(join(this.directory, MANIFEST_FILE), encodeManifest(manifest))
    fs.remove(join(this.directory, JOURNAL_FILE))
    const used = new Set(manifest.files.map(({ stored }) => stored))
    let removedCount = 0
    for (const path of storedPaths(this.directory)) {
      if (used.has(relative(this.directory, path))) continue
      fs.remove(path)
      removedCount++
    }
    return { removedCount }
  }

  async #copy(source: string, file: CutFile, options: CopyOptions): Promise<BackupFile> {
    const { sizeBytes } = file.identity
    await expectUnchanged(source, file)
    if (sizeBytes <= INLINE_BYTES) {
      const content = await readStart(source, sizeBytes)
      await expectUnchanged(source, file)
      return inlined(file, content)
    }
    const target = join(this.directory, FILES_DIRECTORY, file.path)
    const temporary = target + TEMPORARY_SUFFIX
    fs.makeDirectory(dirname(target))
    fs.remove(temporary)
    const sha256 = await copyFile(source, temporary, sizeBytes, options)
    // Read while it was replaced or cut, it would be neither the one nor the other.
    await expectUnchanged(source, file)
    return await this.#store(temporary, target, file, sha256)
  }

  async #store(
    temporary: string,
    target: string,
    { path, identity }: CutFile,
    sha256: string,
  ): Promise<BackupFile> {
    const { sizeBytes } = identity
    const written = await hashFile(temporary, sizeBytes, () => {})
    if (written !== sha256) {
      throw new StorageError(`${temporary} reads back otherwise: use another disk`)
    }
    const stored = `${target}.${sha256.slice(0, NAME_DIGITS)}`
    fs.rename(temporary, stored)
    fs.syncDirectory(dirname(stored))
    const name = relative(this.directory, stored)
    const added = { path, sizeBytes, sha256, stored: name, source: identity }
    appendFileSync(join(this.directory, JOURNAL_FILE), `${JSON.stringify(added)}\n`)
    return added
  }
}

/** @throws ConfigError when there is no finished backup */
export function openManifest(directory: string): BackupManifest {
  const manifest = fs.stat(directory) === undefined ? undefined : readManifest(directory)
  if (manifest === undefined) {
    throw new ConfigError(`${directory} is no finished backup: it has no ${MANIFEST_FILE}`)
  }
  return manifest
}

function readManifest(directory: string): BackupManifest | undefined {
  const path = join(directory, MANIFEST_FILE)
  if (fs.stat(path) === undefined) return undefined
  return decodeManifest(fs.readFile(path).toString('utf8'), path)
}

/** What a run that was interrupted has copied: the next one need not do it again. */
function readJournal(directory: string): BackupFile[] {
  const path = join(directory, JOURNAL_FILE)
  if (fs.stat(path) === undefined) return []
  const files: BackupFile[] = []
  for (const line of fs.readFile(path).toString('utf8').split('\n')) {
    const file = parseLine(line)
    const stored = file?.stored
    if (file === undefined || stored === undefined) continue
    if (fs.stat(join(directory, stored))?.sizeBytes === file.sizeBytes) files.push(file)
  }
  return files
}

/** undefined for the line that was cut by the end of the run. */
function parseLine(line: string): BackupFile | undefined {
  try {
    return JSON.parse(line) as BackupFile
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isOwnName(name: string): boolean {
  return OWN_NAMES.has(name) || name.startsWith(LOCK_FILE) || name === `${MANIFEST_FILE}.tmp`
}

function takeLock(directory: string): FileLock {
  try {
    return fs.lock(join(directory, LOCK_FILE))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(`another backup to ${directory} is running`, { cause: error })
  }
}

async function expectUnchanged(source: string, { identity, isGrowing }: CutFile): Promise<void> {
  const now = await identityNow(source)
  const isFit = isGrowing
    ? now.inode === identity.inode && now.sizeBytes >= identity.sizeBytes
    : isSameIdentity(now, identity)
  if (!isFit) throw new SourceChanged(`${source} changed`)
}

function inlined({ path, identity }: CutFile, content: Buffer): BackupFile {
  const sha256 = sha256Of(content)
  const sizeBytes = content.byteLength
  return { path, sizeBytes, sha256, content: content.toString('base64'), source: identity }
}

function storedPaths(directory: string): string[] {
  const root = join(directory, FILES_DIRECTORY)
  if (fs.stat(root) === undefined) return []
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

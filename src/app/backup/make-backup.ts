import { realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError, StorageError } from '../../base/errors.ts'
import { walkSegment } from '../log-inspection/segment-walk.ts'
import type { BackupFile, BackupManifest } from './backup-manifest.ts'
import { BackupStore } from './backup-store.ts'
import { type CutFile, type DataCut, DirectoryMoved, readCut } from './data-cut.ts'
import { Pace, SourceChanged } from './file-copy.ts'

export interface BackupOptions {
  readonly dataDir: string
  /** Where the backup is or shall be. */
  readonly directory: string
  /** Undefined: as fast as it goes. */
  readonly bytesPerSecond?: number
  /** Told how many bytes there are to copy, as soon as that is known. */
  readonly started: (totalBytes: number) => void
  /** Told how many bytes were copied since the last call. */
  readonly progress: (byteCount: number) => void
}

export interface BackupResult {
  readonly clusterId: string
  readonly startedAt: string
  readonly fileCount: number
  readonly byteCount: number
  /** What was new or changed since the last backup to the same directory. */
  readonly copiedCount: number
  readonly copiedBytes: number
  /** Files of the last backup that are not needed any more. */
  readonly removedCount: number
  /** What the operator should know of; the backup is whole all the same. */
  readonly warnings: readonly string[]
}

/** A cut that can't be used is taken again; things settle in milliseconds, compactions in seconds. */
const CUT_ATTEMPTS = 250
const CUT_PAUSE_MS = 20

const fs = new NodeFileSystem()

/**
 * Backs up a data directory while a broker writes to it, without the broker's help. Only what changed
 * since the last backup is copied: closed segments never change, the last one of each log does.
 * @throws ConfigError when a directory is not what it should be
 * @throws StorageError when reading or writing fails, or the data directory does not keep still
 */
export async function makeBackup(options: BackupOptions): Promise<BackupResult> {
  const { dataDir, directory } = options
  const startedAt = new Date().toISOString()
  // It refuses what is no data directory before anything is made.
  const first = await settledCut(dataDir, false)
  if (isInside(directory, dataDir) || isInside(dataDir, directory)) {
    throw new ConfigError(
      `${directory} and ${dataDir} lie in one another: choose another directory`,
    )
  }
  const store = BackupStore.open(directory)
  try {
    const known = store.manifest?.clusterId
    if (known !== undefined && known !== first.clusterId) {
      throw new ConfigError(
        `${directory} has a backup of cluster ${known}, and ${dataDir} is of ${first.clusterId}: ` +
          'choose another directory',
      )
    }
    return await new BackupRun(store, options, startedAt).run(first)
  } finally {
    store.close()
  }
}

class BackupRun {
  readonly #store: BackupStore
  readonly #options: BackupOptions
  readonly #startedAt: string
  readonly #pace: Pace | undefined
  readonly #warnings: string[] = []
  #copiedCount = 0
  #copiedBytes = 0

  constructor(store: BackupStore, options: BackupOptions, startedAt: string) {
    this.#store = store
    this.#options = options
    this.#startedAt = startedAt
    const { bytesPerSecond } = options
    this.#pace = bytesPerSecond === undefined ? undefined : new Pace(bytesPerSecond)
  }

  async run(first: DataCut): Promise<BackupResult> {
    this.#expectSpace(first)
    // Most is in closed segments and takes long: copied before, the cut that counts is quick.
    await this.#addClosed(first)
    const { cut, files } = await this.#addCut()
    if (!cut.isAtomic) {
      this.#warnings.push(
        'transactions went on while the ends of the logs were read: ' +
          'one that was open then may be restored in part',
      )
    }
    const manifest: BackupManifest = {
      clusterId: cut.clusterId,
      startedAt: this.#startedAt,
      finishedAt: new Date().toISOString(),
      files,
    }
    const { removedCount } = this.#store.commit(manifest)
    return {
      clusterId: cut.clusterId,
      startedAt: this.#startedAt,
      fileCount: files.length,
      byteCount: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      copiedCount: this.#copiedCount,
      copiedBytes: this.#copiedBytes,
      removedCount,
      warnings: this.#warnings,
    }
  }

  /** @throws StorageError before anything is written, when it can't fit */
  #expectSpace({ files }: DataCut): void {
    const changed = files.filter((file) => this.#store.find(file) === undefined)
    const neededBytes = changed.reduce((sum, { identity }) => sum + identity.sizeBytes, 0)
    const freeBytes = fs.freeBytes(this.#store.directory)
    if (neededBytes > freeBytes) {
      throw new StorageError(
        `${this.#store.directory} has ${freeBytes} bytes free, and ${neededBytes} are needed`,
      )
    }
    this.#options.started(neededBytes)
  }

  async #addClosed({ files }: DataCut): Promise<void> {
    for (const file of files) {
      if (file.isGrowing || file.content !== undefined) continue
      try {
        await this.#add(file)
      } catch (error) {
        // Retention or compaction took it away: the next cut says what is there instead.
        if (!(error instanceof SourceChanged)) throw error
      }
    }
  }

  /** Takes cuts until all files of one could be copied. */
  async #addCut(): Promise<{ readonly cut: DataCut; readonly files: readonly BackupFile[] }> {
    for (let attempt = 1; ; attempt++) {
      const cut = await settledCut(this.#options.dataDir, true)
      try {
        const files: BackupFile[] = []
        for (const file of cut.files) files.push(await this.#add(file))
        return { cut, files }
      } catch (error) {
        if (!(error instanceof SourceChanged)) throw error
        if (attempt === CUT_ATTEMPTS) throw restless(this.#options.dataDir, error)
      }
    }
  }

  async #add(file: CutFile): Promise<BackupFile> {
    const known = this.#store.find(file)
    if (known !== undefined) return known
    const { progress, dataDir } = this.#options
    const pace = this.#pace
    const added = await this.#store.add(dataDir, file, { progress, ...(pace && { pace }) })
    this.#copiedCount++
    this.#copiedBytes += added.sizeBytes
    if (added.stored !== undefined && file.path.endsWith('.log')) this.#checkBatches(added)
    return added
  }

  /** A backup of damaged records is kept, but the operator has to hear of it while there is another. */
  #checkBatches({ path, stored = '' }: BackupFile): void {
    const handle = fs.open(join(this.#store.directory, stored), 'read')
    try {
      for (const stretch of walkSegment(handle)) {
        if (stretch.kind !== 'damage' || !stretch.isInMiddle) continue
        this.#warnings.push(
          `${join(this.#options.dataDir, path)} is damaged at ${stretch.position}: ${stretch.reason}`,
        )
      }
    } finally {
      handle.close()
    }
  }
}

/**
 * A cut without renames under way and, if asked for and possible, without transactions between its
 * parts. What is in the making for all of the time was left by a crash, and then belongs to the directory.
 */
async function settledCut(dataDir: string, isAtomic: boolean): Promise<DataCut> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt === CUT_ATTEMPTS
    try {
      const cut = readCut(dataDir)
      const isSettled = cut.swapPaths.length === 0 && (cut.isAtomic || !isAtomic)
      if (isSettled || isLast) return cut
    } catch (error) {
      if (!(error instanceof DirectoryMoved)) throw readFailure(dataDir, error)
      if (isLast) throw restless(dataDir, error)
    }
    await delay(CUT_PAUSE_MS)
  }
}

function restless(dataDir: string, cause: Error): StorageError {
  return new StorageError(
    `${dataDir} changes too fast for a backup (${cause.message}): try again later`,
    { cause },
  )
}

function readFailure(dataDir: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  return new StorageError(`can't read ${dataDir}: ${message}`, { cause: error })
}

/** Is `path`, which may not be there yet, `directory` or below it? */
function isInside(path: string, directory: string): boolean {
  const inner = realPathOf(path)
  const outer = realPathOf(directory)
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep)
}

function realPathOf(path: string): string {
  const whole = resolve(path)
  if (fs.stat(whole) !== undefined) return realpathSync(whole)
  const parent = dirname(whole)
  return parent === whole ? whole : join(realPathOf(parent), whole.slice(parent.length))
}

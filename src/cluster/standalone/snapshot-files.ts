import type { FileHandle, FileSystem } from '../../ports/file-system.ts'
import {
  findSnapshotProblem,
  lastAppendMsOf,
  parseSnapshotFileName,
  type SnapshotId,
  snapshotFileName,
} from './metadata-snapshot.ts'

/** Of a snapshot that is being written. Kafka deletes what a crash left of it. */
const PART_SUFFIX = '.part'
/** Of a snapshot that could not be read; Kafka does not look at such a name. */
const CORRUPT_SUFFIX = '.corrupt'

/** Enough for the header and the voters. */
const FIRST_BATCH_BYTES = 64 * 1024

export interface FoundSnapshot {
  readonly id: SnapshotId
  readonly content: Buffer
}

export interface DamagedSnapshot {
  readonly id: SnapshotId
  readonly name: string
  readonly problem: string
}

/** The snapshots in the directory of the metadata log. */
export class SnapshotFiles {
  readonly #fs: FileSystem
  readonly #directory: string

  constructor(fs: FileSystem, directory: string) {
    this.#fs = fs
    this.#directory = directory
  }

  /** Oldest first; none when the directory is not there. */
  list(): SnapshotId[] {
    return this.#names().flatMap((name) => parseSnapshotFileName(name) ?? [])
  }

  /**
   * Reads from the newest on until one is whole.
   * @param startOffset where the log begins: an older snapshot could not be gone on from
   */
  findNewest(startOffset: number): {
    readonly found: FoundSnapshot | null
    readonly damaged: readonly DamagedSnapshot[]
  } {
    const damaged: DamagedSnapshot[] = []
    for (const id of this.list().reverse()) {
      if (id.endOffset < startOffset) break
      const name = snapshotFileName(id)
      const content = this.#fs.readFile(this.#pathOf(name))
      const problem = findSnapshotProblem(content)
      if (problem === null) return { found: { id, content }, damaged }
      damaged.push({ id, name, problem })
    }
    return { found: null, damaged }
  }

  /** Writes a snapshot whole or not at all: a part first, which gets its name once it is safe. */
  async write(id: SnapshotId, batches: readonly Buffer[]): Promise<void> {
    const path = this.#pathOf(snapshotFileName(id))
    const file = this.#fs.open(path + PART_SUFFIX, 'create')
    try {
      file.truncate(0)
      await done((settled) => file.write(batches, 0, settled))
      await done((settled) => file.dataSync(settled))
    } catch (error) {
      file.close()
      this.#fs.remove(path + PART_SUFFIX)
      throw error
    }
    file.close()
    this.#fs.rename(path + PART_SUFFIX, path)
    await done((settled) => this.#fs.syncDirectoryLater(this.#directory, settled))
  }

  /** Bytes of a snapshot, and when the last record in it was appended (ms; -1: not known). */
  factsOf(id: SnapshotId): { readonly sizeBytes: number; readonly lastAppendMs: number } {
    const file = this.#fs.open(this.#pathOf(snapshotFileName(id)), 'read')
    try {
      const sizeBytes = file.sizeBytes()
      const start = Buffer.alloc(Math.min(sizeBytes, FIRST_BATCH_BYTES))
      file.readNow(start, 0, start.byteLength, 0)
      return { sizeBytes, lastAppendMs: lastAppendMsOf(start) }
    } finally {
      file.close()
    }
  }

  /** A name that comes back after a crash is removed again with the next old snapshots. */
  remove(ids: readonly SnapshotId[]): void {
    for (const id of ids) this.#fs.remove(this.#pathOf(snapshotFileName(id)))
  }

  /** Removes what was not finished, and puts aside what could not be read. */
  tidy(damaged: readonly DamagedSnapshot[]): void {
    const parts = this.#names().filter((name) => name.endsWith(`.checkpoint${PART_SUFFIX}`))
    for (const name of parts) this.#fs.remove(this.#pathOf(name))
    for (const { name } of damaged)
      this.#fs.rename(this.#pathOf(name), this.#pathOf(name + CORRUPT_SUFFIX))
    if (damaged.length > 0) this.#fs.syncDirectory(this.#directory)
  }

  #names(): string[] {
    if (this.#fs.stat(this.#directory) === undefined) return []
    return this.#fs.list(this.#directory)
  }

  #pathOf(name: string): string {
    return `${this.#directory}/${name}`
  }
}

type Settled = Parameters<FileHandle['dataSync']>[0]

function done(start: (settled: Settled) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)))
  })
}

import { StorageError } from '../../base/errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Logger } from '../../ports/logger.ts'
import { checkpointText, readOffsetCheckpoint } from '../checkpoints.ts'
import { parsePartitionDirectory } from '../log-files.ts'

const CLEANER_OFFSET_FILE = 'cleaner-offset-checkpoint'

/** How far each log is cleaned: `cleaner-offset-checkpoint` at the top of the data directory. */
export class CleanerCheckpoint {
  readonly path: string
  /** By `topic-partition`. */
  readonly #offsets: Map<string, number>

  constructor(fs: FileSystem, dataDir: string, logger: Logger) {
    this.path = `${dataDir}/${CLEANER_OFFSET_FILE}`
    this.#offsets = load(fs, this.path, logger)
  }

  get(name: string): number | undefined {
    return this.#offsets.get(name)
  }

  set(name: string, offset: number): void {
    this.#offsets.set(name, offset)
  }

  /** The log is deleted: one of that name that comes later has nothing clean. */
  forget(name: string): void {
    this.#offsets.delete(name)
  }

  /** The file's content. */
  text(): string {
    const lines: string[] = []
    for (const [name, offset] of this.#offsets) {
      const parsed = parsePartitionDirectory(name)
      if (parsed !== null) lines.push(`${parsed.topic} ${parsed.partition} ${offset}`)
    }
    return checkpointText(lines)
  }
}

function load(fs: FileSystem, path: string, logger: Logger): Map<string, number> {
  try {
    return readOffsetCheckpoint(fs, path)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    // Cleaning twice costs time and changes nothing.
    logger.warn('how far logs are compacted is unknown, they are compacted from their start', {
      error: error.message,
    })
    return new Map()
  }
}

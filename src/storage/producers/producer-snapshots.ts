import { ProtocolError } from '../../base/errors.ts'
import {
  decodeProducerSnapshot,
  encodeProducerSnapshot,
  type ProducerSnapshotEntry,
} from '../../records/internal/producer-snapshot.ts'
import type { LogContext } from '../log-context.ts'
import { offsetFileName, offsetOfFileName, SNAPSHOT_SUFFIX } from '../log-files.ts'
import type { UnsyncedFiles } from '../segment/unsynced-files.ts'

/** Older ones are only of use when the newer ones are damaged. */
export const KEPT_COUNT = 3

/**
 * The `.snapshot` files of a log: what was known of its producers when it ended at the offset in the
 * name. Written at each roll, at a clean stop and after recovery.
 */
export class ProducerSnapshots {
  readonly #context: LogContext
  readonly #directory: string
  /** Ascending. */
  #offsets: number[]

  constructor(context: LogContext, directory: string, names: readonly string[]) {
    this.#context = context
    this.#directory = directory
    this.#offsets = names
      .map((name) => offsetOfFileName(name, SNAPSHOT_SUFFIX))
      .filter((offset) => offset >= 0)
      .sort((a, b) => a - b)
  }

  get offsets(): readonly number[] {
    return this.#offsets
  }

  /** The newest good one between two offsets, both included; damaged ones are reported and left out. */
  loadNewest(
    maxOffset: number,
    minOffset = 0,
  ): { readonly offset: number; readonly entries: readonly ProducerSnapshotEntry[] } | null {
    for (const offset of this.#offsets.toReversed()) {
      if (offset > maxOffset || offset < minOffset) continue
      const path = this.#pathOf(offset)
      try {
        const entries = decodeProducerSnapshot(this.#context.fs.readFile(path))
        if (entries.every(({ lastOffset }) => lastOffset < offset)) return { offset, entries }
        this.#context.logger.warn('a producer snapshot is of a longer log: using an older one', {
          path,
        })
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
        this.#context.logger.warn('a producer snapshot is damaged: using an older one', { path })
      }
    }
    return null
  }

  /** Writes a snapshot; a torn one fails its CRC. */
  write(offset: number, entries: readonly ProducerSnapshotEntry[], files: UnsyncedFiles): void {
    files.write(this.#pathOf(offset), encodeProducerSnapshot(entries))
    if (!this.#offsets.includes(offset)) this.#offsets.push(offset)
    this.#offsets.sort((a, b) => a - b)
  }

  /** Removes those above the log's end: once the log gets there, they say what is not so. */
  dropAbove(logEndOffset: number): void {
    const strays = this.#offsets.filter((offset) => offset > logEndOffset)
    if (strays.length === 0) return
    this.#context.beforeWrite()
    for (const offset of strays) this.#context.fs.remove(this.#pathOf(offset))
    this.#offsets = this.#offsets.filter((offset) => offset <= logEndOffset)
  }

  /** Removes those above the log's end, and all but the newest. */
  trim(logEndOffset: number): void {
    const valid = this.#offsets.filter((offset) => offset <= logEndOffset)
    const kept = valid.slice(-KEPT_COUNT)
    for (const offset of this.#offsets)
      if (!kept.includes(offset)) this.#context.fs.remove(this.#pathOf(offset))
    this.#offsets = kept
  }

  #pathOf(offset: number): string {
    return `${this.#directory}/${offsetFileName(offset, SNAPSHOT_SUFFIX)}`
  }
}

import { basename } from 'node:path'
import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError } from '../../base/errors.ts'
import { offsetOfFileName } from '../../storage/log-files.ts'
import { type OffsetEntry, offsetEntries, type TimeEntry, timeEntries } from './index-entries.ts'

/** A batch of the log, as far as indexes know about it. */
export interface IndexedBatch {
  readonly position: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly maxTimestampMs: number
}

const fs = new NodeFileSystem()

/**
 * Follows the entries of an index while the batches of its log go by. What points into damage is no fault
 * of the index.
 */
abstract class IndexCheck<Entry> {
  readonly file: string
  readonly #entries: readonly Entry[]
  readonly #problems: string[] = []
  #next = 0

  constructor(
    logFile: string,
    suffix: string,
    read: (file: string, content: Buffer, baseOffset: number) => readonly Entry[],
  ) {
    this.file = logFile.replace(/\.log$/, suffix)
    this.#entries = this.#load(suffix, read)
  }

  /** Tells of the next batch of the log. */
  batch(batch: IndexedBatch): void {
    for (let entry = this.#entries[this.#next]; entry !== undefined; ) {
      if (this.isBehind(entry, batch)) return
      const problem = this.problemOf(entry, batch)
      if (problem !== undefined) this.#problems.push(problem)
      this.#next++
      entry = this.#entries[this.#next]
    }
  }

  /** Tells that damage follows; entries up to `batch`, the first behind it, can't be judged. */
  skipTo(batch: IndexedBatch | undefined): void {
    for (let entry = this.#entries[this.#next]; entry !== undefined; ) {
      const isJudged = batch !== undefined && this.isAtOrBehind(entry, batch)
      if (isJudged) return
      this.#next++
      entry = this.#entries[this.#next]
    }
  }

  /** Entries behind the last batch point nowhere. */
  problems(): readonly string[] {
    const left = this.#entries.slice(this.#next).map((entry) => this.strayText(entry))
    return [...this.#problems, ...left]
  }

  /** The entry is about a later batch. */
  protected abstract isBehind(entry: Entry, batch: IndexedBatch): boolean
  /** The entry is about this batch or a later one. */
  protected abstract isAtOrBehind(entry: Entry, batch: IndexedBatch): boolean
  protected abstract problemOf(entry: Entry, batch: IndexedBatch): string | undefined
  protected abstract strayText(entry: Entry): string

  #load(
    suffix: string,
    read: (file: string, content: Buffer, baseOffset: number) => readonly Entry[],
  ): readonly Entry[] {
    if (fs.stat(this.file) === undefined) return []
    try {
      const baseOffset = offsetOfFileName(basename(this.file), suffix)
      return read(this.file, fs.readFile(this.file), baseOffset)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.#problems.push(error.message)
      return []
    }
  }
}

/** An entry names the position of a batch and an offset in it. */
export class OffsetIndexCheck extends IndexCheck<OffsetEntry> {
  constructor(logFile: string) {
    super(logFile, '.index', offsetEntries)
  }

  protected override isBehind(entry: OffsetEntry, batch: IndexedBatch): boolean {
    return entry.position > batch.position
  }

  protected override isAtOrBehind(entry: OffsetEntry, batch: IndexedBatch): boolean {
    return entry.position >= batch.position
  }

  protected override problemOf(entry: OffsetEntry, batch: IndexedBatch): string | undefined {
    const isRight =
      entry.position === batch.position &&
      entry.offset >= batch.baseOffset &&
      entry.offset <= batch.lastOffset
    return isRight ? undefined : this.strayText(entry)
  }

  protected override strayText({ offset, position }: OffsetEntry): string {
    return `the entry of offset ${offset} names position ${position}, where it is not`
  }
}

/** An entry names the largest timestamp of a batch and its last offset. */
export class TimeIndexCheck extends IndexCheck<TimeEntry> {
  constructor(logFile: string) {
    super(logFile, '.timeindex', timeEntries)
  }

  protected override isBehind(entry: TimeEntry, batch: IndexedBatch): boolean {
    return entry.offset > batch.lastOffset
  }

  protected override isAtOrBehind(entry: TimeEntry, batch: IndexedBatch): boolean {
    return entry.offset >= batch.baseOffset
  }

  protected override problemOf(entry: TimeEntry, batch: IndexedBatch): string | undefined {
    const isRight = entry.offset >= batch.baseOffset && entry.timestampMs === batch.maxTimestampMs
    return isRight ? undefined : this.strayText(entry)
  }

  protected override strayText({ timestampMs, offset }: TimeEntry): string {
    return `the entry of time ${timestampMs} names offset ${offset}, which has another`
  }
}

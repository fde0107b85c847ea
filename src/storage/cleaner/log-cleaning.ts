import type { CleanerConfig } from '../../ports/cleaner-config.ts'
import type { CleanedSegment, SegmentCleaner, SurveyRequest } from '../../ports/segment-cleaner.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import type { CleanableLog } from './cleanable-log.ts'
import { CleaningAborted } from './cleaning-aborted.ts'
import type { CleaningRange } from './cleaning-choice.ts'
import { HASH_WORDS } from './key-hash.ts'
import { swapSegments } from './segment-swap.ts'

export interface CleaningResult {
  /** All below it is clean. */
  readonly endOffset: number
  readonly readBytes: number
  readonly writtenBytes: number
  readonly keylessCount: number
}

/**
 * One round over a log: the survey, then group by group what stays of it is written and put in place.
 * Reads that have begun go on with the files they have.
 */
export class LogCleaning {
  /** Set while a segment is put in place, which must not be stopped half way. */
  swap: Promise<void> | null = null
  readonly #log: CleanableLog
  readonly #cleaner: SegmentCleaner
  readonly #segments: readonly LogSegment[]
  readonly #request: SurveyRequest

  constructor(
    log: CleanableLog,
    range: CleaningRange,
    cleaner: SegmentCleaner,
    cleanerConfig: CleanerConfig,
  ) {
    const { firstDirtyOffset, upperBoundOffset } = range
    const { config, segments } = log
    this.#log = log
    this.#cleaner = cleaner
    this.#segments = segments.all.filter(({ baseOffset }) => baseOffset < upperBoundOffset)
    const later = segments.all.slice(this.#segments.length, -1)
    this.#request = {
      directory: log.directory,
      segments: this.#segments.map(({ baseOffset }) => baseOffset),
      later: later.map(({ baseOffset }) => baseOffset),
      aborted: segments.active.indexes.transactions.entries,
      firstDirtyOffset,
      upperBoundOffset,
      hashSecret: Array.from({ length: HASH_WORDS }, () => log.context.random.int(2 ** 32)),
      limits: {
        dedupeBufferBytes: cleanerConfig.dedupeBufferBytes,
        loadFactor: cleanerConfig.dedupeLoadFactor,
        ioBufferBytes: cleanerConfig.ioBufferBytes,
        maxBytesPerSecond: cleanerConfig.maxIoBytesPerSecond,
        segmentBytes: config.segmentBytes,
        segmentIndexBytes: config.segmentIndexBytes,
        indexIntervalBytes: config.indexIntervalBytes,
      },
    }
  }

  /**
   * @throws CleaningAborted
   * @throws StorageError when files can't be read or written, or are damaged
   */
  async run(): Promise<CleaningResult> {
    const survey = this.#cleaner.survey(this.#request)
    const { endOffset, groups } = await this.#unlessChanged(this.#segments, survey)
    let readBytes = 0
    let writtenBytes = 0
    let keylessCount = 0
    for (const group of groups) {
      const cleaned = await this.#clean(group)
      readBytes += cleaned.readBytes
      writtenBytes += cleaned.writtenBytes
      keylessCount += cleaned.keylessCount
    }
    return { endOffset, readBytes, writtenBytes, keylessCount }
  }

  async #clean(group: readonly number[]): Promise<CleanedSegment> {
    const { config, context } = this.#log
    const bases = new Set(group)
    const sources = this.#segments.filter(({ baseOffset }) => bases.has(baseOffset))
    this.#expectUnchanged(sources)
    context.beforeWrite()
    const cleaning = this.#cleaner.clean({
      group,
      nowMs: context.clock.nowMs(),
      deleteRetentionMs: config.deleteRetentionMs,
      lastRecords: this.#lastRecords(),
    })
    const cleaned = await this.#unlessChanged(sources, cleaning)
    try {
      this.#expectUnchanged(sources)
    } catch (error) {
      // The directory of a deleted log has another name.
      if (!this.#log.isFailed) await this.#cleaner.discard(this.#log.directory, group[0] as number)
      throw error
    }
    this.swap = swapSegments(this.#log, sources)
    try {
      await this.swap
    } finally {
      this.swap = null
    }
    return cleaned
  }

  /** Files that are gone are no error when the segments are. */
  async #unlessChanged<T>(sources: readonly LogSegment[], work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      this.#expectUnchanged(sources)
      throw error
    }
  }

  /** Retention, DeleteRecords or the deletion of the topic may have come in between. */
  #expectUnchanged(sources: readonly LogSegment[]): void {
    const { isFailed, segments } = this.#log
    if (isFailed || !segments.has(sources)) throw new CleaningAborted()
  }

  #lastRecords(): Float64Array {
    const fields: number[] = []
    for (const entry of this.#log.producers.entries)
      fields.push(entry.producerId, entry.epoch, entry.lastOffset)
    return Float64Array.from(fields)
  }
}

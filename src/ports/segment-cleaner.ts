/**
 * Rewrites the segments of a log away from the event loop: another thread, or steps between other
 * work. It knows files only; which segments a log has, and when, the caller says. One log is cleaned
 * at a time: `survey`, then `clean` for each group; calls do not overlap.
 */
export interface SegmentCleaner {
  /**
   * Reads the dirty part of a log and learns the newest offset of each key in it.
   * @throws StorageError when the files can't be read or are damaged
   */
  survey(request: SurveyRequest): Promise<Survey>
  /**
   * Writes what stays of a group into files named `.cleaned`, which survive a power failure then. To
   * put them in place is the caller's.
   * @throws StorageError as `survey`, or when they can't be written
   */
  clean(request: CleanRequest): Promise<CleanedSegment>
  /** Removes what `clean` has written, when it is not put in place after all. */
  discard(directory: string, baseOffset: number): Promise<void>
  /** Replaces a file as a whole, as `FileSystem.writeFileAtomic`. */
  writeFile(path: string, content: string): Promise<void>
  /** Nothing more is to be done for now: lets go of memory and thread. */
  rest(): void
  /** Stops at once, also in the middle; what was asked for fails. */
  close(): Promise<void>
}

export interface SurveyRequest {
  readonly directory: string
  /** Base offsets of the segments up to the first that may not be cleaned, which is not among them. */
  readonly segments: readonly number[]
  /** Base offsets of the closed segments behind them: markers of the part that is cleaned lie there. */
  readonly later: readonly number[]
  /** Aborted transactions that no index file has yet. */
  readonly aborted: readonly AbortedRange[]
  /** Everything below was cleaned before. */
  readonly firstDirtyOffset: number
  /** Where the first segment that may not be cleaned begins. */
  readonly upperBoundOffset: number
  /** Four random 32-bit words, unknown to clients. */
  readonly hashSecret: readonly number[]
  readonly limits: CleaningLimits
}

/** An aborted transaction: its first offset, its marker's, and the LSO behind it. */
export interface AbortedRange {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly lastStableOffset: number
}

/** Sizes in bytes. */
export interface CleaningLimits {
  /** `segment.bytes` */
  readonly segmentBytes: number
  /** `segment.index.bytes` */
  readonly segmentIndexBytes: number
  /** `index.interval.bytes` */
  readonly indexIntervalBytes: number
  /** `log.cleaner.dedupe.buffer.size` */
  readonly dedupeBufferBytes: number
  /** `log.cleaner.io.buffer.load.factor` */
  readonly loadFactor: number
  /** `log.cleaner.io.buffer.size` */
  readonly ioBufferBytes: number
  /** `log.cleaner.io.max.bytes.per.second`, read and written together. */
  readonly maxBytesPerSecond: number
}

export interface Survey {
  /** Everything below it is clean once all groups are. */
  readonly endOffset: number
  /** Base offsets of segments that become one, in order. */
  readonly groups: readonly (readonly number[])[]
  readonly keyCount: number
}

export interface CleanRequest {
  readonly group: readonly number[]
  readonly nowMs: number
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number
  /**
   * The newest batch of each producer, which is kept, empty if need be. Three numbers for one:
   * producer id, epoch, and last offset of its newest batch with data (-1: only a marker is known).
   */
  readonly lastRecords: Float64Array
}

export interface CleanedSegment {
  readonly readBytes: number
  readonly writtenBytes: number
  /** Records that went because they have no key. */
  readonly keylessCount: number
}

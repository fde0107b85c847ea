import { assert } from '../base/assert.ts'
import { StorageError } from '../base/errors.ts'
import type { FileSystem } from '../ports/file-system.ts'
import type { EpochEndOffset } from '../ports/partition-log.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoints.ts'
import { LEADER_EPOCH_FILE } from './log-files.ts'

interface EpochStart {
  readonly leaderEpoch: number
  readonly startOffset: number
}

/**
 * Which leader epoch wrote which offsets; epochs and offsets both rise. Kept in
 * `leader-epoch-checkpoint`, and rebuilt from the batches by recovery.
 * Source: LeaderEpochFileCache, Kafka 4.4; KIP-101.
 */
export class LeaderEpochCache {
  #entries: EpochStart[] = []
  #isDirty = false

  static load(fs: FileSystem, directory: string): LeaderEpochCache {
    const cache = new LeaderEpochCache()
    const path = `${directory}/${LEADER_EPOCH_FILE}`
    for (const [epoch, offset] of readCheckpoint(fs, path, 2)) {
      const last = cache.#entries.at(-1)
      if (last !== undefined && Number(offset) < last.startOffset)
        throw new StorageError(`${path} is damaged, its offsets go back: remove it to rebuild it`)
      cache.assign(Number(epoch), Number(offset))
    }
    cache.#isDirty = false
    return cache
  }

  /** The file does not say what the cache says. */
  get isDirty(): boolean {
    return this.#isDirty
  }

  get latestEpoch(): number {
    return this.#entries.at(-1)?.leaderEpoch ?? -1
  }

  save(fs: FileSystem, directory: string): void {
    const lines = this.#entries.map((entry) => `${entry.leaderEpoch} ${entry.startOffset}`)
    writeCheckpoint(fs, `${directory}/${LEADER_EPOCH_FILE}`, lines)
    this.#isDirty = false
  }

  /** Batches from `startOffset` on have this epoch; nothing happens when that is known. */
  assign(leaderEpoch: number, startOffset: number): void {
    const last = this.#entries.at(-1)
    if (last !== undefined && leaderEpoch <= last.leaderEpoch) return
    assert(last === undefined || startOffset >= last.startOffset, 'epochs start in order')
    // An epoch that wrote nothing has no entry.
    if (last?.startOffset === startOffset) this.#entries.pop()
    this.#entries.push({ leaderEpoch, startOffset })
    this.#isDirty = true
  }

  /** The epoch that wrote `offset`, -1 if unknown. */
  epochForOffset(offset: number): number {
    let epoch = -1
    for (const { leaderEpoch, startOffset } of this.#entries) {
      if (startOffset > offset) break
      epoch = leaderEpoch
    }
    return epoch
  }

  /**
   * The largest epoch at or below the asked one, and where the next one starts.
   * @param currentEpoch the leader's epoch, which may not have written anything
   * @returns null when the asked epoch is unknown: above the current one
   */
  endOffsetFor(
    leaderEpoch: number,
    currentEpoch: number,
    logEndOffset: number,
  ): EpochEndOffset | null {
    if (leaderEpoch < 0 || leaderEpoch > Math.max(currentEpoch, this.latestEpoch)) return null
    let floor: EpochStart | undefined
    let higher: EpochStart | undefined
    for (const entry of this.#entries) {
      if (entry.leaderEpoch <= leaderEpoch) floor = entry
      else higher ??= entry
    }
    const endOffset = higher?.startOffset ?? logEndOffset
    if (leaderEpoch === currentEpoch) return { leaderEpoch, endOffset: logEndOffset }
    return { leaderEpoch: floor?.leaderEpoch ?? leaderEpoch, endOffset }
  }

  /** Nothing at or above `endOffset` exists any more. */
  truncateFromEnd(endOffset: number): void {
    const kept = this.#entries.filter(({ startOffset }) => startOffset < endOffset)
    if (kept.length === this.#entries.length) return
    this.#entries = kept
    this.#isDirty = true
  }

  /** Nothing below `startOffset` exists any more. */
  truncateFromStart(startOffset: number): void {
    const first = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset)
    if (first < 0) return
    const entry = this.#entries[first] as EpochStart
    if (first === 0 && entry.startOffset === startOffset) return
    this.#entries = [
      { leaderEpoch: entry.leaderEpoch, startOffset },
      ...this.#entries.slice(first + 1),
    ]
    this.#isDirty = true
  }
}

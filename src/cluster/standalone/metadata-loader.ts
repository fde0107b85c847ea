import { ConfigError } from '../../base/errors.ts'
import { lastOffsetOf } from '../../records/record-batch.ts'
import { batchPositions } from '../../records/records-iterator.ts'
import type { MetadataReplay } from './metadata-replay.ts'
import type { SnapshotId } from './metadata-snapshot.ts'
import type { MetadataState } from './metadata-state.ts'
import type { DamagedSnapshot, SnapshotFiles } from './snapshot-files.ts'

/** The records of the metadata, as a log that is open or as files that are only looked at. */
export interface MetadataSource {
  readonly startOffset: number
  readonly endOffset: number
  /**
   * Gives `visit` all whole batches from an offset to the end, in pieces that it may not keep.
   * @param visit returns the offset after the last batch it got
   */
  readFrom(offset: number, visit: (batches: Buffer) => number): Promise<void>
}

export interface LoadedSnapshots {
  /** The snapshot that the state began with; null: the log has it all. */
  readonly used: SnapshotId | null
  readonly damaged: readonly DamagedSnapshot[]
}

/**
 * Builds the state: the newest whole snapshot, then the log from its end on.
 * @throws ConfigError when a part is missing, or a record is not understood
 */
export async function loadMetadata(
  source: MetadataSource,
  files: SnapshotFiles,
  state: MetadataState,
  replay: MetadataReplay,
): Promise<LoadedSnapshots> {
  const { found, damaged } = files.findNewest(source.startOffset)
  const from = found?.id.endOffset ?? 0
  const [newest] = damaged
  if (source.startOffset > from) {
    const why =
      newest === undefined ? 'there is no snapshot' : `${newest.name} is damaged: ${newest.problem}`
    throw new ConfigError(
      `the metadata log begins at offset ${source.startOffset} and what was before is lost ` +
        `(${why}); restore the files of __cluster_metadata-0 from a backup`,
    )
  }
  const needed = Math.max(from, newest?.id.endOffset ?? 0)
  if (source.endOffset < needed) {
    throw new ConfigError(
      `the metadata log ends at offset ${source.endOffset}, but its newest snapshot ends at ` +
        `${needed}; restore the files of __cluster_metadata-0 from a backup`,
    )
  }
  if (found !== null) {
    replay.applyBatches(found.content, false)
    state.image.advanceTo(found.id.endOffset - 1)
  }
  await source.readFrom(from, (batches) => {
    replay.applyBatches(batches, true)
    let last = -1
    for (const position of batchPositions(batches)) last = lastOffsetOf(batches, position)
    return last + 1
  })
  return { used: found?.id ?? null, damaged }
}

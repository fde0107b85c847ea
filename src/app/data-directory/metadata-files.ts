import { ConfigError } from '../../base/errors.ts'
import type { MetadataSource } from '../../cluster/standalone/metadata-loader.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import { baseOffsetOf, lastOffsetOf, recordCountOf } from '../../records/record-batch.ts'
import { findBatchAfter, isZeroFilled } from '../../storage/damage.ts'
import { LOG_SUFFIX, offsetFileName, offsetOfFileName } from '../../storage/log-files.ts'
import { BatchScanner } from '../../storage/segment/batch-scanner.ts'

const BUFFER_BYTES = 256 * 1024

/** What is known of the metadata log from outside its directory. */
export interface MetadataLogFacts {
  /** What the checkpoint of log starts says, 0 if nothing. */
  readonly logStartOffset: number
  /** All before it was safe on disk; 0: nobody said so. */
  readonly recoveryPoint: number
  /** The last stop was clean, so a start does not look at all segments. */
  readonly isCleanlyStopped: boolean
}

/**
 * The segments of the metadata log as they lie on disk, for a look before anybody opens the log.
 * Nothing is changed, not even what a start would cut off.
 */
export class MetadataFiles implements MetadataSource {
  readonly startOffset: number
  readonly endOffset: number
  /** Bytes behind the last whole batch, which a start cuts off. */
  readonly tornBytes: number
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #bases: readonly number[]
  /** From here on a start checks every batch. */
  readonly #checkedFrom: number

  /** @throws ConfigError when the log is damaged in the middle, or records are gone */
  constructor(fs: FileSystem, directory: string, facts: MetadataLogFacts) {
    const { logStartOffset, recoveryPoint, isCleanlyStopped } = facts
    this.#fs = fs
    this.#directory = directory
    const names = fs.stat(directory) === undefined ? [] : fs.list(directory)
    this.#bases = names
      .map((name) => offsetOfFileName(name, LOG_SUFFIX))
      .filter((base) => base >= 0)
    const [first = 0] = this.#bases
    this.startOffset = Math.max(first, logStartOffset)
    const last = this.#bases.at(-1)
    const end = last === undefined ? { offset: 0, tornBytes: 0 } : this.#findEnd(last)
    this.endOffset = Math.max(end.offset, this.startOffset)
    this.tornBytes = end.tornBytes
    this.#checkedFrom = isCleanlyStopped ? Number.MAX_SAFE_INTEGER : recoveryPoint
    if (last === undefined || end.offset >= recoveryPoint) return
    throw new ConfigError(
      `the metadata log ends at offset ${end.offset}, but it was on disk up to ${recoveryPoint}; ` +
        'restore the files of __cluster_metadata-0 from a backup, or remove ' +
        'recovery-point-offset-checkpoint to go on without what is lost',
    )
  }

  /** There is no metadata log at all. */
  get isMissing(): boolean {
    return this.#bases.length === 0
  }

  async readFrom(offset: number, visit: (batches: Buffer) => number): Promise<void> {
    for (const [index, base] of this.#bases.entries()) {
      const next = this.#bases[index + 1]
      if (next !== undefined && next <= Math.min(offset, this.#checkedFrom)) continue
      const end = this.#readSegment(base, offset, visit)
      if (next === undefined || end === next) continue
      throw new ConfigError(
        `the metadata log has no records from offset ${end} to ${next}; ` +
          'restore the files of __cluster_metadata-0 from a backup',
      )
    }
  }

  /** @returns the offset after the last batch of the segment */
  #readSegment(base: number, offset: number, visit: (batches: Buffer) => number): number {
    return this.#scan(base, (scanner, path) => {
      let end = base
      while (scanner.next()) {
        const { buffer, at, sizeBytes } = scanner
        end = endOfBatch(scanner, end, path)
        if (end > offset) visit(buffer.subarray(at, at + sizeBytes))
      }
      return end
    })
  }

  #findEnd(base: number): { readonly offset: number; readonly tornBytes: number } {
    return this.#scan(base, (scanner, path) => {
      let offset = base
      while (scanner.next()) offset = endOfBatch(scanner, offset, path)
      const handle = this.#fs.open(path, 'read')
      try {
        const fileBytes = handle.sizeBytes()
        const tornBytes = fileBytes - scanner.position
        if (tornBytes === 0 || isZeroFilled(handle, scanner.position, fileBytes))
          return { offset, tornBytes }
        const found = findBatchAfter(handle, scanner.position, fileBytes, offset)
        if (found < 0) return { offset, tornBytes }
        const what = `${scanner.problem}), and records follow at byte ${found}`
        throw damaged(path, scanner.position, what)
      } finally {
        handle.close()
      }
    })
  }

  #scan<T>(base: number, use: (scanner: BatchScanner, path: string) => T): T {
    const path = `${this.#directory}/${offsetFileName(base, LOG_SUFFIX)}`
    const handle = this.#fs.open(path, 'read')
    try {
      const buffer = Buffer.allocUnsafe(BUFFER_BYTES)
      return use(new BatchScanner(handle, 0, handle.sizeBytes(), buffer, true), path)
    } finally {
      handle.close()
    }
  }
}

/**
 * Offset and epoch of a batch are not in its CRC, but this log has no gaps: nothing is compacted.
 * @returns the offset after the batch
 * @throws ConfigError when it does not go on from the one before
 */
function endOfBatch({ buffer, at, position }: BatchScanner, offset: number, path: string): number {
  const end = lastOffsetOf(buffer, at) + 1
  if (baseOffsetOf(buffer, at) === offset && end === offset + recordCountOf(buffer, at)) return end
  throw damaged(path, position, `its offset is not ${offset})`)
}

function damaged(path: string, position: number, what: string): ConfigError {
  return new ConfigError(
    `${path} is damaged at byte ${position} (${what}; restore the file from a backup`,
  )
}

import { ConfigError } from '../../base/errors.ts'
import type { MetadataSource } from '../../cluster/standalone/metadata-loader.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import { baseOffsetOf, lastOffsetOf } from '../../records/record-batch.ts'
import { BatchScanner } from '../../storage/batch-scanner.ts'
import { findBatchAfter, isZeroFilled } from '../../storage/damage.ts'
import { LOG_SUFFIX, offsetFileName, offsetOfFileName } from '../../storage/log-files.ts'

const BUFFER_BYTES = 256 * 1024

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

  /**
   * @param logStartOffset what the checkpoint of log starts says, 0 if nothing
   * @throws ConfigError when the log is damaged in the middle
   */
  constructor(fs: FileSystem, directory: string, logStartOffset: number) {
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
  }

  /** There is no metadata log at all. */
  get isMissing(): boolean {
    return this.#bases.length === 0
  }

  async readFrom(offset: number, visit: (batches: Buffer) => number): Promise<void> {
    for (const [index, base] of this.#bases.entries()) {
      const next = this.#bases[index + 1]
      if (next !== undefined && next <= offset) continue
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
    return this.#scan(base, (scanner) => {
      let end = base
      while (scanner.next()) {
        const { buffer, at, sizeBytes } = scanner
        if (baseOffsetOf(buffer, at) !== end) return end
        end = lastOffsetOf(buffer, at) + 1
        if (end > offset) visit(buffer.subarray(at, at + sizeBytes))
      }
      return end
    })
  }

  #findEnd(base: number): { readonly offset: number; readonly tornBytes: number } {
    return this.#scan(base, (scanner, path) => {
      let offset = base
      while (scanner.next()) offset = lastOffsetOf(scanner.buffer, scanner.at) + 1
      const handle = this.#fs.open(path, 'read')
      try {
        const fileBytes = handle.sizeBytes()
        const tornBytes = fileBytes - scanner.position
        if (tornBytes === 0 || isZeroFilled(handle, scanner.position, fileBytes))
          return { offset, tornBytes }
        const found = findBatchAfter(handle, scanner.position, fileBytes, offset)
        if (found < 0) return { offset, tornBytes }
        throw new ConfigError(
          `${path} is damaged at byte ${scanner.position} (${scanner.problem}), and records ` +
            `follow at byte ${found}; restore the file from a backup`,
        )
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

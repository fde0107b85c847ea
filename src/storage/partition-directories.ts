import { StorageError } from '../base/errors.ts'
import type { LogIdentity } from '../ports/log-store.ts'
import type { LogConfig } from '../ports/partition-log.ts'
import type { CleanerCheckpoint } from './cleaner/cleaner-checkpoint.ts'
import type { DataDirectory } from './data-directory.ts'
import type { LogCheckpoints } from './log-checkpoints.ts'
import type { LogContext } from './log-context.ts'
import {
  LOG_SUFFIX,
  PARTITION_METADATA_FILE,
  partitionDirectoryName,
  retiredDirectoryName,
} from './log-files.ts'
import { makeDirectories, type NewDirectory, partitionMetadataOf } from './new-directories.ts'

/** As Kafka writes and reads it. */
const PARTITION_METADATA = /^version: 0\ntopic_id: [\w-]{22}$/

/** The directories of partitions: which topic each belongs to, and how they come and go. */
export class PartitionDirectories {
  readonly #context: LogContext
  readonly #directory: DataDirectory
  readonly #checkpoints: LogCheckpoints
  readonly #cleanerCheckpoint: CleanerCheckpoint

  constructor(
    context: LogContext,
    directory: DataDirectory,
    checkpoints: LogCheckpoints,
    cleanerCheckpoint: CleanerCheckpoint,
  ) {
    this.#context = context
    this.#directory = directory
    this.#checkpoints = checkpoints
    this.#cleanerCheckpoint = cleanerCheckpoint
  }

  /** Makes those that are not there, safely. @throws StorageError */
  async make(identities: readonly LogIdentity[], config: LogConfig): Promise<void> {
    const { fs } = this.#context
    const directories: NewDirectory[] = []
    const names: string[] = []
    for (const { topic, partition, topicId } of identities) {
      const name = partitionDirectoryName(topic, partition)
      const path = this.#directory.pathOf(name)
      // What is there is looked at when it is opened.
      if (fs.stat(path) !== undefined) continue
      names.push(name)
      directories.push({ path, topicId })
    }
    if (directories.length === 0) return
    this.#context.beforeWrite()
    this.#forgetNamesakes(names)
    // A preallocated segment is made by who opens the log.
    const hasSegment = !config.isPreallocated
    await makeDirectories(fs, this.#directory.path, directories, hasSegment)
  }

  /**
   * The directory is there and belongs to the topic, safely, when this returns.
   * @throws StorageError when it holds records of another topic
   */
  claim(name: string, topicId: string): void {
    const { fs } = this.#context
    const path = this.#directory.pathOf(name)
    const file = `${path}/${PARTITION_METADATA_FILE}`
    const content = partitionMetadataOf(topicId)
    const isThere = fs.stat(path) !== undefined
    if (isThere && fs.stat(file) !== undefined) {
      const found = fs.readFile(file).toString('latin1').trimEnd()
      if (found === content) return
      if (!PARTITION_METADATA.test(found))
        this.#context.logger.warn('partition.metadata is damaged: making it again', { file })
      else if (this.#hasRecords(path))
        throw new StorageError(
          `${path} belongs to another topic (${found.replace('\n', ', ')}), not to ${topicId}: ` +
            'move it away or restore the metadata that goes with it',
        )
    }
    this.#context.beforeWrite()
    if (!isThere || !this.#hasRecords(path)) this.#forgetNamesakes([name])
    fs.makeDirectory(path)
    const handle = fs.open(file, 'create')
    handle.truncate(0)
    handle.writeNow([Buffer.from(content)], 0)
    handle.dataSyncNow()
    handle.close()
    fs.syncDirectory(path)
    fs.syncDirectory(this.#directory.path)
  }

  /**
   * Gives a directory a name that says it is on its way out, or that no topic owns it.
   * @returns its path now
   */
  retire(topic: string, partition: number, kind: 'delete' | 'stray'): string {
    const { fs, random } = this.#context
    const uniqueHex = Buffer.from(random.uuid(), 'base64url').toString('hex')
    const path = this.#directory.pathOf(retiredDirectoryName(topic, partition, uniqueHex, kind))
    const name = partitionDirectoryName(topic, partition)
    fs.rename(this.#directory.pathOf(name), path)
    fs.syncDirectory(this.#directory.path)
    this.#directory.forget(name)
    return path
  }

  /**
   * What the checkpoints say is of logs of those names that were deleted since they were written. It
   * must be gone before there are others: after a crash nobody knows which of them is meant.
   */
  #forgetNamesakes(names: readonly string[]): void {
    for (const name of names) {
      this.#cleanerCheckpoint.forget(name)
      this.#directory.forget(name)
    }
    if (names.some((name) => this.#directory.speaksOf(name))) this.#checkpoints.write()
  }

  #hasRecords(path: string): boolean {
    const { fs } = this.#context
    const sizeOf = (name: string): number => fs.stat(`${path}/${name}`)?.sizeBytes ?? 0
    return fs.list(path).some((name) => name.endsWith(LOG_SUFFIX) && sizeOf(name) > 0)
  }
}

import type { FileHandle, FileSystem } from '../ports/file-system.ts'
import { LOG_SUFFIX, offsetFileName, PARTITION_METADATA_FILE } from './log-files.ts'

/** Directories that are made in one turn, and whose files are open together. */
const CHUNK = 64
/** Syncs under way: more would stand before those of produce requests. */
const CONCURRENCY = 4

export interface NewDirectory {
  readonly path: string
  readonly topicId: string
}

/** Content of `partition.metadata`, as Kafka writes it. */
export const partitionMetadataOf = (topicId: string): string => `version: 0\ntopic_id: ${topicId}`

/**
 * Makes partition directories, safely: `partition.metadata` and, if wanted, the first segment. The
 * files of many are made before the first sync: one commit of the file system then takes them all,
 * and the syncs behind it find little to do. They do not block the caller.
 * @throws StorageError; what was made is taken away again
 */
export async function makeDirectories(
  fs: FileSystem,
  parent: string,
  directories: readonly NewDirectory[],
  hasSegment: boolean,
): Promise<void> {
  const made: string[] = []
  try {
    for (let at = 0; at < directories.length; at += CHUNK) {
      const chunk = directories.slice(at, at + CHUNK)
      const handles: FileHandle[] = []
      try {
        for (const directory of chunk) {
          made.push(directory.path)
          handles.push(makeFiles(fs, directory, hasSegment))
        }
        await inParallel(handles, (handle, done) => handle.dataSync(done))
      } finally {
        for (const handle of handles) handle.close()
      }
      await inParallel(chunk, ({ path }, done) => fs.syncDirectoryLater(path, done))
    }
    await inParallel([parent], (path, done) => fs.syncDirectoryLater(path, done))
  } catch (error) {
    for (const path of made) fs.remove(path)
    throw error
  }
}

/** @returns the metadata file, to be synced */
function makeFiles(fs: FileSystem, { path, topicId }: NewDirectory, hasSegment: boolean) {
  fs.makeDirectory(path)
  const metadata = fs.open(`${path}/${PARTITION_METADATA_FILE}`, 'create')
  try {
    metadata.writeNow([Buffer.from(partitionMetadataOf(topicId))], 0)
    if (hasSegment) fs.open(`${path}/${offsetFileName(0, LOG_SUFFIX)}`, 'create').close()
    return metadata
  } catch (error) {
    metadata.close()
    throw error
  }
}

/** Rejects with the first error, but not before all that was begun has ended. */
function inParallel<T>(
  items: readonly T[],
  work: (item: T, done: (error: Error | null) => void) => void,
): Promise<void> {
  let next = 0
  let failure: Error | null = null
  const lane = async (): Promise<void> => {
    while (next < items.length && failure === null) {
      const item = items[next++] as T
      await new Promise<void>((resolve) => {
        work(item, (error) => {
          failure ??= error
          resolve()
        })
      })
    }
  }
  return Promise.all(Array.from({ length: CONCURRENCY }, lane)).then(() => {
    if (failure !== null) throw failure
  })
}

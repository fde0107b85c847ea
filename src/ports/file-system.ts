/**
 * Files as the storage engine uses them. Everything fails with `StorageError` (cause: the system's
 * error). Methods without a callback block: they are for start-up, for small files, and for appends
 * that only reach the page cache. What can take long has a callback.
 */
export interface FileSystem {
  /**
   * @param mode `read`: must exist; `write`: read and write, must exist; `create`: read and write,
   *   made if missing, kept if there
   */
  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle
  /** undefined if nothing is there. */
  stat(path: string): FileStat | undefined
  /** Names in a directory, sorted. */
  list(directory: string): string[]
  /** Makes the directory and its parents; one that is there is fine. */
  makeDirectory(directory: string): void
  rename(from: string, to: string): void
  /** Removes a file or a directory with all in it; nothing there is fine. */
  remove(path: string): void
  readFile(path: string): Buffer
  /** Replaces a file as a whole: temporary file, fsync, rename, fsync of the directory. */
  writeFileAtomic(path: string, content: Buffer | string): void
  /** Makes names in a directory (created, renamed, removed files) survive a power failure. */
  syncDirectory(directory: string): void
  /** As `syncDirectory`, but never blocks the caller. */
  syncDirectoryLater(directory: string, done: (error: Error | null) => void): void
  /**
   * Takes a lock that ends with the process.
   * @throws ConfigError naming the process that holds it
   */
  lock(path: string): FileLock
  /** Bytes this process may still write on the disk of `path`. */
  freeBytes(path: string): number
}

export interface FileStat {
  readonly sizeBytes: number
  readonly isDirectory: boolean
  readonly modifiedMs: number
}

export interface FileLock {
  release(): void
}

/** An open file. Positions and lengths are bytes. */
export interface FileHandle {
  readonly path: string
  sizeBytes(): number
  /** Writes all pieces in order into the page cache, at once. */
  writeNow(pieces: readonly Buffer[], position: number): void
  /** As `writeNow`, but never blocks the caller: for when the kernel may make writers wait. */
  write(pieces: readonly Buffer[], position: number, done: (error: Error | null) => void): void
  /** All that was written before the call survives a power failure once `done(null)` came. */
  dataSync(done: (error: Error | null) => void): void
  /** As `dataSync`, blocking: for stopping and for recovery. */
  dataSyncNow(): void
  /** Bytes read: fewer than asked only at the end of the file. */
  readNow(into: Buffer, intoOffset: number, byteCount: number, position: number): number
  read(
    into: Buffer,
    intoOffset: number,
    byteCount: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void
  truncate(sizeBytes: number): void
  close(): void
}

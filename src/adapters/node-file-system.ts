import fs from 'node:fs'
import { dirname } from 'node:path'
import { StorageError } from '../base/errors.ts'
import type { FileHandle, FileLock, FileStat, FileSystem } from '../ports/file-system.ts'
import { lockFile } from './node-file-lock.ts'

const OPEN_FLAGS = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
} as const

/** Files of this machine. Errors of the system become `StorageError` here and nowhere else. */
export class NodeFileSystem implements FileSystem {
  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    return attempt('open', path, () => {
      return new NodeFileHandle(path, fs.openSync(path, OPEN_FLAGS[mode], 0o644))
    })
  }

  stat(path: string): FileStat | undefined {
    return attempt('stat', path, () => {
      const stat = fs.statSync(path, { throwIfNoEntry: false })
      if (stat === undefined) return undefined
      return { sizeBytes: stat.size, isDirectory: stat.isDirectory(), modifiedMs: stat.mtimeMs }
    })
  }

  list(directory: string): string[] {
    return attempt('list', directory, () => fs.readdirSync(directory).sort())
  }

  makeDirectory(directory: string): void {
    attempt('make directory', directory, () => fs.mkdirSync(directory, { recursive: true }))
  }

  rename(from: string, to: string): void {
    attempt('rename', from, () => fs.renameSync(from, to))
  }

  remove(path: string): void {
    attempt('remove', path, () => fs.rmSync(path, { recursive: true, force: true }))
  }

  readFile(path: string): Buffer {
    return attempt('read', path, () => fs.readFileSync(path))
  }

  writeFileAtomic(path: string, content: Buffer | string): void {
    const temporary = `${path}.tmp`
    attempt('write', path, () => {
      const fd = fs.openSync(temporary, 'w', 0o644)
      try {
        fs.writeFileSync(fd, content)
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
      fs.renameSync(temporary, path)
    })
    this.syncDirectory(dirname(path))
  }

  syncDirectory(directory: string): void {
    attempt('sync directory', directory, () => {
      const fd = fs.openSync(directory, fs.constants.O_RDONLY)
      try {
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
    })
  }

  syncDirectoryLater(directory: string, done: (error: Error | null) => void): void {
    fs.open(directory, fs.constants.O_RDONLY, (openError, fd) => {
      if (openError !== null) {
        done(storageError('sync directory', directory, openError))
        return
      }
      fs.fsync(fd, (syncError) => {
        fs.close(fd, () => {
          done(syncError === null ? null : storageError('sync directory', directory, syncError))
        })
      })
    })
  }

  lock(path: string): FileLock {
    return lockFile(path)
  }

  freeBytes(path: string): number {
    return attempt('ask free space of', path, () => {
      const { bavail, bsize } = fs.statfsSync(path)
      return bavail * bsize
    })
  }
}

class NodeFileHandle implements FileHandle {
  readonly path: string
  readonly #fd: number

  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  sizeBytes(): number {
    return attempt('stat', this.path, () => fs.fstatSync(this.#fd).size)
  }

  writeNow(pieces: readonly Buffer[], position: number): void {
    try {
      let rest: readonly Buffer[] = pieces
      let at = position
      for (;;) {
        const byteCount = byteLengthOf(rest)
        if (byteCount === 0) return
        const written =
          rest.length === 1
            ? fs.writeSync(this.#fd, rest[0] as Buffer, 0, byteCount, at)
            : fs.writevSync(this.#fd, rest as Buffer[], at)
        if (written === byteCount) return
        rest = piecesAfter(rest, written)
        at += written
      }
    } catch (error) {
      throw storageError('write', this.path, error)
    }
  }

  write(pieces: readonly Buffer[], position: number, done: (error: Error | null) => void): void {
    const byteCount = byteLengthOf(pieces)
    fs.writev(this.#fd, pieces as Buffer[], position, (error, written) => {
      if (error !== null) done(storageError('write', this.path, error))
      else if (written === byteCount) done(null)
      else this.write(piecesAfter(pieces, written), position + written, done)
    })
  }

  dataSync(done: (error: Error | null) => void): void {
    fs.fdatasync(this.#fd, (error) => {
      done(error === null ? null : storageError('sync', this.path, error))
    })
  }

  dataSyncNow(): void {
    attempt('sync', this.path, () => fs.fdatasyncSync(this.#fd))
  }

  readNow(into: Buffer, intoOffset: number, byteCount: number, position: number): number {
    return attempt('read', this.path, () => {
      let total = 0
      while (total < byteCount) {
        const left = byteCount - total
        const got = fs.readSync(this.#fd, into, intoOffset + total, left, position + total)
        if (got === 0) break
        total += got
      }
      return total
    })
  }

  read(
    into: Buffer,
    intoOffset: number,
    byteCount: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void {
    fs.read(this.#fd, into, intoOffset, byteCount, position, (error, got) => {
      if (error !== null) {
        done(storageError('read', this.path, error), 0)
      } else if (got === 0 || got === byteCount) {
        done(null, got)
      } else {
        // A short read that is not the end of the file: ask for the rest.
        const left = byteCount - got
        this.read(into, intoOffset + got, left, position + got, (failed, more) => {
          done(failed, failed === null ? got + more : 0)
        })
      }
    })
  }

  truncate(sizeBytes: number): void {
    attempt('truncate', this.path, () => fs.ftruncateSync(this.#fd, sizeBytes))
  }

  close(): void {
    attempt('close', this.path, () => fs.closeSync(this.#fd))
  }
}

function byteLengthOf(pieces: readonly Buffer[]): number {
  let total = 0
  for (const piece of pieces) total += piece.byteLength
  return total
}

/** What is left of `pieces` once `written` bytes are away. */
function piecesAfter(pieces: readonly Buffer[], written: number): Buffer[] {
  let skip = written
  const rest: Buffer[] = []
  for (const piece of pieces) {
    if (skip >= piece.byteLength) {
      skip -= piece.byteLength
      continue
    }
    rest.push(skip === 0 ? piece : piece.subarray(skip))
    skip = 0
  }
  return rest
}

function attempt<T>(verb: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw storageError(verb, path, error)
  }
}

function storageError(verb: string, path: string, cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StorageError(`can't ${verb} ${path}: ${reason}`, { cause })
}

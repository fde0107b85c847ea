import { ConfigError, StorageError } from '../base/errors.ts'
import type { FileHandle, FileLock, FileStat, FileSystem } from '../ports/file-system.ts'
import { MemoryFile } from './memory-file.ts'

/** What a disk can refuse; the names are those of the errors it gives. */
export type FaultyOperation = 'open' | 'write' | 'sync' | 'read' | 'truncate' | 'rename' | 'remove'

/** An error to give instead of doing the work. */
export interface Fault {
  /** The system's name of it, e.g. `ENOSPC` or `EIO`. */
  readonly code: string
  /** A write gets so many of its bytes into the file before it fails. */
  readonly writtenBytes?: number
}

export interface MemoryFileSystemOptions {
  /** Remembers what was synced, for `crash`. Costs a copy of what changed at every sync. */
  readonly tracksSyncs?: boolean
  /** Bytes that fit; then writes fail with ENOSPC. */
  readonly capacityBytes?: number
  /** Runs callbacks later; they must not run inside the call that gets them. */
  readonly defer?: (task: () => void) => void
}

/** Directories have no file. */
type Entry = MemoryFile | null

/**
 * Files in memory: for brokers that keep nothing, and a disk that tests can fill, break and crash.
 * Paths are only compared: `/` separates, nothing is normalized.
 */
export class MemoryFileSystem implements FileSystem {
  /** Asked before each operation; tests set it to break the disk. */
  fault: ((operation: FaultyOperation, path: string) => Fault | undefined) | undefined
  /** Handles that were opened and not closed, for tests that look for leaks. */
  openHandleCount = 0
  readonly #tracksSyncs: boolean
  readonly #capacityBytes: number
  readonly #defer: (task: () => void) => void
  #entries = new Map<string, Entry>()
  /** The names that a power failure leaves. */
  #durable = new Map<string, Entry>()
  readonly #locks = new Set<string>()
  /** Handles of before a crash must not change what came after it. */
  #generation = 0

  constructor(options: MemoryFileSystemOptions = {}) {
    this.#tracksSyncs = options.tracksSyncs ?? false
    this.#capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY
    this.#defer = options.defer ?? setImmediate
  }

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    this.check('open', path)
    let entry = this.#entries.get(path)
    if (entry === null) throw failure('open', path, 'EISDIR')
    if (entry === undefined) {
      if (mode !== 'create') throw failure('open', path, 'ENOENT')
      if (!this.#entries.has(parentOf(path))) throw failure('open', path, 'ENOENT')
      entry = new MemoryFile(this.#tracksSyncs)
      this.#entries.set(path, entry)
    }
    this.openHandleCount++
    return new MemoryFileHandle(this, path, entry, this.#generation)
  }

  stat(path: string): FileStat | undefined {
    const entry = this.#entries.get(path)
    if (entry === undefined) return undefined
    if (entry === null) return { sizeBytes: 0, isDirectory: true, modifiedMs: 0 }
    return { sizeBytes: entry.sizeBytes, isDirectory: false, modifiedMs: entry.modifiedMs }
  }

  list(directory: string): string[] {
    if (this.#entries.get(directory) !== null) throw failure('list', directory, 'ENOENT')
    const prefix = `${directory}/`
    const names: string[] = []
    for (const path of this.#entries.keys()) {
      if (!path.startsWith(prefix)) continue
      const name = path.slice(prefix.length)
      if (!name.includes('/')) names.push(name)
    }
    return names.sort()
  }

  makeDirectory(directory: string): void {
    for (let path = directory; path !== '' && !this.#entries.has(path); path = parentOf(path)) {
      this.#entries.set(path, null)
      if (!path.includes('/')) break
    }
  }

  rename(from: string, to: string): void {
    this.check('rename', from)
    if (!this.#entries.has(from)) throw failure('rename', from, 'ENOENT')
    for (const path of [...this.#entries.keys()]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      const entry = this.#entries.get(path) as Entry
      this.#entries.delete(path)
      this.#entries.set(to + path.slice(from.length), entry)
    }
  }

  remove(path: string): void {
    this.check('remove', path)
    for (const name of [...this.#entries.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#entries.delete(name)
    }
  }

  readFile(path: string): Buffer {
    this.check('read', path)
    const entry = this.#entries.get(path)
    if (entry === undefined || entry === null) throw failure('read', path, 'ENOENT')
    const content = Buffer.allocUnsafe(entry.sizeBytes)
    entry.read(content, 0, content.byteLength, 0)
    return content
  }

  writeFileAtomic(path: string, content: Buffer | string): void {
    const handle = this.open(`${path}.tmp`, 'create')
    handle.truncate(0)
    handle.writeNow([Buffer.from(content as string)], 0)
    handle.dataSyncNow()
    handle.close()
    this.rename(`${path}.tmp`, path)
    this.syncDirectory(parentOf(path))
  }

  syncDirectory(directory: string): void {
    this.check('sync', directory)
    if (!this.#tracksSyncs) return
    const isChild = (path: string) => path !== directory && parentOf(path) === directory
    for (const path of [...this.#durable.keys()]) {
      if (isChild(path) && !this.#entries.has(path)) forget(this.#durable, path)
    }
    for (const [path, entry] of this.#entries) if (isChild(path)) this.#durable.set(path, entry)
  }

  syncDirectoryLater(directory: string, done: (error: Error | null) => void): void {
    this.later(done, () => this.syncDirectory(directory))
  }

  lock(path: string): FileLock {
    if (this.#locks.has(path))
      throw new ConfigError(`data directory ${parentOf(path)} is in use by this process: stop it`)
    this.#locks.add(path)
    return { release: () => void this.#locks.delete(path) }
  }

  freeBytes(): number {
    return Math.max(0, this.#capacityBytes - this.#usedBytes())
  }

  /**
   * A power failure: what was not synced is gone, locks too; handles of before are dead.
   * @param keptBytes how much of a file is left, from its synced size to what was written; the
   *   disk may have got around to any of it. Default: only what was synced.
   */
  crash(keptBytes?: (path: string, syncedBytes: number, writtenBytes: number) => number): void {
    if (!this.#tracksSyncs) throw new Error('make the file system with tracksSyncs to crash it')
    this.#generation++
    this.openHandleCount = 0
    this.#locks.clear()
    this.#entries = new Map()
    for (const [path, entry] of this.#durable) {
      entry?.crash(keptBytes && ((synced, written) => keptBytes(path, synced, written)))
      this.#entries.set(path, entry)
    }
  }

  /** The process is killed, the machine goes on: all that was written stays. */
  kill(): void {
    this.#generation++
    this.openHandleCount = 0
    this.#locks.clear()
  }

  /** @throws StorageError when `fault` says so */
  check(operation: FaultyOperation, path: string): void {
    const fault = this.fault?.(operation, path)
    if (fault !== undefined) throw failure(operation, path, fault.code)
  }

  isAlive(generation: number): boolean {
    return generation === this.#generation
  }

  later(done: (error: Error | null) => void, action: () => void): void {
    this.#defer(() => {
      let failed: Error | null = null
      try {
        action()
      } catch (error) {
        failed = error as Error
      }
      done(failed)
    })
  }

  writeTo(file: MemoryFile, path: string, piece: Buffer, position: number): void {
    const fault = this.fault?.('write', path)
    const code = fault?.code ?? (piece.byteLength > this.freeBytes() ? 'ENOSPC' : undefined)
    if (code === undefined) {
      file.write(piece, position)
      return
    }
    const fits = fault === undefined ? this.freeBytes() : (fault.writtenBytes ?? 0)
    file.write(piece.subarray(0, fits), position)
    throw failure('write', path, code)
  }

  #usedBytes(): number {
    if (this.#capacityBytes === Number.POSITIVE_INFINITY) return 0
    let total = 0
    for (const entry of this.#entries.values()) total += entry?.sizeBytes ?? 0
    return total
  }
}

class MemoryFileHandle implements FileHandle {
  readonly path: string
  readonly #system: MemoryFileSystem
  readonly #file: MemoryFile
  readonly #generation: number
  #isClosed = false

  constructor(system: MemoryFileSystem, path: string, file: MemoryFile, generation: number) {
    this.#system = system
    this.path = path
    this.#file = file
    this.#generation = generation
  }

  sizeBytes(): number {
    return this.#file.sizeBytes
  }

  writeNow(pieces: readonly Buffer[], position: number): void {
    this.#expectAlive()
    let at = position
    for (const piece of pieces) {
      this.#system.writeTo(this.#file, this.path, piece, at)
      at += piece.byteLength
    }
  }

  write(pieces: readonly Buffer[], position: number, done: (error: Error | null) => void): void {
    this.#later(done, () => this.writeNow(pieces, position))
  }

  dataSync(done: (error: Error | null) => void): void {
    this.#later(done, () => this.dataSyncNow())
  }

  dataSyncNow(): void {
    this.#expectAlive()
    this.#system.check('sync', this.path)
    this.#file.sync()
  }

  readNow(into: Buffer, intoOffset: number, byteCount: number, position: number): number {
    this.#expectAlive()
    this.#system.check('read', this.path)
    return this.#file.read(into, intoOffset, byteCount, position)
  }

  read(
    into: Buffer,
    intoOffset: number,
    byteCount: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void {
    let got = 0
    this.#later(
      (error) => done(error, got),
      () => {
        got = this.readNow(into, intoOffset, byteCount, position)
      },
    )
  }

  truncate(sizeBytes: number): void {
    this.#expectAlive()
    this.#system.check('truncate', this.path)
    this.#file.truncate(sizeBytes)
  }

  close(): void {
    if (this.#isClosed) throw failure('close', this.path, 'EBADF')
    this.#isClosed = true
    if (this.#system.isAlive(this.#generation)) this.#system.openHandleCount--
  }

  /** A process that was killed is told nothing any more. */
  #later(done: (error: Error | null) => void, action: () => void): void {
    this.#system.later((error) => {
      if (this.#system.isAlive(this.#generation)) done(error)
    }, action)
  }

  #expectAlive(): void {
    if (this.#isClosed || !this.#system.isAlive(this.#generation))
      throw failure('use', this.path, 'EBADF')
  }
}

function forget(entries: Map<string, Entry>, path: string): void {
  for (const name of [...entries.keys()]) {
    if (name === path || name.startsWith(`${path}/`)) entries.delete(name)
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function failure(verb: string, path: string, code: string): StorageError {
  const cause = Object.assign(new Error(code), { code })
  return new StorageError(`can't ${verb} ${path}: ${code}`, { cause })
}

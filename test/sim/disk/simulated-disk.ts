import { ConfigError } from '../../../src/base/errors.ts'
import type { FileHandle, FileLock, FileStat, FileSystem } from '../../../src/ports/file-system.ts'
import type { SeededRandom } from '../../fuzz/seeded-random.ts'
import { DiskDirectory, type DiskNode, type NameSurvival } from './disk-directory.ts'
import { failure } from './disk-failure.ts'
import { DiskFile } from './disk-file.ts'
import { SimulatedHandle } from './simulated-handle.ts'

export type DiskOperation =
  | 'open'
  | 'write'
  | 'sync'
  | 'syncDirectory'
  | 'read'
  | 'resize'
  | 'rename'
  | 'remove'
  | 'makeDirectory'

/** What happens instead of, or with, an operation. */
export type DiskFault =
  /** `share` of a write's bytes gets through, 0 to 1. */
  | { readonly kind: 'error'; readonly code: string; readonly share?: number }
  /** One bit of what is read is wrong; the medium is fine. */
  | { readonly kind: 'flippedBit' }

export interface DiskOptions {
  readonly random: SeededRandom
  readonly nowMs: () => number
  /** Asked before every operation. It may pull the plug: then the operation does not happen. */
  readonly before: (operation: DiskOperation, path: string) => DiskFault | undefined
  /** Bytes that get to the medium as a whole, or not. */
  readonly pieceBytes?: 512 | 4096
  /**
   * `journal`: names change on the medium in the order they did for the process, and every sync
   * brings all that came before along (ext4, xfs). `any`: each change of a name is safe only by a
   * sync of its directory, and a power failure leaves any of the others (what POSIX promises).
   */
  readonly names?: 'journal' | 'any'
}

interface DiskTask {
  readonly work: () => void
  readonly done: (error: Error | null) => void
}

/**
 * A disk that behaves as badly as real ones may: what was not synced is lost, whole, in part or in
 * another order. All chance comes from the seed. Paths are absolute; `/` separates.
 */
export class SimulatedDisk implements FileSystem {
  readonly random: SeededRandom
  readonly pieceBytes: number
  capacityBytes = Number.POSITIVE_INFINITY
  operationCount = 0
  readonly #nowMs: () => number
  readonly #before: DiskOptions['before']
  readonly #names: 'journal' | 'any'
  readonly #root = new DiskDirectory()
  readonly #unsynced = new Set<DiskDirectory>()
  readonly #locks = new Set<string>()
  #tasks: DiskTask[] = []
  #sequence = 0
  /** Handles and calls of a process that is dead change nothing. */
  #generation = 0

  constructor(options: DiskOptions) {
    this.random = options.random
    this.pieceBytes = options.pieceBytes ?? 512
    this.#nowMs = options.nowMs
    this.#before = options.before
    this.#names = options.names ?? 'any'
  }

  get generation(): number {
    return this.#generation
  }

  /** Calls with a callback that the disk has not got round to. */
  get taskCount(): number {
    return this.#tasks.length
  }

  /** Does one of the calls that wait, whichever: threads of a pool have no order. */
  runTask(): void {
    const [task] = this.#tasks.splice(this.random.int(this.#tasks.length), 1)
    if (task === undefined) return
    const generation = this.#generation
    let failed: Error | null = null
    try {
      task.work()
    } catch (error) {
      failed = error as Error
    }
    if (generation === this.#generation) task.done(failed)
  }

  /** The machine goes off. What comes back is what the medium has. */
  losePower(): void {
    this.kill()
    this.#root.losePower(this.#nameSurvival(), this.random, this.pieceBytes)
    this.#unsynced.clear()
  }

  /** The process is gone and the machine goes on: calls under way may still happen, or not. */
  kill(): void {
    const tasks = this.#tasks
    this.#tasks = []
    for (const { work } of tasks) if (this.random.oneIn(2)) attempt(work)
    this.#generation++
    this.#locks.clear()
  }

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    this.operate('open', path)
    let node = this.#find(path)
    if (node instanceof DiskDirectory) throw failure('open', path, 'EISDIR')
    if (node === undefined) {
      if (mode !== 'create') throw failure('open', path, 'ENOENT')
      this.#expectSpace(path, 0)
      node = new DiskFile(this.#nowMs())
      const parent = this.#parent(path)
      parent.add(nameOf(path), node, ++this.#sequence)
      this.#unsynced.add(parent)
    }
    return new SimulatedHandle(this, path, node)
  }

  stat(path: string): FileStat | undefined {
    const node = this.#find(path)
    if (node === undefined) return undefined
    if (node instanceof DiskDirectory) return { sizeBytes: 0, isDirectory: true, modifiedMs: 0 }
    return { sizeBytes: node.sizeBytes, isDirectory: false, modifiedMs: node.modifiedMs }
  }

  list(directory: string): string[] {
    return [...this.#directory(directory).entries.keys()].sort()
  }

  makeDirectory(directory: string): void {
    const parts = directory.split('/').slice(1)
    let parent = this.#root
    for (const [index, name] of parts.entries()) {
      let node = parent.entries.get(name)
      if (node === undefined) {
        this.operate('makeDirectory', parts.slice(0, index + 1).join('/'))
        node = new DiskDirectory()
        parent.add(name, node, ++this.#sequence)
        this.#unsynced.add(parent)
      }
      if (!(node instanceof DiskDirectory)) throw failure('make directory', directory, 'ENOTDIR')
      parent = node
    }
  }

  rename(from: string, to: string): void {
    this.operate('rename', from)
    const parent = this.#parent(from)
    if (this.#parent(to) !== parent) throw new Error('renames stay in their directory')
    if (!parent.entries.has(nameOf(from))) throw failure('rename', from, 'ENOENT')
    parent.rename(nameOf(from), nameOf(to), ++this.#sequence)
    this.#unsynced.add(parent)
  }

  /** One name after the other, as `rm -r` does it. */
  remove(path: string): void {
    const node = this.#find(path)
    if (node === undefined) return
    if (node instanceof DiskDirectory)
      for (const name of [...node.entries.keys()]) this.remove(`${path}/${name}`)
    this.operate('remove', path)
    const parent = this.#parent(path)
    parent.remove(nameOf(path), ++this.#sequence)
    this.#unsynced.add(parent)
  }

  readFile(path: string): Buffer {
    const handle = this.open(path, 'read')
    const content = Buffer.alloc(handle.sizeBytes())
    handle.readNow(content, 0, content.byteLength, 0)
    handle.close()
    return content
  }

  writeFileAtomic(path: string, content: Buffer | string): void {
    const handle = this.open(`${path}.tmp`, 'create')
    try {
      handle.truncate(0)
      handle.writeNow([Buffer.from(content as string)], 0)
      handle.dataSyncNow()
    } finally {
      handle.close()
    }
    this.rename(`${path}.tmp`, path)
    this.syncDirectory(parentOf(path))
  }

  syncDirectory(directory: string): void {
    this.operate('syncDirectory', directory)
    const node = this.#directory(directory)
    node.sync()
    this.#unsynced.delete(node)
    this.commitNames()
  }

  syncDirectoryLater(directory: string, done: (error: Error | null) => void): void {
    this.later(() => this.syncDirectory(directory), done)
  }

  lock(path: string): FileLock {
    if (this.#locks.has(path)) throw new ConfigError(`${path} is held by this process: stop it`)
    this.#locks.add(path)
    return { release: () => void this.#locks.delete(path) }
  }

  freeBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return this.capacityBytes
    return Math.max(0, this.capacityBytes - usedBytes(this.#root))
  }

  /** @throws StorageError when the operation is to fail, or its process died with it */
  operate(operation: DiskOperation, path: string): DiskFault | undefined {
    this.operationCount++
    const generation = this.#generation
    const fault = this.#before(operation, path)
    if (generation !== this.#generation) throw failure(operation, path, 'EPIPE')
    // A write decides itself how much of it gets through.
    if (fault?.kind === 'error' && operation !== 'write' && operation !== 'sync')
      throw failure(operation, path, fault.code)
    return fault
  }

  later(work: () => void, done: (error: Error | null) => void): void {
    this.#tasks.push({ work, done })
  }

  /** A journal that is written takes all changes of names along. */
  commitNames(): void {
    if (this.#names === 'any') return
    for (const directory of this.#unsynced) directory.sync()
    this.#unsynced.clear()
  }

  #nameSurvival(): NameSurvival {
    const { random } = this
    const style = random.int(4)
    if (style === 0) return () => false
    if (style === 1) return () => true
    if (style === 2 || this.#names === 'journal') {
      const unsyncedCount = [...this.#unsynced].reduce((sum, one) => sum + one.unsyncedCount, 0)
      const last = this.#sequence - random.int(unsyncedCount + 1)
      return ({ sequence }) => sequence <= last
    }
    return () => random.oneIn(2)
  }

  #expectSpace(path: string, byteCount: number): void {
    if (this.freeBytes() <= byteCount) throw failure('open', path, 'ENOSPC')
  }

  #find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#root
    for (const name of path.split('/')) {
      if (name === '') continue
      if (!(node instanceof DiskDirectory)) return undefined
      node = node.entries.get(name)
    }
    return node
  }

  #directory(path: string): DiskDirectory {
    const node = this.#find(path)
    if (node instanceof DiskDirectory) return node
    throw failure('find directory', path, 'ENOENT')
  }

  #parent(path: string): DiskDirectory {
    return this.#directory(parentOf(path))
  }
}

function usedBytes(directory: DiskDirectory): number {
  let total = 0
  for (const node of directory.entries.values())
    total += node instanceof DiskDirectory ? usedBytes(node) : node.sizeBytes
  return total
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // Nobody is left to hear of it.
  }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

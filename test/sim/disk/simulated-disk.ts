import type { FileSystem } from '../../../src/ports/file-system.ts'
import type { SeededRandom } from '../../fuzz/seeded-random.ts'
import { DiskDirectory, type DiskNode, type NameSurvival } from './disk-directory.ts'
import { failure } from './disk-failure.ts'
import { SimulatedFileSystem } from './simulated-file-system.ts'

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
 * another order. All chance comes from the seed.
 */
export class SimulatedDisk {
  readonly random: SeededRandom
  readonly pieceBytes: number
  readonly nowMs: () => number
  readonly root = new DiskDirectory()
  readonly locks = new Set<string>()
  capacityBytes = Number.POSITIVE_INFINITY
  readonly #before: DiskOptions['before']
  readonly #names: 'journal' | 'any'
  readonly #unsynced = new Set<DiskDirectory>()
  #tasks: DiskTask[] = []
  #sequence = 0
  #generation = 0
  /** What was under way when a process died happens without being asked for again. */
  #isDraining = false

  constructor(options: DiskOptions) {
    this.random = options.random
    this.pieceBytes = options.pieceBytes ?? 512
    this.nowMs = options.nowMs
    this.#before = options.before
    this.#names = options.names ?? 'any'
  }

  /** The process that has the disk; what those before it still try does nothing. */
  get generation(): number {
    return this.#generation
  }

  /** Calls with a callback that the disk has not got round to. */
  get taskCount(): number {
    return this.#tasks.length
  }

  /** The disk as a process sees it, until that process dies. */
  mount(): FileSystem {
    return new SimulatedFileSystem(this)
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
    this.root.losePower(this.#nameSurvival(), this.random, this.pieceBytes)
    this.#unsynced.clear()
  }

  /** The process is gone and the machine goes on: calls under way may still happen, or not. */
  kill(): void {
    const tasks = this.#tasks
    this.#tasks = []
    this.#isDraining = true
    for (const { work } of tasks) if (this.random.oneIn(2)) attempt(work)
    this.#isDraining = false
    this.#generation++
    this.locks.clear()
  }

  freeBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return this.capacityBytes
    return Math.max(0, this.capacityBytes - this.usedBytes())
  }

  /** Of all files that have a name. */
  usedBytes(): number {
    return bytesBelow(this.root)
  }

  /** @throws StorageError when the operation is to fail, or its process died with it */
  operate(operation: DiskOperation, path: string): DiskFault | undefined {
    if (this.#isDraining) return undefined
    const generation = this.#generation
    const fault = this.#before(operation, path)
    if (generation !== this.#generation) throw failure(operation, path, 'EPIPE')
    // A write decides itself how much of it gets through, a sync what is lost.
    if (fault?.kind === 'error' && operation !== 'write' && operation !== 'sync')
      throw failure(operation, path, fault.code)
    return fault
  }

  later(work: () => void, done: (error: Error | null) => void): void {
    this.#tasks.push({ work, done })
  }

  /** The next place in the order of changes of names; the change is in this directory. */
  nextSequence(directory: DiskDirectory): number {
    this.#unsynced.add(directory)
    return ++this.#sequence
  }

  syncNames(directory: DiskDirectory): void {
    directory.sync()
    this.#unsynced.delete(directory)
    this.commitNames()
  }

  /** A journal that is written takes all changes of names along. */
  commitNames(): void {
    if (this.#names === 'any') return
    for (const directory of this.#unsynced) directory.sync()
    this.#unsynced.clear()
  }

  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root
    for (const name of path.split('/')) {
      if (name === '') continue
      if (!(node instanceof DiskDirectory)) return undefined
      node = node.entries.get(name)
    }
    return node
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
}

function bytesBelow(directory: DiskDirectory): number {
  let total = 0
  for (const node of directory.entries.values())
    total += node instanceof DiskDirectory ? bytesBelow(node) : node.sizeBytes
  return total
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // Nobody is left to hear of it.
  }
}

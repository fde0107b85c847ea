import { ConfigError } from '../../../src/base/errors.ts'
import type { FileHandle, FileLock, FileStat, FileSystem } from '../../../src/ports/file-system.ts'
import { DiskDirectory } from './disk-directory.ts'
import { failure } from './disk-failure.ts'
import { DiskFile } from './disk-file.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import { SimulatedHandle } from './simulated-handle.ts'

/** A simulated disk as one process sees it. Paths are absolute; `/` separates. */
export class SimulatedFileSystem implements FileSystem {
  readonly #disk: SimulatedDisk
  readonly #generation: number

  constructor(disk: SimulatedDisk) {
    this.#disk = disk
    this.#generation = disk.generation
  }

  open(path: string, mode: 'read' | 'write' | 'create'): FileHandle {
    this.#expectAlive(path)
    this.#disk.operate('open', path)
    let node = this.#disk.find(path)
    if (node instanceof DiskDirectory) throw failure('open', path, 'EISDIR')
    if (node === undefined) {
      if (mode !== 'create') throw failure('open', path, 'ENOENT')
      if (this.#disk.freeBytes() === 0) throw failure('open', path, 'ENOSPC')
      node = new DiskFile(this.#disk.nowMs())
      const parent = this.#parent(path)
      parent.add(nameOf(path), node, this.#disk.nextSequence(parent))
    }
    return new SimulatedHandle(this.#disk, path, node)
  }

  stat(path: string): FileStat | undefined {
    this.#expectAlive(path)
    const node = this.#disk.find(path)
    if (node === undefined) return undefined
    if (node instanceof DiskDirectory) return { sizeBytes: 0, isDirectory: true, modifiedMs: 0 }
    return { sizeBytes: node.sizeBytes, isDirectory: false, modifiedMs: node.modifiedMs }
  }

  list(directory: string): string[] {
    this.#expectAlive(directory)
    return [...this.#directory(directory).entries.keys()].sort()
  }

  makeDirectory(directory: string): void {
    this.#expectAlive(directory)
    const parts = directory.split('/').slice(1)
    let parent = this.#disk.root
    for (const [index, name] of parts.entries()) {
      let node = parent.entries.get(name)
      if (node === undefined) {
        this.#disk.operate('makeDirectory', parts.slice(0, index + 1).join('/'))
        node = new DiskDirectory()
        parent.add(name, node, this.#disk.nextSequence(parent))
      }
      if (!(node instanceof DiskDirectory)) throw failure('make directory', directory, 'ENOTDIR')
      parent = node
    }
  }

  rename(from: string, to: string): void {
    this.#expectAlive(from)
    this.#disk.operate('rename', from)
    const parent = this.#parent(from)
    if (this.#parent(to) !== parent) throw new Error('renames stay in their directory')
    if (!parent.entries.has(nameOf(from))) throw failure('rename', from, 'ENOENT')
    parent.rename(nameOf(from), nameOf(to), this.#disk.nextSequence(parent))
  }

  /** One name after the other, as `rm -r` does it. */
  remove(path: string): void {
    this.#expectAlive(path)
    const node = this.#disk.find(path)
    if (node === undefined) return
    if (node instanceof DiskDirectory)
      for (const name of [...node.entries.keys()]) this.remove(`${path}/${name}`)
    this.#disk.operate('remove', path)
    const parent = this.#parent(path)
    parent.remove(nameOf(path), this.#disk.nextSequence(parent))
  }

  readFile(path: string): Buffer {
    const handle = this.open(path, 'read')
    try {
      const content = Buffer.alloc(handle.sizeBytes())
      handle.readNow(content, 0, content.byteLength, 0)
      return content
    } finally {
      handle.close()
    }
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
    this.#expectAlive(directory)
    this.#disk.operate('syncDirectory', directory)
    this.#disk.syncNames(this.#directory(directory))
  }

  syncDirectoryLater(directory: string, done: (error: Error | null) => void): void {
    this.#disk.later(() => this.syncDirectory(directory), done)
  }

  lock(path: string): FileLock {
    this.#expectAlive(path)
    const { locks } = this.#disk
    if (locks.has(path)) throw new ConfigError(`${path} is held by this process: stop it`)
    locks.add(path)
    const generation = this.#generation
    return {
      release: () => {
        if (generation === this.#disk.generation) locks.delete(path)
      },
    }
  }

  freeBytes(): number {
    return this.#disk.freeBytes()
  }

  #directory(path: string): DiskDirectory {
    const node = this.#disk.find(path)
    if (node instanceof DiskDirectory) return node
    throw failure('find directory', path, 'ENOENT')
  }

  #parent(path: string): DiskDirectory {
    return this.#directory(parentOf(path))
  }

  #expectAlive(path: string): void {
    if (this.#generation !== this.#disk.generation) throw failure('use', path, 'EBADF')
  }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

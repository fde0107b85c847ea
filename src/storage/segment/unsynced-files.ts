import type { FileHandle, FileSystem } from '../../ports/file-system.ts'

/** Small files that were written as a whole and must still be synced. They stay open until `close`. */
export class UnsyncedFiles {
  readonly #fs: FileSystem
  readonly #handles: FileHandle[] = []

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  get handles(): readonly FileHandle[] {
    return this.#handles
  }

  write(path: string, content: Buffer): void {
    const handle = this.#fs.open(path, 'create')
    this.#handles.push(handle)
    handle.truncate(0)
    handle.writeNow([content], 0)
  }

  syncNow(): void {
    for (const handle of this.#handles) handle.dataSyncNow()
  }

  close(): void {
    for (const handle of this.#handles) handle.close()
    this.#handles.length = 0
  }
}

import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerProcess } from '../conformance/support/server-process.ts'

const MOUNT_LIMIT_MS = 10_000
const PIECE_BYTES = 4096

/**
 * A disk of a few megabytes: a tmpfs in a mount namespace of its own, which needs no rights where
 * the system allows user namespaces. It ends with the process that holds the namespace.
 */
export class SmallDisk {
  /** As the broker sees it. */
  readonly directory: string
  readonly #holder: ServerProcess

  private constructor(directory: string, holder: ServerProcess) {
    this.directory = directory
    this.#holder = holder
  }

  /** @throws Error with the system's words when namespaces or tmpfs are not allowed here */
  static async mount(sizeBytes: number): Promise<SmallDisk> {
    const directory = await mkdtemp(join(tmpdir(), 'spool-small-disk-'))
    const script = `mount -t tmpfs -o size=${sizeBytes} tmpfs "$0" && echo mounted && exec sleep 600`
    const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, directory]
    const holder = new ServerProcess('unshare', args)
    try {
      await holder.waitFor(/mounted/, MOUNT_LIMIT_MS)
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
    return new SmallDisk(directory, holder)
  }

  /** What to put before a command so that it sees the disk. */
  get wrapper(): readonly string[] {
    const target = String(this.#holder.child.pid)
    return ['nsenter', '--target', target, '--user', '--mount', '--preserve-credentials']
  }

  /** Takes so many bytes, until `giveBack`. */
  async take(byteCount: number): Promise<void> {
    await writeFile(this.#ballast, Buffer.alloc(byteCount, 1))
  }

  /** Takes what is left, to the last byte. */
  async takeAll(): Promise<void> {
    const piece = Buffer.alloc(PIECE_BYTES, 1)
    const handle = await open(this.#ballast, 'a')
    try {
      while (true) await handle.write(piece)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      await handle.close()
    }
  }

  async giveBack(): Promise<void> {
    await truncate(this.#ballast, 0)
  }

  async unmount(): Promise<void> {
    await this.#holder.stop('SIGKILL')
    await rm(this.directory, { recursive: true, force: true })
  }

  /** The disk as this process sees it. */
  get #outside(): string {
    return `/proc/${this.#holder.child.pid}/root${this.directory}`
  }

  get #ballast(): string {
    return join(this.#outside, 'ballast')
  }
}

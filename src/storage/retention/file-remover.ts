import { StorageError } from '../../base/errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'

/**
 * Removes files after a delay, one in a turn: freeing gigabytes takes time, and requests go on in
 * between. What is left at a stop is removed by the next start, its name tells.
 */
export class FileRemover {
  readonly #fs: FileSystem
  readonly #scheduler: Scheduler
  readonly #logger: Logger
  readonly #timers = new Set<Timer>()

  constructor(fs: FileSystem, scheduler: Scheduler, logger: Logger) {
    this.#fs = fs
    this.#scheduler = scheduler
    this.#logger = logger
  }

  /** @param paths files, or directories of files */
  removeLater(paths: readonly string[], delayMs: number): void {
    this.#after(delayMs, () => this.#removeNext(this.#expand(paths)))
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  /** The files of a directory come before it. */
  #expand(paths: readonly string[]): string[] {
    return paths.flatMap((path) => {
      if (this.#fs.stat(path)?.isDirectory !== true) return [path]
      return [...this.#fs.list(path).map((name) => `${path}/${name}`), path]
    })
  }

  #removeNext(paths: readonly string[]): void {
    const [path, ...rest] = paths
    if (path === undefined) return
    try {
      this.#fs.remove(path)
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#logger.warn("can't remove a file of deleted data, it stays", { error: error.message })
    }
    if (rest.length > 0) this.#after(0, () => this.#removeNext(rest))
  }

  #after(delayMs: number, task: () => void): void {
    const timer = this.#scheduler.after(delayMs, () => {
      this.#timers.delete(timer)
      task()
    })
    this.#timers.add(timer)
  }
}

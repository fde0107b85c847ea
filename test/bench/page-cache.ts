import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { freemem, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

const FREE_BYTES_LEFT = 900 * 1024 * 1024
const READ_BYTES = 1024 * 1024

/**
 * Fills the page cache from a sparse file until little memory is free. A virtual machine gets memory
 * from its host when it is first touched, at about 1 GB/s; without this the first broker that writes
 * pays for that in system time and the second does not. What is read here is recycled at once when
 * somebody needs memory.
 */
export class PageCacheFiller {
  readonly #file = join(tmpdir(), `spool-bench-filler-${process.pid}`)
  readonly #buffer = Buffer.alloc(READ_BYTES)
  readonly #fileBytes = Math.ceil(totalmem() / READ_BYTES) * READ_BYTES
  #position = 0

  constructor() {
    writeFileSync(this.#file, '')
    truncateSync(this.#file, this.#fileBytes)
  }

  fill(): void {
    const descriptor = openSync(this.#file, 'r')
    try {
      let left = this.#fileBytes
      while (left > 0 && freeBytes() > FREE_BYTES_LEFT) {
        readSync(descriptor, this.#buffer, 0, READ_BYTES, this.#position)
        this.#position = (this.#position + READ_BYTES) % this.#fileBytes
        left -= READ_BYTES
      }
    } finally {
      closeSync(descriptor)
    }
  }

  remove(): void {
    rmSync(this.#file, { force: true })
  }
}

/** Memory nobody uses, not even as cache; `os.freemem` counts the cache as free. */
function freeBytes(): number {
  const match = /^MemFree:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))
  return match === null ? freemem() : Number(match[1]) * 1024
}

import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { StorageError } from '../../base/errors.ts'
import { type FileIdentity, identityOf } from './data-cut.ts'

const CHUNK_BYTES = 1024 * 1024

/** What a copy is told while it runs. */
export interface CopyOptions {
  /** Bytes that were copied since the last call. */
  readonly progress: (byteCount: number) => void
  /** Over all copies that share the pace; undefined: as fast as it goes. */
  readonly pace?: Pace
}

/** Holds copies back to so many bytes a second, so that others can use the disk too. */
export class Pace {
  readonly #bytesPerSecond: number
  #startedAt = 0
  #byteCount = 0

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
  }

  async spend(byteCount: number): Promise<void> {
    const now = performance.now()
    const dueAt = this.#startedAt + (this.#byteCount / this.#bytesPerSecond) * 1000
    if (dueAt < now - 1000) {
      // Time that was not used is not made up for.
      this.#startedAt = now
      this.#byteCount = 0
    }
    this.#byteCount += byteCount
    const waitMs = this.#startedAt + (this.#byteCount / this.#bytesPerSecond) * 1000 - now
    if (waitMs > 0) await delay(waitMs)
  }
}

/** A file could not be copied as it was: it went away or changed. */
export class SourceChanged extends Error {
  override readonly name = 'SourceChanged'
}

/**
 * Copies the first `sizeBytes` of a file to a new one, which is synced when this returns.
 * @returns the SHA-256 of what was copied
 * @throws SourceChanged when the file ends before
 * @throws StorageError when the system fails
 */
export async function copyFile(
  from: string,
  to: string,
  sizeBytes: number,
  { progress, pace }: CopyOptions,
): Promise<string> {
  return await withFile(from, 'r', async (source) => {
    return await withFile(to, 'wx', async (target) => {
      const sha256 = await forEachChunk(source, sizeBytes, async (chunk) => {
        await pace?.spend(chunk.byteLength)
        await target.appendFile(chunk)
        progress(chunk.byteLength)
      })
      await target.sync()
      return sha256
    })
  })
}

/** The SHA-256 of the first `sizeBytes` of a file. Errors as `copyFile`. */
export async function hashFile(
  path: string,
  sizeBytes: number,
  progress: (byteCount: number) => void,
): Promise<string> {
  return await withFile(path, 'r', async (source) => {
    return await forEachChunk(source, sizeBytes, async (chunk) => progress(chunk.byteLength))
  })
}

/** What is the file now? Errors as `copyFile`. */
export async function identityNow(path: string): Promise<FileIdentity> {
  return await withFile(path, 'r', async (file) => identityOf(await file.stat({ bigint: true })))
}

/** The first `sizeBytes` of a small file. Errors as `copyFile`. */
export async function readStart(path: string, sizeBytes: number): Promise<Buffer> {
  return await withFile(path, 'r', async (file) => {
    const chunks: Buffer[] = []
    await forEachChunk(file, sizeBytes, async (chunk) => {
      chunks.push(Buffer.from(chunk))
    })
    return Buffer.concat(chunks)
  })
}

async function forEachChunk(
  source: FileHandle,
  sizeBytes: number,
  use: (chunk: Buffer) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, sizeBytes)))
  for (let position = 0; position < sizeBytes; ) {
    const wanted = Math.min(buffer.byteLength, sizeBytes - position)
    const { bytesRead } = await source.read(buffer, 0, wanted, position)
    if (bytesRead === 0) throw new SourceChanged(`a file ends at ${position}, before ${sizeBytes}`)
    const chunk = buffer.subarray(0, bytesRead)
    hash.update(chunk)
    await use(chunk)
    position += bytesRead
  }
  return hash.digest('hex')
}

async function withFile<T>(
  path: string,
  flags: 'r' | 'wx',
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  try {
    const file = await open(path, flags)
    try {
      return await use(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && flags === 'r') throw new SourceChanged(`${path} is gone`)
    // Errors of the system have a code; those thrown here do not.
    if (code === undefined) throw error
    throw new StorageError(`${path}: ${message}`, { cause: error })
  }
}

import type { FileHandle } from '../../../src/ports/file-system.ts'
import { failure } from './disk-failure.ts'
import type { DiskFile } from './disk-file.ts'
import type { DiskFault, SimulatedDisk } from './simulated-disk.ts'

/** An open file of a simulated disk; dead once its process is. */
export class SimulatedHandle implements FileHandle {
  readonly path: string
  readonly #disk: SimulatedDisk
  readonly #file: DiskFile
  readonly #generation: number
  #isClosed = false

  constructor(disk: SimulatedDisk, path: string, file: DiskFile) {
    this.#disk = disk
    this.path = path
    this.#file = file
    this.#generation = disk.generation
  }

  sizeBytes(): number {
    return this.#file.sizeBytes
  }

  writeNow(pieces: readonly Buffer[], position: number): void {
    this.#expectUsable()
    const fault = this.#disk.operate('write', this.path)
    const wanted = pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
    const growth = Math.max(0, position + wanted - this.#file.sizeBytes)
    const isFull = growth > this.#disk.freeBytes()
    const share = fault?.kind === 'error' ? (fault.share ?? 0) : 1
    let left = Math.floor(wanted * share)
    if (isFull) left = Math.min(left, wanted - growth + this.#disk.freeBytes())
    let at = position
    for (const piece of pieces) {
      const count = Math.min(left, piece.byteLength)
      this.#file.write(piece.subarray(0, count), at)
      at += count
      left -= count
    }
    if (fault?.kind === 'error') throw failure('write', this.path, fault.code)
    if (isFull) throw failure('write', this.path, 'ENOSPC')
  }

  write(pieces: readonly Buffer[], position: number, done: (error: Error | null) => void): void {
    this.#expectUsable()
    this.#disk.later(() => this.writeNow(pieces, position), done)
  }

  dataSync(done: (error: Error | null) => void): void {
    this.#expectUsable()
    // What is written after this call is not promised.
    const { changeCount } = this.#file
    this.#disk.later(() => this.#sync(changeCount), done)
  }

  dataSyncNow(): void {
    this.#sync(this.#file.changeCount)
  }

  readNow(into: Buffer, intoOffset: number, byteCount: number, position: number): number {
    this.#expectUsable()
    const fault = this.#disk.operate('read', this.path)
    const got = this.#file.read(into, intoOffset, byteCount, position)
    if (fault !== undefined && got > 0) this.#flip(fault, into, intoOffset, got)
    return got
  }

  read(
    into: Buffer,
    intoOffset: number,
    byteCount: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void {
    this.#expectUsable()
    let got = 0
    this.#disk.later(
      () => {
        got = this.readNow(into, intoOffset, byteCount, position)
      },
      (error) => done(error, got),
    )
  }

  truncate(sizeBytes: number): void {
    this.#expectUsable()
    this.#disk.operate('resize', this.path)
    this.#file.resize(sizeBytes)
  }

  close(): void {
    if (this.#isClosed) throw failure('close', this.path, 'EBADF')
    this.#isClosed = true
  }

  #sync(changeCount: number): void {
    this.#expectUsable()
    const fault = this.#disk.operate('sync', this.path)
    if (fault?.kind === 'error') {
      this.#file.failSync(changeCount, this.#disk.random, this.#disk.pieceBytes)
      throw failure('sync', this.path, fault.code)
    }
    this.#file.sync(changeCount)
    this.#disk.commitNames()
  }

  #flip(fault: DiskFault, into: Buffer, intoOffset: number, byteCount: number): void {
    if (fault.kind !== 'flippedBit') return
    const { random } = this.#disk
    const at = intoOffset + random.int(byteCount)
    into[at] = (into[at] as number) ^ (1 << random.int(8))
  }

  #expectUsable(): void {
    if (this.#isClosed || this.#generation !== this.#disk.generation)
      throw failure('use', this.path, 'EBADF')
  }
}

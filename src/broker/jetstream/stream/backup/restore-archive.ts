import { ProtocolError } from '../../../../base/errors.ts'
import { ARCHIVE_MAGIC } from './snapshot-archive.ts'

/** One entry of an archive: a part, a message, or the end. */
export interface ArchiveEntry {
  /** The subject of a message, one character for each byte. */
  readonly name: string
  readonly timestampMs: number
  /** 0: no message. */
  readonly sequence: number
  readonly headers: Buffer
  readonly payload: Buffer
  /** Nothing may follow. */
  readonly isEnd: boolean
}

const MAX_NAME_BYTES = 64 * 1024
/** Messages have at most 1 MiB when they are published; states of consumers may be larger. */
const MAX_CONTENT_BYTES = 16 * 1024 * 1024
const MAX_VARINT_BYTES = 10
const NANOSECONDS_A_MS = 1_000_000n

/** Reads an archive as it comes. Holds one entry at most. */
export class ArchiveReader {
  #rest: Buffer = Buffer.alloc(0)
  #at = 0
  #hasStarted = false
  isEnded = false

  /** @throws ProtocolError when it is no archive, or something follows its end */
  push(pieces: readonly Buffer[]): ArchiveEntry[] {
    this.#rest = Buffer.concat([this.#rest, ...pieces])
    this.#at = 0
    const entries: ArchiveEntry[] = []
    if (!this.#start()) return entries
    for (let entry = this.#next(); entry !== null; entry = this.#next()) {
      if (this.isEnded) throw new ProtocolError('the backup goes on behind its end')
      entries.push(entry)
      this.isEnded = entry.isEnd
    }
    // Entries share memory with what came, which they may outlive.
    this.#rest = Buffer.from(this.#rest.subarray(this.#at))
    return entries
  }

  #start(): boolean {
    if (this.#hasStarted) return true
    const magic = this.#rest.subarray(0, ARCHIVE_MAGIC.byteLength)
    if (!magic.equals(ARCHIVE_MAGIC.subarray(0, magic.byteLength))) {
      throw new ProtocolError(
        'the backup is not of the format NATSARC1 of nats-server 2.15: restore it there, and back it up again',
      )
    }
    this.#hasStarted = magic.byteLength === ARCHIVE_MAGIC.byteLength
    if (this.#hasStarted) this.#at = magic.byteLength
    return this.#hasStarted
  }

  /** null: not all of it is there yet. */
  #next(): ArchiveEntry | null {
    const start = this.#at
    const fields: bigint[] = []
    while (fields.length < 5) {
      const field = this.#varint()
      if (field === null) {
        this.#at = start
        return null
      }
      fields.push(field)
    }
    const [nameBytes = 0, time = 0, sequence = 0, headerBytes = 0, payloadBytes = 0] = fields.map(
      (field, index) => (index === 1 ? timeOf(field) : Number(field)),
    )
    if (nameBytes > MAX_NAME_BYTES)
      throw new ProtocolError('an entry of the backup has a wrong name')
    if (headerBytes + payloadBytes > MAX_CONTENT_BYTES || !Number.isSafeInteger(sequence)) {
      throw new ProtocolError(`an entry of the backup is larger than ${MAX_CONTENT_BYTES} bytes`)
    }
    const headerStart = this.#at + nameBytes
    const payloadStart = headerStart + headerBytes
    const end = payloadStart + payloadBytes
    if (end > this.#rest.byteLength) {
      this.#at = start
      return null
    }
    const name = this.#rest.toString('latin1', this.#at, headerStart)
    this.#at = end
    return {
      ...{ name, sequence, timestampMs: time },
      headers: this.#rest.subarray(headerStart, payloadStart),
      payload: this.#rest.subarray(payloadStart, end),
      isEnd: fields.every((field) => field === 0n),
    }
  }

  #varint(): bigint | null {
    let value = 0n
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#rest[this.#at]
      if (byte === undefined) return null
      this.#at++
      value |= BigInt(byte & 0x7f) << BigInt(7 * count)
      if (byte < 0x80) return value
    }
    throw new ProtocolError('a number in the backup is too large')
  }
}

/** @param zigZag nanoseconds since 1970 */
function timeOf(zigZag: bigint): number {
  const nanoseconds = (zigZag & 1n) === 0n ? zigZag >> 1n : -((zigZag + 1n) >> 1n)
  return Number(nanoseconds / NANOSECONDS_A_MS)
}

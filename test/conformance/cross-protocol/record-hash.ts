import { createHash } from 'node:crypto'

export interface HashedRecord {
  readonly offset: number
  readonly key: Uint8Array | null
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly value: Uint8Array | null
}

export interface BlockHashes {
  readonly content: readonly string[]
  readonly times: readonly string[]
}

/** Records of one hash: few enough to tell where a difference is. */
export const BLOCK_RECORD_COUNT = 1000

/** Hashes records in blocks, as CrossProtocol.java does. */
export class RecordHash {
  readonly #content: string[] = []
  readonly #times: string[] = []
  #contentHash = createHash('sha256')
  #timesHash = createHash('sha256')
  #count = 0

  add(record: HashedRecord, timestampMs: number): void {
    const { offset, key, headers, value } = record
    const prefix = Buffer.alloc(8)
    prefix.writeBigInt64BE(BigInt(offset))
    this.#contentHash.update(prefix)
    this.#addBytes(key)
    this.#contentHash.update(int32(headers.length))
    for (const [name, text] of headers) {
      this.#addBytes(Buffer.from(name))
      this.#addBytes(Buffer.from(text))
    }
    this.#addBytes(value)
    this.#timesHash.update(`${offset} ${timestampMs}\n`)
    this.#count++
    if (this.#count % BLOCK_RECORD_COUNT === 0) this.#endBlock()
  }

  /** The hashes of all blocks; none can be added afterwards. */
  finish(): BlockHashes {
    if (this.#count % BLOCK_RECORD_COUNT !== 0) this.#endBlock()
    return { content: this.#content, times: this.#times }
  }

  #addBytes(bytes: Uint8Array | null): void {
    this.#contentHash.update(int32(bytes === null ? -1 : bytes.byteLength))
    if (bytes !== null) this.#contentHash.update(bytes)
  }

  #endBlock(): void {
    this.#content.push(this.#contentHash.digest('hex'))
    this.#times.push(this.#timesHash.digest('hex'))
    this.#contentHash = createHash('sha256')
    this.#timesHash = createHash('sha256')
  }
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}

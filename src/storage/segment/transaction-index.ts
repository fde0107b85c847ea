import { readInt64, writeInt64 } from '../../base/int64.ts'
import type { AbortedTransaction } from '../../ports/partition-log.ts'

/** An entry of the index: an aborted transaction and where its marker is. */
export interface AbortedTransactionEntry extends AbortedTransaction {
  /** Offset of the abort marker. */
  readonly lastOffset: number
  /** The last stable offset once the transaction was over. */
  readonly lastStableOffset: number
}

const ENTRY_BYTES = 34
const VERSION = 0

/**
 * The aborted transactions whose markers are in one segment; in the `.txnindex` file an entry is
 * int16 version, producer id, first offset, last offset, last stable offset (int64 each).
 * Source: TransactionIndex and AbortedTxn, Kafka 4.4.
 */
export class TransactionIndex {
  readonly #entries: AbortedTransactionEntry[] = []

  /** @returns null when the bytes can't be a transaction index: rebuild it */
  static parse(file: Buffer): TransactionIndex | null {
    if (file.byteLength % ENTRY_BYTES !== 0) return null
    const index = new TransactionIndex()
    for (let at = 0; at < file.byteLength; at += ENTRY_BYTES) {
      if (file.readInt16BE(at) !== VERSION) return null
      index.append({
        producerId: readInt64(file, at + 2),
        firstOffset: readInt64(file, at + 10),
        lastOffset: readInt64(file, at + 18),
        lastStableOffset: readInt64(file, at + 26),
      })
    }
    return index
  }

  get entryCount(): number {
    return this.#entries.length
  }

  get entries(): readonly AbortedTransactionEntry[] {
    return this.#entries
  }

  append(entry: AbortedTransactionEntry): void {
    this.#entries.push(entry)
  }

  /**
   * Adds the transactions that overlap `[startOffset, endOffset)` to `found`.
   * @returns true when no later segment can hold one that does
   */
  collect(startOffset: number, endOffset: number, found: AbortedTransaction[]): boolean {
    for (const { producerId, firstOffset, lastOffset, lastStableOffset } of this.#entries) {
      if (lastOffset >= startOffset && firstOffset < endOffset)
        found.push({ producerId, firstOffset })
      if (lastStableOffset >= endOffset) return true
    }
    return false
  }

  /** The file's content. */
  bytes(): Buffer {
    const content = Buffer.allocUnsafe(this.#entries.length * ENTRY_BYTES)
    let at = 0
    for (const entry of this.#entries) {
      content.writeInt16BE(VERSION, at)
      writeInt64(content, at + 2, entry.producerId)
      writeInt64(content, at + 10, entry.firstOffset)
      writeInt64(content, at + 18, entry.lastOffset)
      writeInt64(content, at + 26, entry.lastStableOffset)
      at += ENTRY_BYTES
    }
    return content
  }
}

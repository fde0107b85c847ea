import type { Stream } from '../stream.ts'
import type { StoredMessage } from '../stream-reader.ts'
import { SubjectFilter } from '../subject-filter.ts'
import {
  ARCHIVE_MAGIC,
  endEntry,
  messageEntry,
  partEntry,
  type SnapshotPart,
} from './snapshot-archive.ts'
import { SnapshotCompressor } from './snapshot-compression.ts'

/** What is read from the log at once: messages, and bytes as streams count them. */
const MAX_MESSAGES = 512
const MAX_BYTES = 1024 * 1024

const NO_BYTES = Buffer.alloc(0)
const ALL = new SubjectFilter([])

/**
 * A copy of a stream up to the message that is its last now, compressed. Messages that are removed
 * while it is read are left out of it. Holds one read's messages at a time.
 */
export class StreamSnapshot {
  readonly #stream: Stream
  readonly #lastSequence: number
  readonly #compressor = new SnapshotCompressor()
  #next = 0
  #isEnded = false
  #ready: Buffer

  /** @param parts what comes before the messages */
  constructor(stream: Stream, parts: readonly SnapshotPart[], nowMs: number) {
    this.#stream = stream
    this.#lastSequence = stream.lastSequence
    const entries = parts.flatMap((part) => partEntry(part, nowMs))
    this.#ready = Buffer.concat(this.#compressor.push([ARCHIVE_MAGIC, ...entries], false))
  }

  /**
   * The next bytes: fewer than `byteCount` only when there are no more.
   * @throws StorageError when messages can't be read
   */
  async read(byteCount: number): Promise<Buffer> {
    const pieces = [this.#ready]
    let size = this.#ready.byteLength
    while (size < byteCount && !this.#isEnded) {
      for (const piece of await this.#compressSome()) {
        pieces.push(piece)
        size += piece.byteLength
      }
    }
    const bytes = Buffer.concat(pieces)
    this.#ready = size > byteCount ? Buffer.from(bytes.subarray(byteCount)) : NO_BYTES
    return bytes.subarray(0, byteCount)
  }

  async #compressSome(): Promise<Buffer[]> {
    const sequences = this.#following()
    const last = sequences.at(-1)
    if (last === undefined) {
      this.#isEnded = true
      return this.#compressor.push(endEntry(), true)
    }
    const messages = await this.#messagesOf(sequences)
    this.#next = last + 1
    const entries = messages.flatMap((message) => (message === null ? [] : messageEntry(message)))
    return this.#compressor.push(entries, false)
  }

  #following(): number[] {
    const sequences: number[] = []
    let byteCount = 0
    let at = this.#stream.nextSequence(this.#next, ALL)
    while (at <= this.#lastSequence && sequences.length < MAX_MESSAGES && byteCount < MAX_BYTES) {
      sequences.push(at)
      byteCount += this.#stream.state.index.sizeOf(at)
      at = this.#stream.nextSequence(at + 1, ALL)
    }
    return sequences
  }

  #messagesOf(sequences: readonly number[]): Promise<readonly (StoredMessage | null)[]> {
    return new Promise((resolve, reject) => {
      this.#stream.read(sequences, (error, messages) => {
        if (error === null) resolve(messages)
        else reject(error)
      })
    })
  }
}

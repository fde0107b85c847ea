import type { MessageReader } from './message-reader.ts'
import type { StreamIndex } from './stream-index.ts'
import type { MessagesRead, ReadLimits, StoredMessage } from './stream-reader.ts'

/** What a message alone in its batch has more in the log than the stream counts. */
const LOG_OVERHEAD_BYTES = 48

/** Reads messages of one stream: the index knows which are there, and how large they are. */
export class StreamReads {
  readonly #index: StreamIndex
  readonly #reader: MessageReader

  constructor(index: StreamIndex, reader: MessageReader) {
    this.#index = index
    this.#reader = reader
  }

  /** As `StreamReader.read`. */
  read(sequences: readonly number[], done: MessagesRead, limits: ReadLimits): void {
    const index = this.#index
    let expectedBytes = 0
    let thereCount = 0
    for (const sequence of sequences) {
      if (!index.has(sequence)) continue
      thereCount++
      expectedBytes += index.sizeOf(sequence) + LOG_OVERHEAD_BYTES
    }
    if (thereCount === sequences.length) {
      this.#reader.read(sequences, expectedBytes, limits, done)
      return
    }
    const isThere = sequences.filter((sequence) => index.has(sequence))
    this.#reader.read(isThere, expectedBytes, limits, (error, messages) => {
      if (error !== null) done(error, [])
      else done(null, withMissing(sequences, isThere, messages))
    })
  }
}

/** Puts null in the place of what is not there, up to the last message that was read. */
function withMissing(
  sequences: readonly number[],
  isThere: readonly number[],
  messages: readonly (StoredMessage | null)[],
): (StoredMessage | null)[] {
  const found: (StoredMessage | null)[] = []
  let at = 0
  for (const sequence of sequences) {
    const isGone = isThere[at] !== sequence
    if (!isGone && at === messages.length) break
    found.push(isGone ? null : (messages[at++] ?? null))
  }
  return found
}

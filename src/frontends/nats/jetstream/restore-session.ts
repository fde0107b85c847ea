import { ProtocolError } from '../../../base/errors.ts'
import type { StreamFacts } from '../../../broker/jetstream/consumer/consumer-config.ts'
import type { KeptConsumer } from '../../../broker/jetstream/consumer/stream-consumers.ts'
import type { StreamRestore } from '../../../broker/jetstream/stream/backup/restore.ts'
import {
  type ArchiveEntry,
  ArchiveReader,
} from '../../../broker/jetstream/stream/backup/restore-archive.ts'
import { SnapshotDecompressor } from '../../../broker/jetstream/stream/backup/restore-decompression.ts'
import type { StoredMessage } from '../../../broker/jetstream/stream/stream-reader.ts'
import { isPublishable } from '../../../broker/subjects/subject.ts'
import { type BackupState, backupConsumer, backupState } from './restore-json.ts'

/** Makes a log and consumers of the bytes of a backup, as they come. */
export class RestoreSession {
  readonly #restore: StreamRestore
  readonly #facts: StreamFacts
  readonly #nowMs: number
  readonly #decompressor = new SnapshotDecompressor()
  readonly #archive = new ArchiveReader()
  readonly consumers: KeptConsumer[] = []
  byteCount = 0
  #state: BackupState | null = null

  constructor(restore: StreamRestore, facts: StreamFacts, nowMs: number) {
    this.#restore = restore
    this.#facts = facts
    this.#nowMs = nowMs
  }

  /**
   * Resolves once what came so far is durable.
   * @throws ProtocolError when it is no backup, StorageError when it can't be stored
   */
  async take(bytes: Buffer): Promise<void> {
    this.byteCount += bytes.byteLength
    const messages: StoredMessage[] = []
    for (const entry of this.#archive.push(this.#decompressor.push(bytes))) {
      if (this.#state === null) {
        this.#state = backupState(entry)
        await this.#restore.begin(this.#state.firstSequence)
      } else if (this.consumers.length < this.#state.consumerCount) {
        const { name: stream } = this.#restore.config
        const { lastSequence } = this.#state
        const place = { stream, facts: this.#facts, createdMs: this.#nowMs, lastSequence }
        this.consumers.push(backupConsumer(entry, place))
      } else if (!entry.isEnd) messages.push(messageOf(entry))
    }
    await this.#restore.append(messages)
  }

  /** @throws ProtocolError when something is missing */
  async end(): Promise<void> {
    this.#decompressor.end()
    if (this.#state === null || !this.#archive.isEnded)
      throw new ProtocolError('backup was truncated')
    await this.#restore.end(this.#state.lastSequence)
  }
}

function messageOf({ name, sequence, timestampMs, headers, payload }: ArchiveEntry): StoredMessage {
  if (sequence === 0) throw new ProtocolError('expected message sequence')
  if (!isPublishable(name)) throw new ProtocolError(`message sequence ${sequence} has no subject`)
  const block = headers.byteLength === 0 ? null : headers
  return { subject: name, sequence, timestampMs, headers: block, payload }
}

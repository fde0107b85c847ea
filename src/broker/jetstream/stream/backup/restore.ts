import { ErrorCode, errorName } from '../../../../base/error-code.ts'
import { ProtocolError, StorageError } from '../../../../base/errors.ts'
import type { Partition } from '../../../topics/partition.ts'
import { type NewMessage, RecordMapping, sizeOf } from '../record-mapping.ts'
import type { StreamConfig } from '../stream-config.ts'
import { StreamLog, type StreamLogListener } from '../stream-log.ts'
import type { StoredMessage } from '../stream-reader.ts'
import { SubjectFilter } from '../subject-filter.ts'

const NOBODY: StreamLogListener = { message() {}, skipped() {}, advanced() {} }

/** So many sequences in a row may be without messages: each costs a little for as long as the stream is. */
const MAX_GAP = 2 ** 30

/** A batch ends behind so many bytes. */
const MAX_BATCH_BYTES = 512 * 1024

/**
 * The log of a stream that comes back from a backup. Nobody sees the stream until all of it is there:
 * then it is opened as at a start of the broker.
 */
export class StreamRestore {
  readonly config: StreamConfig
  readonly partition: Partition
  readonly #subjects: SubjectFilter
  #log: StreamLog | null = null
  #baseSequence = 1
  #lastSequence = 0
  #hasOtherSubjects = false

  constructor(config: StreamConfig, partition: Partition) {
    this.config = config
    this.partition = partition
    this.#subjects = new SubjectFilter(config.subjects ?? [])
  }

  get baseSequence(): number {
    return this.#baseSequence
  }

  /** It may have had other subjects when its messages came. */
  get everySubject(): readonly string[] {
    return this.#hasOtherSubjects ? ['>'] : (this.config.subjects ?? [])
  }

  /** @param firstSequence that of the stream; one that is empty has the next one here */
  async begin(firstSequence: number): Promise<void> {
    this.#baseSequence = Math.max(1, firstSequence)
    this.#lastSequence = this.#baseSequence - 1
    const { topic } = this.partition
    const mapping = new RecordMapping(topic, this.#baseSequence, [], true)
    this.#log = new StreamLog(this.partition, mapping, NOBODY)
    await this.#log.start()
  }

  /**
   * Resolves once the messages are durable.
   * @throws ProtocolError when they are not in order, StorageError when they can't be stored
   */
  async append(messages: readonly StoredMessage[]): Promise<void> {
    const waits: Promise<void>[] = []
    let batch: NewMessage[] = []
    let byteCount = 0
    const close = (): void => {
      if (batch.length > 0) waits.push(this.#appended(batch))
      batch = []
      byteCount = 0
    }
    for (const message of messages) {
      const { sequence, subject } = message
      if (sequence <= this.#lastSequence) {
        throw new ProtocolError(`message sequence ${sequence} of the backup is out of order`)
      }
      if (sequence > this.#lastSequence + 1) {
        close()
        this.#skipTo(sequence)
      }
      this.#lastSequence = sequence
      if (!this.#subjects.passes(subject)) this.#hasOtherSubjects = true
      batch.push(message)
      byteCount += sizeOf(message)
      if (byteCount >= MAX_BATCH_BYTES) close()
    }
    close()
    await Promise.all(waits)
  }

  /** Sequences up to here are used up. */
  async end(lastSequence: number): Promise<void> {
    if (lastSequence > this.#lastSequence) this.#skipTo(lastSequence + 1)
    const { log } = this.partition
    while (log.highWatermark < log.logEndOffset && !log.isFailed) await this.#nextAdvance()
    this.close()
  }

  close(): void {
    this.#log?.close()
    this.#log = null
  }

  #skipTo(sequence: number): void {
    const { nextSequence = sequence } = this.#log ?? {}
    if (sequence - nextSequence > MAX_GAP) {
      throw new ProtocolError(`the backup has a gap of more than ${MAX_GAP} sequences`)
    }
    if (this.#log?.skipTo(sequence) !== true) {
      throw new StorageError(`the log of ${this.partition.topic} takes no gap`)
    }
  }

  #appended(batch: readonly NewMessage[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (errorCode: ErrorCode): void => {
        if (errorCode === ErrorCode.NONE) resolve()
        else reject(new StorageError(`the log takes no messages: ${errorName(errorCode)}`))
      }
      const code = this.#log?.append(batch, 0, done) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      if (code !== ErrorCode.NONE) done(code)
    })
  }

  #nextAdvance(): Promise<void> {
    return new Promise((resolve) => {
      const node = this.partition.watch({
        partitionAdvanced: () => {
          this.partition.unwatch(node)
          resolve()
        },
      })
    })
  }
}

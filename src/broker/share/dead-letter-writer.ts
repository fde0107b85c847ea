import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import { UNPOOLED } from '../../base/lease.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogSlice, PartitionLog } from '../../ports/partition-log.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import { buildBatch, type NewRecord } from '../../records/batch-builder.ts'
import { RECORD_BATCH_OVERHEAD } from '../../records/record-batch.ts'
import { type LogRecord, recordsOf } from '../../records/records-iterator.ts'
import type { DeadLetter, DeadLetterCause } from '../delivery/delivery-update.ts'
import type { Partition } from '../topics/partition.ts'
import { batchesOf } from './read-batches.ts'

/** Topics that dead letters go to. */
export interface DeadLetterTopics {
  /** 0: there is no such topic. */
  partitionCount(topic: string): number
  partition(topic: string, index: number): Partition | undefined
  /** `errors.deadletterqueue.group.enable` of the topic */
  isEnabled(topic: string): boolean
  /** @returns null, or why it was not created */
  create(topic: string): Promise<string | null>
}

/** Settings of dead letters that are the broker's. */
export interface DeadLetterConfig {
  /** `errors.deadletterqueue.auto.create.topics.enable` */
  readonly mayCreate: boolean
  /** `errors.deadletterqueue.topic.name.prefix` */
  readonly topicPrefix: string
}

export interface DeadLetterWriterOptions {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly topics: DeadLetterTopics
  readonly config: () => DeadLetterConfig
}

/** Records of one share partition that go to the topic of its group. */
export interface DeadLetterRequest {
  readonly groupId: string
  /** Where the records are now. */
  readonly source: Partition
  readonly topic: string
  /** Keys and values go along; else the headers alone say which record it was. */
  readonly copiesRecords: boolean
  readonly letter: DeadLetter
}

const PAUSES_MS = [1_000, 2_000, 4_000, 8_000]
/** Bytes of the source that are read at once. */
const READ_BYTES = 1024 * 1024
/** Room for lengths, deltas and the keys of headers, which are small. */
const RECORD_OVERHEAD_BYTES = 256

const MESSAGES: Readonly<Record<DeadLetterCause, string>> = {
  rejected: 'Offset rejected by client.',
  exhausted: 'Offset delivery count exceeded the threshold.',
}

/**
 * Writes records that nobody could process to a dead-letter topic (KIP-1191). A record may be written
 * twice when the broker stops in between, never less than once.
 */
export class DeadLetterWriter {
  readonly #options: DeadLetterWriterOptions

  constructor(options: DeadLetterWriterOptions) {
    this.#options = options
  }

  /**
   * Resolves when all is durable.
   * @throws BrokerError when the topic may not be used, or is still out of order after some tries
   */
  async write(request: DeadLetterRequest): Promise<void> {
    for (const pauseMs of PAUSES_MS) {
      this.#check(request.topic)
      if (await this.#tryWrite(request)) return
      await new Promise<void>((resolve) => {
        this.#options.scheduler.after(pauseMs, resolve)
      })
    }
    if (await this.#tryWrite(request)) return
    throw refused(`Exhausted max retries while writing to DLQ topic ${request.topic}.`)
  }

  #check(topic: string): void {
    const { topics, config } = this.#options
    const { mayCreate, topicPrefix } = config()
    const isThere = topics.partitionCount(topic) > 0
    if (topic.startsWith('__')) throw refused(`DLQ topic name cannot start with __: ${topic}.`)
    if (isThere && !topics.isEnabled(topic)) {
      throw refused(
        `DLQ is not enabled on topic ${topic}: set its errors.deadletterqueue.group.enable to true.`,
      )
    }
    if (!isThere && !mayCreate) {
      throw refused(
        `DLQ topic ${topic} does not exist: create it, or set ` +
          'errors.deadletterqueue.auto.create.topics.enable of the broker to true.',
      )
    }
    if (topic.startsWith(topicPrefix)) return
    throw refused(
      `The name of DLQ topic ${topic} has to start with ${topicPrefix}, as ` +
        'errors.deadletterqueue.topic.name.prefix of the broker says.',
    )
  }

  /** @returns false when it is worth another try */
  async #tryWrite(request: DeadLetterRequest): Promise<boolean> {
    const { topics } = this.#options
    const { source, topic } = request
    if (topics.partitionCount(topic) === 0) {
      const problem = await topics.create(topic)
      if (problem !== null) throw refused(`DLQ topic ${topic} could not be created: ${problem}`)
    }
    const count = topics.partitionCount(topic)
    const target = count === 0 ? undefined : topics.partition(topic, source.partition % count)
    if (target === undefined || target.availability !== ErrorCode.NONE) return false
    const originals = request.copiesRecords ? await readRecords(source.log, request.letter) : null
    for (const records of this.#batches(request, originals, target.settings.maxMessageBytes)) {
      if (!(await append(target, buildBatch(records)))) return false
    }
    return true
  }

  #batches(
    request: DeadLetterRequest,
    originals: ReadonlyMap<number, LogRecord> | null,
    maxBytes: number,
  ): NewRecord[][] {
    const batches: NewRecord[][] = []
    let batch: NewRecord[] = []
    let bytes = RECORD_BATCH_OVERHEAD
    const { firstOffset, lastOffset } = request.letter
    for (let offset = firstOffset; offset <= lastOffset; offset++) {
      const record = this.#recordOf(request, offset, originals?.get(offset))
      const size = sizeOf(record)
      if (batch.length > 0 && bytes + size > maxBytes) {
        batches.push(batch)
        batch = []
        bytes = RECORD_BATCH_OVERHEAD
      }
      batch.push(record)
      bytes += size
    }
    return [...batches, batch]
  }

  #recordOf(
    { groupId, source, letter }: DeadLetterRequest,
    offset: number,
    original: LogRecord | undefined,
  ): NewRecord {
    const facts = {
      topic: source.topic,
      partition: `${source.partition}`,
      offset: `${offset}`,
      group: groupId,
      'delivery.count': `${letter.deliveryCount}`,
      message: MESSAGES[letter.cause],
    }
    return {
      timestamp: this.#options.clock.nowMs(),
      key: original?.key ?? null,
      value: original?.value ?? null,
      headers: Object.entries(facts).map(([name, value]) => ({
        key: `__dlq.errors.${name}`,
        value: Buffer.from(value),
      })),
    }
  }
}

const refused = (message: string): BrokerError => new BrokerError(ErrorCode.INVALID_CONFIG, message)

function sizeOf({ key, value, headers = [] }: NewRecord): number {
  const headerBytes = headers.reduce((sum, header) => sum + (header.value?.length ?? 0), 0)
  return RECORD_OVERHEAD_BYTES + headerBytes + (key?.length ?? 0) + (value?.length ?? 0)
}

/** The records of a span that are still in the log; copies, since the bytes are borrowed. */
async function readRecords(
  log: PartitionLog,
  { firstOffset, lastOffset }: DeadLetter,
): Promise<ReadonlyMap<number, LogRecord>> {
  const found = new Map<number, LogRecord>()
  let offset = Math.max(firstOffset, log.logStartOffset)
  while (offset <= lastOffset) {
    const slice = await read(log, offset)
    if (slice === null) break
    const before = offset
    try {
      for (const { bytes, position, lastOffset: end } of batchesOf(slice)) {
        for (const record of recordsOf(bytes, position)) {
          if (record.offset >= firstOffset && record.offset <= lastOffset) {
            found.set(record.offset, copyOf(record))
          }
        }
        offset = end + 1
      }
    } finally {
      slice.release()
    }
    if (offset === before) break
  }
  return found
}

function copyOf(record: LogRecord): LogRecord {
  const key = record.key === null ? null : Buffer.from(record.key)
  const value = record.value === null ? null : Buffer.from(record.value)
  return { ...record, key, value }
}

function read(log: PartitionLog, offset: number): Promise<LogSlice | null> {
  if (offset >= log.highWatermark) return Promise.resolve(null)
  return new Promise((resolve) => {
    const request = {
      offset,
      endOffset: log.highWatermark,
      maxBytes: READ_BYTES,
      atLeastOne: true,
      includeAborted: false,
    }
    // What can't be read is written without its key and value.
    const slice = log.read(request, (error, later) => resolve(error === null ? later : null))
    if (slice !== null) resolve(slice)
  })
}

function append(target: Partition, batch: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const waiter = {
      appendDone: (_: number, errorCode: ErrorCode) => resolve(errorCode === ErrorCode.NONE),
    }
    const { errorCode } = target.appendOwn(batch, UNPOOLED, waiter, 0)
    if (errorCode !== ErrorCode.NONE) resolve(false)
  })
}

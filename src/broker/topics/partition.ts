import { assert } from '../../base/assert.ts'
import { ErrorCode } from '../../base/error-code.ts'
import { type Lease, UNPOOLED } from '../../base/lease.ts'
import { LinkedList, type ListNode } from '../../base/linked-list.ts'
import type {
  AppendResult,
  AppendSafety,
  AppendWaiter,
  LogListener,
  PartitionLog,
} from '../../ports/partition-log.ts'
import { type ProduceRules, validateProduceBatch } from '../../records/batch-validation.ts'
import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../../records/compression.ts'
import type { EndTxnMarker } from '../../records/control-batch.ts'
import { type Codec, TimestampType } from '../../records/record-batch.ts'
import type { RecordError } from '../../records/record-walk.ts'
import { TentativeSequences } from './tentative-sequences.ts'

/**
 * `open`: its transaction is open here, more may follow; `none`: its coordinator must say first that
 * this partition is in the transaction (KIP-890); `fenced`: a newer epoch of it is known.
 */
export type TransactionStanding = 'open' | 'none' | 'fenced'

/** Told in the turn in which more of a partition can be read, or none any more. */
export interface PartitionWatcher {
  partitionAdvanced(partition: Partition): void
}

/** What a topic asks of the batches that clients send. Source: Kafka's topic configs. */
export interface ProduceSettings {
  /** `max.message.bytes` */
  readonly maxMessageBytes: number
  /** `segment.bytes`: no batch may be larger. */
  readonly segmentBytes: number
  /** `cleanup.policy` holds `compact`: every record needs a key. */
  readonly isCompacted: boolean
  /** `cleanup.policy` holds `delete`: DeleteRecords is allowed. */
  readonly isDeleted: boolean
  /** `message.timestamp.type` */
  readonly timestampType: TimestampType
  /** `message.timestamp.before.max.ms` */
  readonly timestampBeforeMaxMs: number
  /** `message.timestamp.after.max.ms` */
  readonly timestampAfterMaxMs: number
  /** `compression.type`; null: `producer`. */
  readonly targetCodec: Codec | null
  /** `compression.<codec>.level`; undefined: the codec's default. */
  readonly compressionLevel: number | undefined
  /** `max.decompressed.message.bytes`, at most what Spool takes for any batch. */
  readonly maxDecompressedBytes: number
}

export const DEFAULT_PRODUCE_SETTINGS: ProduceSettings = {
  maxMessageBytes: 1_048_588,
  segmentBytes: 1_073_741_824,
  isCompacted: false,
  isDeleted: true,
  timestampType: TimestampType.CREATE_TIME,
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 3_600_000,
  targetCodec: null,
  compressionLevel: undefined,
  maxDecompressedBytes: DEFAULT_MAX_DECOMPRESSED_BYTES,
}

/** One batch from a client. */
export interface ProduceAppend {
  /** The `records` field as it came; its bytes are changed in place. */
  readonly records: Buffer | null
  /** Keeps `records` alive. */
  readonly lease: Lease
  readonly safety: AppendSafety
  readonly waiter: AppendWaiter
  readonly slot: number
  /** Version of the Produce request. */
  readonly apiVersion: number
  readonly nowMs: number
}

/** What a client's append knows at once; the waiter is told later unless there is an error. */
export interface ProduceResult {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly recordErrors: readonly RecordError[]
  readonly baseOffset: number
  readonly logAppendTimeMs: number
}

const NO_RECORD_ERRORS: readonly RecordError[] = []

/** One partition that this broker leads: its log, what it accepts, and who waits for it. */
export class Partition implements LogListener {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  #log: PartitionLog | null = null
  #settings: ProduceSettings = DEFAULT_PRODUCE_SETTINGS
  #isGone = false
  /** Why clients may not produce to it; null: they may. */
  readOnlyReason: string | null = null
  readonly tentative = new TentativeSequences()
  readonly #watchers = new LinkedList<PartitionWatcher>()

  constructor(topic: string, topicId: string, partition: number) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
  }

  get log(): PartitionLog {
    assert(this.#log !== null, 'the log of a partition is open')
    return this.#log
  }

  /** The topic was deleted: who waits is told, who comes gets UNKNOWN_TOPIC_OR_PARTITION. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** A log needs its listener before it exists, so it is given afterwards. */
  attach(log: PartitionLog): void {
    this.#log = log
  }

  configure(settings: ProduceSettings): void {
    this.#settings = settings
  }

  get settings(): ProduceSettings {
    return this.#settings
  }

  /** NONE, or why nothing can be appended or read. */
  get availability(): ErrorCode {
    if (this.#isGone) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return this.log.isFailed ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE
  }

  /**
   * Validates a client's batch and appends it. Errors: those of `validateProduceBatch` and of
   * `PartitionLog.append`, RECORD_LIST_TOO_LARGE for a batch that no segment can hold, and
   * POLICY_VIOLATION where only the broker writes.
   */
  append(append: ProduceAppend): ProduceResult {
    const availability = this.availability
    if (availability !== ErrorCode.NONE) return refused(availability, null)
    if (this.readOnlyReason !== null)
      return refused(ErrorCode.POLICY_VIOLATION, this.readOnlyReason)
    if (this.log.isOverloaded === true)
      return refused(ErrorCode.KAFKA_STORAGE_ERROR, 'The disk takes no writes at present')
    const outcome = validateProduceBatch(append.records, this.#rules(append))
    if (outcome.errorCode !== ErrorCode.NONE) {
      const { errorCode, errorMessage, recordErrors } = outcome
      return { errorCode, errorMessage, recordErrors, baseOffset: -1, logAppendTimeMs: -1 }
    }
    const { batch, logAppendTime } = outcome
    const { segmentBytes } = this.#settings
    if (batch.byteLength > segmentBytes) {
      const text = `Record batch of ${batch.byteLength} bytes is larger than segment.bytes, ${segmentBytes}`
      return refused(ErrorCode.RECORD_LIST_TOO_LARGE, text)
    }
    const result = this.log.append({
      batch,
      // Recompression makes new bytes, which need nobody's lease.
      lease: batch.buffer === append.records?.buffer ? append.lease : UNPOOLED,
      safety: append.safety,
      waiter: append.waiter,
      slot: append.slot,
      logAppendTimeMs: logAppendTime,
    })
    if (result.errorCode !== ErrorCode.NONE) return refused(result.errorCode, result.errorMessage)
    const { baseOffset, logAppendTimeMs } = result
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      recordErrors: NO_RECORD_ERRORS,
      baseOffset,
      logAppendTimeMs,
    }
  }

  /** How this partition stands to a producer that wants to write in a transaction. */
  standingOf(producerId: number, producerEpoch: number): TransactionStanding {
    const known = this.log.activeProducer(producerId)
    if (known === undefined || known.producerEpoch < producerEpoch) return 'none'
    if (known.producerEpoch > producerEpoch) return 'fenced'
    return known.currentTransactionFirstOffset >= 0 ? 'open' : 'none'
  }

  /**
   * NONE, or why the log would refuse a marker: INVALID_PRODUCER_EPOCH,
   * TRANSACTION_COORDINATOR_FENCED.
   * @param hasOwnEpoch each transaction has an epoch, and its marker the one after (KIP-1228)
   */
  checkMarker(marker: EndTxnMarker, hasOwnEpoch = false): ErrorCode {
    const { producerId, producerEpoch, coordinatorEpoch } = marker
    const known = this.log.activeProducer(producerId)
    if (known === undefined) return ErrorCode.NONE
    const isOpen = known.currentTransactionFirstOffset >= 0
    const isSameEpoch = producerEpoch === known.producerEpoch
    if (producerEpoch < known.producerEpoch || (hasOwnEpoch && isOpen && isSameEpoch)) {
      return ErrorCode.INVALID_PRODUCER_EPOCH
    }
    return coordinatorEpoch < known.coordinatorEpoch
      ? ErrorCode.TRANSACTION_COORDINATOR_FENCED
      : ErrorCode.NONE
  }

  /** Appends a batch that Spool made itself (internal topics): it is not validated again. */
  appendOwn(batch: Buffer, lease: Lease, waiter: AppendWaiter, slot: number): AppendResult {
    return this.log.append({
      batch,
      lease,
      safety: 'durable',
      waiter,
      slot,
      logAppendTimeMs: -1,
      isFromCoordinator: true,
    })
  }

  /** @returns what `unwatch` takes */
  watch(watcher: PartitionWatcher): ListNode<PartitionWatcher> {
    return this.#watchers.add(watcher)
  }

  unwatch(watch: ListNode<PartitionWatcher>): void {
    this.#watchers.remove(watch)
  }

  logAdvanced(): void {
    if (this.#watchers.isEmpty) return
    for (const { item } of this.#watchers.nodes()) item.partitionAdvanced(this)
  }

  logFailed(): void {
    this.logAdvanced()
  }

  /** The topic is being deleted. */
  gone(): void {
    this.#isGone = true
    this.logAdvanced()
  }

  #rules(append: ProduceAppend): ProduceRules {
    const settings = this.#settings
    return {
      apiVersion: append.apiVersion,
      maxMessageBytes: settings.maxMessageBytes,
      isCompacted: settings.isCompacted,
      timestampType: settings.timestampType,
      timestampBeforeMaxMs: settings.timestampBeforeMaxMs,
      timestampAfterMaxMs: settings.timestampAfterMaxMs,
      now: append.nowMs,
      targetCodec: settings.targetCodec,
      compressionLevel: settings.compressionLevel,
      maxDecompressedBytes: settings.maxDecompressedBytes,
    }
  }
}

function refused(errorCode: ErrorCode, errorMessage: string | null): ProduceResult {
  return {
    errorCode,
    errorMessage,
    recordErrors: NO_RECORD_ERRORS,
    baseOffset: -1,
    logAppendTimeMs: -1,
  }
}

import { ErrorCode } from '../../base/error-code.ts'
import {
  ControlRecordType,
  controlRecordTypeOf,
  coordinatorEpochOf,
} from '../../records/control-batch.ts'
import type { ProducerSnapshotEntry } from '../../records/internal/producer-snapshot.ts'
import {
  baseOffsetOf,
  baseSequenceOf,
  incrementSequence,
  isControl,
  isTransactional,
  lastOffsetDeltaOf,
  lastSequenceOf,
  maxTimestampOf,
  NO_PRODUCER_EPOCH,
  NO_SEQUENCE,
  producerEpochOf,
  producerIdOf,
  recordCountOf,
} from '../../records/record-batch.ts'
import { recordsOf } from '../../records/records-iterator.ts'
import type { AbortedTransactionEntry } from '../segment/transaction-index.ts'
import { OpenTransactions } from './open-transactions.ts'
import { ProducerEntry, ProducerEntrySnapshot } from './producer-entry.ts'

/** What was found out about a batch before it is appended; read it before the next check. */
export interface ProducerCheck {
  errorCode: ErrorCode
  errorMessage: string | null
  /** The batch is here already; the rest is of the original. */
  isDuplicate: boolean
  firstOffset: number
  lastOffset: number
  timestampMs: number
}

/** Undo records are reused, but only so many are kept. */
const MAX_FREE_SNAPSHOTS = 64

/**
 * The producers of a partition: who sent which sequence last, and which transactions are open. It
 * follows from the log alone: `check` before an append, `update` with each batch that is in the log.
 * Source: ProducerStateManager and ProducerAppendInfo, Kafka 4.4; KIP-98, KIP-890.
 */
export class ProducerState {
  readonly transactions = new OpenTransactions()
  readonly #entries = new Map<number, ProducerEntry>()
  readonly #free: ProducerEntrySnapshot[] = []
  readonly #check: ProducerCheck = {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    isDuplicate: false,
    firstOffset: -1,
    lastOffset: -1,
    timestampMs: -1,
  }

  get entries(): Iterable<ProducerEntry> {
    return this.#entries.values()
  }

  entry(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  /**
   * Says whether the batch of an idempotent producer may be appended.
   * @param isFromCoordinator it writes for the producer, and gives all its batches sequence 0
   */
  check(batch: Buffer, isFromCoordinator = false): ProducerCheck {
    const check = this.#check
    check.errorCode = ErrorCode.NONE
    check.errorMessage = null
    check.isDuplicate = false
    const entry = this.#entries.get(producerIdOf(batch, 0))
    if (entry === undefined) return check
    const epoch = producerEpochOf(batch, 0)
    if (isControl(batch, 0)) return this.#checkMarker(entry, epoch, batch)
    if (isFromCoordinator) return this.#checkEpoch(entry, epoch)
    const baseSequence = baseSequenceOf(batch, 0)
    if (epoch === entry.epoch) {
      const index = entry.find(baseSequence, lastSequenceOf(batch, 0))
      if (index >= 0) {
        check.isDuplicate = true
        check.firstOffset = entry.firstOffsetAt(index)
        check.lastOffset = entry.lastOffsetAt(index)
        check.timestampMs = entry.timestampAt(index)
        return check
      }
    }
    if (this.#checkEpoch(entry, epoch).errorCode !== ErrorCode.NONE) return check
    const isNext =
      epoch === entry.epoch
        ? baseSequence === incrementSequence(entry.lastSequence, 1)
        : baseSequence === 0 || entry.epoch === NO_PRODUCER_EPOCH
    if (!isNext)
      return this.#refuse(
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        outOfOrder(entry, epoch, baseSequence),
      )
    if (entry.transactionFirstOffset >= 0 && !isTransactional(batch, 0))
      return this.#refuse(
        ErrorCode.INVALID_TXN_STATE,
        `producer ${entry.producerId} has an open transaction: this batch must belong to it`,
      )
    return check
  }

  /**
   * Takes note of a batch that has its offsets.
   * @returns the index entry of a transaction that this batch aborts, else null
   */
  update(batch: Buffer, at: number): AbortedTransactionEntry | null {
    const producerId = producerIdOf(batch, at)
    let entry = this.#entries.get(producerId)
    if (entry === undefined) {
      entry = new ProducerEntry(producerId)
      this.#entries.set(producerId, entry)
    }
    const epoch = producerEpochOf(batch, at)
    if (isControl(batch, at)) return this.#endTransaction(entry, epoch, batch, at)
    if (epoch !== entry.epoch) entry.startEpoch(epoch)
    const baseOffset = baseOffsetOf(batch, at)
    const delta = lastOffsetDeltaOf(batch, at)
    entry.add(lastSequenceOf(batch, at), baseOffset + delta, delta, maxTimestampOf(batch, at))
    if (entry.transactionFirstOffset < 0 && isTransactional(batch, at)) {
      entry.transactionFirstOffset = baseOffset
      this.transactions.begin(producerId, baseOffset)
    }
    return null
  }

  /** Copies what is known of a producer, for `undo`. */
  save(producerId: number): ProducerEntrySnapshot {
    const snapshot = this.#free.pop() ?? new ProducerEntrySnapshot()
    const entry = this.#entries.get(producerId)
    snapshot.producerId = producerId
    snapshot.existed = entry !== undefined
    snapshot.transactionFirstOffset = -1
    entry?.saveTo(snapshot)
    return snapshot
  }

  discard(snapshot: ProducerEntrySnapshot): void {
    if (this.#free.length < MAX_FREE_SNAPSHOTS) this.#free.push(snapshot)
  }

  /** Takes back the newest `update` of this producer; updates are undone newest first. */
  undo(snapshot: ProducerEntrySnapshot): void {
    const entry = this.#entries.get(snapshot.producerId)
    if (entry === undefined) return
    const before = snapshot.transactionFirstOffset
    const after = entry.transactionFirstOffset
    if (before < 0 && after >= 0) this.transactions.cancel(entry.producerId)
    if (before >= 0 && after < 0) this.transactions.reopen(entry.producerId, before)
    if (snapshot.existed) entry.restoreFrom(snapshot)
    else this.#entries.delete(snapshot.producerId)
    this.discard(snapshot)
  }

  /** Forgets producers that sent nothing for so long; an open transaction keeps its producer. */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.transactionFirstOffset >= 0) continue
      if (nowMs - entry.lastTimestampMs >= expirationMs) this.#entries.delete(entry.producerId)
    }
  }

  load(entries: readonly ProducerSnapshotEntry[]): void {
    for (const saved of entries) {
      const entry = new ProducerEntry(saved.producerId)
      entry.epoch = saved.epoch
      entry.coordinatorEpoch = saved.coordinatorEpoch
      for (const { lastSequence, lastOffset, offsetDelta, timestamp } of saved.earlierBatches ?? [])
        entry.add(lastSequence, lastOffset, offsetDelta, timestamp)
      if (saved.lastSequence !== NO_SEQUENCE)
        entry.add(saved.lastSequence, saved.lastOffset, saved.offsetDelta, saved.timestamp)
      entry.lastTimestampMs = saved.timestamp
      entry.transactionFirstOffset = saved.currentTxnFirstOffset
      this.#entries.set(saved.producerId, entry)
      if (saved.currentTxnFirstOffset >= 0)
        this.transactions.begin(saved.producerId, saved.currentTxnFirstOffset)
    }
  }

  /** What is known, or was known before the given undo records were made (one for a producer). */
  toSnapshot(before?: ReadonlyMap<number, ProducerEntrySnapshot>): ProducerSnapshotEntry[] {
    const entries: ProducerSnapshotEntry[] = []
    for (const entry of this.#entries.values()) {
      const undo = before?.get(entry.producerId)
      if (undo === undefined) entries.push(snapshotOf(entry))
      else if (undo.existed) {
        const old = new ProducerEntry(entry.producerId)
        old.restoreFrom(undo)
        entries.push(snapshotOf(old))
      }
    }
    return entries
  }

  #checkEpoch(entry: ProducerEntry, epoch: number): ProducerCheck {
    if (epoch >= entry.epoch) return this.#check
    return this.#refuse(ErrorCode.INVALID_PRODUCER_EPOCH, staleEpoch(entry, epoch))
  }

  #checkMarker(entry: ProducerEntry, epoch: number, batch: Buffer): ProducerCheck {
    const check = this.#checkEpoch(entry, epoch)
    if (check.errorCode !== ErrorCode.NONE) return check
    const { coordinatorEpoch } = readMarker(batch, 0)
    if (coordinatorEpoch < entry.coordinatorEpoch)
      return this.#refuse(
        ErrorCode.TRANSACTION_COORDINATOR_FENCED,
        `coordinator epoch ${coordinatorEpoch} is older than ${entry.coordinatorEpoch}`,
      )
    return this.#check
  }

  #endTransaction(
    entry: ProducerEntry,
    epoch: number,
    batch: Buffer,
    at: number,
  ): AbortedTransactionEntry | null {
    if (epoch !== entry.epoch) entry.startEpoch(epoch)
    entry.lastTimestampMs = maxTimestampOf(batch, at)
    // Compaction keeps a marker without its record for the epoch; its transaction is long gone.
    if (recordCountOf(batch, at) === 0) return null
    const { type, coordinatorEpoch } = readMarker(batch, at)
    entry.coordinatorEpoch = coordinatorEpoch
    if (entry.transactionFirstOffset < 0) return null
    entry.transactionFirstOffset = -1
    const lastOffset = baseOffsetOf(batch, at) + lastOffsetDeltaOf(batch, at)
    const ended = this.transactions.end(entry.producerId, lastOffset)
    return type === ControlRecordType.ABORT ? ended : null
  }

  #refuse(errorCode: ErrorCode, errorMessage: string): ProducerCheck {
    this.#check.errorCode = errorCode
    this.#check.errorMessage = errorMessage
    return this.#check
  }
}

function snapshotOf(entry: ProducerEntry): ProducerSnapshotEntry {
  return {
    producerId: entry.producerId,
    epoch: entry.epoch,
    lastSequence: entry.lastSequence,
    lastOffset: entry.lastOffset,
    offsetDelta: entry.lastOffsetDelta,
    timestamp: entry.lastTimestampMs,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnFirstOffset: entry.transactionFirstOffset,
    earlierBatches: entry.earlierBatches(),
  }
}

/** The one record of a batch that ends a transaction. */
function readMarker(batch: Buffer, at: number): { type: number; coordinatorEpoch: number } {
  for (const { key, value } of recordsOf(batch, at))
    return { type: controlRecordTypeOf(key), coordinatorEpoch: coordinatorEpochOf(value) }
  return { type: -1, coordinatorEpoch: -1 }
}

function staleEpoch(entry: ProducerEntry, epoch: number): string {
  return `epoch ${epoch} of producer ${entry.producerId} is older than its last one, ${entry.epoch}`
}

function outOfOrder(entry: ProducerEntry, epoch: number, baseSequence: number): string {
  return (
    `sequence ${baseSequence} of producer ${entry.producerId} at epoch ${epoch} does not follow ` +
    `${entry.lastSequence} at epoch ${entry.epoch}`
  )
}

import { ErrorCode } from '../../../src/base/error-code.ts'
import { StorageError } from '../../../src/base/errors.ts'
import type { LogIdentity, LogStore } from '../../../src/ports/log-store.ts'
import type {
  ActiveProducer,
  AppendRequest,
  AppendResult,
  LogConfig,
  LogListener,
  LogSlice,
  PartitionLog,
  ReadRequest,
} from '../../../src/ports/partition-log.ts'
import {
  baseOffsetOf,
  lastOffsetDeltaOf,
  lastOffsetOf,
  partitionLeaderEpochOf,
  patchBaseOffset,
  patchLeaderEpoch,
} from '../../../src/records/record-batch.ts'

/** A log that is an array of batches. Appends are safe at once, but told in a later microtask. */
export class FakeLog implements PartitionLog {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly batches: Buffer[]
  config: LogConfig
  leaderEpoch: number
  logStartOffset = 0
  logEndOffset = 0
  isFailed = false
  readonly #listener: LogListener

  constructor(
    identity: LogIdentity,
    config: LogConfig,
    listener: LogListener,
    batches: Buffer[] = [],
  ) {
    this.topic = identity.topic
    this.topicId = identity.topicId
    this.partition = identity.partition
    this.batches = batches
    this.config = config
    this.#listener = listener
    const last = batches.at(-1)
    this.leaderEpoch = last ? partitionLeaderEpochOf(last, 0) : identity.leaderEpoch
    this.logEndOffset = last ? lastOffsetOf(last, 0) + 1 : 0
  }

  get highWatermark(): number {
    return this.logEndOffset
  }

  get lastStableOffset(): number {
    return this.logEndOffset
  }

  get sizeBytes(): number {
    return this.batches.reduce((total, batch) => total + batch.length, 0)
  }

  get visibleBytes(): number {
    return this.sizeBytes
  }

  bytesFrom(offset: number): number {
    const left = this.batches.filter((batch) => lastOffsetOf(batch, 0) >= offset)
    return left.reduce((total, batch) => total + batch.length, 0)
  }

  append({ batch, lease, safety, waiter, slot }: AppendRequest): AppendResult {
    lease.retain()
    if (this.isFailed) return result(ErrorCode.KAFKA_STORAGE_ERROR, -1, -1)
    const stored = Buffer.from(batch)
    lease.release()
    patchBaseOffset(stored, 0, this.logEndOffset)
    patchLeaderEpoch(stored, 0, this.leaderEpoch)
    const baseOffset = this.logEndOffset
    this.logEndOffset += lastOffsetDeltaOf(stored, 0) + 1
    this.batches.push(stored)
    queueMicrotask(() => {
      if (safety !== 'none') waiter.appendDone(slot, ErrorCode.NONE)
      this.#listener.logAdvanced(this)
    })
    return result(ErrorCode.NONE, baseOffset, this.logEndOffset - 1)
  }

  read(request: ReadRequest): LogSlice | null {
    const pieces: Buffer[] = []
    let byteLength = 0
    for (const batch of this.batches) {
      if (lastOffsetOf(batch, 0) < request.offset) continue
      if (baseOffsetOf(batch, 0) >= request.endOffset) break
      if (pieces.length > 0 && byteLength + batch.length > request.maxBytes) break
      pieces.push(batch)
      byteLength += batch.length
    }
    return { pieces, byteLength, abortedTransactions: null, release() {} }
  }

  setLeaderEpoch(leaderEpoch: number): void {
    this.leaderEpoch = leaderEpoch
  }

  configure(config: LogConfig): void {
    this.config = config
  }

  activeProducers(): readonly ActiveProducer[] {
    return []
  }

  activeProducer(): undefined {
    return undefined
  }

  async offsetForTimestamp(): Promise<null> {
    return null
  }

  async maxTimestamp(): Promise<null> {
    return null
  }

  endOffsetForEpoch(): null {
    return null
  }

  epochForOffset(): number {
    return -1
  }

  async deleteRecordsBefore(offset: number): Promise<void> {
    this.logStartOffset = offset
  }
}

function result(errorCode: ErrorCode, baseOffset: number, lastOffset: number): AppendResult {
  const isDuplicate = false
  return { errorCode, errorMessage: null, baseOffset, lastOffset, logAppendTimeMs: -1, isDuplicate }
}

/** All logs in memory; `reopen` is the same store after a restart of the broker. */
export class FakeLogStore implements LogStore {
  isAfterCrash = false
  /** Names of partitions whose log cannot be made. */
  readonly broken = new Set<string>()
  readonly logs = new Map<string, FakeLog>()
  readonly deleted: string[] = []
  readonly #content = new Map<string, Buffer[]>()

  async makeLogs(): Promise<void> {}

  openLog(identity: LogIdentity, config: LogConfig, listener: LogListener): PartitionLog {
    const name = `${identity.topic}-${identity.partition}`
    if (this.broken.has(name)) throw new StorageError(`no space left for ${name}`)
    const content = this.#content.get(name) ?? []
    this.#content.set(name, content)
    const log = new FakeLog(identity, config, listener, content)
    this.logs.set(name, log)
    return log
  }

  deleteLog(log: PartitionLog): void {
    const name = `${log.topic}-${log.partition}`
    this.deleted.push(name)
    this.logs.delete(name)
    this.#content.delete(name)
  }

  setAsideStrays(): readonly string[] {
    return []
  }

  start(): void {}

  async close(): Promise<void> {
    this.logs.clear()
  }
}

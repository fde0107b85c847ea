import assert from 'node:assert/strict'
import {
  MemoryFileSystem,
  type MemoryFileSystemOptions,
} from '../../../src/adapters/memory-file-system.ts'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { type Lease, UNPOOLED } from '../../../src/base/lease.ts'
import type { CleanerConfig } from '../../../src/ports/cleaner-config.ts'
import type { Logger } from '../../../src/ports/logger.ts'
import type {
  AppendResult,
  AppendSafety,
  LogConfig,
  LogListener,
  LogSlice,
  PartitionLog,
  ReadRequest,
} from '../../../src/ports/partition-log.ts'
import { type BatchOptions, buildBatch } from '../../../src/records/batch-builder.ts'
import { baseOffsetOf, lastOffsetOf, sizeInBytesOf } from '../../../src/records/record-batch.ts'
import { SteppedSegmentCleaner } from '../../../src/storage/cleaner/stepped-segment-cleaner.ts'
import { LogManager } from '../../../src/storage/log-manager.ts'
import type {
  LogManagerCleaning,
  LogManagerOptions,
} from '../../../src/storage/log-manager-options.ts'
import { ManualScheduler } from '../support/manual-scheduler.ts'
import { CountingRandom, FakeClock } from '../support/ports.ts'
import { RecordingMeter } from '../support/recording-meter.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAbg'
const NEVER = 9_007_199_254_740_991

export const CONFIG: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: NEVER,
  segmentJitterMs: 0,
  segmentIndexBytes: 10_485_760,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  isDeleted: true,
  isCompacted: false,
  minCompactionLagMs: 0,
  maxCompactionLagMs: NEVER,
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: 86_400_000,
  isPreallocated: false,
  fileDeleteDelayMs: 60_000,
  durability: 'fsync',
  flushMessages: NEVER,
  flushMs: NEVER,
  producerIdExpirationMs: 86_400_000,
}

/** How an append ended: undefined while its waiter was not told. */
export interface Outcome extends AppendResult {
  told: ErrorCode | undefined
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly text: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A data directory on a disk that tests can stop, fill, break and crash. */
export class Harness implements LogListener {
  readonly dataDir = '/data'
  readonly clock = new FakeClock()
  scheduler = new ManualScheduler(this.clock)
  readonly meter = new RecordingMeter()
  readonly lines: LogLine[] = []
  readonly fs: MemoryFileSystem
  advancedCount = 0
  failures: Error[] = []
  manager!: LogManager
  /** What the disk was asked for and has not done yet. */
  #disk: (() => void)[] = []
  readonly #options: LogManagerOptions
  readonly #random = new CountingRandom()
  readonly #cleanerConfig: CleanerConfig | null

  constructor(
    options: LogManagerOptions = {},
    disk: MemoryFileSystemOptions = {},
    cleanerConfig: CleanerConfig | null = null,
  ) {
    this.#options = options
    this.#cleanerConfig = cleanerConfig
    this.fs = new MemoryFileSystem({
      tracksSyncs: true,
      ...disk,
      defer: (task) => this.#disk.push(task),
    })
    this.fs.makeDirectory(this.dataDir)
    this.fs.syncDirectory('')
    this.start()
  }

  /** Opens the data directory, as a new process would. */
  start(): void {
    // What the dead process had planned never happens.
    this.#disk = []
    this.scheduler = new ManualScheduler(this.clock)
    this.manager = new LogManager({
      fs: this.fs,
      dataDir: this.dataDir,
      clock: this.clock,
      scheduler: this.scheduler,
      random: this.#random,
      logger: this.#logger(),
      meter: this.meter,
      options: this.#options,
      ...this.#cleaning(),
    })
  }

  #cleaning(): { cleaning?: LogManagerCleaning } {
    const config = this.#cleanerConfig
    if (config === null) return {}
    const cleaner = new SteppedSegmentCleaner(this.fs, this.clock, this.scheduler)
    return { cleaning: { cleaner, config: () => config } }
  }

  open(config: Partial<LogConfig> = {}, topic = 't', leaderEpoch = 0): PartitionLog {
    const identity = { topic, topicId: TOPIC_ID, partition: 0, leaderEpoch }
    return this.manager.openLog(identity, { ...CONFIG, ...config }, this)
  }

  logAdvanced(): void {
    this.advancedCount++
  }

  logFailed(_log: PartitionLog, error: Error): void {
    this.failures.push(error)
  }

  /** Ends the turn: what was appended is written, but the disk does nothing on its own. */
  finishTurn(): void {
    this.scheduler.finishTurn()
  }

  get diskTaskCount(): number {
    return this.#disk.length
  }

  /** Lets the disk do what it was asked for until now. */
  runDisk(): void {
    for (const task of this.#disk.splice(0)) task()
  }

  /** Turns and disk work until nothing is left to do. */
  settle(): void {
    do {
      this.finishTurn()
      this.runDisk()
      this.finishTurn()
    } while (this.#disk.length > 0)
  }

  /** Waits for something that needs the disk. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const finished = promise.finally(() => {
      isDone = true
    })
    // What it settled with is for the caller.
    finished.catch(() => undefined)
    for (let turn = 0; turn < 10_000 && !isDone; turn++) {
      this.settle()
      await Promise.resolve()
    }
    assert(isDone, 'the promise settled')
    return promise
  }

  async stop(): Promise<void> {
    await this.until(this.manager.close())
  }

  kill(): void {
    this.fs.kill()
  }

  pathOf(name: string, topic = 't'): string {
    return `${this.dataDir}/${topic}-0/${name}`
  }

  #logger(): Logger {
    const at = (level: LogLine['level']) => (text: string, fields?: LogLine['fields']) =>
      void this.lines.push({ level, text, fields: fields ?? {} })
    const logger: Logger = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => logger,
    }
    return logger
  }
}

export function batchOf(count = 1, options: BatchOptions = {}, valueBytes = 10, timestamp = 1000) {
  const records = Array.from({ length: count }, (_, i) => ({
    timestamp: timestamp + i,
    value: Buffer.alloc(valueBytes, 0x61 + (i % 26)),
  }))
  return buildBatch(records, options)
}

export function append(
  log: PartitionLog,
  batch: Buffer,
  safety: AppendSafety = 'durable',
  lease: Lease = UNPOOLED,
): Outcome {
  const outcome: Outcome = { ...emptyResult, told: undefined }
  const waiter = {
    appendDone(slot: number, errorCode: ErrorCode) {
      assert.equal(slot, 42)
      assert.equal(outcome.told, undefined, 'a waiter is told once')
      outcome.told = errorCode
    },
  }
  const request = { batch, lease, safety, waiter, slot: 42, logAppendTimeMs: -1 }
  return Object.assign(outcome, log.append(request))
}

const emptyResult: AppendResult = {
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  baseOffset: -1,
  lastOffset: -1,
  logAppendTimeMs: -1,
  isDuplicate: false,
}

/** Reads, and lets the disk do its part. The caller releases. */
export function readSlice(
  harness: Harness,
  log: PartitionLog,
  request: Partial<ReadRequest> = {},
): LogSlice {
  let result: LogSlice | null = null
  let failed: Error | null = null
  const whole = {
    offset: log.logStartOffset,
    endOffset: log.highWatermark,
    maxBytes: 1_000_000,
    atLeastOne: true,
    includeAborted: false,
    ...request,
  }
  const slice = log.read(whole, (error, later) => {
    failed = error
    result = later
  })
  if (slice !== null) return slice
  assert.equal(result, null, 'a read that was not answered at once is answered later')
  while (result === null && failed === null) {
    assert(harness.diskTaskCount > 0, 'the disk has something to do')
    harness.runDisk()
  }
  if (failed !== null) throw failed
  return result as unknown as LogSlice
}

/** The batches of a slice as `[base offset, last offset]`; releases it. */
export function offsetsOf(slice: LogSlice): [number, number][] {
  const offsets: [number, number][] = []
  let byteLength = 0
  for (const piece of slice.pieces) {
    byteLength += piece.byteLength
    for (let at = 0; at < piece.byteLength; at += sizeInBytesOf(piece, at))
      offsets.push([baseOffsetOf(piece, at), lastOffsetOf(piece, at)])
  }
  assert.equal(byteLength, slice.byteLength)
  slice.release()
  return offsets
}

/** All batches from the log start to the high watermark. */
export function readAll(harness: Harness, log: PartitionLog): [number, number][] {
  const all: [number, number][] = []
  let offset = log.logStartOffset
  while (offset < log.highWatermark) {
    const part = offsetsOf(readSlice(harness, log, { offset }))
    if (part.length === 0) break
    all.push(...part)
    offset = (part.at(-1)?.[1] ?? offset) + 1
  }
  return all
}

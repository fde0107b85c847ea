import { basename, extname } from 'node:path'
import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError, ProtocolError } from '../../base/errors.ts'
import { decodeProducerSnapshot } from '../../records/internal/producer-snapshot.ts'
import { maxTimestampOf, recordCountOf } from '../../records/record-batch.ts'
import { offsetOfFileName } from '../../storage/log-files.ts'
import { TimeIndex } from '../../storage/segment/time-index.ts'
import { filesBelow } from './dump-log.ts'
import { type IndexedBatch, OffsetIndexCheck, TimeIndexCheck } from './index-check.ts'
import { offsetsOf, type Stretch, walkSegment } from './segment-walk.ts'
import { transactionEntries } from './transaction-entries.ts'

/** Something that is not as it was written. */
export interface Finding {
  readonly file: string
  /** Byte in the file; null when it is about the whole file. */
  readonly position: number | null
  readonly problem: string
}

export interface Verification {
  readonly fileCount: number
  readonly batchCount: number
  readonly recordCount: number
  readonly byteCount: number
  readonly findings: readonly Finding[]
}

const LOG_FILE = /^(\d{20}\.(log|index|timeindex|txnindex|snapshot)|\d{20}-\d{10}\.checkpoint)$/
/** Files of batches: the logs, and the snapshots of the metadata. */
const BATCH_SUFFIXES: ReadonlySet<string> = new Set(['.log', '.checkpoint'])

const fs = new NodeFileSystem()

/** Bytes that `verifyLogs` will read. */
export function bytesToVerify(directory: string): number {
  if (fs.stat(directory)?.isDirectory !== true) {
    throw new ConfigError(`${directory} is no directory`)
  }
  let byteCount = 0
  for (const file of logFiles(directory)) byteCount += fs.stat(file)?.sizeBytes ?? 0
  return byteCount
}

/**
 * Checks every batch (length, CRC, order of offsets), offset and time indexes against their log, every
 * transaction index and snapshot.
 * Nothing is changed. Blocks: it is for the command line.
 * @param progress told how many bytes were checked since the last call
 */
export function verifyLogs(directory: string, progress: (byteCount: number) => void): Verification {
  const totals = { fileCount: 0, batchCount: 0, recordCount: 0, byteCount: 0 }
  const findings: Finding[] = []
  for (const file of logFiles(directory)) {
    totals.fileCount++
    const byteCount = fs.stat(file)?.sizeBytes ?? 0
    totals.byteCount += byteCount
    if (BATCH_SUFFIXES.has(extname(file))) verifySegment(file, totals, findings, progress)
    else {
      const problem = problemOf(file)
      if (problem !== undefined) findings.push({ file, position: null, problem })
      progress(byteCount)
    }
  }
  if (totals.fileCount === 0) throw new ConfigError(`${directory} has no files of a Kafka log`)
  return { ...totals, findings }
}

function* logFiles(directory: string): Generator<string> {
  for (const file of filesBelow(directory)) if (LOG_FILE.test(basename(file))) yield file
}

interface Totals {
  batchCount: number
  recordCount: number
}

function verifySegment(
  file: string,
  totals: Totals,
  findings: Finding[],
  progress: (byteCount: number) => void,
): void {
  const found = (position: number, problem: string): void => {
    findings.push({ file, position, problem })
  }
  const handle = fs.open(file, 'read')
  const indexes = file.endsWith('.log')
    ? [new OffsetIndexCheck(file), new TimeIndexCheck(file)]
    : []
  try {
    // The name of a checkpoint says where the snapshot ends; its own offsets begin with 0.
    let nextOffset = Math.max(offsetOfFileName(basename(file), '.log'), 0)
    let isBehindDamage = false
    for (const stretch of walkSegment(handle)) {
      progress(stretch.sizeBytes)
      const { position } = stretch
      if (stretch.kind === 'damage') {
        const where = stretch.isInMiddle ? 'records are lost here' : 'at the end, a start cuts it'
        found(position, `${stretch.reason} (${stretch.sizeBytes} bytes, ${where})`)
        isBehindDamage = true
        continue
      }
      const batch = indexedBatchOf(stretch)
      totals.batchCount++
      totals.recordCount += recordCountOf(stretch.buffer, stretch.at)
      if (batch.baseOffset < nextOffset) {
        found(position, `the batch begins at offset ${batch.baseOffset}, below ${nextOffset}`)
      }
      nextOffset = batch.lastOffset + 1
      for (const index of indexes) {
        if (isBehindDamage) index.skipTo(batch)
        index.batch(batch)
      }
      isBehindDamage = false
    }
    for (const index of indexes) {
      if (isBehindDamage) index.skipTo(undefined)
      for (const problem of index.problems()) {
        findings.push({ file: index.file, position: null, problem })
      }
    }
  } finally {
    handle.close()
  }
}

function indexedBatchOf(stretch: Stretch & { readonly kind: 'batch' }): IndexedBatch {
  const { position, buffer, at } = stretch
  const [baseOffset, lastOffset] = offsetsOf(stretch)
  return { position, baseOffset, lastOffset, maxTimestampMs: maxTimestampOf(buffer, at) }
}

/** What is wrong with a file by itself; offset indexes are checked with their logs. */
function problemOf(file: string): string | undefined {
  const suffix = extname(file)
  const content = fs.readFile(file)
  if (suffix === '.timeindex') {
    const index = TimeIndex.parse(offsetOfFileName(basename(file), suffix), content)
    return index === null ? 'it is no time index: remove it, the broker makes it again' : undefined
  }
  try {
    if (suffix === '.txnindex') transactionEntries(file, content)
    if (suffix === '.snapshot') decodeProducerSnapshot(content)
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof ConfigError) return error.message
    throw error
  }
}

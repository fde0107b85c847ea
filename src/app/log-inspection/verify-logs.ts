import { basename, extname } from 'node:path'
import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError, ProtocolError } from '../../base/errors.ts'
import { decodeProducerSnapshot } from '../../records/internal/producer-snapshot.ts'
import { recordCountOf } from '../../records/record-batch.ts'
import { offsetOfFileName } from '../../storage/log-files.ts'
import { TimeIndex } from '../../storage/time-index.ts'
import { filesBelow } from './dump-log.ts'
import { type OffsetEntry, offsetEntries } from './index-entries.ts'
import { offsetsOf, walkSegment } from './segment-walk.ts'
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

const LOG_FILE = /^\d{20}\.(log|index|timeindex|txnindex|snapshot)$/

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
 * Checks every batch (length, CRC, order of offsets), every index against its log, every snapshot.
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
    if (extname(file) === '.log') verifySegment(file, totals, findings, progress)
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

function verifySegment(
  file: string,
  totals: { batchCount: number; recordCount: number },
  findings: Finding[],
  progress: (byteCount: number) => void,
): void {
  const found = (position: number, problem: string): void => {
    findings.push({ file, position, problem })
  }
  const handle = fs.open(file, 'read')
  try {
    const index = new IndexCheck(file)
    let nextOffset = offsetOfFileName(basename(file), '.log')
    for (const stretch of walkSegment(handle)) {
      progress(stretch.sizeBytes)
      const { position } = stretch
      if (stretch.kind === 'damage') {
        const where = stretch.isInMiddle ? 'records are lost here' : 'at the end, a start cuts it'
        found(position, `${stretch.reason} (${stretch.sizeBytes} bytes, ${where})`)
        continue
      }
      const [baseOffset, lastOffset] = offsetsOf(stretch)
      totals.batchCount++
      totals.recordCount += recordCountOf(stretch.buffer, stretch.at)
      if (baseOffset < nextOffset) {
        found(position, `the batch begins at offset ${baseOffset}, below ${nextOffset}`)
      }
      nextOffset = lastOffset + 1
      index.batch(position, baseOffset, lastOffset)
    }
    for (const problem of index.problems()) {
      findings.push({ file: index.file, position: null, problem })
    }
  } finally {
    handle.close()
  }
}

/** Follows the entries of an offset index while the batches of its log go by. */
class IndexCheck {
  readonly file: string
  readonly #entries: readonly OffsetEntry[]
  readonly #problems: string[] = []
  #next = 0

  constructor(logFile: string) {
    this.file = logFile.replace(/\.log$/, '.index')
    this.#entries = this.#load()
  }

  batch(position: number, baseOffset: number, lastOffset: number): void {
    for (;;) {
      const entry = this.#entries[this.#next]
      if (entry === undefined || entry.position > position) return
      this.#next++
      const isRight =
        entry.position === position && entry.offset >= baseOffset && entry.offset <= lastOffset
      if (!isRight) this.#report(entry)
    }
  }

  /** Entries behind the last batch point nowhere. */
  problems(): readonly string[] {
    for (const entry of this.#entries.slice(this.#next)) this.#report(entry)
    return this.#problems
  }

  #report({ offset, position }: OffsetEntry): void {
    this.#problems.push(`the entry of offset ${offset} names position ${position}, where it is not`)
  }

  #load(): readonly OffsetEntry[] {
    if (fs.stat(this.file) === undefined) return []
    try {
      const baseOffset = offsetOfFileName(basename(this.file), '.index')
      return offsetEntries(this.file, fs.readFile(this.file), baseOffset)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.#problems.push(error.message)
      return []
    }
  }
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

import { basename, dirname, extname, join } from 'node:path'
import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError, ProtocolError } from '../../base/errors.ts'
import { decodeProducerSnapshot } from '../../records/internal/producer-snapshot.ts'
import {
  baseOffsetOf,
  baseSequenceOf,
  Codec,
  codecOf,
  isControl,
  isTransactional,
  lastOffsetOf,
  maxTimestampOf,
  partitionLeaderEpochOf,
  producerEpochOf,
  producerIdOf,
  recordCountOf,
} from '../../records/record-batch.ts'
import { recordsOf } from '../../records/records-iterator.ts'
import { offsetOfFileName, parsePartitionDirectory } from '../../storage/log-files.ts'
import { offsetEntries, timeEntries } from './index-entries.ts'
import { type Printable, printableRecord } from './record-printing.ts'
import { walkSegment } from './segment-walk.ts'
import { transactionEntries } from './transaction-entries.ts'

/** One thing found in a file. */
export type DumpRow = { readonly [name: string]: Printable }

const CODEC_NAMES = Object.fromEntries(
  Object.entries(Codec).map(([name, number]) => [number, name.toLowerCase()]),
)

const METADATA_TOPIC = '__cluster_metadata'
const TEXT_FILE = /^(.+-checkpoint|partition\.metadata|meta\.properties|quorum-state)$/

const fs = new NodeFileSystem()

/**
 * Reads a file of a data directory, or every file below a directory.
 * @param withRecords also the records in the batches
 * @throws ConfigError when there is nothing, or nothing that can be dumped
 */
export function* dumpLog(path: string, withRecords: boolean): Generator<DumpRow> {
  const status = fs.stat(path)
  if (status === undefined) throw new ConfigError(`${path} is not there`)
  if (!status.isDirectory) {
    const rows = rowsOf(path, withRecords)
    if (rows === undefined) throw new ConfigError(`${path} is no file of a Kafka log`)
    yield* rows
    return
  }
  let seen = 0
  for (const file of filesBelow(path)) {
    const rows = rowsOf(file, withRecords)
    if (rows === undefined) continue
    seen++
    yield { type: 'file', path: file }
    yield* rows
  }
  if (seen === 0) throw new ConfigError(`${path} has no files of a Kafka log`)
}

/** All files below a directory, sorted. */
export function* filesBelow(directory: string): Generator<string> {
  for (const name of fs.list(directory)) {
    const path = join(directory, name)
    if (fs.stat(path)?.isDirectory === true) yield* filesBelow(path)
    else yield path
  }
}

/** The topic a file belongs to, by the name of its directory. */
export function topicOf(file: string): string | undefined {
  return parsePartitionDirectory(basename(dirname(file)))?.topic
}

/** What the cleaner or a deletion leaves beside the log; the files are what they were before. */
const PASSING_SUFFIX = /\.(deleted|cleaned|swap)$/

function rowsOf(path: string, withRecords: boolean): Iterable<DumpRow> | undefined {
  const name = basename(path).replace(PASSING_SUFFIX, '')
  const suffix = extname(name)
  switch (suffix) {
    case '.log':
      return batchRows(path, topicOf(path), withRecords)
    case '.checkpoint':
      // A snapshot of the metadata; it is told by its suffix as `bootstrap.checkpoint` is in no partition.
      return batchRows(path, METADATA_TOPIC, withRecords)
    case '.index':
      return offsetEntries(path, fs.readFile(path), offsetOfFileName(name, suffix)).map(
        ({ offset, position }) => ({ type: 'offset index entry', offset, position }),
      )
    case '.timeindex':
      return timeEntries(path, fs.readFile(path), offsetOfFileName(name, suffix)).map(
        ({ timestampMs, offset }) => ({ type: 'time index entry', timestamp: timestampMs, offset }),
      )
    case '.txnindex':
      return transactionEntries(path, fs.readFile(path)).map((entry) => ({
        type: 'aborted transaction',
        ...entry,
      }))
    case '.snapshot':
      return snapshotRows(path)
  }
  return TEXT_FILE.test(name) ? lineRows(path) : undefined
}

function lineRows(path: string): DumpRow[] {
  const lines = fs.readFile(path).toString('utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => ({ type: 'line', text: line }))
}

function* batchRows(
  path: string,
  topic: string | undefined,
  withRecords: boolean,
): Generator<DumpRow> {
  const handle = fs.open(path, 'read')
  try {
    for (const stretch of walkSegment(handle)) {
      if (stretch.kind === 'damage') {
        const { position, sizeBytes, reason } = stretch
        yield { type: 'damage', position, sizeBytes, reason }
        continue
      }
      const { buffer, at, position, sizeBytes } = stretch
      yield { type: 'batch', position, sizeBytes, ...batchFields(buffer, at) }
      if (withRecords) yield* recordRows(buffer, at, topic)
    }
  } finally {
    handle.close()
  }
}

function batchFields(buffer: Buffer, at: number): DumpRow {
  return {
    baseOffset: baseOffsetOf(buffer, at),
    lastOffset: lastOffsetOf(buffer, at),
    records: recordCountOf(buffer, at),
    leaderEpoch: partitionLeaderEpochOf(buffer, at),
    maxTimestamp: maxTimestampOf(buffer, at),
    codec: CODEC_NAMES[codecOf(buffer, at)] ?? codecOf(buffer, at),
    producerId: producerIdOf(buffer, at),
    producerEpoch: producerEpochOf(buffer, at),
    baseSequence: baseSequenceOf(buffer, at),
    isTransactional: isTransactional(buffer, at),
    isControl: isControl(buffer, at),
  }
}

function* recordRows(buffer: Buffer, at: number, topic: string | undefined): Generator<DumpRow> {
  const isControlBatch = isControl(buffer, at)
  for (const record of recordsOf(buffer, at)) {
    yield { type: 'record', ...printableRecord(record, topic, isControlBatch) }
  }
}

function snapshotRows(path: string): DumpRow[] {
  try {
    return decodeProducerSnapshot(fs.readFile(path)).map((entry) => ({
      type: 'producer',
      ...entry,
    }))
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return [{ type: 'damage', reason: error.message }]
  }
}

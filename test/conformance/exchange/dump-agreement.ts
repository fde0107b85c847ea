import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { mustRunTool, words } from '../kafka-tools/tool.ts'
import { mustRun } from '../support/command.ts'

const SPOOL = join(import.meta.dirname, '..', '..', '..', 'bin', 'spool.mjs')
const COMPLAINT = /found timestamp mismatch|mismatches in|corrupt|isvalid: false|out of order/i

/** What DumpLogSegments is told of the records in partitions of a topic. */
export const DECODERS: Readonly<Record<string, string>> = {
  __consumer_offsets: '--offsets-decoder',
  __transaction_state: '--transaction-log-decoder',
  __share_group_state: '--share-group-state-decoder',
  __cluster_metadata: '--cluster-metadata-decoder',
}
/** What Kafka prints above the entries. */
const TITLE = /^(Log starting offset|Snapshot end offset):/
const DUMPED = /\.(log|checkpoint|index|timeindex|txnindex|snapshot)$/
/** States of a transaction, by what the log has for them. */
const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]

type Row = Readonly<Record<string, unknown>>

/**
 * Lets DumpLogSegments and `spool log dump` read every file of a stopped broker, each record with
 * its decoder, and compares line by line.
 * @returns how many files with entries there were of each kind, and for each decoder
 */
export async function expectSameDumps(dataDir: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const byTopic = new Map<string, string[]>()
  for (const directory of (await readdir(dataDir)).sort()) {
    const path = join(dataDir, directory)
    const topic = /^(.+)-\d+$/.exec(directory)?.[1]
    if (topic === undefined || !(await stat(path)).isDirectory()) continue
    const decoder = DECODERS[topic] ?? ''
    const files = byTopic.get(decoder) ?? []
    files.push(...(await filesOf(path)))
    byTopic.set(decoder, files)
  }
  const dumps = await dumpBySpool(dataDir)
  for (const [decoder, files] of byTopic) {
    const kafka = await dumpByKafka(files, decoder)
    for (const file of files) {
      const spool = dumps.get(file) ?? []
      const lines = (kafka.get(file) ?? []).filter((line) => !TITLE.test(line))
      assert.equal(spool.length, lines.length, `${file} has as many entries for both`)
      for (const [index, line] of lines.entries()) expectSame(file, line, spool[index] as Row)
      if (spool.length === 0) continue
      for (const kind of [file.slice(file.lastIndexOf('.')), decoder])
        counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
  }
  return counts
}

async function filesOf(directory: string): Promise<string[]> {
  const files: string[] = []
  for (const name of (await readdir(directory)).filter((one) => DUMPED.test(one)).sort()) {
    const file = join(directory, name)
    // Kafka's tool can't map a file without content.
    if ((await stat(file)).size > 0) files.push(file)
  }
  return files
}

async function dumpByKafka(files: readonly string[], decoder: string) {
  const flags = words(`--deep-iteration --print-data-log ${decoder}`)
  const output = await mustRunTool('dump-log', [...flags, '--files', files.join(',')])
  assert.doesNotMatch(output, COMPLAINT)
  const byFile = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of output.trimEnd().split('\n')) {
    const file = /^Dumping (.+)$/.exec(line)?.[1]
    if (file === undefined) {
      lines.push(line)
    } else {
      lines = []
      byFile.set(file, lines)
    }
  }
  return byFile
}

async function dumpBySpool(dataDir: string): Promise<Map<string, Row[]>> {
  const args = [SPOOL, 'log', 'dump', '--records', '-o', 'json', dataDir]
  const byFile = new Map<string, Row[]>()
  let rows: Row[] = []
  for (const line of (await mustRun(process.execPath, args)).trimEnd().split('\n')) {
    const row = JSON.parse(line) as Row
    if (row['type'] === 'file') {
      rows = []
      byFile.set(String(row['path']), rows)
    } else {
      rows.push(row)
    }
  }
  return byFile
}

/** `name: value` pairs of a line; the last value goes to its end. */
function fieldsOf(line: string, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of names) {
    const match = new RegExp(`(?:^| )${name}: (\\S+)`).exec(line)
    if (match !== null) found[name] = match[1] as string
  }
  return found
}

/** By type of Spool's row: its fields, and what Kafka calls them. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  batch: {
    position: 'position',
    sizeBytes: 'size',
    baseOffset: 'baseOffset',
    lastOffset: 'lastOffset',
    records: 'count',
    leaderEpoch: 'partitionLeaderEpoch',
    maxTimestamp: 'CreateTime',
    codec: 'compresscodec',
    producerId: 'producerId',
    producerEpoch: 'producerEpoch',
    baseSequence: 'baseSequence',
    isTransactional: 'isTransactional',
    isControl: 'isControl',
  },
  record: { offset: 'offset', timestamp: 'CreateTime' },
  'offset index entry': { offset: 'offset', position: 'position' },
  'time index entry': { timestamp: 'timestamp', offset: 'offset' },
  'aborted transaction': {
    producerId: 'producerId',
    firstOffset: 'firstOffset',
    lastOffset: 'lastOffset',
    lastStableOffset: 'lastStableOffset',
  },
  producer: {
    producerId: 'producerId',
    epoch: 'producerEpoch',
    coordinatorEpoch: 'coordinatorEpoch',
    timestamp: 'lastTimestamp',
  },
}

function expectSame(file: string, line: string, row: Row): void {
  const names = NAMES[String(row['type'])]
  assert.ok(names, `${basename(file)}: ${JSON.stringify(row)}`)
  const kafka = fieldsOf(line, Object.values(names))
  for (const [ours, theirs] of Object.entries(names))
    assert.equal(String(row[ours]), kafka[theirs], `${theirs} in ${file}:\n${line}`)
  if (row['type'] === 'producer') expectSameProducer(line, row)
  if (row['type'] === 'record') expectSameRecord(file, line, row)
}

/** Kafka has no last batch to tell of when the last thing was a marker. */
function expectSameProducer(line: string, row: Row): void {
  const first = /currentTxnFirstOffset: OptionalLong(?:\[(\d+)\]|\.empty)/.exec(line)?.[1] ?? '-1'
  assert.equal(String(row['currentTxnFirstOffset']), first, line)
  const last = fieldsOf(line, ['lastSequence', 'lastOffset', 'offsetDelta'])
  for (const [name, value] of Object.entries(last)) assert.equal(String(row[name]), value, line)
}

function expectSameRecord(file: string, line: string, row: Row): void {
  const where = `${file}:\n${line}`
  const marker = /endTxnMarker: (\S+) coordinatorEpoch: (\d+)/.exec(line)
  const control = /headerKeys: \[\] (?!payload|key)(\w+):? (\{.*\})$/.exec(line)
  const decoded = row['decoded'] as Row | undefined
  if (marker !== null) {
    assert.deepEqual(
      decoded,
      { controlType: marker[1], coordinatorEpoch: Number(marker[2]) },
      where,
    )
  } else if (control !== null) {
    expectWithin(parse(control[2]), decoded?.['value'], where)
  } else {
    const key = / key: (.*?) payload: /.exec(line)?.[1] ?? / key: (.*)$/.exec(line)?.[1] ?? null
    const value = / payload: (.*)$/.exec(line)?.[1] ?? null
    if (decoded !== undefined) expectSameDecoded(key, value, decoded, where)
    else assert.deepEqual([row['key'], row['value']], [key, value], where)
  }
}

/** A typed record of an internal topic: `{"type":…,"data":{…}}`. */
function expectSameDecoded(key: string | null, value: string | null, row: Row, where: string) {
  if (key !== null) expectWithin(dataOf(key), row['key'], where)
  const payload = value === null || value === '<DELETE>' ? null : (parse(value) as Row | null)
  if (payload === null || payload['data'] === undefined) {
    assert.equal(row['value'], null, where)
    return
  }
  expectWithin(payload['data'], row['value'], where)
  if (key !== null) return
  const name = String(payload['type']).replaceAll('_', '').toLowerCase()
  assert.equal(String(row['name']).toLowerCase(), name, where)
  assert.equal(row['version'], Number(payload['version']), where)
}

const dataOf = (text: string): unknown => (parse(text) as Row | null)?.['data']

/** JSON with numbers above 2^53 as text. */
const parse = (text: string | undefined): unknown =>
  JSON.parse((text ?? 'null').replaceAll(/:(-?\d{16,})(?=[,}\]])/g, ':"$1"'))

/** Kafka leaves out tagged fields that have their default; all others must be the same. */
function expectWithin(kafka: unknown, spool: unknown, where: string): void {
  if (Array.isArray(kafka)) {
    assert.ok(Array.isArray(spool) && spool.length === kafka.length, where)
    for (const [index, one] of kafka.entries()) expectWithin(one, spool[index], where)
  } else if (kafka !== null && typeof kafka === 'object') {
    // What members of classic groups say is bytes to a broker; the tool knows consumers.
    if (/^(subscription|assignment) in /.test(where)) return
    assert.ok(spool !== null && typeof spool === 'object', where)
    for (const [name, one] of Object.entries(kafka as Row)) {
      if (name === 'transactionStatus') {
        const state: number = (spool as { transactionStatus: number }).transactionStatus
        assert.equal(TRANSACTION_STATES[state], one, where)
      } else expectWithin(one, (spool as Row)[name], `${name} in ${where}`)
    }
  } else if (typeof kafka === 'string' && kafka !== spool) {
    assert.equal(String(spool).replace(/^base64:/, ''), asBytes(kafka, String(spool)), where)
  } else {
    assert.equal(String(spool), String(kafka), where)
  }
}

/** Bytes are base64 with Kafka; with Spool only where they are no text. */
const asBytes = (kafka: string, spool: string): string =>
  spool.startsWith('base64:') ? kafka : Buffer.from(kafka, 'base64').toString('utf8')

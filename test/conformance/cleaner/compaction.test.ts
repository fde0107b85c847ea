import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Codec, codecOf, sizeInBytesOf } from '../../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../src/records/records-iterator.ts'
import { mustRunTool } from '../kafka-tools/tool.ts'
import { installKafka } from '../peers/kafka.ts'
import { mustRun } from '../support/command.ts'
import { CONFIG, CompactedLog, fill, TOPIC } from './workload.ts'

const MINUTE = 60_000
const LENGTH_POSITION = 8
const CRC_POSITION = 17
const COMPLAINT = /(found timestamp mismatch|mismatches in|corrupt|isvalid: false|out of order)/i

/** Names and content of the files with an ending, those without content left out. */
async function filesOf(directory: string, ending: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const name of (await readdir(directory)).filter((one) => one.endsWith(ending)).sort()) {
    const content = await readFile(join(directory, name))
    if (content.byteLength > 0) files.set(name, content)
  }
  return files
}

/** A batch as far as two libraries of one codec must agree on it. */
function describeBatch(content: Buffer, at: number): unknown {
  const bytes = content.subarray(at, at + sizeInBytesOf(content, at))
  if (codecOf(content, at) === Codec.NONE) return bytes.toString('hex')
  const header = Buffer.from(bytes.subarray(0, 61))
  header.writeInt32BE(0, LENGTH_POSITION)
  header.writeUInt32BE(0, CRC_POSITION)
  return { header: header.toString('hex'), records: [...recordsOf(content, at)] }
}

const describeLog = (content: Buffer): unknown[] =>
  [...batchPositions(content)].map((at) => describeBatch(content, at))

async function expectSame(kafka: string, spool: string): Promise<void> {
  const expected = await filesOf(kafka, '.log')
  const actual = await filesOf(spool, '.log')
  assert.deepEqual([...actual.keys()], [...expected.keys()])
  for (const [name, content] of expected)
    assert.deepEqual(describeLog(actual.get(name) as Buffer), describeLog(content), name)
  assert.deepEqual(await filesOf(spool, '.txnindex'), await filesOf(kafka, '.txnindex'))
}

interface Case {
  readonly what: string
  readonly mapBytes: number
  readonly roundCount: number
  /** Each round begins where the one before ended; else all of them compact all of the log. */
  readonly goesOn: boolean
}

const CASES: readonly Case[] = [
  { what: 'again and again', mapBytes: 1_048_576, roundCount: 12, goesOn: false },
  { what: 'with a map too small for the keys', mapBytes: 24 * 40, roundCount: 30, goesOn: true },
]

/** Compacts with Spool and keeps what comes of each round; tells Kafka to do the same. */
async function compact(root: string, one: Case): Promise<{ rounds: string[]; ends: number[] }> {
  const partition = join(root, 'spool', `${TOPIC}-0`)
  const logs = [...(await filesOf(partition, '.log')).keys()]
  const upperBound = Number.parseInt(logs.at(-1) ?? '', 10)
  const rounds: string[] = []
  const ends: number[] = []
  let nowMs = Date.now()
  for (let round = 0; round < one.roundCount; round++) {
    const spool = new CompactedLog(join(root, 'spool'), one.mapBytes, nowMs)
    rounds.push(`${one.goesOn ? (ends.at(-1) ?? 0) : 0}:${upperBound}:${nowMs}`)
    const result = await spool.manager.compact(spool.log)
    assert(result !== null)
    ends.push(result.endOffset)
    await cp(partition, join(root, 'rounds', String(round)), { recursive: true })
    await spool.manager.close()
    if (!one.goesOn) await rm(join(root, 'spool', 'cleaner-offset-checkpoint'))
    nowMs += MINUTE / 4
  }
  return { rounds, ends }
}

async function compactWithKafka(root: string, mapBytes: number, rounds: readonly string[]) {
  const configs = [
    'cleanup.policy=compact',
    `internal.segment.bytes=${CONFIG.segmentBytes}`,
    `delete.retention.ms=${CONFIG.deleteRetentionMs}`,
    `index.interval.bytes=${CONFIG.indexIntervalBytes}`,
  ]
  const program = join(import.meta.dirname, 'CleanLog.java')
  const directories = [join(root, 'kafka', `${TOPIC}-0`), join(root, 'copies')]
  const args = [program, ...directories, String(mapBytes), ...configs, ...rounds]
  const output = await mustRun('java', ['-cp', join(await installKafka(), '*'), ...args])
  return output.trim().split('\n').map(Number)
}

for (const one of CASES) {
  describe(`a log compacted by Apache Kafka's cleaner and by Spool, ${one.what}`, () => {
    let root = ''
    before(async () => {
      root = await mkdtemp(join(tmpdir(), 'conformance-cleaner-'))
      const filled = new CompactedLog(join(root, 'spool'), one.mapBytes, Date.now())
      await fill(filled, 20_261_125, 1500)
      await filled.manager.close()
      const [from, to] = ['spool', 'kafka'].map((name) => join(root, name, `${TOPIC}-0`))
      await cp(from as string, to as string, { recursive: true })
    })
    after(() => rm(root, { recursive: true, force: true }))

    it('is the same after each round, batch by batch, while delete.retention.ms passes', async () => {
      const { rounds, ends } = await compact(root, one)
      assert.deepEqual(await compactWithKafka(root, one.mapBytes, rounds), ends)
      for (const round of rounds.keys())
        await expectSame(join(root, 'copies', String(round)), join(root, 'rounds', String(round)))
    })

    it('is read by DumpLogSegments without complaint, with its indexes', async () => {
      const partition = join(root, 'spool', `${TOPIC}-0`)
      const paths = (files: Map<string, Buffer>) =>
        [...files.keys()].map((name) => join(partition, name)).join(',')
      const logs = paths(await filesOf(partition, '.log'))
      const text = await mustRunTool('dump-log', ['--deep-iteration', '--files', logs])
      assert.doesNotMatch(text, COMPLAINT)
      assert.match(text, /deleteHorizonMs: OptionalLong\[\d+\]/)
      for (const ending of ['.index', '.timeindex']) {
        const indexes = paths(await filesOf(partition, ending))
        const checks = ending === '.index' ? ['--index-sanity-check'] : []
        const dumped = await mustRunTool('dump-log', [...checks, '--files', indexes])
        assert.doesNotMatch(dumped, COMPLAINT)
      }
    })
  })
}

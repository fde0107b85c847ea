import { rmSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installKafka } from '../../conformance/peers/kafka.ts'
import { mustRun } from '../../conformance/support/command.ts'
import type { TargetKind } from '../../conformance/target.ts'
import type { Scenario } from '../scenario.ts'
import { IO_BUFFER_BYTES, MAP_BYTES, SEGMENT_BYTES, writeTable } from './table-log.ts'

const RECORD_COUNT = 2_000_000
const WRITES_PER_KEY = 4
const VALUE_BYTES = 200
/** A broker's virtual machine is warm when it compacts; a thread of Spool's is always new. */
const RUNS: Readonly<Record<TargetKind, number>> = { kafka: 3, spool: 1 }
const LIMIT_MS = 300_000

interface Figures {
  /** Bytes of the log before. */
  readonly bytes: number
  readonly seconds: number
  readonly cpuSeconds: number
}

/** Both cleaners compact copies of one table, which was written once. */
export function cleanerScenario(name: string, title: string, isCompressed: boolean): Scenario {
  const tables = new Map<number, Promise<string>>()
  const tableOf = (recordCount: number): Promise<string> => {
    const made = tables.get(recordCount) ?? makeTable(recordCount, isCompressed)
    tables.set(recordCount, made)
    return made
  }
  return {
    name,
    title,
    metrics: [
      { name: 'rate', unit: 'MB/s', goal: { ratioAtLeast: 1 } },
      { name: 'CPU per GB', unit: 's', goal: { ratioAtMost: 1 } },
    ],
    run: async ({ kind, scale }) => {
      const recordCount = Math.max(2000, RECORD_COUNT * scale)
      const { bytes, seconds, cpuSeconds } = await timeCleaner(kind, await tableOf(recordCount))
      return { rate: bytes / 1e6 / seconds, 'CPU per GB': cpuSeconds / (bytes / 1e9) }
    },
  }
}

async function makeTable(recordCount: number, isCompressed: boolean): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spool-bench-table-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const keyCount = recordCount / WRITES_PER_KEY
  await writeTable(directory, { recordCount, keyCount, valueBytes: VALUE_BYTES, isCompressed })
  return directory
}

async function timeCleaner(kind: TargetKind, table: string): Promise<Figures> {
  const root = await mkdtemp(join(tmpdir(), 'spool-bench-cleaner-'))
  try {
    const copies: string[] = []
    for (let run = 0; run < RUNS[kind]; run++) {
      copies.push(join(root, String(run)))
      await cp(table, join(root, String(run)), { recursive: true })
    }
    // Else the disk would still be busy with the copies.
    await mustRun('sync', [])
    const output = await (kind === 'kafka' ? runKafka(copies) : runSpool(copies))
    return JSON.parse(output) as Figures
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

function runSpool(copies: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, 'time-cleaner.ts')
  return mustRun(process.execPath, [program, ...copies], { limitMs: LIMIT_MS })
}

async function runKafka(copies: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, 'TimeCleaner.java')
  const sizes = [MAP_BYTES, IO_BUFFER_BYTES, SEGMENT_BYTES].map(String)
  const directories = copies.map((copy) => join(copy, 'compacted-0'))
  const java = ['-Xmx512m', '-cp', join(await installKafka(), '*'), program]
  return mustRun('java', [...java, ...sizes, ...directories], { limitMs: LIMIT_MS })
}

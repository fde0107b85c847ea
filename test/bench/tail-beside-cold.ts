import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../conformance/support/command.ts'
import { startTarget, type Target, type TargetKind } from '../conformance/target.ts'
import { createTopic, fillTopic } from './broker-client.ts'
import { consumerPerformance, endToEndLatency } from './perf-tools.ts'
import { residentBytesOf } from './process-usage.ts'
import type { Scenario } from './scenario.ts'

const OLD = 'old'
const TAIL = 'tail'
const PARTITION_COUNT = 6
const OLD_BYTES = 1.2e9
const LEAST_BYTES = 10e6
const RECORD_COUNT = 10_000
const LEAST_RECORDS = 500
const MB = 1e6

/** What a reader at the end of a topic feels of one that reads old records from the disk. */
export function tailBesideColdScenario(
  brokerConfig: Readonly<Record<TargetKind, Readonly<Record<string, string>>>>,
): Scenario {
  return {
    name: 'tail-beside-cold',
    title: 'EndToEndLatency beside a consumer of 1.2 GB that no memory holds',
    metrics: [
      { name: 'average alone', unit: 'ms' },
      { name: 'average beside it', unit: 'ms' },
      { name: 'p99 alone', unit: 'ms' },
      { name: 'p99 beside it', unit: 'ms' },
      { name: 'cold reads', unit: 'MB/s' },
      { name: 'more memory', unit: 'MB' },
    ],
    run: async ({ kind, scale }) => {
      const target = await startTarget(kind, { config: brokerConfig[kind] })
      try {
        return await measureBeside(target, scale)
      } finally {
        await target.stop()
      }
    },
  }
}

async function measureBeside(target: Target, scale: number) {
  const { bootstrap, pid } = target
  await createTopic(bootstrap, TAIL, 1)
  await createTopic(bootstrap, OLD, PARTITION_COUNT)
  const bytes = Math.max(LEAST_BYTES, OLD_BYTES * scale)
  const fill = { partitionCount: PARTITION_COUNT, bytes, writesPerKey: 100 }
  const recordCount = await fillTopic(bootstrap, OLD, fill)
  const latency = () => {
    const count = Math.max(LEAST_RECORDS, RECORD_COUNT * scale)
    return endToEndLatency(bootstrap, TAIL, count, 100)
  }
  // For the just-in-time compilers.
  await latency()
  const alone = await latency()
  const memoryBefore = residentBytesOf(pid)
  let isDone = false
  let memoryAfter = 0
  const rates: number[] = []
  const readCold = async (): Promise<void> => {
    while (!isDone) {
      await dropPageCache(target)
      const { megabytesPerSecond } = await consumerPerformance(bootstrap, OLD, recordCount)
      rates.push(megabytesPerSecond)
      memoryAfter = Math.max(memoryAfter, residentBytesOf(pid))
    }
  }
  const reading = readCold()
  const beside = await latency().finally(() => {
    isDone = true
  })
  await reading
  return {
    'average alone': alone.averageMs,
    'average beside it': beside.averageMs,
    'p99 alone': alone.p99Ms,
    'p99 beside it': beside.p99Ms,
    'cold reads': rates[0] ?? Number.NaN,
    'more memory': Math.max(0, memoryAfter - memoryBefore) / MB,
  }
}

/** What dd is told to do with `nocache` and nothing to copy: forget the file's pages. */
async function dropPageCache({ dataDir }: Target): Promise<void> {
  for (let partition = 0; partition < PARTITION_COUNT; partition++) {
    const directory = join(dataDir, `${OLD}-${partition}`)
    for (const name of (await readdir(directory)).filter((one) => one.endsWith('.log'))) {
      const file = `of=${join(directory, name)}`
      await mustRun('dd', [file, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'])
    }
  }
}

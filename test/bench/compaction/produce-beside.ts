import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startTarget, type Target, type TargetKind } from '../../conformance/target.ts'
import { createTopic, fillTopic, setTopicConfig } from '../broker-client.ts'
import { runLoad } from '../load-generator.ts'
import type { Metric, Scenario } from '../scenario.ts'

const PARTITION_COUNT = 6
const TABLE = 'table'
const LOAD = 'load'
const TABLE_BYTES = 1.2e9
/** A look at a small scale needs something to compact too. */
const LEAST_BYTES = 30e6
const SECONDS = 2
const LEAST_SECONDS = 0.5
const POLL_MS = 20
const START_LIMIT_MS = 60_000
/** Below this scale the compaction may be over before the load is. */
const FAITHFUL_SCALE = 0.2
const SEGMENTS_PER_PARTITION = 4
/** Kafka takes no smaller ones. */
const LEAST_SEGMENT_BYTES = 1024 * 1024
const DAY_MS = 24 * 3_600_000
/** Both look for work ten times a second instead of every 15 seconds. */
const CLEANER_CONFIG = { 'log.cleaner.backoff.ms': '100' }

export interface BesideOptions {
  readonly name: string
  readonly title: string
  readonly brokerConfig: Readonly<Record<TargetKind, Readonly<Record<string, string>>>>
  readonly loadConfig: Readonly<Partial<Record<TargetKind, Readonly<Record<string, string>>>>>
}

/** What small requests to one topic feel of the compaction of another, at full speed. */
export function besideScenario(options: BesideOptions): Scenario {
  const { name, title, brokerConfig, loadConfig } = options
  const metrics: Metric[] = ['p50 alone', 'p50 beside it', 'p99 alone', 'p99 beside it'].map(
    (metric) => ({ name: metric, unit: 'µs' }),
  )
  return {
    name,
    title,
    needsCompiler: true,
    metrics,
    run: async ({ kind, scale }) => {
      const target = await startTarget(kind, {
        config: { ...brokerConfig[kind], ...CLEANER_CONFIG },
      })
      try {
        const { bootstrap } = target
        await createTopic(bootstrap, LOAD, 4, loadConfig[kind])
        await makeTable(bootstrap, Math.max(LEAST_BYTES, TABLE_BYTES * scale))
        const seconds = Math.max(LEAST_SECONDS, SECONDS * scale)
        const load = () => runLoad('produce', bootstrap, [LOAD, 4, 4, 1, 200, seconds, -1], seconds)
        // For the just-in-time compilers.
        await load()
        const alone = await load()
        await setTopicConfig(bootstrap, TABLE, { 'min.compaction.lag.ms': '0' })
        await untilCompacting(target)
        const beside = await load()
        if (scale >= FAITHFUL_SCALE && (await compactedCount(target)) === PARTITION_COUNT)
          throw new Error('the compaction ended before the load: give the table more bytes')
        return {
          'p50 alone': alone.p50Us,
          'p50 beside it': beside.p50Us,
          'p99 alone': alone.p99Us,
          'p99 beside it': beside.p99Us,
        }
      } finally {
        await target.stop()
      }
    },
  }
}

/** A topic that is full of old records, of which nothing is compacted before it is told. */
async function makeTable(bootstrap: string, bytes: number): Promise<void> {
  const segmentBytes = Math.ceil(bytes / PARTITION_COUNT / SEGMENTS_PER_PARTITION)
  await createTopic(bootstrap, TABLE, PARTITION_COUNT, {
    'cleanup.policy': 'compact',
    'segment.bytes': String(Math.max(LEAST_SEGMENT_BYTES, segmentBytes)),
    'min.compaction.lag.ms': String(DAY_MS),
  })
  const options = { partitionCount: PARTITION_COUNT, bytes, writesPerKey: 4 }
  await fillTopic(bootstrap, TABLE, options)
}

/** Partitions of the table that are compacted. */
async function compactedCount({ dataDir }: Target): Promise<number> {
  const text = await readFile(join(dataDir, 'cleaner-offset-checkpoint'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => /^table \d+ [1-9]/.test(line)).length
}

async function untilCompacting(target: Target): Promise<void> {
  const deadline = Date.now() + START_LIMIT_MS
  while ((await compactedCount(target)) === 0) {
    if (Date.now() > deadline) throw new Error('nothing was compacted')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

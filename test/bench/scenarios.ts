import { setTimeout as sleep } from 'node:timers/promises'
import { startTarget, type TargetKind } from '../conformance/target.ts'
import { createTopic, produceOnce } from './broker-client.ts'
import { cleanerScenario } from './compaction/cleaner-speed.ts'
import { besideScenario } from './compaction/produce-beside.ts'
import { GROUP_SCENARIOS } from './groups/group-scenarios.ts'
import { runLoad } from './load-generator.ts'
import {
  consumerPerformance,
  endToEndLatency,
  type ProduceOptions,
  producerPerformance,
} from './perf-tools.ts'
import { measure, residentBytesOf } from './process-usage.ts'
import type { Metric, Scenario, ScenarioContext } from './scenario.ts'
import { tailBesideColdScenario } from './tail-beside-cold.ts'
import { transactionsScenario } from './transactions/transactions-scenario.ts'

const BIG_BATCHES = ['batch.size=131072', 'linger.ms=5']
const GB = 1e9
const MB = 1e6
const MIN_COUNT = 1000
/** A generator starts a little later than it is told to. */
const MARGIN_SECONDS = 1

/** What each broker calls "on disk before the answer". */
const DURABLE: Readonly<Record<TargetKind, Readonly<Record<string, string>>>> = {
  kafka: { 'flush.messages': '1' },
  spool: { 'spool.durability': 'fsync' },
}

/** Settings of the long-lived brokers, over those all targets of the tests get. */
export const BROKER_CONFIG: Readonly<Record<TargetKind, Readonly<Record<string, string>>>> = {
  kafka: {},
  // As Kafka does by default: answered after the write, on disk when the system gets to it.
  spool: { 'spool.durability': 'os' },
}

const atLeast = (ratioAtLeast: number) => ({ goal: { ratioAtLeast } })
const atMost = (ratioAtMost: number) => ({ goal: { ratioAtMost } })

function scaled(context: ScenarioContext, full: number): number {
  return Math.max(MIN_COUNT, Math.round(full * context.scale))
}

/** Seconds for a generator that runs for a time. */
function scaledSeconds(context: ScenarioContext, full: number): number {
  return Math.max(0.5, full * context.scale)
}

interface ProduceWork {
  readonly recordBytes: number
  readonly recordCount: number
  readonly properties: readonly string[]
}

function produceOptions(context: ScenarioContext, work: ProduceWork): ProduceOptions {
  const { target, topic } = context
  const recordCount = scaled(context, work.recordCount)
  return { bootstrap: target.bootstrap, topic, ...work, recordCount }
}

function produceScenario(
  name: string,
  title: string,
  work: ProduceWork,
  metrics: readonly Metric[],
): Scenario {
  return {
    name,
    title,
    metrics: [...metrics, { name: 'average', unit: 'ms' }, { name: 'p99', unit: 'ms' }],
    topic: { partitionCount: 6 },
    run: async (context) => {
      const options = produceOptions(context, work)
      const { result, cpuSeconds } = await measure(context.target.pid, () =>
        producerPerformance(options),
      )
      const { recordCount } = options
      return {
        rate: result.megabytesPerSecond,
        'CPU per GB': cpuSeconds / ((recordCount * work.recordBytes) / GB),
        records: result.recordsPerSecond / MB,
        'CPU per million': cpuSeconds / (recordCount / MB),
        average: result.averageMs,
        p99: result.p99Ms,
      }
    },
  }
}

const consume: Scenario = {
  name: 'consume',
  title: 'consume 1 KB records, page cache warm',
  metrics: [
    { name: 'rate', unit: 'MB/s', ...atLeast(0.9) },
    { name: 'CPU per GB', unit: 's', ...atMost(1.5) },
  ],
  topic: { partitionCount: 6 },
  prepare: async (context) => {
    const work = { recordBytes: 1024, recordCount: 1_000_000, properties: BIG_BATCHES }
    await producerPerformance(produceOptions(context, work))
  },
  run: async (context) => {
    const { pid, bootstrap } = context.target
    const { result, cpuSeconds } = await measure(pid, () =>
      consumerPerformance(bootstrap, context.topic, scaled(context, 1_000_000)),
    )
    return {
      rate: result.megabytesPerSecond,
      'CPU per GB': cpuSeconds / (result.megabytes / 1000),
    }
  },
}

function latencyScenario(
  name: string,
  title: string,
  maxRatio: number,
  isDurable: boolean,
): Scenario {
  return {
    name,
    title,
    metrics: [
      { name: 'average', unit: 'ms', ...atMost(maxRatio) },
      { name: 'p99', unit: 'ms' },
      { name: 'CPU', unit: 's' },
    ],
    topic: { partitionCount: 1, config: isDurable ? { spool: DURABLE.spool } : {} },
    run: async (context) => {
      const { pid, bootstrap } = context.target
      const { result, cpuSeconds } = await measure(pid, () =>
        endToEndLatency(bootstrap, context.topic, scaled(context, 10_000), 100),
      )
      return { average: result.averageMs, p99: result.p99Ms, CPU: cpuSeconds }
    },
  }
}

function smallScenario(
  name: string,
  title: string,
  isDurable: boolean,
  rate: Partial<Metric>,
  cpu: Partial<Metric>,
): Scenario {
  return {
    name,
    title,
    metrics: [
      { name: 'requests', unit: 'k/s', ...rate },
      { name: 'CPU per request', unit: 'µs', ...cpu },
      { name: 'p50', unit: 'µs' },
      { name: 'p99', unit: 'µs' },
    ],
    needsCompiler: true,
    topic: { partitionCount: 4, config: isDurable ? DURABLE : {} },
    run: async (context) => {
      const { pid, bootstrap } = context.target
      const seconds = scaledSeconds(context, 3)
      const args = [context.topic, 4, 16, 1, 200, seconds, -1]
      const { result, cpuSeconds } = await measure(pid, () =>
        runLoad('produce', bootstrap, args, seconds),
      )
      return {
        requests: result.requests / result.seconds / 1000,
        'CPU per request': (cpuSeconds * 1e6) / result.requests,
        p50: result.p50Us,
        p99: result.p99Us,
      }
    },
  }
}

const idle: Scenario = {
  name: 'idle',
  title: '200 consumers waiting at the end of a topic, polls of 500 ms',
  metrics: [{ name: 'CPU', unit: '% of a core', limit: 1.5 }],
  needsCompiler: true,
  topic: { partitionCount: 1 },
  run: async (context) => {
    const { pid, bootstrap } = context.target
    // Until all are connected and the code that serves them is compiled, nobody waits.
    const settleSeconds = scaledSeconds(context, 10)
    // Two polls at least: in a shorter time no answer comes.
    const seconds = Math.max(1, scaledSeconds(context, 20))
    const args = [context.topic, 1, 200, 500, settleSeconds + seconds + MARGIN_SECONDS]
    const load = runLoad('tail', bootstrap, args, settleSeconds + seconds)
    const watch = sleep(settleSeconds * 1000).then(() => measure(pid, () => sleep(seconds * 1000)))
    const [measured] = await Promise.all([watch, load])
    return { CPU: (measured.cpuSeconds / measured.seconds) * 100 }
  },
}

const start: Scenario = {
  name: 'start',
  title: 'start on an empty directory to the first acknowledged record',
  metrics: [
    { name: 'ready', unit: 'ms' },
    { name: 'first record', unit: 'ms', limit: 500 },
    { name: 'memory', unit: 'MB', limit: 120 },
  ],
  run: async ({ kind }) => {
    const target = await startTarget(kind, { config: BROKER_CONFIG[kind] })
    try {
      const readyAt = performance.now()
      await createTopic(target.bootstrap, 'first', 1)
      await produceOnce(target.bootstrap, 'first')
      const first = target.startMs + performance.now() - readyAt
      const memory = residentBytesOf(target.pid) / MB
      return { ready: target.startMs, 'first record': first, memory }
    } finally {
      await target.stop()
    }
  },
}

const memory: Scenario = {
  name: 'memory',
  title: 'memory of the broker after all of the above',
  metrics: [{ name: 'memory', unit: 'MB', limit: 250 }],
  run: async ({ target }) => ({ memory: residentBytesOf(target.pid) / MB }),
}

export const SCENARIOS: readonly Scenario[] = [
  produceScenario(
    'produce-1k',
    'produce 1 KB records, batches of 128 KB, linger 5 ms',
    { recordBytes: 1024, recordCount: 1_000_000, properties: BIG_BATCHES },
    [
      { name: 'rate', unit: 'MB/s', ...atLeast(1) },
      { name: 'CPU per GB', unit: 's', ...atMost(0.85) },
    ],
  ),
  produceScenario(
    'produce-1k-default',
    'produce 1 KB records, default batching',
    { recordBytes: 1024, recordCount: 1_000_000, properties: [] },
    [
      { name: 'rate', unit: 'MB/s', ...atLeast(1) },
      { name: 'CPU per GB', unit: 's', ...atMost(0.8) },
    ],
  ),
  produceScenario(
    'produce-100',
    'produce 100 B records, batches of 128 KB, linger 5 ms',
    { recordBytes: 100, recordCount: 3_000_000, properties: BIG_BATCHES },
    [
      { name: 'records', unit: 'M/s', ...atLeast(1) },
      { name: 'CPU per million', unit: 's', ...atMost(0.8) },
    ],
  ),
  consume,
  latencyScenario('latency', 'EndToEndLatency, 100 B records', 0.75, false),
  latencyScenario('latency-fsync', 'the same, Spool with fsync, Kafka without', 1.3, true),
  smallScenario(
    'small',
    '16 connections, one request of 200 B in flight',
    false,
    atLeast(1.5),
    atMost(0.5),
  ),
  smallScenario(
    'small-fsync',
    'the same, durable: group commit against flush.messages=1',
    true,
    atLeast(5),
    {},
  ),
  transactionsScenario,
  ...GROUP_SCENARIOS,
  idle,
  start,
  cleanerScenario('compaction', 'compaction of a table, records of 200 B', false),
  cleanerScenario('compaction-lz4', 'the same, compressed with lz4', true),
  besideScenario({
    name: 'produce-compacting',
    title: '4 connections, one request of 200 B in flight, beside compaction',
    brokerConfig: BROKER_CONFIG,
    loadConfig: {},
  }),
  besideScenario({
    name: 'produce-compacting-fsync',
    title: 'the same, durable',
    brokerConfig: BROKER_CONFIG,
    loadConfig: DURABLE,
  }),
  tailBesideColdScenario(BROKER_CONFIG),
  memory,
]

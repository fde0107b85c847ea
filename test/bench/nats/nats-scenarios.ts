import { type Measured, measure, residentBytesOf } from '../process-usage.ts'
import type { MeasuredWork, Metric, Sample } from '../scenario.ts'
import { STREAM_SUBJECT, withBenchStream } from './bench-stream.ts'
import { measureIdle } from './idle-connections.ts'
import { natsBench, publishAndSubscribe } from './nats-bench-tool.ts'
import { type NatsKind, type NatsTarget, startNatsTarget } from './nats-target.ts'

export interface NatsContext {
  readonly kind: NatsKind
  /** The server that lives through the whole bench. */
  readonly target: NatsTarget
  /** 1 for a full run; smaller for a quick look. */
  readonly scale: number
}

export interface NatsScenario extends MeasuredWork {
  /** Quickens the server, so it comes before the rounds too. */
  readonly warms: boolean
  run(context: NatsContext): Promise<Sample>
}

const THOUSAND = 1e3
const MB = 1e6
const KB = 1024
const MIN_COUNT = 100
/** Messages in and out of the server in one run of core NATS. */
const CORE_COUNT = 4_000_000
const CORE_COUNT_1K = 1_500_000
/** nats-server syncs its file for each message: a few hundred a second on a common disk. */
const STORED_COUNT = 20_000
const CONSUMED_COUNT = 200_000
const STORED_BYTES = 128
/** What one batch of `nats bench` has. */
const BATCH = 500
const IDLE_COUNT = 10_000

const scaled = ({ scale }: NatsContext, full: number): number =>
  Math.max(MIN_COUNT, Math.round(full * scale))

/** Spool's messages per CPU second over those of nats-server; the wall clock may not be worse. */
function rateMetrics(ratioAtLeast: number): Metric[] {
  return [
    { name: 'per CPU second', unit: 'k messages', goal: { ratioAtLeast } },
    { name: 'rate', unit: 'k messages/s', goal: { ratioAtLeast: 1 } },
  ]
}

/** The result of what was measured is messages per second. */
function ratesOf({ result, cpuSeconds }: Measured<number>, messageCount: number): Sample {
  // A smoke is over before the clock of the process moves: it moves in hundredths of a second.
  const perCpuSecond = messageCount / Math.max(cpuSeconds, 0.01)
  return { 'per CPU second': perCpuSecond / THOUSAND, rate: result / THOUSAND }
}

interface CoreWork {
  readonly name: string
  readonly title: string
  readonly messageBytes: number
  readonly subscriberCount: number
  readonly subjectCount: number
  /** Goal of the messages per CPU second. */
  readonly ratioAtLeast: number
}

function coreScenario(work: CoreWork): NatsScenario {
  const { name, title, messageBytes, subscriberCount, ratioAtLeast } = work
  const full = messageBytes >= KB ? CORE_COUNT_1K : CORE_COUNT
  return {
    name,
    title,
    metrics: rateMetrics(ratioAtLeast),
    warms: true,
    run: async (context) => {
      const messageCount = scaled(context, full / (1 + subscriberCount))
      const measured = await publishAndSubscribe(context.target, { ...work, messageCount })
      return ratesOf(measured, messageCount * (1 + subscriberCount))
    },
  }
}

function coreScenarios(size: string, messageBytes: number, ratioAtLeast: number): NatsScenario[] {
  return [0, 1, 4, 16].map((subscriberCount) => {
    const subscribers = subscriberCount === 1 ? 'subscriber' : 'subscribers'
    return coreScenario({
      name: `core-${size}-${subscriberCount}`,
      title: `messages of ${messageBytes} B to ${subscriberCount} ${subscribers}`,
      messageBytes,
      subscriberCount,
      subjectCount: 1,
      ratioAtLeast,
    })
  })
}

/** Messages as both `nats bench js` commands of a scenario are told. */
function storedMessages(count: number): string[] {
  return ['--msgs', String(count), '--size', `${STORED_BYTES}B`]
}

function publishScenario(name: string, title: string, args: readonly string[]): NatsScenario {
  return {
    name,
    title,
    metrics: rateMetrics(2),
    warms: true,
    run: (context) => {
      const { target } = context
      const count = scaled(context, STORED_COUNT)
      const publish = ['js', 'pub', ...args, STREAM_SUBJECT, ...storedMessages(count)]
      return withBenchStream(target, async () =>
        ratesOf(await measure(target.pid, () => natsBench(target, publish)), count),
      )
    },
  }
}

const pullConsume: NatsScenario = {
  name: 'js-fetch',
  title: 'pull consumer, batches of 500, each message acknowledged',
  metrics: rateMetrics(2),
  warms: true,
  run: (context) => {
    const { kind, target } = context
    const count = scaled(context, CONSUMED_COUNT)
    const messages = [...storedMessages(count), '--batch', String(Math.min(count, BATCH))]
    return withBenchStream(target, async () => {
      // One sync for each message would take nats-server minutes.
      const how = kind === 'spool' ? 'async' : 'atomic'
      await natsBench(target, ['js', 'pub', how, STREAM_SUBJECT, ...messages])
      const fetch = ['js', 'fetch', ...messages]
      return ratesOf(await measure(target.pid, () => natsBench(target, fetch)), count)
    })
  },
}

const idle: NatsScenario = {
  name: 'idle',
  title: 'idle connections to a server that was just started',
  metrics: [
    { name: 'memory before', unit: 'MB' },
    { name: 'each', unit: 'bytes' },
  ],
  warms: false,
  run: async (context) => {
    const target = await startNatsTarget(context.kind)
    try {
      const usage = await measureIdle(target, scaled(context, IDLE_COUNT))
      return { 'memory before': usage.before / MB, each: usage.perConnection }
    } finally {
      await target.stop()
    }
  },
}

const memory: NatsScenario = {
  name: 'memory',
  title: 'memory of the server after all of the above',
  metrics: [{ name: 'memory', unit: 'MB' }],
  warms: false,
  run: async ({ target }) => ({ memory: residentBytesOf(target.pid) / MB }),
}

export const NATS_SCENARIOS: readonly NatsScenario[] = [
  ...coreScenarios('16', 16, 2),
  ...coreScenarios('128', 128, 2),
  ...coreScenarios('1k', KB, 1.2),
  coreScenario({
    name: 'subjects',
    title: 'messages of 128 B on 50,000 subjects to one subscriber of all',
    messageBytes: 128,
    subscriberCount: 1,
    subjectCount: 50_000,
    ratioAtLeast: 1,
  }),
  publishScenario('js-pub', 'JetStream, durable, 16 clients with one message in flight each', [
    'sync',
    '--clients',
    '16',
  ]),
  publishScenario('js-pub-async', 'the same, one client with 500 in flight', [
    'async',
    '--batch',
    String(BATCH),
  ]),
  pullConsume,
  idle,
  memory,
]

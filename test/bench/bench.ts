import { startTarget, type Target, type TargetKind } from '../conformance/target.ts'
import { createTopic, deleteTopic } from './broker-client.ts'
import { hasCompiler } from './load-generator.ts'
import { PageCacheFiller } from './page-cache.ts'
import { lineOf, type ScenarioResult } from './report.ts'
import type { Sample, Scenario, ScenarioContext } from './scenario.ts'
import { BROKER_CONFIG } from './scenarios.ts'

export interface BenchOptions {
  readonly scenarios: readonly Scenario[]
  /** In the order they take turns. */
  readonly kinds: readonly TargetKind[]
  readonly roundCount: number
  readonly scale: number
  /** Fill the page cache before each measurement. */
  readonly fillsPageCache: boolean
  /** Run everything once before it counts. */
  readonly warmsUp: boolean
  /** Directory for V8 CPU profiles of Spool; written when it stops. */
  readonly profileDir?: string
  readonly log: (line: string) => void
}

/** Quickens the just-in-time compilers of both sides before anything is measured. */
const WARM_UP_SCALE = 0.2

/** Files of deleted topics must not fill the disk while other scenarios run. */
const TOPIC_CONFIG = { 'file.delete.delay.ms': '1000' }

/**
 * Starts each kind of broker once and runs every scenario on them in turns, A B A B, so that what
 * else the machine does hits all alike.
 * @throws Error when a broker or a tool fails: a table with holes would be misread
 */
export async function runBench(options: BenchOptions): Promise<ScenarioResult[]> {
  const scenarios = await runnable(options)
  const results = scenarios.map((scenario) => ({
    scenario,
    samples: { kafka: [] as Sample[], spool: [] as Sample[] },
  }))
  const targets = new Map<TargetKind, Target>()
  const filler = options.fillsPageCache ? new PageCacheFiller() : undefined
  let topicNumber = 0
  const runOne = async (scenario: Scenario, kind: TargetKind, scale: number): Promise<Sample> => {
    const target = targets.get(kind) as Target
    filler?.fill()
    const context = { kind, target, scale, topic: `bench-${topicNumber++}` }
    return runScenario(scenario, context)
  }
  try {
    for (const kind of options.kinds) targets.set(kind, await start(kind, options))
    if (options.warmsUp) await warmUp(options, runOne)
    for (let round = 1; round <= options.roundCount; round++) {
      for (const { scenario, samples } of results) {
        for (const kind of options.kinds) {
          const sample = await runOne(scenario, kind, options.scale)
          samples[kind].push(sample)
          options.log(`round ${round}, ${scenario.name}, ${kind}: ${lineOf(sample)}`)
        }
      }
    }
  } finally {
    filler?.remove()
    for (const target of targets.values()) await target.stop()
  }
  return results
}

async function runnable({ scenarios, log }: BenchOptions): Promise<Scenario[]> {
  if (await hasCompiler()) return [...scenarios]
  const skipped = scenarios.filter(({ needsCompiler }) => needsCompiler).map(({ name }) => name)
  if (skipped.length > 0) log(`left out, because no C compiler (cc) is here: ${skipped.join(', ')}`)
  return scenarios.filter(({ needsCompiler }) => !needsCompiler)
}

async function start(kind: TargetKind, { profileDir, log }: BenchOptions): Promise<Target> {
  const { NODE_OPTIONS = '' } = process.env
  const flags = profileDir === undefined ? '' : `--cpu-prof --cpu-prof-dir=${profileDir}`
  // The broker inherits the environment; Java does not read this one.
  Object.assign(process.env, { NODE_OPTIONS: `${NODE_OPTIONS} ${flags}` })
  try {
    const target = await startTarget(kind, { config: BROKER_CONFIG[kind] })
    log(`${kind}: process ${target.pid} on ${target.bootstrap}`)
    return target
  } finally {
    Object.assign(process.env, { NODE_OPTIONS })
  }
}

/** One short turn of everything that has a topic. */
async function warmUp(
  { scenarios, kinds, scale }: BenchOptions,
  runOne: (scenario: Scenario, kind: TargetKind, scale: number) => Promise<Sample>,
): Promise<void> {
  const warming = scenarios.filter(({ topic }) => topic !== undefined)
  for (const scenario of warming) {
    for (const kind of kinds) await runOne(scenario, kind, scale * WARM_UP_SCALE)
  }
}

async function runScenario(scenario: Scenario, context: ScenarioContext): Promise<Sample> {
  const { topic: wanted } = scenario
  const { kind, target, topic } = context
  if (wanted !== undefined) {
    const config = { ...TOPIC_CONFIG, ...wanted.config?.[kind] }
    await createTopic(target.bootstrap, topic, wanted.partitionCount, config)
  }
  await scenario.prepare?.(context)
  const sample = await scenario.run(context)
  if (wanted !== undefined) await deleteTopic(target.bootstrap, topic)
  return sample
}

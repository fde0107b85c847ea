import { lineOf, type Peer, type ScenarioResult } from '../report.ts'
import type { Sample } from '../scenario.ts'
import type { NatsScenario } from './nats-scenarios.ts'
import { type NatsKind, type NatsTarget, startNatsTarget } from './nats-target.ts'

export interface NatsBenchOptions {
  readonly scenarios: readonly NatsScenario[]
  /** In the order they take turns. */
  readonly kinds: readonly NatsKind[]
  readonly roundCount: number
  readonly scale: number
  /** Run everything once before it counts. */
  readonly warmsUp: boolean
  /** Directory for V8 CPU profiles of Spool; written when it stops. */
  readonly profileDir?: string
  readonly log: (line: string) => void
}

export const NATS_SERVER: Peer<'nats-server'> = { kind: 'nats-server', title: 'nats-server' }

/** Quickens Spool's just-in-time compiler, and fills the caches of both. */
const WARM_UP_SCALE = 0.2

/**
 * Starts both servers once and runs every scenario on them in turns, A B A B.
 * @throws Error when a server or a tool fails: a table with holes would be misread
 */
export async function runNatsBench(options: NatsBenchOptions): Promise<ScenarioResult<NatsKind>[]> {
  const { scenarios, kinds, roundCount, scale, warmsUp, profileDir, log } = options
  const results = scenarios.map((scenario) => ({
    scenario,
    samples: { 'nats-server': [] as Sample[], spool: [] as Sample[] },
  }))
  const targets: NatsTarget[] = []
  try {
    for (const kind of kinds) {
      const target = await startNatsTarget(kind, kind === 'spool' ? profileDir : undefined)
      targets.push(target)
      log(`${kind}: process ${target.pid} on ${target.address}`)
    }
    if (warmsUp) {
      for (const scenario of scenarios.filter(({ warms }) => warms)) {
        for (const target of targets) {
          await scenario.run({ kind: target.kind, target, scale: scale * WARM_UP_SCALE })
        }
      }
    }
    for (let round = 1; round <= roundCount; round++) {
      for (const { scenario, samples } of results) {
        for (const target of targets) {
          const { kind } = target
          const sample = await scenario.run({ kind, target, scale })
          samples[kind].push(sample)
          log(`round ${round}, ${scenario.name}, ${kind}: ${lineOf(sample)}`)
        }
      }
    }
  } finally {
    for (const target of targets) await target.stop()
  }
  return results
}

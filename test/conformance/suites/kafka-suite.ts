import { freePorts } from '../support/free-ports.ts'
import { startTarget, type Target, type TargetKind } from '../target.ts'
import type { Suite, SuiteRun, SuiteTest } from './suite.ts'

export interface KafkaSuiteRun extends SuiteRun {
  /** HOST:PORT of the broker; of the first one when the suite has several. */
  readonly bootstrap: string
}

/** Tests of a Kafka client, for which a broker is there. */
export interface KafkaSuite extends Pick<Suite, 'source'> {
  /** Broker settings that its makers use, or that its tests rely on. */
  readonly config: Readonly<Record<string, string>>
  /** Fixed ports, a broker for each, when the tests cannot be told an address; else one free port. */
  readonly ports?: readonly number[]
  readonly run: (run: KafkaSuiteRun) => Promise<readonly SuiteTest[]>
}

/** Starts the brokers of a suite on empty directories, and ends them after it. */
export function onBrokers(suite: KafkaSuite): Suite {
  return {
    source: suite.source,
    targets: ['spool', 'kafka'] satisfies TargetKind[],
    run: async (run) => {
      const brokers: Target[] = []
      try {
        for (const port of suite.ports ?? (await freePorts(1))) {
          // Kafka is told its address in its config, and some tests read it there.
          const advertised = { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` }
          const config = { ...suite.config, ...advertised }
          brokers.push(await startTarget(run.target as TargetKind, { config, port }))
        }
        return await suite.run({ ...run, bootstrap: brokers[0]?.bootstrap ?? '' })
      } finally {
        for (const broker of brokers) await broker.stop()
      }
    },
  }
}

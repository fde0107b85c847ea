/** A thread that runs the seeds it is given. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Focus } from './focus.ts'
import { simulate } from './simulation.ts'

export interface SeedOutcome {
  readonly seed: number
  /** null: every promise was kept. */
  readonly problem: string | null
}

parentPort?.on('message', async (seed: number) => {
  let problem: string | null = null
  try {
    await simulate({ seed, focus: workerData as Focus })
  } catch (error) {
    problem = (error as Error).message
  }
  parentPort?.postMessage({ seed, problem } satisfies SeedOutcome)
})

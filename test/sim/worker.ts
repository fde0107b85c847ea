/** A thread that runs the seeds it is given. */
import { parentPort } from 'node:worker_threads'
import { simulate } from './simulation.ts'

export interface SeedOutcome {
  readonly seed: number
  /** null: every promise was kept. */
  readonly problem: string | null
}

parentPort?.on('message', async (seed: number) => {
  let problem: string | null = null
  try {
    await simulate({ seed })
  } catch (error) {
    problem = (error as Error).message
  }
  parentPort?.postMessage({ seed, problem } satisfies SeedOutcome)
})

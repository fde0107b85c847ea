/**
 * Runs the broker on a simulated disk that lies, seed by seed. Run: npm run sim -- --help.
 * A seed is one exact replay: `npm run sim -- --seed 71 --trace` shows all that happened in it.
 */
import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { program } from 'commander'
import { countsLine } from '../../scripts/run-step.ts'
import { positiveInteger, wholeNumber } from '../support/flags.ts'
import type { Focus } from './focus.ts'
import { simulate } from './simulation.ts'
import type { SeedOutcome } from './worker.ts'

/** More of them are no news. */
const MAX_FAILURES_SHOWN = 50

const { seeds, seed, workers, trace, shareGroups } = program
  .name('npm run sim --')
  .option('--seeds <n>', 'how many seeds', positiveInteger, 1)
  .option('--seed <n>', 'the first of them', wholeNumber, 1)
  .option('--workers <n>', 'threads', positiveInteger, availableParallelism())
  .option('--share-groups', 'a share group in each of them, and little else', false)
  .option('--trace', 'show every step of one seed', false)
  .parse()
  .opts<{ seeds: number; seed: number; workers: number; trace: boolean; shareGroups: boolean }>()
const focus: Focus = shareGroups ? { sharesGroups: true } : {}
const flag = shareGroups ? ' --share-groups' : ''

if (trace) await traceOne()
else await runAll()

async function traceOne(): Promise<void> {
  const hash = createHash('sha256')
  let failure: Error | null = null
  try {
    const show = (line: string): void => {
      hash.update(line)
      console.log(line)
    }
    await simulate({ seed, trace: show, focus })
  } catch (error) {
    failure = error as Error
    console.error(failure.stack)
  }
  console.log(`trace ${hash.digest('hex').slice(0, 16)}`)
  finish(failure === null ? 1 : 0, failure === null ? 0 : 1)
}

async function runAll(): Promise<void> {
  const startedAt = performance.now()
  let failedCount = 0
  let next = seed
  const take = (): number | null => (next < seed + seeds ? next++ : null)
  const told = ({ seed: one, problem }: SeedOutcome): void => {
    if (problem === null) return
    if (++failedCount <= MAX_FAILURES_SHOWN)
      console.log(`seed ${one}: ${problem}\n  npm run sim -- --seed ${one}${flag} --trace`)
  }
  await Promise.all(Array.from({ length: Math.min(workers, seeds) }, () => runWorker(take, told)))
  const seconds = (performance.now() - startedAt) / 1000
  const rate = (seeds / seconds).toFixed(1)
  console.log(`${seeds - failedCount} of ${seeds} seeds from ${seed} on are clean`)
  console.log(`${seconds.toFixed(1)} s, ${rate} seeds a second`)
  // One check, however many seeds it has.
  finish(failedCount === 0 ? 1 : 0, failedCount)
}

/** Gives a thread one seed after the other. */
function runWorker(take: () => number | null, told: (outcome: SeedOutcome) => void): Promise<void> {
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: focus })
  return new Promise((resolve, reject) => {
    const giveNext = (): void => {
      const one = take()
      if (one !== null) worker.postMessage(one)
      else worker.terminate().then(() => resolve(), reject)
    }
    worker.on('error', reject)
    worker.on('message', (outcome: SeedOutcome) => {
      told(outcome)
      giveNext()
    })
    giveNext()
  })
}

function finish(passed: number, failed: number): void {
  console.log(countsLine({ passed, failed }))
  process.exitCode = failed === 0 ? 0 : 1
}

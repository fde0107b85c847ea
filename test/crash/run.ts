/**
 * Kills a broker with SIGKILL in the middle of a produce load, again and again, and checks that what
 * it acknowledged is there. Run: npm run crash -- --help. Round i uses seed S + i, so one failing round is run again with --rounds 1 --seed ITS_SEED.
 */
import { randomInt } from 'node:crypto'
import { Option, program } from 'commander'
import { positiveInteger, wholeNumber } from '../support/flags.ts'
import { runRound } from './round.ts'

const values = program
  .name('npm run crash --')
  .option('--rounds <n>', 'how many rounds', positiveInteger, 50)
  .option('--seed <n>', 'of the first round', wholeNumber, randomInt(1_000_000))
  .option('--kills <n>', 'kills in a round', positiveInteger, 3)
  .addOption(new Option('--target <broker>').choices(['spool', 'kafka']).default('spool'))
  .parse()
  .opts<{ rounds: number; seed: number; kills: number; target: 'spool' | 'kafka' }>()
const { rounds: roundCount, seed: firstSeed, kills: killCount, target: kind } = values

console.log(`${roundCount} rounds of ${killCount} kills, --seed ${firstSeed}`)
const startedAt = performance.now()
const total = { acked: 0, retried: 0 }
let failedCount = 0
for (let index = 0; index < roundCount; index++) {
  const seed = firstSeed + index
  try {
    const result = await runRound({ kind, seed, killCount })
    total.acked += result.ackedCount
    total.retried += result.retriedBatchCount
    console.log(
      `round ${index + 1}: ${result.ackedCount} of ${result.recordCount} records acknowledged, ` +
        `${result.retriedBatchCount} batches retried, ${result.commitCount} commits, ` +
        `slowest start ${result.slowestStartMs.toFixed(0)} ms`,
    )
  } catch (error) {
    failedCount++
    console.error(`round ${index + 1}, --seed ${seed}: ${(error as Error).message}`)
  }
}
const seconds = (performance.now() - startedAt) / 1000
console.log(
  `${roundCount * killCount} kills in ${seconds.toFixed(0)} s; ${total.acked} acknowledged records ` +
    `checked, ${total.retried} batches retried`,
)
console.log(`${roundCount - failedCount} passed, ${failedCount} failed`)
process.exitCode = failedCount === 0 ? 0 : 1

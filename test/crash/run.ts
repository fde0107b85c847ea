/**
 * Kills a broker with SIGKILL in the middle of a produce load, again and again, and checks that what
 * it acknowledged is there. Run: npm run crash -- [--rounds N] [--seed S] [--kills N] [--target kafka]
 * Round i uses seed S + i, so one failing round is run again with --rounds 1 --seed ITS_SEED.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { runRound } from './round.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    kills: { type: 'string', default: '3' },
    target: { type: 'string', default: 'spool' },
  },
})

function wholeNumber(name: 'rounds' | 'seed' | 'kills'): number {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`--${name} is a whole number, not ${values[name]}`)
  process.exit(2)
}

const roundCount = wholeNumber('rounds')
const firstSeed = wholeNumber('seed')
const killCount = wholeNumber('kills')
const kind = values.target
if (kind !== 'spool' && kind !== 'kafka') {
  console.error(`--target is spool or kafka, not ${kind}`)
  process.exit(2)
}

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

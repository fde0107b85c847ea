/**
 * Runs the checker of transactions: node test/sim/transactions/run.ts [SEED [COUNT]]. A seed is one exact
 * replay; a single one shows all that happens in it.
 */
import { countsLine } from '../../../scripts/run-step.ts'
import { simulateTransactions } from './simulate-transactions.ts'

const [first = 1, count = 1] = process.argv.slice(2).map(Number)
let failedCount = 0
let committedCount = 0
for (let seed = first; seed < first + count; seed++) {
  try {
    const trace = count === 1 ? { trace: (line: string) => console.log(line) } : {}
    committedCount += await simulateTransactions({ seed, ...trace })
  } catch (error) {
    failedCount++
    console.log(`seed ${seed}: ${count === 1 ? (error as Error).stack : String(error)}`)
  }
}
console.log(`${committedCount} transactions were committed`)
console.log(countsLine({ passed: count - failedCount, failed: failedCount }))
process.exitCode = failedCount === 0 ? 0 : 1

import { measure } from '../process-usage.ts'
import type { Scenario } from '../scenario.ts'
import { runTransactions } from './transaction-load.ts'

const PARTITION_COUNT = 4
const PRODUCER_COUNT = 16
const SECONDS = 5

/** Transactions of one record, which cost what a transaction costs. */
export const transactionsScenario: Scenario = {
  name: 'transactions',
  title: `${PRODUCER_COUNT} producers, one record in each transaction`,
  metrics: [
    { name: 'transactions', unit: '/s', goal: { ratioAtLeast: 1 } },
    { name: 'CPU per transaction', unit: 'µs' },
    { name: 'p50', unit: 'ms' },
    { name: 'p99', unit: 'ms' },
  ],
  topic: { partitionCount: PARTITION_COUNT },
  run: async ({ target, topic, scale }) => {
    const seconds = Math.max(1, SECONDS * scale)
    const sizes = { partitionCount: PARTITION_COUNT, producerCount: PRODUCER_COUNT }
    const { pid, bootstrap } = target
    const { result, cpuSeconds } = await measure(pid, () =>
      runTransactions({ bootstrap, topic, ...sizes, seconds }),
    )
    return {
      transactions: result.transactionCount / result.seconds,
      'CPU per transaction': (cpuSeconds * 1e6) / result.transactionCount,
      p50: result.p50Ms,
      p99: result.p99Ms,
    }
  },
}

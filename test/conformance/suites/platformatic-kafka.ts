import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { parseReporter } from './reported-tests.ts'
import { BROKER_VERSION, type BrokerSuite, type SuiteTest } from './suite.ts'

const FILE_LIMIT_MS = 600_000
const TEST_LIMIT_MS = 60_000

/** All tests, those without a broker too. Its addresses are constants, so it needs these ports. */
export const platformaticKafka: BrokerSuite = {
  needs: 'broker',
  source: 'github.com/platformatic/kafka f84b496',
  config: {
    'group.consumer.heartbeat.interval.ms': '200',
    'group.consumer.min.heartbeat.interval.ms': '100',
  },
  ports: [9011, 9001],
  run: async ({ checkout, only, command }) => {
    const reporter = join(import.meta.dirname, 'line-reporter.ts')
    const limits = [`--test-timeout=${TEST_LIMIT_MS}`, '--test-force-exit']
    const flags = ['--test', '--test-concurrency=1', `--test-reporter=${reporter}`, ...limits]
    const found = await Array.fromAsync(glob('test/**/*.test.ts', { cwd: checkout }))
    const files = found.filter((file) => only === undefined || new RegExp(only).test(file)).sort()
    const tests: SuiteTest[] = []
    for (const file of files) {
      const options = {
        cwd: checkout,
        limitMs: FILE_LIMIT_MS,
        env: { KAFKA_VERSION: BROKER_VERSION },
      }
      const { output, isTimedOut } = await command(
        file,
        process.execPath,
        [...flags, file],
        options,
      )
      const results = parseReporter(output)
      const why = isTimedOut ? `no end in ${FILE_LIMIT_MS / 1_000} s` : 'no result'
      if (isTimedOut || results.length === 0)
        results.push({ name: file, status: 'fail', reason: why })
      tests.push(...results)
    }
    return tests
  },
}

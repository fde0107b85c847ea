import { installPytest } from '../peers/python.ts'
import { BROKER_VERSION, type BrokerSuite, type SuiteTest } from './suite.ts'

const LIMIT_MS = 1_200_000
const TEST_LIMIT_SECONDS = 120

const STATUS: Readonly<Record<string, SuiteTest['status']>> = {
  PASSED: 'pass',
  XPASS: 'pass',
  XFAIL: 'pass',
  FAILED: 'fail',
  ERROR: 'fail',
  SKIPPED: 'skip',
}

/** Reads what `pytest -v` prints: a line for each test, then a summary with reasons. Exported for its test. */
export function parsePytest(output: string): SuiteTest[] {
  const reasons = new Map<string, string>()
  for (const [, name = '', reason = ''] of output.matchAll(
    /^(?:FAILED|ERROR) (\S+::.+?) - (.*)$/gm,
  )) {
    reasons.set(name, reason)
  }
  const results = new Map<string, SuiteTest>()
  const lines = /^(\S+::.+?) (PASSED|XPASS|XFAIL|FAILED|ERROR|SKIPPED)\b ?(?:\((.*)\))?/gm
  for (const [, name = '', word = '', skipped = ''] of output.matchAll(lines)) {
    const status = STATUS[word] ?? 'fail'
    // A test that passed and whose fixtures fail afterwards has two lines; the worse one counts.
    if (results.get(name)?.status === 'fail') continue
    results.set(name, { name, status, reason: reasons.get(name) ?? skipped })
  }
  return [...results.values()]
}

/** The integration tests. Its unit tests bring brokers of their own. */
export const kafkaPython: BrokerSuite = {
  needs: 'broker',
  source: 'github.com/dpkp/kafka-python 3.0.11',
  config: { 'num.partitions': '4' },
  run: async ({ checkout, bootstrap, only, command }) => {
    const limit = [`--timeout=${TEST_LIMIT_SECONDS}`, '--timeout-method=signal']
    const flags = ['-v', '--tb=short', '-p', 'no:cacheprovider', '-o', 'addopts=', ...limit]
    const select = only === undefined ? [] : ['-k', only]
    const args = ['-m', 'pytest', ...flags, ...select, 'test/integration']
    const { output } = await command('pytest', await installPytest(), args, {
      cwd: checkout,
      limitMs: LIMIT_MS,
      env: {
        KAFKA_VERSION: BROKER_VERSION,
        KAFKA_URI: `kafka://${bootstrap}`,
        // A folder that must be there even if the broker is not its own.
        KAFKA_ROOT: checkout,
        PYTHONDONTWRITEBYTECODE: '1',
        COLUMNS: '400',
      },
    })
    return parsePytest(output)
  },
}

import type { Suite, SuiteTest } from './suite.ts'

const LIMIT_MS = 1_500_000

interface GoEvent {
  readonly Action: string
  readonly Test?: string
  readonly Output?: string
}

/**
 * Reads what `go test -json` prints, an event a line. A test with subtests stands for itself too: it may
 * fail by what it does around them. Exported for its test.
 */
export function parseGoEvents(output: string): SuiteTest[] {
  const texts = new Map<string, string>()
  const tests: SuiteTest[] = []
  for (const line of output.split('\n')) {
    if (!line.startsWith('{')) continue
    const { Action, Test, Output } = JSON.parse(line) as GoEvent
    if (Test === undefined) continue
    if (Action === 'output') texts.set(Test, `${texts.get(Test) ?? ''}${Output ?? ''}`)
    if (Action !== 'pass' && Action !== 'fail' && Action !== 'skip') continue
    const reason = Action === 'pass' ? '' : reasonIn(texts.get(Test) ?? '')
    tests.push({ name: Test, status: Action, reason })
  }
  return tests
}

/** Lines of a failed test, `file_test.go:12: text`, without those of the runner. */
function reasonIn(text: string): string {
  const lines = text.split('\n').filter((line) => /^\s+\w+\.go:\d+:/.test(line))
  return lines
    .map((line) => line.trim())
    .slice(0, 5)
    .join('; ')
}

/** The tests of the package kgo: those of the client alone, and those that need a broker. */
export const franzGo: Suite = {
  source: 'github.com/twmb/franz-go v1.22.3',
  config: {},
  run: async ({ checkout, bootstrap, only, command }) => {
    const flags = ['-json', '-count=1', `-timeout=${LIMIT_MS / 1_000}s`]
    const select = only === undefined ? [] : ['-run', only]
    const { output } = await command('kgo', 'go', ['test', ...flags, ...select, './pkg/kgo'], {
      cwd: checkout,
      limitMs: LIMIT_MS + 60_000,
      env: {
        GOFLAGS: '-mod=mod',
        GOWORK: 'off',
        KGO_SEEDS: bootstrap,
        KGO_TEST_RF: '1',
        // Their default is half a million records for each chain of groups, made for larger machines.
        KGO_TEST_RECORDS: process.env['KGO_TEST_RECORDS'] ?? '50000',
        KGO_LOG_LEVEL: process.env['KGO_LOG_LEVEL'] ?? 'none',
      },
    })
    return parseGoEvents(output)
  },
}

import type { SuiteTest } from './suite.ts'

interface GoEvent {
  readonly Action: string
  readonly Test?: string
  readonly Output?: string
}

/**
 * Reads what `go test -json` prints, an event a line. A test with subtests stands for itself too: it may
 * fail by what it does around them.
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

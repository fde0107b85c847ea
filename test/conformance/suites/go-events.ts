import type { SuiteTest } from './suite.ts'

interface GoEvent {
  readonly Action: string
  readonly Test?: string
  readonly Output?: string
}

/**
 * Reads what `go test -json` prints, an event a line. A test with subtests stands for itself too: it may
 * fail by what it does around them. One that began and has no end, since its process ended, has failed.
 */
export function parseGoEvents(output: string): SuiteTest[] {
  const texts = new Map<string, string>()
  const begun = new Set<string>()
  const tests: SuiteTest[] = []
  for (const line of output.split('\n')) {
    if (!line.startsWith('{')) continue
    const { Action, Test, Output } = JSON.parse(line) as GoEvent
    if (Test === undefined) continue
    if (Action === 'output') texts.set(Test, `${texts.get(Test) ?? ''}${Output ?? ''}`)
    if (Action === 'run') begun.add(Test)
    if (Action !== 'pass' && Action !== 'fail' && Action !== 'skip') continue
    const reason = Action === 'pass' ? '' : reasonIn(texts.get(Test) ?? '')
    begun.delete(Test)
    tests.push({ name: Test, status: Action, reason })
  }
  for (const name of begun) tests.push({ name, status: 'fail', reason: 'no end' })
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

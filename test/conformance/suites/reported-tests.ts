import type { SuiteTest } from './suite.ts'

interface ReportedTest {
  readonly file: string
  readonly path: readonly string[]
  readonly status: 'pass' | 'fail' | 'skip'
  readonly reason: string
}

/** Reads the lines of `line-reporter.ts`. */
export function parseReporter(output: string): SuiteTest[] {
  const counts = new Map<string, number>()
  return [...output.matchAll(/^@test (\{.*\})$/gm)].map(([, json = '']) => {
    const { file, path, status, reason } = JSON.parse(json) as ReportedTest
    const name = [file, ...path].join(' > ')
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return { name: count === 1 ? name : `${name} #${count}`, status, reason }
  })
}

import type { SuiteTest } from './suite.ts'

interface ReportedTest {
  readonly file: string
  readonly path: readonly string[]
  readonly status: 'pass' | 'fail' | 'skip'
  readonly reason: string
}

/** Reads the lines of our reporter. `file` stands for the file that they name, when it is known better. */
export function parseReporter(output: string, file?: string): SuiteTest[] {
  const counts = new Map<string, number>()
  return [...output.matchAll(/^@test (\{.*\})$/gm)].map(([, json = '']) => {
    const { path, status, reason, file: reported } = JSON.parse(json) as ReportedTest
    const name = [file ?? reported, ...path].join(' > ')
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return { name: count === 1 ? name : `${name} #${count}`, status, reason }
  })
}

import { relative } from 'node:path'
import type { EventData } from 'node:test'
import type { TestEvent } from 'node:test/reporters'

/** The names of the tests around the one that is running, and which of them have tests inside. */
class Nesting {
  readonly #names: string[] = []
  readonly #isParent: boolean[] = []

  start({ name, nesting }: { readonly name: string; readonly nesting: number }): void {
    this.#names.length = nesting
    this.#names.push(name)
    this.#isParent[nesting] = false
    if (nesting > 0) this.#isParent[nesting - 1] = true
  }

  isParent(nesting: number): boolean {
    return this.#isParent[nesting] ?? false
  }

  path(nesting: number): readonly string[] {
    return this.#names.slice(0, nesting + 1)
  }
}

function line(file: string | undefined, path: readonly string[], status: string, reason: string) {
  const shown = file === undefined ? '' : relative(process.cwd(), file)
  const firstLines = reason.split('\n').slice(0, 4).join(' ').slice(0, 400)
  return `\n@test ${JSON.stringify({ file: shown, path, status, reason: firstLines })}\n`
}

const isLeftOut = ({ skip, todo }: EventData.TestPass | EventData.TestFail): boolean =>
  (skip !== undefined && skip !== false) || (todo !== undefined && todo !== false)

/**
 * A reporter for Node's test runner: "@test" and a JSON object on one line for each test, the moment it is
 * known. What only stands around other tests is left out, unless it fails by itself.
 */
export default async function* lineReporter(source: AsyncIterable<TestEvent>) {
  const nesting = new Nesting()
  for await (const { type, data } of source) {
    if (type === 'test:start') nesting.start(data)
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const path = nesting.path(data.nesting)
    if (isLeftOut(data)) {
      const reason = [data.skip, data.todo].find((why) => typeof why === 'string')
      yield line(data.file, path, 'skip', reason ?? '')
    } else if (type === 'test:pass') {
      if (!nesting.isParent(data.nesting)) yield line(data.file, path, 'pass', '')
    } else {
      const { error } = data.details
      const isByItself =
        (error as Error & { failureType?: string }).failureType !== 'subtestsFailed'
      const cause = error.cause instanceof Error ? error.cause : error
      if (isByItself) yield line(data.file, path, 'fail', `${cause.name}: ${cause.message}`)
    }
  }
}

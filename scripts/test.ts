/**
 * Runs the tests. Run: node scripts/test.ts [unit|e2e|bench] [file…]
 * Unit tests share one process, which is several times quicker; end-to-end tests open ports and get
 * a process per file. The smoke of the bench needs Apache Kafka, which it brings in as the conformance
 * tier does, so it runs only when it is named. The last line is the count of the runner.
 */
import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Counts, countsLine } from './run-step.ts'

interface Suite {
  readonly name: string
  readonly files: readonly string[]
  readonly options: readonly string[]
  /** Left out unless it is named. */
  readonly isOnlyByName?: boolean
  readonly timeoutMs?: number
}

/** A test that hangs must fail, not keep CI busy. */
const TEST_TIMEOUT_MS = 120_000

function allSuites(): Suite[] {
  return [
    {
      name: 'unit',
      files: globSync('test/{unit,sim}/**/*.test.ts').sort(),
      options: ['--test-isolation=none'],
    },
    {
      name: 'e2e',
      // The kill -9 rounds have a smoke here; `npm run crash` runs as many as one likes.
      files: globSync('test/{e2e,crash,scale}/**/*.test.ts').sort(),
      options: ['--test-isolation=process', '--test-concurrency=1'],
    },
    {
      name: 'bench',
      files: globSync('test/bench/**/*.test.ts').sort(),
      options: ['--test-isolation=process', '--test-concurrency=1'],
      isOnlyByName: true,
      timeoutMs: 480_000,
    },
  ]
}

/** Suites named on the command line, else all; files named narrow them down. */
function chosenSuites(args: readonly string[]): Suite[] {
  const files = args.filter((arg) => arg.endsWith('.ts'))
  const names = args.filter((arg) => !arg.endsWith('.ts'))
  return allSuites()
    .filter(({ name, isOnlyByName }) =>
      names.length === 0 ? isOnlyByName !== true || files.length > 0 : names.includes(name),
    )
    .map((suite) =>
      files.length === 0
        ? suite
        : { ...suite, files: suite.files.filter((file) => files.includes(file)) },
    )
    .filter((suite) => files.length === 0 || suite.files.length > 0)
}

function runSuite(suite: Suite, countsFile: string): Promise<Counts> {
  const args = [
    '--test',
    ...suite.options,
    `--test-timeout=${suite.timeoutMs ?? TEST_TIMEOUT_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('count-reporter.ts', import.meta.url)}`,
    `--test-reporter-destination=${countsFile}`,
    ...suite.files,
  ]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' })
    child.on('close', (code) => resolve(readCountsFile(countsFile, code ?? 1)))
  })
}

/** A runner that died before its count is one failure; so is a bad exit without a failed test. */
function readCountsFile(countsFile: string, exitCode: number): Counts {
  let counts: Counts = { passed: 0, failed: 0 }
  try {
    counts = JSON.parse(readFileSync(countsFile, 'utf8')) as Counts
  } catch (error) {
    console.error(`the test runner left no counts: ${String(error)}`)
    return { passed: 0, failed: 1 }
  }
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

const suites = chosenSuites(process.argv.slice(2))
const directory = mkdtempSync(join(tmpdir(), 'spool-test-'))
const total = { passed: 0, failed: 0 }
try {
  for (const suite of suites) {
    if (suite.files.length === 0) {
      console.error(`${suite.name}: no test file found`)
      total.failed++
      continue
    }
    const counts = await runSuite(suite, join(directory, `${suite.name}.json`))
    console.log(`${suite.name}: ${suite.files.length} files`)
    total.passed += counts.passed
    total.failed += counts.failed
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
if (suites.length === 0) {
  console.error('no suite of that name; there are unit, e2e and bench')
  total.failed++
}
console.log(countsLine(total))
process.exitCode = total.failed === 0 ? 0 : 1

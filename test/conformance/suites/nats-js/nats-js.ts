import { glob } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { installNatsJsPackages } from '../../peers/nats-js.ts'
import { NATS_TARGETS, natsServerProgram } from '../nats-program.ts'
import { parseReporter } from '../reported-tests.ts'
import type { Suite, SuiteTest } from '../suite.ts'

/** Folders of the checkout that have tests for servers. */
const PACKAGES = ['core', 'jetstream', 'kv', 'obj', 'services']
const PACKAGE_LIMIT_MS = 1_800_000

/** To the reporter all tests are in the file that defines `Deno.test`. */
function nameOf(packageName: string, { name }: SuiteTest): string {
  return `${packageName} > ${name.replace(/^\S*deno-runtime\.ts > /, '')}`
}

/**
 * The tests of nats.js, which are written for Deno: `deno-runtime.ts` lets Node run them. They start
 * `nats-server` by themselves, with a configuration for each test.
 */
export const natsJs: Suite = {
  source: 'github.com/nats-io/nats.js 3a7b736',
  targets: NATS_TARGETS,
  run: async ({ target, checkout, directory, only, command }) => {
    const program = await natsServerProgram(target, directory)
    const env = {
      PATH: [dirname(program), process.env['PATH']].join(delimiter),
      NATS_JS_CHECKOUT: checkout,
      NATS_JS_PACKAGES: await installNatsJsPackages(),
    }
    const runtime = join(import.meta.dirname, 'deno-runtime.ts')
    const reporter = join(import.meta.dirname, '..', 'line-reporter.ts')
    const flags = ['--test', '--test-force-exit', '--test-concurrency=2']
    const tests: SuiteTest[] = []
    for (const name of PACKAGES) {
      const found = await Array.fromAsync(glob(`${name}/tests/*_test.ts`, { cwd: checkout }))
      const files = found.filter((file) => only === undefined || new RegExp(only).test(file))
      if (files.length === 0) continue
      const args = ['--import', runtime, ...flags, `--test-reporter=${reporter}`, ...files.sort()]
      const options = { cwd: checkout, limitMs: PACKAGE_LIMIT_MS, env }
      const { output, isTimedOut } = await command(name, process.execPath, args, options)
      tests.push(...parseReporter(output).map((test) => ({ ...test, name: nameOf(name, test) })))
      const reason = `no end in ${PACKAGE_LIMIT_MS / 1000} s`
      if (isTimedOut) tests.push({ name, status: 'fail', reason })
    }
    return tests
  },
}

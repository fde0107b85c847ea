import { glob } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { installNatsJsPackages } from '../../peers/nats-js-packages.ts'
import { parseReporter } from '../reported-tests.ts'
import type { ServerSuite, SuiteTest } from '../suite.ts'

const FILE_LIMIT_MS = 900_000
const TEST_LIMIT_MS = 60_000
const PARTS = ['core', 'jetstream', 'kv', 'obj', 'services']

/** All tests of the client and of what is built on it, a process a file, on the transport for Node. */
export const natsJs: ServerSuite = {
  needs: 'server program',
  source: 'github.com/nats-io/nats.js 3a7b736',
  run: async ({ checkout, server, only, command }) => {
    const tests: SuiteTest[] = []
    const packages = await installNatsJsPackages()
    const reporter = join(import.meta.dirname, '..', 'line-reporter.ts')
    const limits = [`--test-timeout=${TEST_LIMIT_MS}`, '--test-force-exit']
    const loader = ['--import', join(import.meta.dirname, 'js-loader.ts')]
    const flags = [...loader, '--test', `--test-reporter=${reporter}`, ...limits]
    const env = {
      PATH: [dirname(server), process.env['PATH']].join(delimiter),
      SUITE_CHECKOUT: checkout,
      SUITE_PACKAGES: packages,
    }
    for (const part of PARTS) {
      const found = await Array.fromAsync(glob(`${part}/tests/*_test.ts`, { cwd: checkout }))
      for (const file of found.sort()) {
        if (only !== undefined && !new RegExp(only).test(file)) continue
        const options = { cwd: checkout, limitMs: FILE_LIMIT_MS, env }
        const args = [...flags, file]
        const { output, isTimedOut } = await command(file, process.execPath, args, options)
        const results = parseReporter(output, file)
        const why = isTimedOut ? `no end in ${FILE_LIMIT_MS / 1_000} s` : 'no result'
        if (isTimedOut || results.length === 0)
          results.push({ name: file, status: 'fail', reason: why })
        tests.push(...results.map((test) => ({ ...test, part })))
      }
    }
    return tests
  },
}

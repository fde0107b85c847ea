/**
 * Runs the conformance tier: real clients and Kafka's own tests against a broker.
 *   npm run conformance -- [--target spool|kafka] [--only NAME] [--all]
 * --only takes part of a file's path, such as kafka-tools or differential; --all adds what takes long or
 * needs what Spool does not have yet. The last lines are the count of the test runner.
 */
import { spawn } from 'node:child_process'
import { glob } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'spool' },
    only: { type: 'string', default: '' },
    all: { type: 'boolean', default: false },
  },
})

if (values.target !== 'spool' && values.target !== 'kafka') {
  console.error(`--target is spool or kafka, not ${values.target}`)
  process.exit(2)
}
const found = await Array.fromAsync(glob(join(import.meta.dirname, '**/*.test.ts')))
const files = found.map((file) => relative(process.cwd(), file)).sort()
const wanted = files.filter((file) => file.includes(values.only))
if (wanted.length === 0) {
  console.error(`no test file is called like ${values.only}; there are:\n${files.join('\n')}`)
  process.exit(2)
}
// One file at a time: they measure real clients on their time limits, and CI has two cores.
const flags = ['--test', '--test-concurrency=1', '--test-reporter=tap']
const child = spawn(process.execPath, [...flags, ...wanted], {
  stdio: 'inherit',
  env: {
    ...process.env,
    SPOOL_CONFORMANCE_TARGET: values.target,
    SPOOL_CONFORMANCE_ALL: values.all ? '1' : '0',
  },
})
child.once('close', (code, signal) => {
  process.exitCode = code ?? 1
  if (signal !== null) console.error(`the test runner was ended by ${signal}`)
})

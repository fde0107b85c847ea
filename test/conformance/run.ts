/**
 * Runs the conformance tier: real clients and Kafka's own tests against a broker.
 *   npm run conformance -- --help
 * Ends with the counts of the test runner and their sum.
 */
import { spawn } from 'node:child_process'
import { glob } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { Option, program } from 'commander'

const values = program
  .name('npm run conformance --')
  .addOption(new Option('--target <broker>').choices(['spool', 'kafka']).default('spool'))
  .option('--only <name>', "part of a file's path, such as kafka-tools or differential", '')
  .option('--all', 'also what takes long or needs what Spool does not have yet', false)
  .parse()
  .opts<{ target: 'spool' | 'kafka'; only: string; all: boolean }>()
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
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    SPOOL_CONFORMANCE_TARGET: values.target,
    SPOOL_CONFORMANCE_ALL: values.all ? '1' : '0',
  },
})

/** The last count that the runner printed under each name: `# pass 12`. */
const counts = new Map<string, number>()
createInterface(child.stdout).on('line', (line) => {
  console.log(line)
  const count = /^# (pass|fail|cancelled) (\d+)$/.exec(line)
  if (count !== null) counts.set(count[1] ?? '', Number(count[2]))
})
child.once('close', (code, signal) => {
  process.exitCode = code ?? 1
  if (signal !== null) console.error(`the test runner was ended by ${signal}`)
  const failed = (counts.get('fail') ?? 0) + (counts.get('cancelled') ?? 0)
  console.log(`${counts.get('pass') ?? 0} passed, ${failed} failed`)
})

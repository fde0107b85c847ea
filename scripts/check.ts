/**
 * All checks that need no other program than Node. Run: node scripts/check.ts
 * Every check runs even when an earlier one failed; the last line counts them.
 */
import { countsLine, runStep } from './run-step.ts'

const CHECKS: ReadonlyArray<{ name: string; command: string; args: readonly string[] }> = [
  { name: 'types', command: 'tsc', args: [] },
  { name: 'style', command: 'biome', args: ['check', '--error-on-warnings'] },
  { name: 'layers', command: process.execPath, args: ['scripts/check-layers.ts'] },
  { name: 'tidy', command: process.execPath, args: ['scripts/check-tidy.ts'] },
  { name: 'dead code', command: 'knip', args: ['--treat-config-hints-as-errors'] },
  { name: 'unit tests', command: process.execPath, args: ['scripts/test.ts', 'unit'] },
]

const counts = { passed: 0, failed: 0 }
const failedNames: string[] = []
for (const { name, command, args } of CHECKS) {
  console.log(`== ${name}`)
  const { exitCode } = await runStep(command, args)
  if (exitCode === 0) counts.passed++
  else {
    counts.failed++
    failedNames.push(name)
  }
}
if (failedNames.length > 0) console.error(`failed checks: ${failedNames.join(', ')}`)
console.log(`checks:`)
console.log(countsLine(counts))
process.exitCode = counts.failed === 0 ? 0 : 1

/**
 * Compacts the table in each data directory with Spool, as a running broker does it, and prints the
 * seconds and the CPU seconds of the last. The others are there to be like TimeCleaner.java.
 * Run: node time-cleaner.ts DIR...
 */
import { openTable } from './table-log.ts'

let figures = {}
for (const directory of process.argv.slice(2)) {
  const table = openTable(directory)
  const bytes = table.log.sizeBytes
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await table.manager.compact(table.log)
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  figures = { bytes, seconds, cpuSeconds: (user + system) / 1e6 }
  await table.manager.close()
}
console.log(JSON.stringify(figures))

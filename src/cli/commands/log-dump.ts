import { type DumpRow, dumpLog as dumpRows } from '../../app/log-inspection/dump-log.ts'
import type { OutputFormat } from '../output.ts'
import { printJson } from '../output.ts'

/** Prints what the files hold, a line each: JSON, or `type name=value …`. */
export async function dumpLog(
  path: string,
  options: { readonly records?: boolean; readonly output: OutputFormat },
): Promise<void> {
  for (const row of dumpRows(path, options.records ?? false)) {
    if (options.output === 'json') printJson(row)
    else process.stdout.write(`${lineOf(row)}\n`)
    // Lets a slow reader catch up instead of keeping all lines in memory.
    if (process.stdout.writableNeedDrain) {
      await new Promise((resolve) => process.stdout.once('drain', resolve))
    }
  }
}

function lineOf({ type, ...fields }: DumpRow): string {
  if (type === 'file') return `\n${String(fields['path'])}`
  const words = Object.entries(fields).map(([name, value]) => {
    return `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`
  })
  return `${String(type)} ${words.join(' ')}`
}

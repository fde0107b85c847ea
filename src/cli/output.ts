import { usageFailure } from './command-failure.ts'

export type OutputFormat = 'json' | 'table'

export type Row = Readonly<Record<string, string | number | boolean | null>>

/** Reads the value of `-o`. */
export function parseFormat(text: string): OutputFormat {
  if (text === 'json' || text === 'table') return text
  throw usageFailure(`-o "${text}" is not json or table`)
}

let onOutputLost: ((error: NodeJS.ErrnoException) => void) | undefined

/**
 * Says what to do when the standard output cannot be written any more, as in `spool consume … | head`.
 * The last call counts.
 */
export function watchOutput(listener: (error: NodeJS.ErrnoException) => void): void {
  if (onOutputLost === undefined) process.stdout.on('error', (error) => onOutputLost?.(error))
  onOutputLost = listener
}

/** A reader that has had enough is no failure. */
export function isReaderGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE'
}

/** Prints one value for programs. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Prints rows: an array in JSON, or aligned columns with a heading. */
export function printRows(
  format: OutputFormat,
  columns: readonly string[],
  rows: readonly Row[],
): void {
  if (format === 'json') {
    printJson(rows)
    return
  }
  process.stdout.write(formatTable(columns, rows))
}

/** Prints what was done: the value in JSON, the sentence for people. */
export function printDone(format: OutputFormat, sentence: string, value: unknown): void {
  if (format === 'json') printJson(value)
  else process.stdout.write(`${sentence}\n`)
}

/** Columns are as wide as their widest cell; numbers stand at the right. */
export function formatTable(columns: readonly string[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => textOf(row[column])))
  const isNumeric = columns.map((column) =>
    rows.every((row) => typeof row[column] === 'number' || row[column] === null),
  )
  const heading = columns.map((column) => column.replaceAll(/([A-Z])/g, ' $1').toUpperCase())
  const widths = heading.map((name, index) =>
    Math.max(name.length, ...cells.map((row) => (row[index] ?? '').length)),
  )
  const lines = [heading, ...cells].map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return isNumeric[index] ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function textOf(value: Row[string] | undefined): string {
  return value === null || value === undefined ? '-' : String(value)
}

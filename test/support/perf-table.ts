/** The numbers of one row, by the names that the tool gives its columns. */
export type PerfRow = (column: string) => number

/**
 * Reads the first row of the table that a performance tool of Kafka prints. Its columns are found by the
 * line above: ConsumerPerformance and ShareConsumerPerformance have the same ones in another order.
 * @returns a column that is not there, or holds no number, is an exception
 * @throws Error when there is no table
 */
export function perfRow(output: string): PerfRow {
  const lines = output.split('\n').map((line) => line.split(',').map((cell) => cell.trim()))
  const headerAt = lines.findIndex(([first]) => first === 'start.time')
  const header = lines[headerAt]
  const row = header && lines.slice(headerAt + 1).find((cells) => cells.length === header.length)
  if (header === undefined || row === undefined) throw unexpected('no table', output)
  return (column) => {
    const cell = row[header.indexOf(column)] ?? ''
    if (cell === '' || Number.isNaN(Number(cell))) throw unexpected(`no number ${column}`, output)
    return Number(cell)
  }
}

/** `..., MB in all, MB/s, records/s, records in all, milliseconds since the row before for share consumer 1` */
const PROGRESS = /([\d.]+), [\d.]+, [\d.]+, \d+, (\d+) for share consumer \d+$/

/**
 * Reads the rows that ShareConsumerPerformance prints between its header and its result when it is asked
 * for details. It prints one at the first record of a poll, and the first when the member has joined.
 * @returns MB/s as the tool means MB, from the first row to the last
 * @throws Error when there are not two rows with time between them
 */
export function progressRate(output: string): number {
  const rows = output.split('\n').flatMap((line) => {
    const match = PROGRESS.exec(line.trim())
    return match === null ? [] : [{ megabytes: Number(match[1]), milliseconds: Number(match[2]) }]
  })
  const [first, ...later] = rows
  const milliseconds = later.reduce((sum, row) => sum + row.milliseconds, 0)
  const last = later.at(-1)
  if (first === undefined || last === undefined || milliseconds === 0)
    throw unexpected('no progress', output)
  return ((last.megabytes - first.megabytes) * 1000) / milliseconds
}

/** The output without the rows of {@link progressRate}. */
export function withoutProgress(output: string): string {
  return output
    .split('\n')
    .filter((line) => !PROGRESS.test(line.trim()))
    .join('\n')
}

function unexpected(what: string, output: string): Error {
  return new Error(`the tool printed ${what}:\n${output.slice(-2000)}`)
}

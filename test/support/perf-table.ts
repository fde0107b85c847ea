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

function unexpected(what: string, output: string): Error {
  return new Error(`the tool printed ${what}:\n${output.slice(-2000)}`)
}

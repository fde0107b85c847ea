import type { TargetKind } from '../conformance/target.ts'
import type { Metric, Sample, Scenario } from './scenario.ts'

/** The runs of one scenario, in their order. */
export interface ScenarioResult {
  readonly scenario: Scenario
  readonly samples: Readonly<Record<TargetKind, Sample[]>>
}

interface Row {
  readonly cells: readonly string[]
}

const HEAD = ['work', 'measure', 'Kafka', 'Spool', 'Spool / Kafka', 'goal']

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  if (upper === undefined) return Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2
}

/** Three significant digits, as many as such a measurement can mean. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (value >= 100) return value.toFixed(0)
  return String(Number(value.toPrecision(3)))
}

function goalText(metric: Metric, spool: number, ratio: number): string {
  const { goal, limit } = metric
  const verdict = (isMet: boolean): string => (isMet ? 'met' : 'missed')
  if (goal?.ratioAtLeast !== undefined) {
    return `≥ ${goal.ratioAtLeast}×${suffix(ratio, verdict(ratio >= goal.ratioAtLeast))}`
  }
  if (goal?.ratioAtMost !== undefined) {
    return `≤ ${goal.ratioAtMost}×${suffix(ratio, verdict(ratio <= goal.ratioAtMost))}`
  }
  return limit === undefined ? '' : `≤ ${limit}${suffix(spool, verdict(spool <= limit))}`
}

function suffix(measured: number, verdict: string): string {
  return Number.isFinite(measured) ? `: ${verdict}` : ''
}

function rowsOf({ scenario, samples }: ScenarioResult): Row[] {
  return scenario.metrics.map((metric, index) => {
    const median = (kind: TargetKind): number =>
      medianOf(samples[kind].map((sample) => sample[metric.name] ?? Number.NaN))
    const [kafka, spool] = [median('kafka'), median('spool')]
    const ratio = spool / kafka
    const title = index === 0 ? scenario.title : ''
    const name = `${metric.name}, ${metric.unit}`
    const goal = goalText(metric, spool, ratio)
    return { cells: [title, name, shown(kafka), shown(spool), shown(ratio), goal] }
  })
}

/** The medians as a Markdown table, aligned so that a terminal shows it well too. */
export function tableOf(results: readonly ScenarioResult[]): string {
  const rows = [{ cells: HEAD }, ...results.flatMap(rowsOf)]
  const widths = HEAD.map((_, column) =>
    Math.max(...rows.map((row) => row.cells[column]?.length ?? 0)),
  )
  const lines = rows.map(
    ({ cells }) =>
      `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  )
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return lines.join('\n')
}

/** Everything that was measured, for other programs. */
export function jsonOf(results: readonly ScenarioResult[], machine: object): string {
  const scenarios = results.map(({ scenario, samples }) => {
    const { name, title, metrics } = scenario
    return { name, title, metrics, samples }
  })
  return `${JSON.stringify({ ...machine, scenarios }, null, 2)}\n`
}

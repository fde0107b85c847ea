import type { TargetKind } from '../conformance/target.ts'
import type { MeasuredWork, Metric, Sample } from './scenario.ts'

/** The runs of one scenario, in their order. */
export interface ScenarioResult<Kind extends string = TargetKind> {
  readonly scenario: MeasuredWork
  readonly samples: Readonly<Record<Kind, Sample[]>>
}

/** The server that Spool is measured beside. */
export interface Peer<Kind extends string> {
  readonly kind: Kind
  /** Its name in the head of the table. */
  readonly title: string
}

interface Row {
  readonly cells: readonly string[]
}

export const KAFKA: Peer<'kafka'> = { kind: 'kafka', title: 'Kafka' }

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

function rowsOf<Kind extends string>(
  { scenario, samples }: ScenarioResult<Kind | 'spool'>,
  peer: Kind,
): Row[] {
  return scenario.metrics.map((metric, index) => {
    const median = (kind: Kind | 'spool'): number =>
      medianOf(samples[kind].map((sample) => sample[metric.name] ?? Number.NaN))
    const [other, spool] = [median(peer), median('spool')]
    const ratio = spool / other
    const title = index === 0 ? scenario.title : ''
    const name = `${metric.name}, ${metric.unit}`
    const goal = goalText(metric, spool, ratio)
    return { cells: [title, name, shown(other), shown(spool), shown(ratio), goal] }
  })
}

/** The medians as a Markdown table, aligned so that a terminal shows it well too. */
export function tableOf<Kind extends string>(
  results: readonly ScenarioResult<Kind | 'spool'>[],
  { kind, title }: Peer<Kind>,
): string {
  const head = ['work', 'measure', title, 'Spool', `Spool / ${title}`, 'goal']
  const rows = [{ cells: head }, ...results.flatMap((result) => rowsOf(result, kind))]
  const widths = head.map((_, column) =>
    Math.max(...rows.map((row) => row.cells[column]?.length ?? 0)),
  )
  const lines = rows.map(
    ({ cells }) =>
      `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  )
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return lines.join('\n')
}

/** A sample for those who watch a run. */
export function lineOf(sample: Sample): string {
  const parts = Object.entries(sample).map(([name, value]) => `${name} ${value.toPrecision(3)}`)
  return parts.join(', ')
}

/** Everything that was measured, for other programs. */
export function jsonOf<Kind extends string>(
  results: readonly ScenarioResult<Kind>[],
  machine: object,
): string {
  const scenarios = results.map(({ scenario, samples }) => {
    const { name, title, metrics } = scenario
    return { name, title, metrics, samples }
  })
  return `${JSON.stringify({ ...machine, scenarios }, null, 2)}\n`
}

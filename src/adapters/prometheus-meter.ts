import type { Metric, Registry } from 'prom-client'
import type { Counter, Histogram, Meter } from '../ports/meter.ts'

type Labels = Readonly<Record<string, string>>
type Kind = 'counter' | 'gauge' | 'histogram'

/** One line of the output. */
interface Sample {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

interface Instrument {
  samples(): Sample[]
}

/** All instruments of one name; they differ in their labels. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: Kind
  readonly byLabels: Map<string, Instrument>
}

/** How often the event loop's delay is sampled; each sample wakes the process. */
const EVENT_LOOP_SAMPLE_MS = 50

const NO_LABELS: Labels = {}

/**
 * Metrics in Prometheus' text format. Recording changes one number: prom-client, which writes the
 * text and measures the process itself, is loaded when somebody looks for the first time.
 */
export class PrometheusMeter implements Meter {
  readonly #families = new Map<string, Family>()
  #registry: Promise<Registry> | undefined

  counter(name: string, help: string, labels: Labels = NO_LABELS): Counter {
    const { byLabels } = this.#family(name, help, 'counter')
    const key = JSON.stringify(labels)
    const known = byLabels.get(key)
    if (known instanceof Cell) return known
    const cell = new Cell(labels)
    byLabels.set(key, cell)
    return cell
  }

  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: Labels = NO_LABELS,
  ): Histogram {
    const { byLabels } = this.#family(name, help, 'histogram')
    const key = JSON.stringify(labels)
    const known = byLabels.get(key)
    if (known instanceof Distribution) return known
    const distribution = new Distribution(name, buckets, labels)
    byLabels.set(key, distribution)
    return distribution
  }

  gauge(name: string, help: string, read: () => number, labels: Labels = NO_LABELS): void {
    const { byLabels } = this.#family(name, help, 'gauge')
    byLabels.set(JSON.stringify(labels), { samples: () => [{ labels, value: read() }] })
  }

  /** All metrics and the type of their text. */
  async exposition(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#registry ??= this.#makeRegistry()
    const registry = await this.#registry
    return { contentType: registry.contentType, text: await registry.metrics() }
  }

  /** @throws Error when the same name was used for another kind: both are in our code */
  #family(name: string, help: string, type: Kind): Family {
    let family = this.#families.get(name)
    if (family === undefined) {
      family = { name, help, type, byLabels: new Map() }
      this.#families.set(name, family)
      const added = family
      void this.#registry?.then((registry) => registerFamily(registry, added))
    }
    if (family.type !== type) throw new Error(`metric ${name} is a ${family.type}, not a ${type}`)
    return family
  }

  async #makeRegistry(): Promise<Registry> {
    const { collectDefaultMetrics, Registry } = (await import('prom-client')).default
    const registry = new Registry()
    collectDefaultMetrics({
      register: registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS,
    })
    for (const family of this.#families.values()) registerFamily(registry, family)
    return registry
  }
}

/** prom-client only asks a metric for its values; its own classes would allocate when recording. */
function registerFamily(registry: Registry, { name, help, type, byLabels }: Family): void {
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type,
      aggregator: 'sum',
      values: [...byLabels.values()].flatMap((instrument) => instrument.samples()),
    }),
  }
  registry.registerMetric(metric as unknown as Metric)
}

class Cell implements Counter, Instrument {
  readonly #labels: Labels
  #value = 0

  constructor(labels: Labels) {
    this.#labels = labels
  }

  add(amount = 1): void {
    this.#value += amount
  }

  samples(): Sample[] {
    return [{ labels: this.#labels, value: this.#value }]
  }
}

class Distribution implements Histogram, Instrument {
  readonly #name: string
  readonly #upperBounds: readonly number[]
  readonly #labels: Labels
  /** Values per bucket, the last one above all bounds. */
  readonly #counts: Float64Array
  #sum = 0

  constructor(name: string, upperBounds: readonly number[], labels: Labels) {
    this.#name = name
    this.#upperBounds = upperBounds
    this.#labels = labels
    this.#counts = new Float64Array(upperBounds.length + 1)
  }

  record(value: number): void {
    let index = 0
    while (index < this.#upperBounds.length && value > (this.#upperBounds[index] ?? 0)) index++
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += value
  }

  samples(): Sample[] {
    const samples: Sample[] = []
    let count = 0
    for (const [index, inBucket] of this.#counts.entries()) {
      count += inBucket
      const le = this.#upperBounds[index] ?? '+Inf'
      const labels = { le, ...this.#labels }
      samples.push({ metricName: `${this.#name}_bucket`, labels, value: count })
    }
    samples.push({ metricName: `${this.#name}_sum`, labels: this.#labels, value: this.#sum })
    samples.push({ metricName: `${this.#name}_count`, labels: this.#labels, value: count })
    return samples
  }
}

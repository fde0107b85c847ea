import type { Counter, Histogram, Meter } from '../../../src/ports/meter.ts'

type Labels = Readonly<Record<string, string>>

/** Remembers what was measured, so that a test can ask. */
export class RecordingMeter implements Meter {
  readonly #counts = new Map<string, number>()
  readonly #gauges = new Map<string, () => number>()

  counter(name: string, _help: string, labels: Labels = {}): Counter {
    const key = keyOf(name, labels)
    return { add: (amount = 1) => void this.#counts.set(key, this.count(name, labels) + amount) }
  }

  histogram(name: string, _help: string, _buckets: readonly number[], labels?: Labels): Histogram {
    const counter = this.counter(`${name}_count`, '', labels)
    return { record: () => counter.add() }
  }

  gauge(name: string, _help: string, read: () => number, labels: Labels = {}): void {
    this.#gauges.set(keyOf(name, labels), read)
  }

  count(name: string, labels: Labels = {}): number {
    return this.#counts.get(keyOf(name, labels)) ?? 0
  }

  /** @throws Error when nobody made such a gauge */
  read(name: string): number {
    const read = this.#gauges.get(name)
    if (read === undefined) throw new Error(`no gauge ${name}`)
    return read()
  }
}

const keyOf = (name: string, labels: Labels): string =>
  Object.keys(labels).length === 0 ? name : `${name} ${JSON.stringify(labels)}`

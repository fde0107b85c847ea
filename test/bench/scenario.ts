import type { Target, TargetKind } from '../conformance/target.ts'

/** One number of a scenario. */
export interface Metric {
  readonly name: string
  readonly unit: string
  /** Spool's number divided by that of the other server must be at least or at most this. */
  readonly goal?: { readonly ratioAtLeast?: number; readonly ratioAtMost?: number }
  /** For goals that do not depend on the other server: Spool's own number. */
  readonly limit?: number
}

/** Numbers of one run by the name of their metric. */
export type Sample = Readonly<Record<string, number>>

export interface ScenarioContext {
  readonly kind: TargetKind
  /** The broker that lives through the whole bench. */
  readonly target: Target
  /** Made for this run and deleted after it; not there for scenarios without `topic`. */
  readonly topic: string
  /** 1 for a full run; smaller for a quick look. */
  readonly scale: number
}

/** What a row of the table is about. */
export interface MeasuredWork {
  readonly name: string
  /** One line for the table. */
  readonly title: string
  readonly metrics: readonly Metric[]
}

export interface Scenario extends MeasuredWork {
  readonly needsCompiler?: boolean
  readonly topic?: {
    readonly partitionCount: number
    /** Topic settings; both brokers keep what they acknowledged in the page cache without any. */
    readonly config?: Readonly<Partial<Record<TargetKind, Readonly<Record<string, string>>>>>
  }
  /** Work before the measured part. */
  prepare?(context: ScenarioContext): Promise<void>
  run(context: ScenarioContext): Promise<Sample>
}

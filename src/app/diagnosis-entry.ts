/** One thing a broker depends on. */
export interface Diagnosis {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'problem'
  readonly detail: string
}

import type { NumberedSubjects } from './subject-filter.ts'

const FIRST_CAPACITY = 64

/** The subjects of one index by number, and which messages each has. Number 0 is no subject. */
export class SubjectTable implements NumberedSubjects {
  readonly #ids = new Map<string, number>()
  readonly #subjects: string[] = ['']
  #counts = new Uint32Array(FIRST_CAPACITY)
  #firsts = new Float64Array(FIRST_CAPACITY)
  #lasts = new Float64Array(FIRST_CAPACITY)
  /** Subjects that have messages. */
  usedCount = 0

  get count(): number {
    return this.#subjects.length
  }

  subject(id: number): string {
    return this.#subjects[id] as string
  }

  /** 0 when it never had a message. */
  idOf(subject: string): number {
    return this.#ids.get(subject) ?? 0
  }

  idFor(subject: string): number {
    const known = this.#ids.get(subject)
    if (known !== undefined) return known
    const id = this.#subjects.length
    this.#ids.set(subject, id)
    this.#subjects.push(subject)
    if (id >= this.#counts.length) this.#grow()
    return id
  }

  countOf(id: number): number {
    return this.#counts[id] as number
  }

  /** First and last message; they mean nothing while there is none. */
  firstOf(id: number): number {
    return this.#firsts[id] as number
  }

  lastOf(id: number): number {
    return this.#lasts[id] as number
  }

  set(id: number, count: number, first: number, last: number): void {
    const before = this.#counts[id] as number
    if (before === 0 && count > 0) this.usedCount++
    else if (before > 0 && count === 0) this.usedCount--
    this.#counts[id] = count
    this.#firsts[id] = first
    this.#lasts[id] = last
  }

  #grow(): void {
    const capacity = this.#counts.length * 2
    const counts = new Uint32Array(capacity)
    const firsts = new Float64Array(capacity)
    const lasts = new Float64Array(capacity)
    counts.set(this.#counts)
    firsts.set(this.#firsts)
    lasts.set(this.#lasts)
    this.#counts = counts
    this.#firsts = firsts
    this.#lasts = lasts
  }
}

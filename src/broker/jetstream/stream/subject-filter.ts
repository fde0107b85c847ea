import { isSubset } from '../../subjects/subject-subset.ts'

/** Subjects by number, as an index has them: from 1 on, none is given twice, and 0 is no subject. */
export interface NumberedSubjects {
  /** One more than the last number. */
  readonly count: number
  /** One character for each byte. */
  subject(id: number): string
}

const FIRST_FLAGS = 64

/** Which subjects of one index pass. */
export class PassingIds {
  readonly #subjects: NumberedSubjects
  readonly #passes: (subject: string) => boolean
  #flags = new Uint8Array(FIRST_FLAGS)
  #knownCount = 1
  /** Those that pass, in order. */
  readonly ids: number[] = []

  constructor(subjects: NumberedSubjects, passes: (subject: string) => boolean) {
    this.#subjects = subjects
    this.#passes = passes
  }

  /** 1 at the numbers that pass. Holds until the next call. */
  get flags(): Uint8Array {
    const { count } = this.#subjects
    if (this.#knownCount < count) this.#learn(count)
    return this.#flags
  }

  #learn(count: number): void {
    if (count > this.#flags.length) {
      const grown = new Uint8Array(Math.max(count, this.#flags.length * 2))
      grown.set(this.#flags)
      this.#flags = grown
    }
    for (let id = this.#knownCount; id < count; id++) {
      if (!this.#passes(this.#subjects.subject(id))) continue
      this.#flags[id] = 1
      this.ids.push(id)
    }
    this.#knownCount = count
  }
}

/**
 * The subjects that somebody wants of a stream. Each subject is compared once for each index, and
 * then known by its number.
 */
export class SubjectFilter {
  readonly subjects: readonly string[]
  /** Every subject passes. */
  readonly isAll: boolean
  /** The one subject that passes, when it has no wildcard. */
  readonly literal: string | null
  readonly #known = new WeakMap<NumberedSubjects, PassingIds>()

  /** @param subjects with wildcards or without, one character for each byte; none: all pass */
  constructor(subjects: readonly string[]) {
    this.subjects = subjects
    this.isAll = subjects.length === 0 || subjects.includes('>')
    const [only] = subjects
    this.literal = subjects.length === 1 && only !== undefined && !WILDCARD.test(only) ? only : null
  }

  passes(subject: string): boolean {
    return this.isAll || this.subjects.some((one) => isSubset(subject, one))
  }

  /** Which numbers of an index pass. */
  idsIn(subjects: NumberedSubjects): PassingIds {
    let known = this.#known.get(subjects)
    if (known === undefined) {
      known = new PassingIds(subjects, (subject) => this.passes(subject))
      this.#known.set(subjects, known)
    }
    return known
  }
}

const WILDCARD = /(?:^|\.)[*>](?:\.|$)/

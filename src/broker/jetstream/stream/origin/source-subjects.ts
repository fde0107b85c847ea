import type { StreamSource } from '../stream-config.ts'
import { SubjectFilter } from '../subject-filter.ts'
import { SubjectTransform } from '../subject-transform.ts'

/** Which messages of an origin are copied, and the subjects that the copies get. */
export class SourceSubjects {
  readonly filter: SubjectFilter
  readonly #transforms: readonly SubjectTransform[]

  constructor({ filter_subject: filter = '', subject_transforms: changes = [] }: StreamSource) {
    const subjects = changes.map(({ src }) => (src === '' ? '>' : src))
    this.filter = new SubjectFilter(filter === '' ? subjects : [filter])
    this.#transforms = changes
      .filter(({ dest }) => dest !== '')
      .map(({ src, dest }) => SubjectTransform.make(src, dest))
      .filter((made) => typeof made !== 'string')
  }

  /** The first change that takes the subject counts. */
  subjectOf(subject: string): string {
    for (const transform of this.#transforms) {
      const changed = transform.apply(subject)
      if (changed !== null) return changed
    }
    return subject
  }
}

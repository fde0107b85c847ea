import type { StreamConfig } from './stream-config.ts'
import { SubjectTransform } from './subject-transform.ts'

/** A mirror's offsets belong to the messages of its origin. */
export function readOnlyReasonOf({ name, mirror }: StreamConfig): string | null {
  if (mirror === undefined) return null
  return `Stream ${name} mirrors ${mirror.name}: produce to that, or end the mirror`
}

/** Its messages may have any subject, not only its own. */
export function takesAllSubjects(config: StreamConfig): boolean {
  const { mirror, sources = [], subject_transform: transform } = config
  return mirror !== undefined || sources.length > 0 || transform !== undefined
}

export function transformOf({
  subject_transform: transform,
}: StreamConfig): SubjectTransform | null {
  if (transform === undefined) return null
  const made = SubjectTransform.make(transform.src, transform.dest)
  return typeof made === 'string' ? null : made
}

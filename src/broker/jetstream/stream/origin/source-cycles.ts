import { isOverlap } from '../../../subjects/subject-overlap.ts'
import type { StreamConfig, StreamSource } from '../stream-config.ts'

/** Paths of sources that are looked at before a configuration counts as one that goes in circles. */
const MAX_PATHS = 10_000

/**
 * Whether a message could come back to the stream through its origins and theirs: some subject passes
 * every filter on the way. nats-server looks at the filters of one stream only, and lets some of these be.
 */
export function copiesItself(
  config: StreamConfig,
  find: (name: string) => StreamConfig | undefined,
): boolean {
  const paths = [{ at: config, names: [config.name], filters: [] as string[] }]
  for (let i = 0; i < paths.length; i++) {
    if (i === MAX_PATHS) return true
    const { at, names, filters } = paths[i] as (typeof paths)[number]
    for (const origin of originsOf(at)) {
      const { name, filter_subject: filter = '' } = origin
      if (filter !== '' && filters.some((one) => !isOverlap(one, filter))) continue
      if (name === config.name) return true
      const next = find(name)
      if (next === undefined || names.includes(name)) continue
      // A changed subject may pass any filter.
      const isChanged = (origin.subject_transforms ?? []).length > 0
      const passed = isChanged || filter === '' ? filters : [...filters, filter]
      paths.push({ at: next, names: [...names, name], filters: isChanged ? [] : passed })
    }
  }
  return false
}

export function originsOf({ sources = [], mirror }: StreamConfig): readonly StreamSource[] {
  return mirror === undefined ? sources : [...sources, mirror]
}

import type { OriginStatus } from '../../../broker/jetstream/stream/origin/origin-status.ts'
import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import { SubjectFilter } from '../../../broker/jetstream/stream/subject-filter.ts'
import { isoTime, NO_TIME } from './consumer-info-json.ts'
import { streamConfigJson } from './stream-config-json.ts'

type Fields = Readonly<Record<string, unknown>>

/** Source: JSMaxSubjectDetails of nats-server. */
const MAX_SUBJECTS = 100_000

const NO_PAGING = { total: 0, offset: 0, limit: 0 }

/** What StreamInfo shows only when it is asked for. */
export interface StreamDetails {
  readonly hasDeleted: boolean
  /** Empty: no subjects are shown. */
  readonly subjectsFilter: string
  readonly offset: number
}

export const NO_DETAILS: StreamDetails = { hasDeleted: false, subjectsFilter: '', offset: 0 }

/** StreamInfo as clients read it. */
export function streamInfoJson(
  stream: Stream,
  details: StreamDetails,
  consumerCount: number,
  nowMs: number,
  serverMetadata: Readonly<Record<string, string>>,
): Fields {
  const { subjects, paging } = subjectsOf(stream, details)
  return {
    ...paging,
    config: streamConfigJson(stream.config, serverMetadata),
    created: isoTime(stream.createdMs),
    state: { ...stateJson(stream, details.hasDeleted), ...subjects, consumer_count: consumerCount },
    ...originsJson(stream),
    ts: isoTime(nowMs),
  }
}

function originsJson({ config, originStatus }: Stream): Fields {
  const [first, ...others] = originStatus().map(originJson)
  if (first === undefined) return {}
  return config.mirror === undefined ? { sources: [first, ...others] } : { mirror: first }
}

function originJson({ source, lag, activeNanoseconds, error }: OriginStatus): Fields {
  const { name, filter_subject: filter = '', subject_transforms: transforms = [] } = source
  return {
    ...{ name, lag, active: activeNanoseconds },
    ...(error !== null && { error }),
    ...(filter !== '' && { filter_subject: filter }),
    ...(transforms.length > 0 && { subject_transforms: transforms }),
  }
}

export function stateJson({ state }: Stream, hasDeleted: boolean): Fields {
  const { index } = state
  const { messageCount, firstSequence, lastSequence } = index
  const isEmpty = messageCount === 0
  const deletedCount = isEmpty ? 0 : lastSequence - firstSequence + 1 - messageCount
  const isUnused = isEmpty && lastSequence === 0
  return {
    messages: messageCount,
    bytes: index.byteCount,
    first_seq: isUnused ? 0 : firstSequence,
    first_ts: isEmpty ? NO_TIME : isoTime(index.timeOf(firstSequence)),
    last_seq: lastSequence,
    last_ts: state.lastTimeMs === 0 ? NO_TIME : isoTime(state.lastTimeMs),
    ...(index.subjects.usedCount > 0 && { num_subjects: index.subjects.usedCount }),
    ...(deletedCount > 0 && { num_deleted: deletedCount }),
    ...(hasDeleted && deletedCount > 0 && { deleted: deletedOf(state) }),
  }
}

function deletedOf({ index }: Stream['state']): number[] {
  const deleted: number[] = []
  for (let at = index.firstSequence; at <= index.lastSequence; at++) {
    if (!index.has(at)) deleted.push(at)
  }
  return deleted
}

function subjectsOf(
  { state }: Stream,
  { subjectsFilter, offset }: StreamDetails,
): { subjects: Fields; paging: Fields } {
  if (subjectsFilter === '') return { subjects: {}, paging: NO_PAGING }
  const counts = [...state.index.countsPerSubject(new SubjectFilter([subjectsFilter]))]
  if (counts.length === 0) return { subjects: {}, paging: NO_PAGING }
  counts.sort(([a], [b]) => (a < b ? -1 : 1))
  const shown = counts.slice(offset, offset + MAX_SUBJECTS)
  return {
    subjects: { subjects: Object.fromEntries(shown) },
    paging: { total: counts.length, offset, limit: MAX_SUBJECTS },
  }
}

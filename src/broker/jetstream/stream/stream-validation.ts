import { isSubscribable } from '../../subjects/subject.ts'
import { isOverlap } from '../../subjects/subject-overlap.ts'
import { isSubset } from '../../subjects/subject-subset.ts'
import { BatchRefusals } from './batch/batch-refusals.ts'
import { CounterRefusals } from './counter/counter-rules.ts'
import { copiesItself, originsOf } from './origin/source-cycles.ts'
import { ScheduleRefusals } from './schedule/schedule-rules.ts'
import type { StreamConfig } from './stream-config.ts'
import {
  createFailed,
  invalidConfig,
  invalidMirrorFilter,
  invalidMirrorTransform,
  invalidSourceFilter,
  invalidSourceTransform,
  invalidTransform,
  invalidTransformSource,
  type StreamRefusal,
  StreamRefusals,
} from './stream-refusal.ts'
import { SubjectTransform } from './subject-transform.ts'

/** Source: JSMaxNameLen, JSMaxDescriptionLen, JSMaxMetadataLen of nats-server. */
const MAX_NAME_BYTES = 255
const MAX_DESCRIPTION_BYTES = 4096
const MAX_METADATA_BYTES = 131_072
const SECOND = 1_000_000_000

const NAME = /^[^\s.*>\\/]+$/

/** Subjects that belong to the server, with what may be taken of them, and how they are called. */
const SERVER_SUBJECTS = [
  ['$JS.>', '$JS.EVENT.>', 'jetstream'],
  ['$JSC.>', '$JS.EVENT.>', 'jetstream'],
  ['$NRG.>', '$JS.EVENT.>', 'jetstream'],
  ['$SYS.>', '$SYS.ACCOUNT.>', 'system'],
] as const

export function isStreamName(name: string): boolean {
  return NAME.test(name)
}

/** What is wrong with a name, a description or metadata: looked at before anything else. */
export function checkTexts(config: {
  readonly name: string
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
}): StreamRefusal | null {
  const { name, description = '', metadata = {} } = config
  if (!isStreamName(name)) {
    return invalidConfig("stream name is required and can not contain '.', '*', '>', '\\', '/'")
  }
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    return invalidConfig(`stream name is too long, maximum allowed is ${MAX_NAME_BYTES}`)
  }
  if (Buffer.byteLength(description) > MAX_DESCRIPTION_BYTES) {
    return invalidConfig(
      `stream description is too long, maximum allowed is ${MAX_DESCRIPTION_BYTES}`,
    )
  }
  let metadataBytes = 0
  for (const [key, value] of Object.entries(metadata)) {
    metadataBytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (metadataBytes <= MAX_METADATA_BYTES) return null
  return invalidConfig(`stream metadata exceeds maximum size of ${MAX_METADATA_BYTES} bytes`)
}

/**
 * What is wrong with a configuration that has its defaults, null: nothing.
 * @param find other streams
 * Source: checkStreamCfg of nats-server.
 */
export function checkStreamConfig(
  config: StreamConfig,
  find: (name: string) => StreamConfig | undefined,
): StreamRefusal | null {
  return (
    checkCombinations(config) ??
    checkMirror(config, find) ??
    checkSources(config, find) ??
    checkCycles(config, find) ??
    checkSubjects(config) ??
    checkTransforms(config) ??
    checkNotBuilt(config)
  )
}

function checkCombinations(config: StreamConfig): StreamRefusal | null {
  const { allow_rollup_hdrs, deny_purge, discard, max_msgs_per_subject } = config
  const markerTtl = config.subject_delete_marker_ttl ?? 0
  if (deny_purge && allow_rollup_hdrs) {
    return invalidConfig('roll-ups require the purge permission')
  }
  if (config.discard_new_per_subject === true) {
    if (discard !== 'new') {
      return invalidConfig('discard new per subject requires discard new policy to be set')
    }
    if (max_msgs_per_subject <= 0) {
      return invalidConfig('discard new per subject requires max msgs per subject > 0')
    }
  }
  if (markerTtl > 0 && markerTtl < SECOND) {
    return invalidConfig('subject delete marker TTL must be at least 1 second')
  }
  if (markerTtl < 0) return invalidConfig('subject delete marker TTL must not be negative')
  if (config.persist_mode === 'async' && config.storage !== 'file') {
    return invalidConfig('async persist mode is only supported on file storage')
  }
  if (config.persist_mode === 'async' && config.allow_atomic === true) {
    return invalidConfig('async persist mode is not supported with atomic batch publish')
  }
  return null
}

/** What nats-server has and Spool not: refused in words rather than ignored. */
function checkNotBuilt(config: StreamConfig): StreamRefusal | null {
  return originsOf(config).some(({ consumer }) => consumer !== undefined)
    ? invalidConfig('consumers of mirrors and sources are not supported')
    : null
}

function checkMirror(
  config: StreamConfig,
  find: (name: string) => StreamConfig | undefined,
): StreamRefusal | null {
  const { mirror } = config
  if (mirror === undefined) return null
  if ((config.first_seq ?? 0) > 0) return StreamRefusals.mirrorWithFirstSequence
  if ((config.subjects ?? []).length > 0) return StreamRefusals.mirrorWithSubjects
  if ((config.sources ?? []).length > 0) return StreamRefusals.mirrorWithSources
  if (config.allow_msg_counter === true) return CounterRefusals.mirror
  if (config.allow_atomic === true) return BatchRefusals.mirrorWithAtomic
  if (config.allow_batched === true) return BatchRefusals.mirrorWithFast
  if (config.allow_msg_schedules === true) return ScheduleRefusals.mirror
  const { filter_subject: filter = '', subject_transforms: transforms = [] } = mirror
  if (filter !== '' && transforms.length > 0) return StreamRefusals.mirrorManyFilters
  if ((config.subject_delete_marker_ttl ?? 0) > 0) {
    return invalidConfig('subject delete markers forbidden on mirrors')
  }
  for (const [at, { src, dest }] of transforms.entries()) {
    if (src !== '' && !isSubscribable(src)) return invalidMirrorFilter(`invalid subject ${src}`)
    const made = SubjectTransform.make(src, dest === '' ? src : dest)
    if (typeof made === 'string') return invalidMirrorTransform(made)
    if (transforms.some((other, i) => i !== at && isOverlap(other.src, src))) {
      return StreamRefusals.mirrorOverlappingFilters
    }
  }
  if (mirror.external !== undefined) return noExternal()
  if (!isStreamName(mirror.name)) return StreamRefusals.invalidMirrorName
  if (filter !== '' && !isSubscribable(filter)) {
    return createFailed(`subject filter '${filter}' for the mirror invalid subject`)
  }
  const origin = find(mirror.name)
  return isTooSmall(config, origin) ? StreamRefusals.mirrorMaxMessageSize : null
}

function checkSources(
  config: StreamConfig,
  find: (name: string) => StreamConfig | undefined,
): StreamRefusal | null {
  const { sources = [] } = config
  if (sources.length > 0 && config.allow_msg_schedules === true) return ScheduleRefusals.sources
  const seen = new Set<string>()
  for (const source of sources) {
    if (!isStreamName(source.name)) return StreamRefusals.invalidSourceName
    const { filter_subject: filter = '', subject_transforms: transforms = [] } = source
    const identity = JSON.stringify([source.name, filter, transforms])
    if (seen.has(identity)) return StreamRefusals.duplicateSource
    seen.add(identity)
    if (filter !== '' && transforms.length > 0) return StreamRefusals.sourceManyFilters
    for (const [at, { src, dest }] of transforms.entries()) {
      if (src !== '' && !isSubscribable(src)) return invalidSourceFilter(`invalid subject ${src}`)
      const made = SubjectTransform.make(src, dest === '' ? src : dest)
      if (typeof made === 'string') return invalidSourceTransform(made)
      if (transforms.some((other, i) => i !== at && isSubset(src, other.src))) {
        return StreamRefusals.sourceOverlappingFilters
      }
    }
    if (source.external !== undefined) return noExternal()
    if (filter !== '' && !isSubscribable(filter)) {
      return createFailed(`subject filter '${filter}' for the source: invalid subject`)
    }
    if (isTooSmall(config, find(source.name))) return StreamRefusals.sourceMaxMessageSize
  }
  return null
}

const noExternal = (): StreamRefusal =>
  invalidConfig('streams of other servers or domains can not be mirrored or sourced')

function isTooSmall(config: StreamConfig, origin: StreamConfig | undefined): boolean {
  const size = origin?.max_msg_size ?? -1
  return config.max_msg_size > 0 && size > 0 && config.max_msg_size < size
}

function checkCycles(
  config: StreamConfig,
  find: (name: string) => StreamConfig | undefined,
): StreamRefusal | null {
  const visited = new Set<string>()
  const toVisit = [config]
  for (let at = 0; at < toVisit.length; at++) {
    const one = toVisit[at] as StreamConfig
    visited.add(one.name)
    for (const origin of originsOf(one)) {
      if (visited.has(origin.name)) {
        const { filter_subject: filter = '' } = origin
        const subjects = one.subjects ?? []
        const isCycle = filter === '' || subjects.some((subject) => isOverlap(subject, filter))
        if (isCycle) return invalidConfig('detected cycle')
        continue
      }
      const next = find(origin.name)
      if (next !== undefined) toVisit.push(next)
    }
  }
  return copiesItself(config, find) ? invalidConfig('detected cycle') : null
}

function checkSubjects(config: StreamConfig): StreamRefusal | null {
  const { subjects = [], no_ack = false } = config
  for (const [at, subject] of subjects.entries()) {
    if (!isSubscribable(subject) || /\s/.test(subject)) return invalidConfig('invalid subject')
    if (subjects.indexOf(subject) !== at) return invalidConfig('duplicate subjects detected')
    if (!no_ack) {
      if (subject === '>') {
        return invalidConfig('capturing all subjects requires no-ack to be true')
      }
      for (const [taken, exception, owner] of SERVER_SUBJECTS) {
        if (isOverlap(subject, taken) && !isSubset(subject, exception)) {
          const api = `subjects that overlap with ${owner} api require no-ack to be true`
          return invalidConfig(api)
        }
      }
    }
    const other = subjects.find((one, i) => i > at && isOverlap(one, subject))
    if (other !== undefined && other !== subject) {
      return invalidConfig(`subject "${subject}" overlaps with "${other}"`)
    }
  }
  return null
}

function checkTransforms(config: StreamConfig): StreamRefusal | null {
  const { subject_transform: transform, republish, subjects = [] } = config
  if (transform !== undefined) {
    const { src, dest } = transform
    if (src !== '' && !isSubscribable(src)) return invalidTransformSource(`invalid subject ${src}`)
    const made = SubjectTransform.make(src, dest)
    if (typeof made === 'string') return invalidTransform(made)
  }
  if (republish === undefined) return null
  const { src = '>', dest } = republish
  if (subjects.some((subject) => isOverlap(dest, subject))) {
    return invalidConfig('stream configuration for republish destination forms a cycle')
  }
  const made = SubjectTransform.make(src, dest)
  if (typeof made !== 'string') return null
  return invalidConfig(
    `stream configuration for republish with transform from '${src}' to '${dest}' not valid`,
  )
}

/** What may not change. Source: configUpdateCheck of nats-server. */
export function checkStreamUpdate(before: StreamConfig, after: StreamConfig): StreamRefusal | null {
  const text = 'stream configuration update can not'
  if (after.storage !== before.storage) return invalidConfig(`${text} change storage type`)
  const isQueue = before.retention === 'workqueue' || after.retention === 'workqueue'
  if (after.retention !== before.retention && isQueue) {
    return invalidConfig(`${text} change retention policy to/from workqueue`)
  }
  if (before.sealed && !after.sealed) return invalidConfig(`${text} unseal a sealed stream`)
  if (before.deny_delete && !after.deny_delete) {
    return invalidConfig(`${text} cancel deny message deletes`)
  }
  if (before.deny_purge && !after.deny_purge) return invalidConfig(`${text} cancel deny purge`)
  const isOtherMirror = JSON.stringify(before.mirror) !== JSON.stringify(after.mirror)
  if (after.mirror !== undefined && isOtherMirror) return StreamRefusals.mirrorNotUpdatable
  if (before.allow_msg_ttl && !after.allow_msg_ttl) {
    return invalidConfig('message TTL status can not be disabled')
  }
  if ((before.allow_msg_counter ?? false) !== (after.allow_msg_counter ?? false)) {
    return invalidConfig(`${text} change message counter setting`)
  }
  if (before.allow_msg_schedules === true && after.allow_msg_schedules !== true) {
    return invalidConfig('message schedules can not be disabled')
  }
  if ((before.persist_mode ?? 'default') !== (after.persist_mode ?? 'default')) {
    return invalidConfig(`${text} change persist mode`)
  }
  return null
}

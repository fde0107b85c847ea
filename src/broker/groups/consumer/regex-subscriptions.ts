import type { ConsumerGroup, ResolvedRegex } from './consumer-group.ts'
import { type ConsumerGroupMember, isSameNames, regexOf } from './consumer-group-member.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { recordRegex, recordRegexGone } from './recorded-changes.ts'
import { resolveRegex } from './topic-regex.ts'

/** Topics may be created one after the other: all regexes are looked at again no more often. */
const MIN_REFRESH_INTERVAL_MS = 10_000

export interface RegexUpdate {
  /** The member subscribes to another regex, or to none any more. */
  readonly hasChanged: boolean
  /** The group needs another target: regexes match other topics now. */
  readonly needsTarget: boolean
}

/**
 * Follows a change of the member's regex, and resolves all of the group again when topics were
 * created since. Call it with the member already in the group as `updated`.
 */
export function updateRegexes(
  group: ConsumerGroup,
  old: ConsumerGroupMember,
  updated: ConsumerGroupMember,
  step: ConsumerStep,
): RegexUpdate {
  const hasChanged = old.subscribedTopicRegex !== updated.subscribedTopicRegex
  const before = regexOf(old)
  const after = regexOf(updated)
  const wasResolved = after !== null && group.regexes.has(after)
  if (hasChanged && before !== null && group.regexSubscriberCount(before) === 0) {
    recordRegexGone(group, before, step)
  }
  const matchesOthers = refresh(group, hasChanged && !wasResolved, step)
  const isOtherResolved = hasChanged && (wasResolved || (after === null && before !== null))
  return { hasChanged, needsTarget: matchesOthers || isOtherResolved }
}

/** @returns true when a regex matches other topics than before */
function refresh(group: ConsumerGroup, isForced: boolean, step: ConsumerStep): boolean {
  const regexes = group.subscribedRegexes
  if (regexes.size === 0) return false
  const { nowMs } = step.turn
  const [last] = group.regexes.values()
  if (last !== undefined) {
    if (nowMs <= last.timestampMs + MIN_REFRESH_INTERVAL_MS) return false
    const isDue =
      isForced ||
      regexes.size !== group.regexes.size ||
      last.version < step.newTopicsVersion ||
      nowMs > last.timestampMs + step.config.consumerRegexRefreshIntervalMs
    if (!isDue) return false
  }
  let hasOthers = false
  for (const regex of regexes) {
    const resolved = resolveRegex(regex, step.topics, nowMs)
    if (!matchesSame(group.regexes.get(regex), resolved)) hasOthers = true
    recordRegex(group, regex, resolved, step)
  }
  return hasOthers
}

/** A regex that was never resolved counts as one that matches nothing. */
function matchesSame(old: ResolvedRegex | undefined, resolved: ResolvedRegex): boolean {
  return isSameNames([...(old?.topics ?? [])].sort(), [...resolved.topics].sort())
}

import type { Matches } from '../../../broker/subjects/matches.ts'
import { isLiteral } from '../../../broker/subjects/subject.ts'
import { type SubjectBytes, SubjectRouter } from '../../../broker/subjects/subject-router.ts'
import { isSubset } from '../../../broker/subjects/subject-subset.ts'
import type { PermissionRules, ResponseRules, SubjectRules } from './security-settings.ts'

/** Subjects whose answer is kept, for each list. */
const LIMITS = { maxCachedSubjects: 256, maxCachedMatches: 4096, missesForPrefix: 16 }

/** Subjects with or without a queue, to be asked about often. */
class SubjectList {
  readonly #router: SubjectRouter<string>
  /** Those without a queue. */
  readonly plain: readonly string[]

  constructor(entries: readonly string[], seed: number) {
    this.#router = new SubjectRouter(LIMITS, seed)
    const plain: string[] = []
    for (const entry of entries) {
      const [subject = '', queue = ''] = entry.trim().split(/\s+/)
      if (queue === '') plain.push(subject)
      this.#router.insert(subject, queue, queue)
    }
    this.plain = plain
  }

  find(subject: SubjectBytes): Matches<string> {
    return this.#router.find(subject).matches
  }

  findText(subject: string): Matches<string> {
    return this.#router.matchesOf(Buffer.from(subject, 'latin1'))
  }
}

/** What the clients of one user may do. */
export class SubjectPermissions {
  readonly rules: PermissionRules
  readonly responses: ResponseRules | null
  readonly #publishAllow: SubjectList | null
  /** `>` is in that list, so that all subjects are but those with an empty token. */
  readonly #allowsAll: boolean
  readonly #publishDeny: SubjectList | null
  readonly #subscribeAllow: SubjectList | null
  readonly #subscribeDeny: SubjectList | null

  /** @param seed random */
  constructor(rules: PermissionRules, seed: number) {
    this.rules = rules
    this.responses = rules.responses
    this.#publishAllow = allowList(rules.publish, seed)
    this.#allowsAll = rules.publish.allow?.includes('>') === true
    this.#publishDeny = denyList(rules.publish, seed)
    this.#subscribeAllow = allowList(rules.subscribe, seed)
    this.#subscribeDeny = denyList(rules.subscribe, seed)
  }

  mayPublish(subject: SubjectBytes): boolean {
    // Such a subject is in no list.
    if (subject.hasEmptyToken) return this.#publishAllow === null
    const isAllowed = this.#allowsAll || this.#publishAllow?.find(subject).isEmpty !== true
    return isAllowed && this.#publishDeny?.find(subject).isEmpty !== false
  }

  /** Source: canSubscribe of nats-server. */
  maySubscribe(subject: string, queue: string): boolean {
    const allowed = this.#subscribeAllow?.findText(subject)
    if (allowed !== undefined) {
      const isNamed = queue !== '' && allowed.groups.length > 0
      if (!(isNamed ? hasQueue(allowed, queue) : allowed.plain.length > 0)) return false
    }
    const denied = this.#subscribeDeny?.findText(subject)
    if (denied === undefined) return true
    const isNamed = queue !== '' && denied.groups.length > 0
    return isNamed ? !hasQueue(denied, queue) : denied.plain.length === 0
  }

  /** Whether a subscription to the subject takes in some that are denied: it must be filtered. */
  needsFilter(subject: string): boolean {
    if (this.#subscribeDeny === null || isLiteral(subject)) return false
    return this.#subscribeDeny.plain.some((denied) => isSubset(denied, subject))
  }

  /** For a message on a subject, to a subscription that needs the filter. */
  mayReceive(subject: SubjectBytes): boolean {
    if (this.#subscribeDeny === null || subject.hasEmptyToken) return true
    return this.#subscribeDeny.find(subject).plain.length === 0
  }
}

function allowList({ allow }: SubjectRules, seed: number): SubjectList | null {
  return allow === null ? null : new SubjectList(allow, seed)
}

function denyList({ deny }: SubjectRules, seed: number): SubjectList | null {
  return deny.length === 0 ? null : new SubjectList(deny, seed)
}

/** Names of queues in permissions may have wildcards. */
function hasQueue(matches: Matches<string>, queue: string): boolean {
  return matches.groups.some((group) =>
    group.some((pattern) => pattern === queue || isSubset(queue, pattern)),
  )
}

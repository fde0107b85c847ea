import { beginsWith } from '../../base/bytes.ts'
import { FNV_START, fnv1a } from '../../base/fnv1a.ts'
import { Matches } from './matches.ts'
import { hasEmptyToken, isLiteral } from './subject.ts'
import { SubjectTrie } from './subject-trie.ts'

/** Subjects that share their first token share one of so many stamps. */
const BRANCH_COUNT = 256
const STALE = -1
const DOT = 46

/** Places looked at for one hash. */
const PROBE_COUNT = 4

/** Uncached matches that hold at one time. */
const UNCACHED_COUNT = 8
const NO_SUBJECT = Buffer.alloc(0)

/** A subject, one byte for each character. */
export interface SubjectBytes {
  readonly bytes: Buffer
  readonly subjectStart: number
  readonly subjectEnd: number
  /** `fnv1a` of it. */
  readonly subjectHash: number
  /** Nobody can listen to it. */
  readonly hasEmptyToken: boolean
}

export interface RouterLimits {
  /** Subjects whose matches are kept; a power of two. */
  readonly maxCachedSubjects: number
  /** Subscriptions in all kept matches. */
  readonly maxCachedMatches: number
  /** After so many subjects in a row that were not kept and begin alike, matches are kept for how they begin. */
  readonly missesForPrefix: number
}

/** The matches of one subject, for as long as they hold. */
export class Route<T> {
  readonly matches = new Matches<T>()
  readonly hash: number
  readonly subject: Buffer
  readonly branch: number
  stamp = STALE

  constructor(hash: number, subject: Buffer) {
    this.hash = hash
    this.subject = subject
    this.branch = branchOf(subject, 0, subject.byteLength)
  }
}

/**
 * Subscriptions by subject, with the matches of subjects that are published again and again. A
 * subscription with wildcards makes those of its first token stale, one without only its own subject.
 */
export class SubjectRouter<T> {
  readonly #trie: SubjectTrie<T>
  readonly #limits: RouterLimits
  readonly #mask: number
  #table: (Route<T> | undefined)[]
  /** The subject of each place that was missed last: only one missed twice in a row gets the place. */
  readonly #missed: Int32Array
  readonly #stamps = new Int32Array(BRANCH_COUNT)
  /** Several: whoever gets a message may publish another one while the matches are in use. */
  readonly #uncached = Array.from({ length: UNCACHED_COUNT }, () => new Route<T>(0, NO_SUBJECT))
  #uncachedIndex = 0
  /** For subjects that begin as its own does, and have more tokens: only subscriptions with > are there. */
  #prefixRoute: Route<T> | null = null
  /** Of the prefix that was missed last. */
  #missedPrefix = 0
  #missedCount = 0
  #cachedMatches = 0
  #count = 0
  /** Told of the subject of each subscription that came or went. */
  onChange: ((subject: string) => void) | null = null

  /** @param seed random */
  constructor(limits: RouterLimits, seed: number) {
    this.#trie = new SubjectTrie(seed)
    this.#limits = limits
    this.#mask = limits.maxCachedSubjects - 1
    this.#table = new Array(limits.maxCachedSubjects)
    this.#missed = new Int32Array(limits.maxCachedSubjects)
  }

  /** Subscriptions there are. */
  get count(): number {
    return this.#count
  }

  /** @param subject one that `isSubscribable`, one character for each byte */
  insert(subject: string, queue: string, value: T): void {
    this.#trie.insert(subject, queue, value)
    this.#count++
    this.#changed(subject)
  }

  /** @param value one that was inserted with these */
  remove(subject: string, queue: string, value: T): void {
    this.#trie.remove(subject, queue, value)
    this.#count--
    this.#changed(subject)
  }

  isCurrent(route: Route<T>): boolean {
    return route.stamp === this.#stamps[route.branch]
  }

  /**
   * Who listens to the subject. What is returned holds for the next seven calls; `isCurrent` tells whether
   * it may be kept longer.
   */
  find(subject: SubjectBytes): Route<T> {
    const { bytes, subjectStart: start, subjectEnd: end } = subject
    if (subject.hasEmptyToken) return this.#nextUncached()
    const prefix = this.#prefixRoute
    if (prefix !== null && isBelow(prefix.subject, bytes, start, end)) {
      if (this.isCurrent(prefix)) return prefix
      this.#prefixRoute = null
    }
    const hash = subject.subjectHash
    const home = hash & this.#mask
    for (let i = 0; i < PROBE_COUNT; i++) {
      const route = this.#table[(home + i) & this.#mask]
      if (route === undefined || route.hash !== hash) continue
      if (route.subject.compare(bytes, start, end) !== 0) continue
      if (!this.isCurrent(route)) this.#refresh(route)
      return route
    }
    if (this.#missed[home] !== hash) {
      this.#missed[home] = hash
      const route = this.#nextUncached()
      this.#trie.match(bytes, start, end, route.matches)
      this.#keepPrefix(bytes, start, route)
      return route
    }
    return this.#cache(new Route(hash, Buffer.from(bytes.subarray(start, end))), home)
  }

  /** The same for a subject that is not worth keeping. Holds as long as that of `find`. */
  matchesOf(subject: Buffer): Matches<T> {
    const { matches } = this.#nextUncached()
    this.#trie.match(subject, 0, subject.byteLength, matches)
    return matches
  }

  /** Many subjects in a row that are never seen again may share all that matters of them, as those of acks. */
  #keepPrefix(bytes: Buffer, start: number, { matches }: Route<T>): void {
    const end = this.#trie.prefixEnd(start)
    if (end === -1) return
    const hash = fnv1a(bytes, start, end)
    this.#missedCount = hash === this.#missedPrefix ? this.#missedCount + 1 : 1
    this.#missedPrefix = hash
    if (this.#missedCount < this.#limits.missesForPrefix) return
    const route = new Route<T>(hash, Buffer.from(bytes.subarray(start, end)))
    for (const one of matches.plain) route.matches.plain.push(one)
    for (const group of matches.groups) route.matches.groups.push([...group])
    route.stamp = this.#stamps[route.branch] as number
    this.#forgetPrefix()
    this.#prefixRoute = route
  }

  /** Whoever holds it has to ask again. */
  #forgetPrefix(): void {
    if (this.#prefixRoute !== null) this.#prefixRoute.stamp = STALE
    this.#prefixRoute = null
  }

  #nextUncached(): Route<T> {
    this.#uncachedIndex = (this.#uncachedIndex + 1) % UNCACHED_COUNT
    const route = this.#uncached[this.#uncachedIndex] as Route<T>
    route.matches.clear()
    return route
  }

  #cache(route: Route<T>, home: number): Route<T> {
    let place = home
    for (let i = 0; i < PROBE_COUNT; i++) {
      const candidate = (home + i) & this.#mask
      if (this.#table[candidate] !== undefined) continue
      place = candidate
      break
    }
    const evicted = this.#table[place]
    if (evicted !== undefined) this.#drop(evicted)
    this.#table[place] = route
    this.#refresh(route)
    return route
  }

  #refresh(route: Route<T>): void {
    const { matches } = route
    this.#cachedMatches -= countOf(matches)
    matches.clear()
    const { subject } = route
    this.#trie.match(subject, 0, subject.byteLength, matches)
    this.#cachedMatches += countOf(matches)
    route.stamp = this.#stamps[route.branch] as number
    if (this.#cachedMatches > this.#limits.maxCachedMatches) this.#forgetAll()
  }

  /** The matches of a route that somebody holds stay as they are; they only count no more. */
  #forgetAll(): void {
    for (const route of this.#table) if (route !== undefined) route.stamp = STALE
    this.#table = new Array(this.#mask + 1)
    this.#cachedMatches = 0
  }

  #drop(route: Route<T>): void {
    route.stamp = STALE
    this.#cachedMatches -= countOf(route.matches)
  }

  #changed(subject: string): void {
    this.onChange?.(subject)
    this.#forgetPrefix()
    const bytes = Buffer.from(subject, 'latin1')
    if (isLiteral(subject)) this.#subjectChanged(bytes)
    else if (subject.startsWith('*') || subject.startsWith('>')) {
      for (let i = 0; i < BRANCH_COUNT; i++) this.#advance(i)
    } else this.#advance(branchOf(bytes, 0, bytes.byteLength))
  }

  #advance(branch: number): void {
    this.#stamps[branch] = ((this.#stamps[branch] as number) + 1) & 0x7fffffff
  }

  #subjectChanged(subject: Buffer): void {
    const hash = fnv1a(subject, 0, subject.byteLength)
    for (let i = 0; i < PROBE_COUNT; i++) {
      const route = this.#table[(hash + i) & this.#mask]
      if (route?.hash === hash && route.subject.equals(subject)) route.stamp = STALE
    }
  }
}

function countOf({ plain, groups }: Matches<unknown>): number {
  let count = plain.length
  for (const group of groups) count += group.length
  return count
}

function branchOf(subject: Buffer, start: number, end: number): number {
  let tokenEnd = start
  while (tokenEnd < end && subject[tokenEnd] !== DOT) tokenEnd++
  return fnv1a(subject, start, tokenEnd, FNV_START) & (BRANCH_COUNT - 1)
}

/** @param prefix with its dot; of no bytes, all subjects are below it */
function isBelow(prefix: Buffer, bytes: Buffer, start: number, end: number): boolean {
  return end - start > prefix.byteLength && beginsWith(bytes, start, end, prefix)
}

/** @param subject one character for each byte */
export function subjectBytesOf(subject: string): SubjectBytes {
  const bytes = Buffer.from(subject, 'latin1')
  const subjectEnd = bytes.byteLength
  return {
    ...{ bytes, subjectStart: 0, subjectEnd },
    subjectHash: fnv1a(bytes, 0, subjectEnd),
    hasEmptyToken: hasEmptyToken(bytes, 0, subjectEnd),
  }
}

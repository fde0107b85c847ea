import { fnv1a } from '../../base/fnv1a.ts'
import type { Matches } from '../../broker/subjects/matches.ts'
import type { Route, SubjectRouter } from '../../broker/subjects/subject-router.ts'
import { isSubset } from '../../broker/subjects/subject-subset.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { Subscriber, Subscription } from './subscription.ts'

const CR_LF_BYTES = 2
const BLANK = 32
const CR = 13
const LF = 10

/** Who publishes when the server itself does. */
const SERVER: Subscriber = { deliver: () => false }

/** The subjects that the server publishes to, and who listens there. */
export interface SubjectSpace {
  readonly router: SubjectRouter<Subscription>
  /** @returns whether anybody got the message */
  fanOut(matches: Matches<Subscription>, message: PublishedMessage, publisher: Subscriber): boolean
}

interface InterestWatch {
  readonly subject: string
  readonly changed: () => void
}

/**
 * Messages of the server itself to whoever subscribed, also from inside of `Subscriber.deliver`: the message
 * that is being delivered stays as it is.
 */
export class ServerPublisher {
  readonly #space: SubjectSpace
  readonly #flush: () => void
  readonly #scheduler: Scheduler
  readonly #message = new PublishedMessage()
  #isFanningOut = false
  readonly #watches = new Map<string, Set<InterestWatch>>()
  readonly #changed = new Set<InterestWatch>()
  #forwards: ((subject: string) => void)[] = []
  #isFlushSet = false
  #lastSubject = ''
  #lastRoute: Route<Subscription> | null = null

  /** @param flush sends what was written to clients */
  constructor(space: SubjectSpace, flush: () => void, scheduler: Scheduler) {
    this.#space = space
    this.#flush = flush
    this.#scheduler = scheduler
    space.router.onChange = (subject) => this.interestChanged(subject)
  }

  /**
   * @param subject one character for each byte, as `reply`
   * @param reply null: none
   * @param headers the whole block
   * @returns whether anybody got it
   */
  publish(subject: string, reply: string | null, headers: Buffer | null, payload: Buffer): boolean {
    const message = this.#fill(subject, reply ?? '', headers, payload)
    const { bytes, subjectEnd } = message
    const matches = this.#space.router.matchesOf(bytes.subarray(0, subjectEnd))
    return !matches.isEmpty && this.#fanOut(matches, message)
  }

  /**
   * The same for a message that goes to other subscribers than its subject says: those of `to`.
   * @returns `behind`: somebody got it who does not keep up, and is better given nothing for a while
   */
  publishTo(
    to: string,
    subject: string,
    reply: string,
    headers: Buffer | null,
    payload: Buffer,
  ): 'nobody' | 'sent' | 'behind' {
    const matches = this.#matchesOf(to)
    if (matches.isEmpty) return 'nobody'
    const isBehind = matches.plain.some(({ subscriber }) => subscriber.isBehind === true)
    const message = this.#fill(subject, reply, headers, payload)
    message.target = to
    if (!this.#fanOut(matches, message)) return 'nobody'
    return isBehind ? 'behind' : 'sent'
  }

  hasInterest(subject: string): boolean {
    const { plain, groups } = this.#matchesOf(subject)
    if (groups.length > 0) return true
    return plain.some(({ subscriber }) => subscriber.hasInterest?.(subject) ?? true)
  }

  /** Calls `tell` with each subject of a subscription that came or went. */
  forwardInterest(tell: (subject: string) => void): { stop(): void } {
    this.#forwards.push(tell)
    return {
      stop: () => {
        this.#forwards = this.#forwards.filter((other) => other !== tell)
      },
    }
  }

  /** Whether somebody subscribed to this very subject, and not only to a wildcard. */
  isSubscribed(subject: string): boolean {
    return this.#matchesOf(subject).plain.some((subscription) => subscription.subject === subject)
  }

  /** Many messages in a row go to the same subject. What is returned holds until the next call. */
  #matchesOf(subject: string): Matches<Subscription> {
    const { router } = this.#space
    const last = this.#lastRoute
    if (last !== null && subject === this.#lastSubject && router.isCurrent(last))
      return last.matches
    const bytes = Buffer.from(subject, 'latin1')
    const { byteLength } = bytes
    const route = router.find(bytes, 0, byteLength, fnv1a(bytes, 0, byteLength))
    this.#lastSubject = subject
    this.#lastRoute = route
    return route.matches
  }

  /** Calls `changed` at the end of turns in which interest in the subject may have come or gone. */
  watchInterest(subject: string, changed: () => void): { stop(): void } {
    const watch = { subject, changed }
    const watches = this.#watches.get(subject)
    if (watches === undefined) this.#watches.set(subject, new Set([watch]))
    else watches.add(watch)
    return { stop: () => this.#unwatch(watch) }
  }

  /** Subscriptions to the subject, which may have wildcards, came or went: here or behind an import. */
  interestChanged(subject: string): void {
    for (const tell of this.#forwards) tell(subject)
    const watches = this.#watches.get(subject)
    if (watches !== undefined) for (const watch of watches) this.#tellSoon(watch)
    if (this.#watches.size === 0 || !WILDCARD.test(subject)) return
    for (const [watched, its] of this.#watches) {
      if (isSubset(watched, subject)) for (const watch of its) this.#tellSoon(watch)
    }
  }

  #fanOut(matches: Matches<Subscription>, message: PublishedMessage): boolean {
    const isInner = this.#isFanningOut
    this.#isFanningOut = true
    const isTaken = this.#space.fanOut(matches, message, SERVER)
    this.#isFanningOut = isInner
    if (isTaken) this.#flushSoon()
    return isTaken
  }

  #fill(subject: string, reply: string, headers: Buffer | null, payload: Buffer): PublishedMessage {
    const headerByteCount = headers?.byteLength ?? 0
    const size = headerByteCount + payload.byteLength
    const sizes = headers === null ? `${size}` : `${headerByteCount} ${size}`
    const args = reply === '' ? sizes : `${reply} ${sizes}`
    const tailStart = subject.length + 1
    const bodyStart = tailStart + args.length + CR_LF_BYTES
    const bytes = Buffer.allocUnsafe(bodyStart + size + CR_LF_BYTES)
    bytes.write(subject, 0, 'latin1')
    bytes[subject.length] = BLANK
    bytes.write(args, tailStart, 'latin1')
    bytes[bodyStart - 2] = CR
    bytes[bodyStart - 1] = LF
    headers?.copy(bytes, bodyStart)
    payload.copy(bytes, bodyStart + headerByteCount)
    bytes[bodyStart + size] = CR
    bytes[bodyStart + size + 1] = LF
    // Who subscribes after the one that publishes in turn is still to read the outer message.
    const message = this.#isFanningOut ? new PublishedMessage() : this.#message
    message.bytes = bytes
    message.target = ''
    message.subjectStart = 0
    message.subjectEnd = subject.length
    message.subjectHash = fnv1a(bytes, 0, subject.length)
    message.replyStart = tailStart
    message.replyEnd = tailStart + reply.length
    message.hasHeaders = headers !== null
    message.headerByteCount = headerByteCount
    message.bodyStart = bodyStart
    message.bodyEnd = bodyStart + size
    message.tailStart = tailStart
    message.tailEnd = bytes.byteLength
    message.isTailCanonical = true
    return message
  }

  #flushSoon(): void {
    if (this.#isFlushSet) return
    this.#isFlushSet = true
    this.#scheduler.endOfTurn(() => {
      this.#isFlushSet = false
      this.#flush()
    })
  }

  #unwatch(watch: InterestWatch): void {
    this.#changed.delete(watch)
    const watches = this.#watches.get(watch.subject)
    watches?.delete(watch)
    if (watches?.size === 0) this.#watches.delete(watch.subject)
  }

  #tellSoon(watch: InterestWatch): void {
    this.#changed.add(watch)
    if (this.#changed.size > 1) return
    this.#scheduler.endOfTurn(() => {
      const changed = [...this.#changed]
      this.#changed.clear()
      for (const { changed: tell } of changed) tell()
    })
  }
}

const WILDCARD = /(?:^|\.)[*>](?:\.|$)/

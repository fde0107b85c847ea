import type { Matches } from '../../broker/subjects/matches.ts'
import { hasEmptyToken } from '../../broker/subjects/subject.ts'
import {
  type Route,
  type SubjectRouter,
  subjectBytesOf,
} from '../../broker/subjects/subject-router.ts'
import { isSubset } from '../../broker/subjects/subject-subset.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import { PublishedMessage, type TextBytes } from '../../wire/nats/published-message.ts'
import type { SharedTail, Subscriber, Subscription } from './subscription.ts'
import type { MessageTrace } from './tracing/message-trace.ts'
import { takeTraced } from './tracing/take-traced.ts'

const CR_LF_BYTES = 2
const BLANK = 32
const CR = 13
const LF = 10
const NO_BYTES = Buffer.alloc(0)
const NO_REPLY: TextBytes = { bytes: NO_BYTES, length: 0 }

/** Up to so many bytes a loop is quicker than a call. */
const LOOP_BYTES = 64

/** Who publishes when the server itself does. */
const SERVER: Subscriber = { deliver: () => false }

/** The subjects that the server publishes to, and who listens there. */
export interface SubjectSpace {
  readonly router: SubjectRouter<Subscription>
  /** @returns whether anybody got the message */
  fanOut(matches: Matches<Subscription>, message: PublishedMessage, publisher: Subscriber): boolean
  /** The same for a message that is traced. */
  fanOutTraced(
    matches: Matches<Subscription>,
    message: PublishedMessage,
    trace: MessageTrace,
    take: (subscription: Subscription, shared: SharedTail) => boolean,
  ): boolean
}

/** What the server's messages pass through. */
export interface ServerHub {
  /** Sends what was written to clients. */
  flush(publisher: null): void
  /**
   * Memory for one message, until the next call or the end of its fan-out.
   * @returns where it begins in `chunks.bytes`; -1: it is in use, or too small
   */
  scratchFor(byteCount: number): number
  readonly chunks: { readonly bytes: Buffer }
}

/** A message that goes on, and whose way is traced. */
export interface TracedMessage {
  /** Whose subscribers get it. */
  readonly to: string
  readonly subject: string
  readonly reply: TextBytes
  readonly headers: Buffer | null
  readonly payload: Buffer
  readonly trace: MessageTrace
}

/** Brings a message to one who listens. */
export type Take = (
  subscription: Subscription,
  message: PublishedMessage,
  publisher: Subscriber,
  shared: SharedTail,
  trace: MessageTrace,
) => boolean

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
  readonly #hub: ServerHub
  readonly #scheduler: Scheduler
  readonly #message = new PublishedMessage()
  #isFanningOut = false
  readonly #watches = new Map<string, Set<InterestWatch>>()
  readonly #changed = new Set<InterestWatch>()
  #forwards: ((subject: string) => void)[] = []
  #isFlushSet = false
  #lastTo = ''
  #lastRoute: Route<Subscription> | null = null
  #lastSubject = ''
  #lastSubjectBytes = NO_BYTES
  #hadEmptyToken = false

  constructor(space: SubjectSpace, hub: ServerHub, scheduler: Scheduler) {
    this.#space = space
    this.#hub = hub
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
    const message = this.#fill(subject, reply ? textBytes(reply) : NO_REPLY, headers, payload)
    const { bytes, subjectStart, subjectEnd } = message
    const matches = this.#space.router.matchesOf(bytes.subarray(subjectStart, subjectEnd))
    return !matches.isEmpty && this.#fanOut(matches, message)
  }

  /**
   * The same for a message that goes to other subscribers than its subject says: those of `to`.
   * @returns `behind`: somebody got it who does not keep up, and is better given nothing for a while
   */
  publishTo(
    to: string,
    subject: string,
    reply: TextBytes,
    headers: Buffer | null,
    payload: Buffer,
  ): 'nobody' | 'sent' | 'behind' {
    const matches = this.#matchesOf(to)
    if (matches.isEmpty) return 'nobody'
    let isBehind = false
    for (const { subscriber } of matches.plain) isBehind ||= subscriber.isBehind === true
    const message = this.#fill(subject, reply, headers, payload)
    message.target = to
    if (!this.#fanOut(matches, message)) return 'nobody'
    return isBehind ? 'behind' : 'sent'
  }

  /** Goes on with a message that is traced. @returns whether anybody got it, or would have */
  publishTraced(
    { to, subject, reply, headers, payload, trace }: TracedMessage,
    take: Take = takeTraced,
  ): boolean {
    const matches = this.#matchesOf(to)
    if (matches.isEmpty) return false
    const message = this.#fill(subject, reply, headers, payload)
    if (to !== subject) message.target = to
    const isInner = this.#isFanningOut
    this.#isFanningOut = true
    const isTaken = this.#space.fanOutTraced(matches, message, trace, (subscription, shared) =>
      take(subscription, message, SERVER, shared, trace),
    )
    this.#isFanningOut = isInner
    if (isTaken) this.#flushSoon()
    return isTaken
  }

  hasInterest(subject: string): boolean {
    const { plain, groups } = this.#matchesOf(subject)
    if (groups.length > 0) return true
    for (const { subscriber } of plain) {
      if (subscriber.hasInterest === undefined || subscriber.hasInterest(subject)) return true
    }
    return false
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
    if (last !== null && subject === this.#lastTo && router.isCurrent(last)) return last.matches
    const route = router.find(subjectBytesOf(subject))
    this.#lastTo = subject
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

  #fill(
    subject: string,
    reply: TextBytes,
    headers: Buffer | null,
    payload: Buffer,
  ): PublishedMessage {
    this.#rememberSubject(subject)
    const subjectBytes = this.#lastSubjectBytes
    const headerByteCount = headers?.byteLength ?? 0
    const size = headerByteCount + payload.byteLength
    const sizes = headers === null ? `${size}` : `${headerByteCount} ${size}`
    const argsLength = (reply.length === 0 ? 0 : reply.length + 1) + sizes.length
    const byteCount = subject.length + 1 + argsLength + CR_LF_BYTES + size + CR_LF_BYTES
    const scratchStart = this.#hub.scratchFor(byteCount)
    const isScratch = scratchStart >= 0
    const bytes = isScratch ? this.#hub.chunks.bytes : Buffer.allocUnsafe(byteCount)
    const start = isScratch ? scratchStart : 0
    const subjectEnd = copy(subjectBytes, subjectBytes.byteLength, bytes, start)
    bytes[subjectEnd] = BLANK
    const tailStart = subjectEnd + 1
    let at = copy(reply.bytes, reply.length, bytes, tailStart)
    const replyEnd = at
    if (reply.length > 0) bytes[at++] = BLANK
    for (let i = 0; i < sizes.length; i++) bytes[at++] = sizes.charCodeAt(i)
    bytes[at++] = CR
    bytes[at++] = LF
    const bodyStart = at
    if (headers !== null) at = copy(headers, headerByteCount, bytes, at)
    at = copy(payload, payload.byteLength, bytes, at)
    bytes[at++] = CR
    bytes[at++] = LF
    // Who subscribes after the one that publishes in turn is still to read the outer message.
    const message = this.#isFanningOut ? new PublishedMessage() : this.#message
    message.bytes = bytes
    message.target = ''
    message.subjectStart = start
    message.subjectEnd = subjectEnd
    message.isHashed = false
    message.hasEmptyToken = this.#hadEmptyToken
    message.replyStart = tailStart
    message.replyEnd = replyEnd
    message.hasHeaders = headers !== null
    message.headerByteCount = headerByteCount
    message.bodyStart = bodyStart
    message.bodyEnd = bodyStart + size
    message.tailStart = tailStart
    message.tailEnd = at
    message.isTailCanonical = true
    return message
  }

  /** Many messages in a row have the same subject. */
  #rememberSubject(subject: string): void {
    if (subject === this.#lastSubject) return
    const bytes = Buffer.from(subject, 'latin1')
    this.#lastSubject = subject
    this.#lastSubjectBytes = bytes
    this.#hadEmptyToken = hasEmptyToken(bytes, 0, bytes.byteLength)
  }

  #flushSoon(): void {
    if (this.#isFlushSet) return
    this.#isFlushSet = true
    this.#scheduler.endOfTurn(() => {
      this.#isFlushSet = false
      this.#hub.flush(null)
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

/** @param text one character for each byte */
export function textBytes(text: string): TextBytes {
  const bytes = Buffer.from(text, 'latin1')
  return { bytes, length: bytes.byteLength }
}

/** @returns where it ends */
function copy(from: Buffer, byteCount: number, into: Buffer, at: number): number {
  if (byteCount > LOOP_BYTES) from.copy(into, at, 0, byteCount)
  else for (let i = 0; i < byteCount; i++) into[at + i] = from[i] as number
  return at + byteCount
}

import { expect } from '../world/sim-failure.ts'

export const SHARE_TOPIC = 'queue'
export const DEAD_LETTER_TOPIC = 'dlq.queue'

/** GAP: there is no such record, which the broker has to believe. */
export const Say = { GAP: 0, ACCEPT: 1, RELEASE: 2, REJECT: 3, RENEW: 4 } as const
export type Say = (typeof Say)[keyof typeof Say]

export interface Limits {
  readonly deliveryCount: number
  readonly lockMs: number
}

export interface Delivery {
  readonly memberId: string
  readonly offset: number
  readonly deliveryCount: number
  /** When the member asked: it was given the record then or later. */
  readonly askedMs: number
  readonly nowMs: number
}

/** Whose record it is, and until when at least. */
interface Holder {
  readonly memberId: string
  readonly untilMs: number
}

/** What members were told of one record. */
interface SharedRecord {
  holder: Holder | null
  /** What the broker may have counted: at least and at most, besides deliveries that nobody heard of. */
  leastCount: number
  mostCount: number
  /** `ShareLedger.lostCount` when that was so. */
  lostCount: number
  /** Deliveries that are known to be durable. */
  durableCount: number
  /** It was, or may have been, delivered as often as it may be. */
  wasExhausted: boolean
  /** Requests that ended it, and may have succeeded. */
  finalAskCount: number
  /** Somebody asked to reject it, whatever became of that. */
  wasRejectAsked: boolean
  /** A rejection was taken. */
  isRejected: boolean
  /** It must never be delivered again. */
  isFinal: boolean
}

/** An acknowledgement on its way. */
interface Word {
  readonly offset: number
  readonly say: Say
  readonly deliveryCount: number
  /** The record was with the member when it was said. */
  readonly isOwn: boolean
  /** Somebody else who had the record when it was said. */
  readonly rival: Holder | null
}

export interface Words {
  readonly memberId: string
  readonly askedMs: number
  readonly words: readonly Word[]
}

/** Everything that members of one share group were told of one partition. */
export class ShareLedger {
  readonly #records = new Map<number, SharedRecord>()
  /** Of records whose batch was acknowledged, by offset. */
  readonly #values = new Map<number, string>()
  /** Fetches whose answer nobody heard: each may have counted a delivery of any record. */
  #lostCount = 0
  /** Records before it may be gone from the log. */
  #deletedBefore = 0
  #memberCount = 0
  /** Nothing but crashes happens to the broker, so that it counts on while it lives. */
  isStrict = true
  limits: Limits = { deliveryCount: 5, lockMs: 30_000 }

  produced(baseOffset: number, values: readonly string[]): void {
    for (const [index, value] of values.entries()) this.#values.set(baseOffset + index, value)
  }

  deleteAsked(beforeOffset: number): void {
    this.#deletedBefore = Math.max(this.#deletedBefore, beforeOffset)
  }

  /** What is in the dead-letter topic was rejected or delivered too often, and nothing of that is missing. */
  checkDeadLetters(found: ReadonlySet<number>): void {
    for (const [offset, record] of this.#records) {
      const mayBeThere = record.wasRejectAsked || record.wasExhausted || this.#isExhausted(record)
      expect(mayBeThere || !found.has(offset), () => `${offset} is a dead letter without a reason`)
      const isMissing = record.isRejected && !found.has(offset)
      // Its start passes what the log lost, whatever was to become of it.
      const isGone = offset < this.#deletedBefore
      expect(!isMissing || isGone || !this.isStrict, () => `${offset} was rejected, and is nowhere`)
    }
  }

  get producedCount(): number {
    return this.#values.size
  }

  /** The broker has started: nobody has anything, and what is not durable was not counted. */
  lifeBegan(memberCount: number): void {
    this.#lostCount += this.#memberCount
    this.#memberCount = memberCount
    for (const record of this.#records.values()) {
      record.holder = null
      record.leastCount = record.durableCount
    }
  }

  /** A client hung up: what it had may go to others, and what it asked for may have been counted. */
  left(memberId: string, isFetching: boolean): void {
    if (isFetching) this.#lostCount++
    for (const record of this.#records.values())
      if (record.holder?.memberId === memberId) record.holder = null
  }

  delivered({ memberId, offset, deliveryCount, askedMs, nowMs }: Delivery, value: string): void {
    // An answer that took so long may tell of a lock that is over, and of what others did since.
    if (nowMs >= askedMs + this.limits.lockMs) {
      this.#lostCount++
      return
    }
    const sent = this.#values.get(offset)
    expect(sent === undefined || sent === value, () => `${offset} is ${value}, not ${sent}`)
    const record = this.#recordAt(offset)
    const { holder } = record
    const told = `${memberId} is given ${offset} x${deliveryCount}`
    expect(!record.isFinal, () => `${told}, which is finished`)
    expect(
      holder === null || nowMs >= holder.untilMs,
      () => `${told} at ${nowMs}, which ${holder?.memberId} has until ${holder?.untilMs}`,
    )
    const least = (this.isStrict ? record.leastCount : record.durableCount) + 1
    const most = this.#mostCountOf(record) + 1 + (this.isStrict ? 0 : this.#unheardCount)
    expect(
      deliveryCount >= least && deliveryCount <= most,
      () => `${told}, but it is delivery ${least} to ${most}`,
    )
    expect(deliveryCount <= this.limits.deliveryCount, () => `${told}, which is too often`)
    record.wasExhausted ||= this.#isExhausted(record) || deliveryCount === this.limits.deliveryCount
    record.leastCount = deliveryCount
    record.mostCount = deliveryCount
    record.lostCount = this.#lostCount
    record.holder = { memberId, untilMs: askedMs + this.limits.lockMs }
  }

  asked(memberId: string, said: readonly (readonly [number, Say])[], askedMs: number): Words {
    const words = said.map(([offset, say]): Word => {
      const record = this.#recordAt(offset)
      const isOwn = record.holder?.memberId === memberId
      const rival = isOwn ? null : record.holder
      if (isOwn && say !== Say.RENEW) record.holder = null
      if (isFinal(say)) record.finalAskCount++
      if (say === Say.REJECT) record.wasRejectAsked = true
      return { offset, say, deliveryCount: record.leastCount, isOwn, rival }
    })
    return { memberId, askedMs, words }
  }

  /** They were not taken, for sure. */
  refused({ words }: Words): void {
    for (const { offset, say } of words) if (isFinal(say)) this.#recordAt(offset).finalAskCount--
  }

  taken({ memberId, askedMs, words }: Words, nowMs: number): void {
    for (const { offset, say, deliveryCount, isOwn, rival } of words) {
      const record = this.#recordAt(offset)
      // Of what is gone from the log nothing is left to say, and that is no error.
      const isGone = offset < this.#deletedBefore
      expect(
        isGone || rival === null || record.holder !== rival || nowMs >= rival.untilMs,
        () => `${memberId} may say ${say} of ${offset}, which ${rival?.memberId} has`,
      )
      if (isFinal(say)) record.isFinal = true
      // Others may have ended it meanwhile: then nothing is left to say, and that is no error.
      if (say === Say.REJECT && isOwn) record.isRejected = true
      if (say === Say.RELEASE) record.durableCount = Math.max(record.durableCount, deliveryCount)
      if (say === Say.RENEW && record.holder?.memberId === memberId)
        record.holder = { memberId, untilMs: askedMs + this.limits.lockMs }
    }
  }

  /** The group got through the partition: each record was ended by a member, or delivered too often. */
  checkNothingSkipped(): void {
    for (const [offset, value] of this.#values) {
      if (offset < this.#deletedBefore) continue
      const record = this.#records.get(offset)
      expect(record !== undefined, () => `${offset} (${value}) was given to nobody`)
      const mostCount = this.#mostCountOf(record)
      expect(
        record.isFinal || record.finalAskCount > 0 || this.#isExhausted(record),
        () => `${offset} (${value}) was delivered ${mostCount} times, and then skipped`,
      )
    }
  }

  /** Others may have been given a record, and hear of it only later. */
  get #unheardCount(): number {
    return this.#memberCount - 1
  }

  #isExhausted(record: SharedRecord): boolean {
    return this.#mostCountOf(record) >= this.limits.deliveryCount
  }

  #mostCountOf(record: SharedRecord): number {
    return record.mostCount + this.#lostCount - record.lostCount
  }

  #recordAt(offset: number): SharedRecord {
    const known = this.#records.get(offset)
    if (known !== undefined) return known
    const record: SharedRecord = {
      holder: null,
      leastCount: 0,
      mostCount: 0,
      // It may have been counted before anybody heard of it.
      lostCount: 0,
      durableCount: 0,
      wasExhausted: false,
      finalAskCount: 0,
      wasRejectAsked: false,
      isRejected: false,
      isFinal: false,
    }
    this.#records.set(offset, record)
    return record
  }
}

const isFinal = (say: Say): boolean => say !== Say.RELEASE && say !== Say.RENEW

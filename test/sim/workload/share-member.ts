import { ErrorCode } from '../../../src/base/error-code.ts'
import { baseOffsetOf } from '../../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../src/records/records-iterator.ts'
import type { Decoded, Encodable } from '../../../src/wire/kafka/codec.ts'
import { shareGroupHeartbeatApi } from '../../../src/wire/kafka/messages/76-share-group-heartbeat.ts'
import { shareFetchApi } from '../../../src/wire/kafka/messages/78-share-fetch.ts'
import { shareAcknowledgeApi } from '../../../src/wire/kafka/messages/79-share-acknowledge.ts'
import { Say, SHARE_TOPIC, type ShareLedger, type Words } from '../ledger/share-ledger.ts'
import { ClientConnection, HungUp, type KafkaClient } from './kafka-client.ts'
import type { Session } from './session.ts'

type FetchAnswer = Encodable<typeof shareFetchApi.response>
type FetchedPartition = FetchAnswer['responses'][number]['partitions'][number]
type AcknowledgementBatches = Decoded<
  typeof shareAcknowledgeApi.request
>['topics'][number]['partitions'][number]['acknowledgementBatches']

/** Offsets that the member was given and did not speak of since. */
interface Span {
  firstOffset: number
  readonly lastOffset: number
}

/** What a request says of records. */
interface Acknowledgement {
  readonly batches: AcknowledgementBatches
  readonly words: Words
}

const { ACCEPT, GAP, REJECT, RELEASE, RENEW } = Say
const SAYS = [ACCEPT, ACCEPT, ACCEPT, ACCEPT, RELEASE, RELEASE, RELEASE, REJECT, GAP] as const
const FIRST_EPOCH = 0

export interface ShareMemberOptions {
  readonly session: Session
  readonly client: KafkaClient
  readonly ledger: ShareLedger
  readonly groupId: string
  readonly memberId: string
  readonly topicId: string
  /** It only takes what is left, and accepts all of it. */
  readonly isLast: boolean
}

/** A member of a share group in the life of one broker; it hangs up, falls silent and comes back. */
export class ShareMember {
  readonly #options: ShareMemberOptions
  #connection: ClientConnection
  #memberEpoch = 0
  #sessionEpoch = FIRST_EPOCH
  #held: Span[] = []
  #isFetching = false
  /** The last fetch brought nothing. */
  isIdle = false

  constructor(options: ShareMemberOptions) {
    this.#options = options
    this.#connection = new ClientConnection(options.session.nextConnectionId())
  }

  start(): void {
    this.#run().catch((error: Error) => this.#options.session.machine.fail(error))
  }

  async #run(): Promise<void> {
    await this.#join()
    for (;;) {
      try {
        await this.#step()
      } catch (error) {
        if (!(error instanceof HungUp)) throw error
        this.#restart()
      }
      await this.#pause(this.#options.isLast ? 5 : 40)
    }
  }

  async #join(): Promise<void> {
    const { session, groupId, topicId } = this.#options
    for (;;) {
      session.core.groups.locate(groupId)
      session.core.shares.coordinator.locate()
      const { errorCode, assignment } = await this.#beat()
      this.#trace(() => `heartbeat is told ${errorCode}`)
      if (assignment?.topicPartitions.some((one) => one.topicId === topicId)) return
      await this.#pause(50)
    }
  }

  async #beat() {
    const { client, groupId, memberId } = this.#options
    const answer = await client.ask(shareGroupHeartbeatApi, 1, {
      groupId,
      memberId,
      memberEpoch: this.#memberEpoch,
      rackId: null,
      subscribedTopicNames: [SHARE_TOPIC],
    })
    this.#memberEpoch = answer.errorCode === ErrorCode.NONE ? answer.memberEpoch : 0
    return answer
  }

  async #step(): Promise<void> {
    const { isLast, session, ledger } = this.#options
    const { random } = session
    if (isLast) return this.#held.length > 0 ? this.#acknowledge() : this.#fetch()
    if (random.oneIn(20)) await this.#beat()
    const chance = random.int(25)
    if (chance === 0) this.#hangUp()
    // Longer than its locks hold, mostly; then it goes on as if nothing was.
    else if (chance === 1) await this.#pause(ledger.limits.lockMs * 2)
    else if (this.#held.length > 0 && random.oneIn(2)) await this.#acknowledge()
    else await this.#fetch()
  }

  /** As the broker sees it: requests are given up, then the connection is gone. */
  #hangUp(): void {
    const { session, memberId, ledger } = this.#options
    this.#trace(() => 'hangs up')
    ledger.left(memberId, this.#isFetching)
    this.#connection.close()
    session.core.shares.partitions.connectionClosed(this.#connection.id)
    this.#restart()
  }

  #restart(): void {
    const { session } = this.#options
    this.#connection = new ClientConnection(session.nextConnectionId())
    this.#isFetching = false
    this.#openAnew()
  }

  /** What it has stays locked until the time is over. */
  #openAnew(): void {
    this.#sessionEpoch = FIRST_EPOCH
    this.#held = []
  }

  async #fetch(): Promise<void> {
    const { session, client, groupId, memberId, isLast } = this.#options
    const { random, machine } = session
    const askedMs = machine.clock.monotonicMs()
    const canSpeak = this.#sessionEpoch !== FIRST_EPOCH && random.oneIn(2)
    const said = canSpeak ? this.#say(SAYS) : null
    if (!isLast && random.oneIn(12)) this.#hangUpLater(random.int(60))
    this.#isFetching = true
    const request = {
      groupId,
      memberId,
      shareSessionEpoch: this.#sessionEpoch,
      maxWaitMs: random.pick([0, 20, 200]),
      minBytes: 1,
      maxBytes: random.pick([100, 1_000_000]),
      maxRecords: random.pick([1, 3, 20]),
      batchSize: random.pick([1, 2, 20]),
      shareAcquireMode: random.int(2),
      isRenewAck: false,
      topics: this.#topics(said),
      forgottenTopicsData: [],
    }
    const connection = this.#connection
    const answer = await client.ask(shareFetchApi, 2, request, { connection })
    if (connection !== this.#connection) return
    this.#isFetching = false
    const [partition] = answer.responses[0]?.partitions ?? []
    this.#trace(() => `fetch is told ${answer.errorCode} ${shown(partition)}`)
    this.#heard(said, answer.errorCode as ErrorCode, partition?.acknowledgeErrorCode)
    this.isIdle = answer.errorCode === ErrorCode.NONE && (partition?.errorCode ?? 0) === 0
    if (answer.errorCode !== ErrorCode.NONE || partition === undefined) return
    if (partition.acquiredRecords.length > 0) this.isIdle = false
    this.#took(partition, askedMs)
  }

  #hangUpLater(delayMs: number): void {
    const connection = this.#connection
    const { machine } = this.#options.session
    machine.scheduler.after(delayMs, () => {
      if (this.#isFetching && connection === this.#connection) this.#hangUp()
    })
  }

  #took({ records, acquiredRecords }: FetchedPartition, askedMs: number): void {
    const { session, ledger, memberId } = this.#options
    const values = valuesOf(records as Records)
    const nowMs = session.machine.clock.monotonicMs()
    for (const { firstOffset, lastOffset, deliveryCount } of acquiredRecords) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        const delivery = { memberId, offset, deliveryCount, askedMs, nowMs }
        ledger.delivered(delivery, values.get(offset) ?? 'nothing')
      }
      this.#held.push({ firstOffset, lastOffset })
    }
    this.#held.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  async #acknowledge(): Promise<void> {
    const { session, client, groupId, memberId, isLast } = this.#options
    const isRenewAck = !isLast && session.random.oneIn(4)
    const said = this.#say(isLast ? [ACCEPT] : isRenewAck ? [...SAYS, RENEW, RENEW, RENEW] : SAYS)
    const { connection, ...request } = {
      groupId,
      memberId,
      shareSessionEpoch: this.#sessionEpoch,
      isRenewAck,
      topics: this.#topics(said),
      connection: this.#connection,
    }
    const answer = await client.ask(shareAcknowledgeApi, 2, request, { connection })
    const [partition] = answer.responses[0]?.partitions ?? []
    this.#trace(() => `acknowledgement is told ${answer.errorCode} ${partition?.errorCode}`)
    this.#heard(said, answer.errorCode as ErrorCode, partition?.errorCode)
  }

  #heard(said: Acknowledgement | null, all: ErrorCode, partition: number | undefined): void {
    const { ledger, session } = this.#options
    if (all === ErrorCode.NONE) this.#sessionEpoch++
    else this.#openAnew()
    if (said === null) return
    const isRefused = all !== ErrorCode.NONE || partition === ErrorCode.INVALID_RECORD_STATE
    if (isRefused) ledger.refused(said.words)
    else if (partition === ErrorCode.NONE)
      ledger.taken(said.words, session.machine.clock.monotonicMs())
  }

  /** Speaks of some of what it has, or of all if it is the last. */
  #say(says: readonly Say[]): Acknowledgement | null {
    const { session, ledger, memberId, isLast } = this.#options
    const { random, machine } = session
    const chosen = this.#held.filter(() => isLast || !random.oneIn(4))
    if (chosen.length === 0) return null
    const said: (readonly [number, Say])[] = []
    const batches = chosen.map((span) => {
      const { firstOffset } = span
      const count = span.lastOffset - firstOffset + 1
      const lastOffset = firstOffset + (isLast ? count : 1 + random.int(count)) - 1
      const isOne = random.oneIn(2)
      const types = Array.from({ length: isOne ? 1 : lastOffset - firstOffset + 1 }, () =>
        random.pick(says),
      )
      for (let offset = firstOffset; offset <= lastOffset; offset++)
        said.push([offset, types[isOne ? 0 : offset - firstOffset] as Say])
      span.firstOffset = lastOffset + 1
      return { firstOffset, lastOffset, acknowledgeTypes: types }
    })
    const renewed = said.filter(([, say]) => say === RENEW)
    this.#held = this.#held
      .filter((span) => span.firstOffset <= span.lastOffset)
      .concat(renewed.map(([offset]) => ({ firstOffset: offset, lastOffset: offset })))
      .sort((a, b) => a.firstOffset - b.firstOffset)
    this.#trace(() => `says ${said.map(([offset, say]) => `${offset}:${say}`).join(' ')}`)
    return { batches, words: ledger.asked(memberId, said, machine.clock.monotonicMs()) }
  }

  #topics(said: Acknowledgement | null) {
    const { topicId } = this.#options
    const acknowledgementBatches = said?.batches ?? []
    return [{ topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches }] }]
  }

  #trace(line: () => string): void {
    const { session, memberId } = this.#options
    session.machine.trace(() => `${memberId} (${this.#sessionEpoch}): ${line()}`)
  }

  #pause(atMostMs: number): Promise<void> {
    const { random, machine } = this.#options.session
    const delayMs = 1 + random.int(atMostMs)
    return new Promise<void>((resolve) => void machine.scheduler.after(delayMs, resolve))
  }
}

type Records = Buffer | { readonly pieces: readonly Buffer[] } | null

function valuesOf(records: Records): Map<number, string> {
  const values = new Map<number, string>()
  const pieces = records === null ? [] : 'pieces' in records ? records.pieces : [records]
  const bytes = Buffer.concat(pieces)
  for (const at of batchPositions(bytes)) {
    const baseOffset = baseOffsetOf(bytes, at)
    let index = 0
    for (const { value } of recordsOf(bytes, at)) values.set(baseOffset + index++, String(value))
  }
  return values
}

function shown(partition: FetchedPartition | undefined): string {
  if (partition === undefined) return 'nothing'
  const { errorCode, acknowledgeErrorCode, acquiredRecords } = partition
  const spans = acquiredRecords.map(
    ({ firstOffset, lastOffset, deliveryCount }) =>
      `${firstOffset}-${lastOffset} x${deliveryCount}`,
  )
  return `${errorCode}, words ${acknowledgeErrorCode}: ${spans.join(' ')}`
}

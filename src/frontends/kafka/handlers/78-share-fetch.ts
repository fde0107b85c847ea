import { ErrorCode } from '../../../base/error-code.ts'
import type { ShareFetchResult } from '../../../broker/share/delayed-share-fetch.ts'
import {
  FINAL_EPOCH,
  type SessionPartition,
  type ShareContext,
} from '../../../broker/share/share-sessions.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import {
  type ShareFetchRequest,
  type ShareFetchResponse,
  shareFetchApi,
} from '../../../wire/kafka/messages/78-share-fetch.ts'
import { defineHandler, type Exchange, type KafkaHandler } from '../handler.ts'
import {
  type AcknowledgedPartition,
  type AcknowledgeServices,
  acknowledgeAll,
  byTopic,
  isShareMemberId,
} from './share-requests.ts'

export interface ShareFetchServices extends AcknowledgeServices {
  readonly scheduler: Scheduler
}

type ShareExchange = Exchange<ShareFetchResponse>
type PartitionResponse = ShareFetchResponse['responses'][number]['partitions'][number]

/** First version that may renew locks (KIP-1222). */
const RENEW_SINCE = 2
/** `shareAcquireMode`: never more records than asked for (KIP-1206). */
const RECORD_LIMIT = 1
/** Never null, as in Fetch. */
const NO_RECORDS = Buffer.alloc(0)

/** ShareFetch: long polls of members, with acknowledgements of what they had before (KIP-932). */
export function shareFetchHandler(services: ShareFetchServices): KafkaHandler {
  return defineHandler(shareFetchApi, (request, exchange) => {
    const { groupId, memberId } = request
    if (groupId === null) {
      exchange.respond(failure(ErrorCode.INVALID_REQUEST))
    } else if (!isShareMemberId(memberId)) {
      exchange.respond(failure(ErrorCode.INVALID_REQUEST))
    } else {
      shareFetch(services, request, { groupId, memberId }, exchange)
    }
    return undefined
  })
}

interface Member {
  readonly groupId: string
  readonly memberId: string
}

function shareFetch(
  services: ShareFetchServices,
  request: ShareFetchRequest,
  member: Member,
  exchange: ShareExchange,
): void {
  const { shares } = services
  if (!isRenewalWellFormed(request, exchange.apiVersion)) {
    exchange.respond(failure(ErrorCode.INVALID_REQUEST))
    return
  }
  const context = shares.sessions.contextOf({
    ...member,
    epoch: request.shareSessionEpoch,
    partitions: request.topics.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partitionIndex: partition }) => ({ topicId, partition })),
    ),
    forgotten: request.forgottenTopicsData.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => ({ topicId, partition })),
    ),
    hasAcknowledgements: hasAcknowledgements(request),
    connectionId: exchange.connection.id,
  })
  if (context.errorCode !== ErrorCode.NONE) {
    refuse(services, context.errorCode, request.maxWaitMs, exchange)
    return
  }
  new ShareFetchTask(services, request, member, context, exchange).run()
}

/** A client that gets no session would ask for one again at once. */
function refuse(
  { scheduler }: ShareFetchServices,
  errorCode: ErrorCode,
  maxWaitMs: number,
  exchange: ShareExchange,
): void {
  const respond = (): void => exchange.respond(failure(errorCode))
  if (errorCode !== ErrorCode.SHARE_SESSION_LIMIT_REACHED) {
    respond()
    return
  }
  const timer = scheduler.after(maxWaitMs, respond)
  exchange.onClose(() => timer.cancel())
}

function hasAcknowledgements({ topics }: ShareFetchRequest): boolean {
  return topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
  )
}

/** A request that renews locks fetches nothing, and has to say so. */
function isRenewalWellFormed(request: ShareFetchRequest, apiVersion: number): boolean {
  if (apiVersion < RENEW_SINCE || !request.isRenewAck) return true
  const { maxBytes, minBytes, maxRecords, maxWaitMs } = request
  return [maxBytes, minBytes, maxRecords, maxWaitMs].every((limit) => limit === 0)
}

/** One fetch that was let in: its acknowledgements and its read go on side by side. */
class ShareFetchTask {
  readonly #services: ShareFetchServices
  readonly #request: ShareFetchRequest
  readonly #member: Member
  readonly #context: ShareContext
  readonly #exchange: ShareExchange

  constructor(
    services: ShareFetchServices,
    request: ShareFetchRequest,
    member: Member,
    context: ShareContext,
    exchange: ShareExchange,
  ) {
    this.#services = services
    this.#request = request
    this.#member = member
    this.#context = context
    this.#exchange = exchange
  }

  run(): void {
    const acknowledged = this.#acknowledge()
    this.#fetch((results) => {
      acknowledged.then(
        (outcomes) => this.#finish(results, outcomes),
        () => this.#exchange.closeConnection('a share acknowledgement failed'),
      )
    })
  }

  #acknowledge(): Promise<AcknowledgedPartition[]> {
    if (!hasAcknowledgements(this.#request)) return Promise.resolve([])
    return acknowledgeAll(this.#services, {
      ...this.#member,
      topics: this.#request.topics,
      knowsRenew: this.#exchange.apiVersion >= RENEW_SINCE,
      isRenewAck: this.#request.isRenewAck,
    })
  }

  #fetch(done: (results: ShareFetchResult[]) => void): void {
    const { shares, partitions } = this.#services
    const request = this.#request
    const isRenewal = this.#exchange.apiVersion >= RENEW_SINCE && request.isRenewAck
    const wanted = isRenewal ? [] : this.#context.partitions
    const failed: ShareFetchResult[] = []
    const known = wanted.filter((one) => {
      const errorCode = this.#errorOf(one, partitions)
      if (errorCode === ErrorCode.NONE) return true
      failed.push(failedResult(one, errorCode))
      return false
    })
    if (known.length === 0) {
      done(failed)
      return
    }
    const { maxFetchBytes } = shares.config
    const maxBytes = Math.min(request.maxBytes, maxFetchBytes)
    const fetch = shares.fetch(
      this.#member.groupId,
      known,
      {
        memberId: this.#member.memberId,
        minBytes: Math.min(request.minBytes, maxBytes),
        maxBytes,
        maxWaitMs: request.maxWaitMs,
        maxRecordCount: request.maxRecords,
        batchSize: request.batchSize,
        isRecordLimit: request.shareAcquireMode === RECORD_LIMIT,
      },
      (results) => done([...failed, ...results]),
    )
    this.#exchange.onClose(() => fetch.cancel())
  }

  #errorOf(
    { topicId, partition }: SessionPartition,
    partitions: ShareFetchServices['partitions'],
  ): ErrorCode {
    if (partitions.partitionById(topicId, partition) !== undefined) return ErrorCode.NONE
    return partitions.topicName(topicId) === undefined
      ? ErrorCode.UNKNOWN_TOPIC_ID
      : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  #finish(results: readonly ShareFetchResult[], outcomes: readonly AcknowledgedPartition[]): void {
    const { shares } = this.#services
    const { groupId, memberId } = this.#member
    const told = results.filter((result) => isTold(this.#context, result))
    const response = {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      acquisitionLockTimeoutMs: shares.config.ofGroup(groupId).recordLockDurationMs,
      responses: responsesOf(told, outcomes),
      nodeEndpoints: [],
    }
    const release = (): void => {
      for (const result of results) result.release()
    }
    if (this.#request.shareSessionEpoch === FINAL_EPOCH) {
      // What was not acknowledged goes to others before the member hears that it is out.
      void shares
        .releaseSession(groupId, memberId)
        .then(() => this.#exchange.respond(response, release))
    } else {
      this.#exchange.respond(response, release)
    }
  }
}

/** In a session a partition is named only when it has records, an error, or is new to it. */
function isTold({ isIncremental, session }: ShareContext, result: ShareFetchResult): boolean {
  if (!isIncremental) return true
  const followed = session?.partitions.get(`${result.topicId}-${result.partition}`)
  const hasRecords = (result.records?.byteLength ?? 0) > 0
  const isWrong = result.errorCode !== ErrorCode.NONE
  const isOwed = followed?.isOwed === true
  if (followed !== undefined) followed.isOwed = isWrong
  return hasRecords || isWrong || isOwed
}

function responsesOf(
  results: readonly ShareFetchResult[],
  outcomes: readonly AcknowledgedPartition[],
): ShareFetchResponse['responses'] {
  const answers = new Map<string, PartitionResponse & { topicId: string }>()
  for (const result of results) {
    const { topicId, partition, errorCode, acquired } = result
    answers.set(`${topicId}-${partition}`, {
      topicId,
      partitionIndex: partition,
      errorCode,
      errorMessage: null,
      acknowledgeErrorCode: ErrorCode.NONE,
      acknowledgeErrorMessage: null,
      currentLeader: { leaderId: 0, leaderEpoch: 0 },
      records: result.records ?? NO_RECORDS,
      acquiredRecords: [...acquired],
    })
  }
  for (const { topicId, partition, errorCode, errorMessage } of outcomes) {
    const key = `${topicId}-${partition}`
    const told = { acknowledgeErrorCode: errorCode, acknowledgeErrorMessage: errorMessage }
    answers.set(key, { ...(answers.get(key) ?? emptyAnswer(topicId, partition)), ...told })
  }
  return [...byTopic([...answers.values()])].map(([topicId, partitions]) => ({
    topicId,
    partitions: partitions.map(({ topicId: _, ...partition }) => partition),
  }))
}

function emptyAnswer(topicId: string, partitionIndex: number) {
  return {
    topicId,
    partitionIndex,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    acknowledgeErrorCode: ErrorCode.NONE,
    acknowledgeErrorMessage: null,
    currentLeader: { leaderId: 0, leaderEpoch: 0 },
    records: NO_RECORDS,
    acquiredRecords: [],
  }
}

function failedResult(
  { topicId, partition }: SessionPartition,
  errorCode: ErrorCode,
): ShareFetchResult {
  const facts = { topicId, partition, errorCode, errorMessage: null }
  return { ...facts, records: null, acquired: [], release() {} }
}

function failure(errorCode: ErrorCode): ShareFetchResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: null,
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  }
}

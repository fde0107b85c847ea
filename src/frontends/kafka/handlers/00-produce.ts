import { ErrorCode } from '../../../base/error-code.ts'
import type { Partition } from '../../../broker/topics/partition.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { TransactionAdmission } from '../../../broker/transactions/transaction-admission.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { AppendSafety } from '../../../ports/partition-log.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { RecordError } from '../../../records/record-walk.ts'
import {
  type ProduceRequest,
  type ProduceResponse,
  produceApi,
} from '../../../wire/kafka/messages/00-produce.ts'
import { defineHandler, type Exchange, type KafkaHandler } from '../handler.ts'
import {
  admitBatches,
  type HeldBatch,
  hasBegun,
  isOfTransaction,
  transactionalRefusal,
} from './produce-admission.ts'
import { ProduceTimeouts, type ProduceWait, type WaitingProduce } from './produce-timeouts.ts'

export interface ProduceServices {
  readonly partitions: PartitionLookup
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Topics that only the broker itself writes to. */
  readonly isInternalTopic: (topic: string) => boolean
  readonly admission: Pick<TransactionAdmission, 'admit'>
  /** `socket.request.max.bytes`: records make these requests as large as any. */
  readonly maxRequestBytes: number
}

/** Without acks nobody hears of the write, but the request counts as memory in use until then. */
const SAFETY_OF_ACKS: ReadonlyMap<number, AppendSafety> = new Map([
  [0, 'written'],
  [1, 'written'],
  [-1, 'durable'],
])

const ALL = -1

type TopicResponse = ProduceResponse['responses'][number]
type PartitionResponse = TopicResponse['partitionResponses'][number]
type PartitionRequest = ProduceRequest['topicData'][number]['partitionData'][number]
type MutableResponse = { -readonly [K in keyof PartitionResponse]: PartitionResponse[K] }
/** A batch that waits for the coordinator of its transaction. */
interface Held extends HeldBatch {
  readonly response: MutableResponse
}

/**
 * Produce (KIP-98, KIP-467, KIP-516): appends one batch to each partition, answers by acks. The first
 * batch of a transaction in a partition is held until the transaction's coordinator knows of it.
 */
export function produceHandler(services: ProduceServices): KafkaHandler {
  const timeouts = new ProduceTimeouts(services.clock, services.scheduler)
  return defineHandler(
    produceApi,
    (request, exchange) => {
      new ProduceOperation(services, timeouts, request, exchange).start()
      return undefined
    },
    services.maxRequestBytes,
  )
}

/** One request: counts the appends that are not yet as safe as its acks ask. */
class ProduceOperation implements WaitingProduce {
  readonly #services: ProduceServices
  readonly #timeouts: ProduceTimeouts
  readonly #wait: ProduceWait
  readonly #request: ProduceRequest
  readonly #exchange: Exchange<ProduceResponse>
  readonly #safety: AppendSafety | undefined
  readonly #nowMs: number
  /** Index = slot of the append; undefined once it is as safe as asked. */
  readonly #slots: (MutableResponse | undefined)[] = []
  readonly #responses: TopicResponse[] = []
  readonly #held: Held[] = []
  /** Why the whole request is refused. */
  #refusedWith: ErrorCode = ErrorCode.NONE
  #pendingCount = 1
  #hasError = false

  constructor(
    services: ProduceServices,
    timeouts: ProduceTimeouts,
    request: ProduceRequest,
    exchange: Exchange<ProduceResponse>,
  ) {
    this.#services = services
    this.#timeouts = timeouts
    this.#wait = timeouts.begin(this, request.timeoutMs)
    this.#request = request
    this.#exchange = exchange
    this.#safety = SAFETY_OF_ACKS.get(request.acks)
    this.#nowMs = services.clock.nowMs()
  }

  start(): void {
    this.#refusedWith = transactionalRefusal(this.#request)
    for (const topic of this.#request.topicData) {
      const partitionResponses: PartitionResponse[] = []
      for (const data of topic.partitionData) {
        partitionResponses.push(this.#append(topic.name, topic.topicId, data))
      }
      const { name, topicId } = topic
      this.#responses.push({ name, topicId, partitionResponses })
    }
    if (this.#held.length > 0) this.#admit()
    else this.#limitWait()
    this.#settle()
  }

  get isAbandoned(): boolean {
    return this.#exchange.isClosed
  }

  /** The appends stay, and may be safe later: a producer that sends them again hears of that. */
  timedOut(): void {
    for (const response of this.#slots) {
      if (response !== undefined) response.errorCode = ErrorCode.REQUEST_TIMED_OUT
    }
    this.#exchange.respond({ responses: this.#responses })
  }

  appendDone(slot: number, errorCode: ErrorCode): void {
    const response = this.#slots[slot]
    this.#slots[slot] = undefined
    if (response !== undefined && errorCode !== ErrorCode.NONE) {
      this.#hasError = true
      response.errorCode = errorCode
      response.baseOffset = -1
    }
    this.#settle()
  }

  #append(name: string, topicId: string, { index, records }: PartitionRequest): PartitionResponse {
    const byId = this.#exchange.apiVersion >= 13
    const { partitions } = this.#services
    const partition = byId
      ? partitions.partitionById(topicId, index)
      : partitions.partition(name, index)
    const response: MutableResponse = { index, errorCode: ErrorCode.NONE, baseOffset: -1 }
    const refusal = this.#refusal(partition, byId)
    if (refusal !== ErrorCode.NONE || partition === undefined) this.#fail(response, refusal)
    else if (isOfTransaction(records) && !hasBegun(partition, records)) {
      this.#held.push({ partition, records, response })
    } else this.#appendTo(partition, records, response)
    return response
  }

  #appendTo(partition: Partition, records: Buffer | null, response: MutableResponse): void {
    const safety = this.#safety ?? 'written'
    const result = partition.append({
      records,
      lease: this.#exchange.lease,
      safety,
      waiter: this.#wait,
      slot: this.#slots.length,
      apiVersion: this.#exchange.apiVersion,
      nowMs: this.#nowMs,
    })
    if (result.errorCode !== ErrorCode.NONE) {
      this.#fail(response, result.errorCode, result.errorMessage, result.recordErrors)
      return
    }
    response.baseOffset = result.baseOffset
    response.logAppendTimeMs = result.logAppendTimeMs
    response.logStartOffset = partition.log.logStartOffset
    this.#slots.push(response)
    this.#pendingCount++
  }

  /** Answers for all that is held come together, in this turn or later. */
  #admit(): void {
    this.#pendingCount++
    const { transactionalId } = this.#request
    const { apiVersion } = this.#exchange
    const { admission } = this.#services
    admitBatches(admission, transactionalId, apiVersion, this.#held, {
      admitted: ({ partition, records, response }) => this.#appendTo(partition, records, response),
      refused: ({ response }, code, message) => this.#fail(response, code, message),
      settled: () => {
        this.#limitWait()
        this.#settle()
      },
    })
  }

  /** As in Kafka, only waits for more than the write, and for no coordinator, are limited. */
  #limitWait(): void {
    if (this.#request.acks === ALL) this.#timeouts.watch(this.#wait)
  }

  #refusal(partition: Partition | undefined, byId: boolean): ErrorCode {
    if (this.#safety === undefined) return ErrorCode.INVALID_REQUIRED_ACKS
    if (this.#refusedWith !== ErrorCode.NONE) return this.#refusedWith
    if (partition === undefined) {
      return byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    }
    if (this.#services.isInternalTopic(partition.topic)) return ErrorCode.INVALID_TOPIC_EXCEPTION
    return ErrorCode.NONE
  }

  #fail(
    response: MutableResponse,
    errorCode: ErrorCode,
    errorMessage: string | null = null,
    recordErrors: readonly RecordError[] = [],
  ): void {
    this.#hasError = true
    response.errorCode = errorCode
    response.errorMessage = errorMessage
    response.recordErrors = recordErrors.map(({ batchIndex, message }) => ({
      batchIndex,
      batchIndexErrorMessage: message,
    }))
  }

  #settle(): void {
    if (--this.#pendingCount > 0) return
    this.#timeouts.end(this.#wait)
    if (this.#request.acks !== 0) {
      this.#exchange.respond({ responses: this.#responses })
    } else if (this.#hasError) {
      // A producer with acks=0 reads no answers: closing is how it learns of an error.
      this.#exchange.closeConnection('a produce request with acks=0 failed')
    } else {
      this.#exchange.respondNothing()
    }
  }
}

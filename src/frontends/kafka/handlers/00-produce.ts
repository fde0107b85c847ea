import { ErrorCode } from '../../../base/error-code.ts'
import type { Partition } from '../../../broker/topics/partition.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { AppendSafety } from '../../../ports/partition-log.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import { isTransactional, RECORD_BATCH_OVERHEAD } from '../../../records/record-batch.ts'
import type { RecordError } from '../../../records/record-walk.ts'
import {
  type ProduceRequest,
  type ProduceResponse,
  produceApi,
} from '../../../wire/kafka/messages/00-produce.ts'
import { defineHandler, type Exchange, type KafkaHandler } from '../handler.ts'
import { ProduceTimeouts, type ProduceWait, type WaitingProduce } from './produce-timeouts.ts'

export interface ProduceServices {
  readonly partitions: PartitionLookup
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Topics that only the broker itself writes to. */
  readonly isInternalTopic: (topic: string) => boolean
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

/** Produce (KIP-98, KIP-467, KIP-516): appends one batch to each partition, answers by acks. */
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
    for (const topic of this.#request.topicData) {
      const partitionResponses: PartitionResponse[] = []
      for (const data of topic.partitionData) {
        partitionResponses.push(this.#append(topic.name, topic.topicId, data))
      }
      const { name, topicId } = topic
      this.#responses.push({ name, topicId, partitionResponses })
    }
    // As in Kafka, only waits for more than the write are limited.
    if (this.#request.acks === ALL) this.#timeouts.watch(this.#wait)
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
    const refusal = this.#refusal(partition, byId, records)
    if (refusal !== ErrorCode.NONE || partition === undefined) return this.#failed(index, refusal)
    const slot = this.#slots.length
    const safety = this.#safety ?? 'written'
    const result = partition.append({
      records,
      lease: this.#exchange.lease,
      safety,
      waiter: this.#wait,
      slot,
      apiVersion: this.#exchange.apiVersion,
      nowMs: this.#nowMs,
    })
    if (result.errorCode !== ErrorCode.NONE) {
      return this.#failed(index, result.errorCode, result.errorMessage, result.recordErrors)
    }
    const { baseOffset, logAppendTimeMs } = result
    const { logStartOffset } = partition.log
    const response: MutableResponse = {
      index,
      errorCode: ErrorCode.NONE,
      baseOffset,
      logAppendTimeMs,
      logStartOffset,
    }
    this.#slots.push(response)
    this.#pendingCount++
    return response
  }

  #refusal(partition: Partition | undefined, byId: boolean, records: Buffer | null): ErrorCode {
    if (this.#safety === undefined) return ErrorCode.INVALID_REQUIRED_ACKS
    if (partition === undefined) {
      return byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    }
    if (this.#services.isInternalTopic(partition.topic)) return ErrorCode.INVALID_TOPIC_EXCEPTION
    if (records !== null && records.byteLength >= RECORD_BATCH_OVERHEAD) {
      if (isTransactional(records, 0)) return this.#transactionalRefusal()
    }
    return ErrorCode.NONE
  }

  /** No transaction can be open: InitProducerId gives no id for a transactional id. */
  #transactionalRefusal(): ErrorCode {
    return this.#request.transactionalId === null
      ? ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      : ErrorCode.INVALID_TXN_STATE
  }

  #failed(
    index: number,
    errorCode: ErrorCode,
    errorMessage: string | null = null,
    recordErrors: readonly RecordError[] = [],
  ): PartitionResponse {
    this.#hasError = true
    return {
      index,
      errorCode,
      baseOffset: -1,
      errorMessage,
      recordErrors: recordErrors.map(({ batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      })),
    }
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

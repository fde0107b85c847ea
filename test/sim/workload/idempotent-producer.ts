import { ErrorCode } from '../../../src/base/error-code.ts'
import type { SentBatch } from '../ledger/sent-batch.ts'
import { expect } from '../world/sim-failure.ts'
import { makeBatch, sendBatch } from './produce.ts'
import type { Session, Target } from './session.ts'

const MAX_IN_FLIGHT = 5
/** A duplicate of any of so many newest batches is recognised (KIP-98). */
const WINDOW_BATCHES = 5

/**
 * An idempotent producer of one partition, as clients are: up to five batches in flight, acks=all,
 * and what failed is sent again in its order, whatever happened to the broker in between.
 */
export class IdempotentProducer {
  readonly topicName: string
  readonly topicId: string
  readonly index: number
  readonly producerId: number
  #nextSequence = 0
  /** In the order of their sequences; those at the front are older. */
  #unacknowledged: SentBatch[] = []
  #acknowledged: SentBatch[] = []
  #inFlight = new Set<SentBatch>()
  #mustRetry = false
  /** Its partition lost what was acknowledged, as it may: the producer can't go on. */
  isDone = false

  constructor(target: Target, producerId: number) {
    this.topicName = target.topic.name
    this.topicId = target.partition.topicId
    this.index = target.index
    this.producerId = producerId
  }

  targetOf(session: Session): Target | undefined {
    const target = session
      .targets()
      .find(({ topic, index }) => topic.name === this.topicName && index === this.index)
    if (target === undefined || target.partition.topicId !== this.topicId) return undefined
    return target
  }

  /** The broker that had its requests is no more. */
  disconnected(): void {
    this.#inFlight.clear()
    this.#mustRetry = this.#unacknowledged.length > 0
  }

  run(session: Session): void {
    const target = this.targetOf(session)
    if (target === undefined || this.isDone) return
    if (this.#mustRetry) {
      if (this.#inFlight.size === 0) this.#retry(session, target)
    } else if (this.#unacknowledged.length < MAX_IN_FLIGHT) this.#produce(session, target)
  }

  /** Sends some of the newest acknowledged batches again: each must be known. */
  resend(session: Session, target: Target): void {
    if (this.#inFlight.size > 0 || this.#unacknowledged.length > 0) return
    // Compaction keeps the last batch of a producer, and those before live in no snapshot.
    const kept = target.ledger.isCompacted ? this.#acknowledged.slice(-1) : this.#acknowledged
    for (const batch of kept) {
      if (!target.ledger.holds(batch) || session.random.oneIn(3)) continue
      const { logEndOffset, isFailed } = target.partition.log
      if (isFailed) return
      const { baseOffset } = batch
      sendBatch(session, target, batch, 'durable', (errorCode) => {
        expect(
          errorCode === ErrorCode.NONE || target.partition.log.isFailed,
          () => `${target.ledger.name}: the duplicate of batch ${batch.id} got ${errorCode}`,
        )
      })
      expect(
        target.partition.log.logEndOffset === logEndOffset && batch.baseOffset === baseOffset,
        () => `${target.ledger.name}: the duplicate of batch ${batch.id} was appended`,
      )
    }
  }

  #produce(session: Session, target: Target): void {
    const batch = makeBatch(session, target.ledger.isCompacted, {
      producerId: this.producerId,
      producerEpoch: 0,
      baseSequence: this.#nextSequence,
    })
    this.#nextSequence += batch.recordCount
    this.#unacknowledged.push(batch)
    this.#send(session, target, batch)
  }

  #retry(session: Session, target: Target): void {
    this.#mustRetry = false
    for (const batch of [...this.#unacknowledged]) {
      if (this.#mustRetry || this.isDone) return
      this.#send(session, target, batch)
    }
  }

  #send(session: Session, target: Target, batch: SentBatch): void {
    this.#inFlight.add(batch)
    sendBatch(session, target, batch, 'durable', (errorCode) => {
      if (!this.#inFlight.delete(batch)) return
      if (errorCode === ErrorCode.NONE) this.#succeeded(batch)
      else this.#failed(target, batch, errorCode)
    })
  }

  #succeeded(batch: SentBatch): void {
    const index = this.#unacknowledged.indexOf(batch)
    expect(index === 0, `batch ${batch.id} is acknowledged before those sent before it`)
    this.#unacknowledged.shift()
    this.#acknowledged.push(batch)
    if (this.#acknowledged.length > WINDOW_BATCHES) this.#acknowledged.shift()
  }

  #failed(target: Target, batch: SentBatch, errorCode: ErrorCode): void {
    if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      const isFirst = this.#unacknowledged[0] === batch
      // Later ones are out of order when an earlier one failed; the first one never is.
      expect(
        !isFirst || !target.ledger.isDurable,
        () => `${target.ledger.name}: batch ${batch.id} follows the last one, but got ${errorCode}`,
      )
      if (isFirst) this.isDone = true
    }
    this.#mustRetry = true
  }
}

import type { Timer } from '../../../../ports/scheduler.ts'
import { withoutHeaders } from '../message-headers.ts'
import { publishFactsOf } from '../publish-facts.ts'
import type { NewMessage } from '../record-mapping.ts'
import type { PublishPlace, Stored } from '../stream-publisher.ts'
import { type StreamRefusal, StreamRefusals } from '../stream-refusal.ts'
import { BatchRefusals } from './batch-refusals.ts'
import { isTooLarge } from './batch-rules.ts'
import { type BatchPorts, type BatchTarget, MAX_BATCH_ID_BYTES } from './batch-target.ts'
import { FastBatch, type FastBatchAnswers } from './fast-batch.ts'

/** What a message is to its batch: `end` ends it and is not stored, `ping` only asks how far it is. */
export type FastOperation = 'store' | 'commit' | 'end' | 'ping'

/** A message of a fast batch. */
export interface FastPublish {
  readonly batchId: string
  readonly sequence: number
  /** Acknowledgements are wanted at least after so many messages. */
  readonly maxAckEvery: number
  readonly isGapAllowed: boolean
  readonly operation: FastOperation
}

/** The end of a batch: its last message that is durable. */
export interface FastCommit {
  readonly batchId: string
  /** In the stream; 0: none was stored. */
  readonly sequence: number
  /** Messages of the batch. */
  readonly count: number
  /** The only message had been stored before. */
  readonly isDuplicate: boolean
}

/** Told what to answer. Call-backs come outside of `take`. */
export interface FastAnswers extends FastBatchAnswers {
  /** Messages from `expected` on did not come, before this one did. */
  gap(reply: string, expected: number, batchSequence: number): void
  /** A message is not stored. */
  failed(reply: string, batchSequence: number, refusal: StreamRefusal): void
  committed(reply: string, commit: FastCommit): void
  /** The batch ends, or does not begin. */
  refused(reply: string, refusal: StreamRefusal): void
}

export interface FastBatchesOptions extends BatchPorts {
  readonly target: BatchTarget
  readonly answers: FastAnswers
}

/** A timer may be early by a little. */
const MIN_DELAY_MS = 1

/**
 * The fast batches of a stream: each message is stored as it comes, and acknowledgements for many
 * messages at once tell the publisher how fast it may go (ADR-50).
 * Source: processJetStreamFastBatchMsg of nats-server.
 */
export class FastBatches {
  readonly #options: FastBatchesOptions
  readonly #open = new Map<string, FastBatch>()
  #timer: Timer | null = null

  constructor(options: FastBatchesOptions) {
    this.#options = options
  }

  /**
   * Takes a message of a batch.
   * @param message its bytes stay as they are
   * @param publish null: what it is to its batch can't be read
   */
  take(message: NewMessage, publish: FastPublish | null, reply: string): void {
    const { target, scheduler } = this.#options
    const isTaken = target.publishStep({
      byteCount: message.payload.byteLength + (message.headers?.byteLength ?? 0),
      subjects: () => [target.taken(message).subject],
      run: (place) => this.#take(message, publish, reply, place),
    })
    if (isTaken) return
    scheduler.endOfTurn(() => this.#refuse(reply, StreamRefusals.insufficientResources))
  }

  /** The stream has another configuration. */
  configured(): void {
    if (this.#options.target.config.allow_batched !== true) this.close()
  }

  /** Forgets all batches. */
  close(): void {
    for (const batch of this.#open.values()) this.#close(batch)
  }

  #take(
    message: NewMessage,
    publish: FastPublish | null,
    reply: string,
    place: PublishPlace,
  ): void {
    const refusal = this.#early(message, publish)
    if (refusal !== null || publish === null) {
      this.#refuse(reply, refusal ?? BatchRefusals.invalidPattern)
      return
    }
    const batch = this.#open.get(publish.batchId) ?? this.#begin(publish)
    if ('err_code' in batch) {
      this.#refuse(reply, batch)
      return
    }
    const { requiredApiLevel } = publishFactsOf(message.headers)
    if (!(Number(requiredApiLevel) <= this.#options.apiLevel)) {
      this.#close(batch)
      this.#refuse(reply, StreamRefusals.apiLevel)
      return
    }
    batch.lastMs = this.#options.clock.nowMs()
    if (publish.operation === 'ping') this.#ping(batch, publish, reply)
    else if (!batch.isCommitting && this.#follows(batch, publish, reply)) {
      this.#publish(batch, message, publish, reply, place)
    }
  }

  #early(message: NewMessage, publish: FastPublish | null): StreamRefusal | null {
    const { config } = this.#options.target
    if (config.sealed) return StreamRefusals.sealed
    if (isTooLarge(message, config)) return StreamRefusals.messageTooLarge
    if (config.allow_batched !== true) return BatchRefusals.fastDisabled
    if (publish === null) return BatchRefusals.invalidPattern
    return publish.batchId.length > MAX_BATCH_ID_BYTES ? BatchRefusals.invalidFastId : null
  }

  #begin({ batchId, sequence, operation, ...asked }: FastPublish): FastBatch | StreamRefusal {
    if (sequence !== 1 || operation === 'ping') return BatchRefusals.unknownId
    const { quota, answers, clock } = this.#options
    const { maxFastPerStream, maxFastCount } = quota.limits
    if (this.#open.size >= maxFastPerStream || quota.fastCount >= maxFastCount) {
      return BatchRefusals.tooManyFast
    }
    quota.fastCount++
    const openCount = this.#open.size + 1
    const batch = new FastBatch({ ...asked, id: batchId, openCount, answers })
    batch.lastMs = clock.nowMs()
    this.#open.set(batchId, batch)
    this.#arm()
    return batch
  }

  #ping(batch: FastBatch, { sequence }: FastPublish, reply: string): void {
    if (sequence > batch.last) {
      this.#options.answers.gap(reply, batch.last + 1, sequence + 1)
      if (batch.isGapAllowed) {
        batch.last = sequence
        batch.settle()
        if (batch.acknowledgeIfDue(reply, this.#open.size)) return
      } else if (this.#commit(batch, reply)) return
    }
    batch.acknowledge(reply)
  }

  /** Whether a message may follow those that came. */
  #follows(batch: FastBatch, { sequence }: FastPublish, reply: string): boolean {
    const expected = batch.last + 1
    if (sequence > expected) this.#options.answers.gap(reply, expected, sequence)
    if (sequence === expected || (sequence > expected && batch.isGapAllowed)) {
      batch.last = sequence
      return true
    }
    batch.settle()
    this.#commit(batch, reply)
    return false
  }

  #publish(
    batch: FastBatch,
    message: NewMessage,
    publish: FastPublish,
    reply: string,
    place: PublishPlace,
  ): void {
    const { operation, sequence } = publish
    const { target } = this.#options
    if (operation === 'end') {
      batch.last--
      batch.settle()
      this.#commit(batch, reply)
      return
    }
    if (operation === 'commit') batch.commitReply = reply
    else if (sequence === 1 && target.config.no_ack !== true) batch.greet(reply)
    const headers = withoutHeaders(message.headers, 'Nats-Required-Api-Level')
    batch.pendingCount++
    const refused = place.store(target.taken({ ...message, headers }), (outcome) => {
      this.#stored(batch, publish, reply, outcome)
    })
    if (refused === null) return
    batch.pendingCount--
    if ('err_code' in refused) this.#failed(batch, publish, reply, refused)
    else this.#repeated(batch, publish, reply, refused)
  }

  /** The message had been stored before. */
  #repeated(batch: FastBatch, publish: FastPublish, reply: string, { sequence }: Stored): void {
    if (batch.pendingCount === 0) {
      batch.persisted = publish.sequence
      batch.acknowledgeIfDue(reply, this.#open.size)
    }
    if (publish.operation !== 'commit') return
    if (batch.last === 1 && !publish.isGapAllowed) {
      this.#close(batch)
      const commit = { batchId: batch.id, sequence, count: publish.sequence, isDuplicate: true }
      this.#options.answers.committed(reply, commit)
    } else this.#commit(batch, reply)
  }

  #failed(batch: FastBatch, publish: FastPublish, reply: string, refusal: StreamRefusal): void {
    const { isGapAllowed, operation, sequence } = publish
    const { answers } = this.#options
    if (batch.last === 1 && !isGapAllowed) {
      this.#close(batch)
      answers.refused(reply, refusal)
      return
    }
    answers.failed(reply, sequence, refusal)
    if (isGapAllowed && operation !== 'commit') return
    batch.last--
    batch.settle()
    this.#commit(batch, reply)
  }

  #stored(
    batch: FastBatch,
    publish: FastPublish,
    reply: string,
    outcome: Stored | StreamRefusal,
  ): void {
    batch.pendingCount--
    if (batch.isClosed) return
    if ('err_code' in outcome) {
      this.#close(batch)
      this.#options.answers.refused(reply, outcome)
      return
    }
    batch.streamSequence = outcome.sequence
    batch.persisted = publish.sequence
    batch.settle()
    if (batch.isCommitting && batch.isPersisted) this.#commit(batch, reply)
    else batch.acknowledgeIfDue(reply, this.#open.size)
  }

  /** Ends the batch, at once or when all that came is durable. @returns whether it ended */
  #commit(batch: FastBatch, reply: string): boolean {
    if (batch.isClosed) return true
    batch.commitReply ??= reply
    if (!batch.isPersisted) return false
    this.#close(batch)
    const { id, last, streamSequence } = batch
    const commit = { batchId: id, sequence: streamSequence, count: last, isDuplicate: false }
    this.#options.answers.committed(batch.commitReply, commit)
    return true
  }

  #refuse(reply: string, refusal: StreamRefusal): void {
    const { target, answers } = this.#options
    if (target.config.no_ack !== true) answers.refused(reply, refusal)
  }

  #close(batch: FastBatch): void {
    batch.isClosed = true
    this.#open.delete(batch.id)
    this.#options.quota.fastCount--
    if (this.#open.size > 0) return
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Runs when the batch that was left alone longest is too old. */
  #arm(): void {
    const { clock, scheduler, quota } = this.#options
    if (this.#timer !== null || this.#open.size === 0) return
    let oldestMs = Number.POSITIVE_INFINITY
    for (const { lastMs } of this.#open.values()) oldestMs = Math.min(oldestMs, lastMs)
    const delayMs = Math.max(oldestMs + quota.limits.idleMs - clock.nowMs(), MIN_DELAY_MS)
    this.#timer = scheduler.after(delayMs, () => {
      this.#timer = null
      const beforeMs = clock.nowMs() - quota.limits.idleMs
      for (const batch of this.#open.values()) if (batch.lastMs <= beforeMs) this.#close(batch)
      this.#arm()
    })
  }
}

import type { Timer } from '../../../../ports/scheduler.ts'
import { withHeaders, withoutHeaders } from '../message-headers.ts'
import type { PublishFacts } from '../publish-facts.ts'
import { type NewMessage, sizeOf } from '../record-mapping.ts'
import type { PublishPlace } from '../stream-publisher.ts'
import { type StreamRefusal, StreamRefusals } from '../stream-refusal.ts'
import { AtomicBatch, heldBytesOf } from './atomic-batch.ts'
import { BatchRefusals, batchTooLarge } from './batch-refusals.ts'
import { isTooLarge } from './batch-rules.ts'
import { type BatchPorts, type BatchTarget, MAX_BATCH_ID_BYTES } from './batch-target.ts'

/** Why a batch was given up. Source: BatchAbandonReason of nats-server. */
export type AbandonReason = 'timeout' | 'large' | 'incomplete' | 'unsupported'

/** A batch is durable. */
export interface CommittedBatch {
  readonly batchId: string
  /** Of its last message. */
  readonly sequence: number
  readonly count: number
}

/** `held`: the message waits for the others of its batch. */
export type AtomicOutcome = 'held' | CommittedBatch | StreamRefusal

export interface AtomicBatchesOptions extends BatchPorts {
  readonly target: BatchTarget
  readonly abandoned: (batchId: string, reason: AbandonReason) => void
}

/** A timer may be early by a little. */
const MIN_DELAY_MS = 1

/**
 * The atomic batches of a stream that are not committed yet (ADR-50). Their messages are held in memory
 * and are nowhere else, so a batch that is not committed is gone with the process; one that is becomes
 * one batch of the log, which is there as a whole or not at all.
 */
export class AtomicBatches {
  readonly #options: AtomicBatchesOptions
  #open: AtomicBatch[] = []
  #timer: Timer | null = null

  constructor(options: AtomicBatchesOptions) {
    this.#options = options
  }

  /**
   * Takes a message of a batch.
   * @param message its bytes stay as they are
   * @param done told once
   */
  take(message: NewMessage, facts: PublishFacts, done: (outcome: AtomicOutcome) => void): void {
    const { target, scheduler } = this.#options
    const isTaken = target.publishStep({
      byteCount: message.payload.byteLength + (message.headers?.byteLength ?? 0),
      subjects: () => this.#subjectsOf(facts.batchId, message),
      run: (place) => {
        const outcome = this.#take(message, facts, place, done)
        if (outcome !== null) done(outcome)
      },
    })
    if (!isTaken) scheduler.endOfTurn(() => done(StreamRefusals.insufficientResources))
  }

  /** The stream has another configuration. */
  configured(): void {
    if (this.#options.target.config.allow_atomic !== true) this.close()
  }

  /** Forgets all batches. */
  close(): void {
    for (const batch of [...this.#open]) this.#drop(batch)
  }

  *#subjectsOf(batchId: string, message: NewMessage): Iterable<string> {
    const { target } = this.#options
    yield target.taken(message).subject
    for (const one of this.#find(batchId)?.messages ?? []) yield target.taken(one).subject
  }

  #find(batchId: string): AtomicBatch | undefined {
    return this.#open.find(({ id }) => id === batchId)
  }

  /**
   * In the order in which nats-server looks.
   * @returns null: told later
   * Source: processJetStreamAtomicBatchMsg.
   */
  #take(
    message: NewMessage,
    facts: PublishFacts,
    place: PublishPlace,
    done: (outcome: AtomicOutcome) => void,
  ): AtomicOutcome | null {
    const { batchCommit: commit, batchSequence: sequence } = facts
    const early = this.#early(message, facts)
    if (early !== null) return early
    const batch = this.#find(facts.batchId) ?? this.#begin(facts)
    if ('err_code' in batch) return batch
    if (commit !== null && commit !== '1' && commit !== EOB) {
      this.#drop(batch)
      return BatchRefusals.invalidCommit
    }
    if (Number(facts.requiredApiLevel) <= this.#options.apiLevel) {
      batch.lastMs = this.#options.clock.nowMs()
    } else return this.#abandon(batch, 'unsupported', StreamRefusals.apiLevel)
    batch.lastSequence++
    if (batch.lastSequence !== sequence || (sequence === 1 && commit === EOB)) {
      return this.#abandon(batch, 'incomplete', BatchRefusals.incomplete)
    }
    const refused = commit === EOB ? null : this.#hold(batch, withoutLevel(message, facts))
    if (refused !== null) return refused
    return commit === null ? 'held' : this.#commit(batch, place, done)
  }

  #early(message: NewMessage, { batchId, batchSequence }: PublishFacts): StreamRefusal | null {
    const { config } = this.#options.target
    if (config.sealed) return StreamRefusals.sealed
    if (isTooLarge(message, config)) return StreamRefusals.messageTooLarge
    if (config.allow_atomic !== true) return BatchRefusals.atomicDisabled
    if (batchId.length > MAX_BATCH_ID_BYTES) return BatchRefusals.invalidId
    const hasSequence = batchSequence !== null && !Number.isNaN(batchSequence)
    return hasSequence ? null : BatchRefusals.missingSequence
  }

  #begin({ batchId, batchSequence, batchCommit }: PublishFacts): AtomicBatch | StreamRefusal {
    const { quota, clock } = this.#options
    const { maxMessageCount, maxAtomicPerStream, maxAtomicCount } = quota.limits
    if (batchSequence !== 1) {
      const count = (batchSequence as number) - (batchCommit === EOB ? 1 : 0)
      return count > maxMessageCount ? batchTooLarge(maxMessageCount) : BatchRefusals.incomplete
    }
    if (this.#open.length >= maxAtomicPerStream || quota.atomicCount >= maxAtomicCount) {
      return BatchRefusals.tooManyAtomic
    }
    quota.atomicCount++
    const batch = new AtomicBatch(batchId)
    batch.lastMs = clock.nowMs()
    this.#open.push(batch)
    this.#arm()
    return batch
  }

  #hold(batch: AtomicBatch, message: NewMessage): StreamRefusal | null {
    const { quota, target } = this.#options
    const { maxMessageCount } = quota.limits
    if (batch.messages.length >= maxMessageCount) {
      return this.#abandon(batch, 'large', batchTooLarge(maxMessageCount))
    }
    const { maxBatchBytes } = target
    if (batch.byteCount + sizeOf(message) > maxBatchBytes) {
      return this.#abandon(batch, 'large', batchTooLarge(`${maxBatchBytes} bytes`))
    }
    if (!quota.hold(heldBytesOf(message))) {
      return this.#abandon(batch, 'incomplete', StreamRefusals.insufficientResources)
    }
    batch.hold(message)
    return null
  }

  #commit(
    batch: AtomicBatch,
    place: PublishPlace,
    done: (outcome: AtomicOutcome) => void,
  ): StreamRefusal | null {
    const { quota, target } = this.#options
    const { heldBytes, messages } = batch
    this.#close(batch)
    const stored = messages.map((message) => target.taken(message))
    const last = stored.length - 1
    stored[last] = withCommit(stored[last] as NewMessage)
    const refusal = place.storeAll(stored, (outcome) => {
      quota.release(heldBytes)
      if ('err_code' in outcome) done(outcome)
      else done({ batchId: batch.id, sequence: outcome.sequence, count: messages.length })
    })
    if (refusal !== null) quota.release(heldBytes)
    return refusal
  }

  #abandon(batch: AtomicBatch, reason: AbandonReason, refusal: StreamRefusal): StreamRefusal {
    this.#drop(batch)
    this.#options.abandoned(batch.id, reason)
    return refusal
  }

  #drop(batch: AtomicBatch): void {
    this.#close(batch)
    this.#options.quota.release(batch.heldBytes)
  }

  #close(batch: AtomicBatch): void {
    this.#open = this.#open.filter((one) => one !== batch)
    this.#options.quota.atomicCount--
    if (this.#open.length > 0) return
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Runs when the batch that was left alone longest is too old. */
  #arm(): void {
    const { clock, scheduler, quota } = this.#options
    if (this.#timer !== null || this.#open.length === 0) return
    const oldestMs = this.#open.reduce((oldest, { lastMs }) => Math.min(oldest, lastMs), NEVER)
    const delayMs = Math.max(oldestMs + quota.limits.idleMs - clock.nowMs(), MIN_DELAY_MS)
    this.#timer = scheduler.after(delayMs, () => {
      this.#timer = null
      const beforeMs = clock.nowMs() - quota.limits.idleMs
      for (const batch of this.#open.filter(({ lastMs }) => lastMs <= beforeMs)) {
        this.#abandon(batch, 'timeout', BatchRefusals.incomplete)
      }
      this.#arm()
    })
  }
}

const NEVER = Number.POSITIVE_INFINITY
const EOB = 'eob'
const COMMIT = 'Nats-Batch-Commit'
const REQUIRED_LEVEL = 'Nats-Required-Api-Level'

function withoutLevel(message: NewMessage, { requiredApiLevel }: PublishFacts): NewMessage {
  if (requiredApiLevel === '') return message
  return { ...message, headers: withoutHeaders(message.headers, REQUIRED_LEVEL) }
}

/** The last message of a batch says so, also when a message that is not stored said it. */
function withCommit(message: NewMessage): NewMessage {
  const isThere = message.headers?.includes(`\r\n${COMMIT}:`, 0, 'latin1') === true
  return isThere ? message : { ...message, headers: withHeaders(message.headers, [[COMMIT, '1']]) }
}

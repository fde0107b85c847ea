import { ErrorCode, errorName } from '../../../base/error-code.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import { BatchAdmission } from './batch/batch-admission.ts'
import type { CounterTotals } from './counter/counter-totals.ts'
import { counterText } from './counter/counter-value.ts'
import { InFlight } from './in-flight.ts'
import { sourcedFacts } from './origin/source-header.ts'
import { type PublishFacts, publishFactsOf } from './publish-facts.ts'
import { checkLast, checkSize } from './publish-rules.ts'
import { earlyRefusal, trialOf } from './publish-trial.ts'
import type { NewMessage } from './record-mapping.ts'
import { asSchedule } from './schedule/schedule-rules.ts'
import type { StreamConfig } from './stream-config.ts'
import type { StreamLog } from './stream-log.ts'
import { type StreamRefusal, StreamRefusals, storeFailed } from './stream-refusal.ts'
import type { StreamState } from './stream-state.ts'

/** A message was stored, and is durable. */
export interface Stored {
  readonly sequence: number
  /** It had been stored before, under the same id. */
  readonly isDuplicate: boolean
  /** What the counter came to, in a stream of counters. */
  readonly counter?: string
}

/** @param outcome told once */
export type PublishDone = (outcome: Stored | StreamRefusal) => void

/** What is told of each message that is stored. */
export type MessageStored = (message: NewMessage, sequence: number, subjectLast: number) => void

/**
 * Who publishes: what clients may not ask, the server itself may; copies of another stream only have to
 * find room.
 */
export type PublishedBy = 'client' | 'source' | 'server'

/** Where a step stores what it has. */
export interface PublishPlace {
  /**
   * Stores messages as one batch of the log, all or none.
   * @param done told later, of the last of them, unless a refusal is returned
   */
  storeAll(messages: readonly NewMessage[], done: PublishDone): StreamRefusal | null
  /**
   * @param done told later, unless something is returned: it was stored before, or it may not be
   */
  store(message: NewMessage, done: PublishDone): Stored | StreamRefusal | null
}

/** Something that is done in its place among what is published. */
export interface PublishStep {
  readonly byteCount: number
  /** Whose counters it may change. */
  subjects(): Iterable<string>
  run(place: PublishPlace): void
}

interface Waiting {
  readonly message: NewMessage
  readonly done: PublishDone
  readonly by: PublishedBy
}

interface Accepted {
  readonly message: NewMessage
  readonly done: PublishDone
  readonly sequence: number
  /** The last of its subject before it. */
  readonly subjectLast: number
}

/** A batch ends behind so many bytes or messages. */
const MAX_BATCH_BYTES = 512 * 1024
const MAX_BATCH_MESSAGES = 4096

/** What waits to be stored; above it clients are told to come again. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

export interface StreamPublisherOptions {
  readonly state: StreamState
  readonly log: StreamLog
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly config: () => StreamConfig
  readonly stored: MessageStored
  readonly counters: CounterTotals
}

/**
 * Takes messages into a stream. Those of one turn of the event loop are one batch of the log. Checks
 * see what was accepted before, and answers leave when the message is durable.
 */
export class StreamPublisher {
  readonly #options: StreamPublisherOptions
  readonly #inFlight: InFlight
  readonly #admission: BatchAdmission
  readonly #place: PublishPlace
  #waiting: (Waiting | PublishStep)[] = []
  #waitingBytes = 0
  readonly #whenFlushed: (() => void)[] = []
  /** Who sent a message again that is still on its way. */
  readonly #duplicates = new Map<number, PublishDone[]>()
  /** The batch of the log that is being made. */
  #batch: Accepted[] = []
  #batchBytes = 0

  constructor(options: StreamPublisherOptions) {
    const { state, counters, clock } = options
    const inFlight = new InFlight(state)
    this.#options = options
    this.#inFlight = inFlight
    this.#admission = new BatchAdmission({ inFlight, state, counters, clock })
    this.#place = {
      storeAll: (messages, done) => this.#storeAll(messages, done),
      store: (message, done) => this.#store(message, done),
    }
  }

  /** Messages that no place in the log was given to yet. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** @param message kept, so its bytes must stay */
  publish(message: NewMessage, done: PublishDone, by: PublishedBy = 'client'): void {
    const byteCount = message.payload.byteLength + (message.headers?.byteLength ?? 0)
    if (this.#hasRoom(byteCount)) this.#add({ message, done, by })
    else this.#options.scheduler.endOfTurn(() => done(StreamRefusals.insufficientResources))
  }

  /**
   * Tells what would come of a message in its place among the others, and does not store it.
   * @param done null: it would be stored
   */
  attempt(message: NewMessage, done: (outcome: Stored | StreamRefusal | null) => void): void {
    const { config, state, clock, scheduler } = this.#options
    const run = (): void => {
      const facts = publishFactsOf(message.headers)
      const inFlight = this.#inFlight
      const found = trialOf(message, facts, config(), { inFlight, state, nowMs: clock.nowMs() })
      done(typeof found === 'number' ? { sequence: found, isDuplicate: true } : found)
    }
    const isTaken = this.publishStep({ byteCount: 0, subjects: () => [], run })
    if (!isTaken) scheduler.endOfTurn(() => done(StreamRefusals.insufficientResources))
  }

  /** @returns false: too much waits, and it is not done */
  publishStep(step: PublishStep): boolean {
    if (!this.#hasRoom(step.byteCount)) return false
    this.#add(step)
    return true
  }

  /** Runs once what waits for counters to be read was taken. */
  whenFlushed(run: () => void): void {
    this.#whenFlushed.push(run)
  }

  /** Takes what waits, in order. */
  flush(): void {
    if (!this.#areCountersKnown()) return
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const one of waiting) {
      if ('run' in one) {
        this.#setLastSequence()
        one.run(this.#place)
        continue
      }
      const accepted = this.#accept(one)
      if (accepted !== null) this.#join(accepted)
    }
    this.#appendBatch()
    for (const run of this.#whenFlushed.splice(0)) run()
  }

  #hasRoom(byteCount: number): boolean {
    const isFull = this.#waitingBytes + byteCount > MAX_WAITING_BYTES
    if (isFull || this.#options.log.partition.log.isOverloaded) return false
    this.#waitingBytes += byteCount
    return true
  }

  #add(one: Waiting | PublishStep): void {
    this.#waiting.push(one)
    if (this.#waiting.length === 1) this.#options.scheduler.endOfTurn(() => this.flush())
  }

  #setLastSequence(): void {
    this.#inFlight.lastSequence = this.#options.log.nextSequence + this.#batch.length - 1
  }

  /** Adds a message to the batch that is being made. */
  #join(accepted: Accepted): void {
    const { headers, payload } = accepted.message
    this.#batch.push(accepted)
    this.#batchBytes += payload.byteLength + (headers?.byteLength ?? 0)
    if (this.#batchBytes < MAX_BATCH_BYTES && this.#batch.length < MAX_BATCH_MESSAGES) return
    this.#appendBatch()
  }

  #appendBatch(): void {
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    if (batch.length > 0) this.#append(batch)
  }

  #storeAll(messages: readonly NewMessage[], done: PublishDone): StreamRefusal | null {
    const admitted = this.#admission.admitAll(messages, this.#options.config())
    if ('err_code' in admitted) return admitted
    this.#appendBatch()
    const last = admitted.length - 1
    this.#append(
      admitted.map((message, index) => {
        const { messageId } = publishFactsOf(message.headers)
        return this.#accepted(message, messageId, index === last ? done : ignore)
      }),
    )
    return null
  }

  #store(message: NewMessage, done: PublishDone): Stored | StreamRefusal | null {
    const admitted = this.#admission.admitOne(message, this.#options.config())
    if ('err_code' in admitted) return admitted
    if ('duplicateOf' in admitted) return { sequence: admitted.duplicateOf, isDuplicate: true }
    this.#join(this.#accepted(admitted, publishFactsOf(message.headers).messageId, done))
    return null
  }

  /** Gives a message its place. */
  #accepted(message: NewMessage, messageId: string, done: PublishDone): Accepted {
    const inFlight = this.#inFlight
    const sequence = inFlight.lastSequence + 1
    const isRepublished = this.#options.config().republish !== undefined
    const subjectLast = isRepublished ? inFlight.lastOf(message.subject) : 0
    inFlight.accepted(message, messageId, sequence)
    return { message, done, sequence, subjectLast }
  }

  #accept({ message, done, by }: Waiting): Accepted | null {
    const { state, clock, config } = this.#options
    const settings = config()
    const inFlight = this.#inFlight
    this.#setLastSequence()
    const all = publishFactsOf(message.headers)
    const facts = by === 'source' ? sourcedFacts(all) : all
    const early =
      by !== 'client' ? null : earlyRefusal(message, facts, settings, inFlight, clock.nowMs())
    if (early !== null) {
      done(early)
      return null
    }
    const { messageId } = facts
    if (messageId !== '' && settings.mirror === undefined) {
      const before = inFlight.duplicateOf(messageId)
      if (before !== 0) {
        this.#duplicates.set(before, [...(this.#duplicates.get(before) ?? []), done])
        return null
      }
      const sequence = state.window.find(messageId, clock.nowMs())
      if (sequence !== 0) {
        done({ sequence, isDuplicate: true })
        return null
      }
    }
    const prepared = by === 'server' ? message : this.#prepared(message, facts, settings)
    if ('err_code' in prepared) {
      done(prepared)
      return null
    }
    return this.#accepted(prepared, messageId, done)
  }

  /** The message as it is stored. */
  #prepared(
    message: NewMessage,
    facts: PublishFacts,
    settings: StreamConfig,
  ): NewMessage | StreamRefusal {
    const inFlight = this.#inFlight
    const early = checkLast(facts, settings, inFlight)
    if (early !== null) return early
    let stored = asSchedule(message, facts)
    if (settings.allow_msg_counter === true) {
      const last = inFlight.lastOf(message.subject)
      const sequence = inFlight.lastSequence + 1
      const counted = this.#options.counters.add(message, facts, last, sequence)
      if ('err_code' in counted) return counted
      stored = counted
    }
    return checkSize(stored, facts, settings, inFlight) ?? stored
  }

  /** Whether counters don't have to be read first; when they were, it goes on. */
  #areCountersKnown(): boolean {
    const { config, counters, state } = this.#options
    if (config().allow_msg_counter !== true) return true
    if (counters.isReading) return false
    const subjects = this.#waiting.flatMap((one) =>
      'run' in one ? [...one.subjects()] : [one.message.subject],
    )
    const lastOf = (subject: string): number => this.#inFlight.lastOf(subject)
    return counters.prepare(subjects, lastOf, state.index.lastSequence, () => this.flush())
  }

  #append(batch: readonly Accepted[]): void {
    const { log, clock } = this.#options
    const messages = batch.map(({ message }) => message)
    const code = log.append(messages, clock.nowMs(), (errorCode) => this.#ended(batch, errorCode))
    if (code !== ErrorCode.NONE) this.#ended(batch, code)
  }

  #ended(batch: readonly Accepted[], errorCode: ErrorCode): void {
    for (const { message, sequence, subjectLast, done } of batch) {
      this.#inFlight.settled(message, sequence)
      const duplicates = this.#duplicates.get(sequence)
      this.#duplicates.delete(sequence)
      if (errorCode !== ErrorCode.NONE) {
        const refusal = storeFailed(`the log takes no messages: ${errorName(errorCode)}`)
        done(refusal)
        for (const other of duplicates ?? []) other(refusal)
        continue
      }
      done(storedAs(sequence, message, this.#options.config()))
      for (const other of duplicates ?? []) other({ sequence, isDuplicate: true })
      this.#options.stored(message, sequence, subjectLast)
    }
  }
}

function storedAs(sequence: number, { payload }: NewMessage, config: StreamConfig): Stored {
  const stored = { sequence, isDuplicate: false }
  return config.allow_msg_counter === true ? { ...stored, counter: counterText(payload) } : stored
}

const ignore: PublishDone = () => undefined

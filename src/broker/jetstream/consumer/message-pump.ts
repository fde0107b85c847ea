import type { Clock } from '../../../ports/clock.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { ReadLimits, StoredMessage, StreamReader } from '../stream/stream-reader.ts'
import type { ConsumerConfig } from './consumer-config.ts'
import type { ConsumerOutput, OutgoingMessage } from './consumer-ports.ts'
import type { ConsumerProgress } from './consumer-progress.ts'
import type { DeliveryTarget } from './delivery-target.ts'
import { Pacer } from './pacer.ts'
import type { StreamCursor } from './stream-cursor.ts'

export interface PumpPorts {
  readonly name: string
  readonly config: () => ConsumerConfig
  readonly reader: StreamReader
  readonly cursor: StreamCursor
  readonly progress: ConsumerProgress
  readonly target: DeliveryTarget
  readonly output: ConsumerOutput
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  isPaused(): boolean
  /** @param sequence with ack policy `none` it is done with */
  delivered(sequence: number, nowMs: number): void
  /** It stands still until something happens, or the time comes. */
  rested(): void
}

/** Messages read at once, and bytes of them: a batch that is read once need not be walked through again. */
const PORTION_COUNT = 512
/** What is sent is copied then. */
const PORTION: ReadLimits = { maxBytes: 256 * 1024, isBorrowed: true }
/** What is sent in one turn of the event loop, so that others have their turn. */
const TURN_BYTES = 512 * 1024
/** How long a client that is far behind is left alone. */
const BEHIND_MS = 5
/** A log that can't be read is not tried again at once. */
const RETRY_MS = 1000

/**
 * Moves messages from the stream to the target: redeliveries first, lowest sequence first, then what
 * is new. Nothing is counted as delivered before it was read and somebody is there to take it.
 */
export class MessagePump {
  readonly #ports: PumpPorts
  readonly #pacer = new Pacer()
  #isRunning = false
  #isReading = false
  #isYielding = false
  #isClosed = false
  #turnBytes = 0
  /** Nothing is sent before. */
  #restsUntilMs = 0
  /** The stored gap before this message was waited for. */
  #waitedFor = 0
  /** Messages up to here are replayed at their original pace. */
  readonly #replayUntil: number

  constructor(ports: PumpPorts) {
    this.#ports = ports
    const isOriginal = ports.config().replay_policy === 'original'
    this.#replayUntil = isOriginal ? ports.reader.lastSequence : 0
  }

  /** When it can go on; 0: it waits for no time. */
  get restsUntilMs(): number {
    return this.#restsUntilMs
  }

  /** Sends what can be sent. */
  run(): void {
    if (this.#isRunning || this.#isReading || this.#isYielding || this.#isClosed) return
    this.#isRunning = true
    while (this.#step()) {
      if (this.#turnBytes < TURN_BYTES) continue
      this.#yield()
      break
    }
    this.#isRunning = false
    this.#ports.rested()
  }

  close(): void {
    this.#isClosed = true
  }

  #yield(): void {
    this.#isYielding = true
    this.#ports.scheduler.endOfTurn(() => {
      this.#isYielding = false
      this.#turnBytes = 0
      this.run()
    })
  }

  /** @returns whether there may be more to do in this turn */
  #step(): boolean {
    const { target, progress, cursor, clock } = this.#ports
    const nowMs = clock.monotonicMs()
    if (this.#isClosed || nowMs < this.#restsUntilMs) return false
    const wanted = Math.min(PORTION_COUNT, target.wantedCount)
    if (wanted <= 0 || this.#ports.isPaused()) {
      target.passed(false, nowMs)
      return false
    }
    const again = progress.redeliveries(nowMs, wanted)
    const room = Math.min(wanted - again.length, this.room)
    const fresh = room > 0 ? cursor.peek(room) : []
    if (again.length + fresh.length === 0) {
      target.passed(this.room > 0, nowMs)
      return false
    }
    return this.#read([...again, ...fresh], again.length)
  }

  /** Messages that may be on their way besides those that are. */
  get room(): number {
    const { ack_policy: policy, max_ack_pending = 0 } = this.#ports.config()
    if (policy === 'none' || max_ack_pending <= 0) return Number.POSITIVE_INFINITY
    return max_ack_pending - this.#ports.progress.pendingCount
  }

  #read(sequences: readonly number[], againCount: number): boolean {
    this.#isReading = true
    let mayGoOn = false
    const taken = (error: Error | null, messages: readonly (StoredMessage | null)[]): void => {
      this.#isReading = false
      if (this.#isClosed) return
      if (error === null) mayGoOn = this.#sendAll(sequences, messages, againCount)
      else this.#failed(error)
      if (!this.#isRunning) this.run()
    }
    this.#ports.reader.read(sequences, taken, PORTION)
    return mayGoOn
  }

  #failed(error: Error): void {
    const { logger, reader, name, clock } = this.#ports
    logger.error('a consumer could not read its stream', {
      stream: reader.name,
      consumer: name,
      error,
    })
    this.#restsUntilMs = clock.monotonicMs() + RETRY_MS
  }

  #sendAll(
    sequences: readonly number[],
    messages: readonly (StoredMessage | null)[],
    againCount: number,
  ): boolean {
    const { progress, cursor, clock } = this.#ports
    const nowMs = clock.monotonicMs()
    for (let index = 0; index < messages.length; index++) {
      const message = messages[index] as StoredMessage | null
      const isAgain = index < againCount
      const sequence = sequences[index] as number
      // Meanwhile it was acknowledged, or the consumer began anew.
      const isWanted = isAgain ? progress.isAvailable(sequence) : sequence >= cursor.next
      if (!isWanted) continue
      if (message === null) {
        if (isAgain) progress.removed({ firstOffset: sequence, lastOffset: sequence })
        else cursor.take(sequence, false)
      } else if (!this.#send(message, isAgain, nowMs)) return false
    }
    return true
  }

  /** @returns false when nothing more can be sent now */
  #send(message: StoredMessage, isAgain: boolean, nowMs: number): boolean {
    const { progress, cursor, target, output, reader, name } = this.#ports
    const config = this.#ports.config()
    const { sequence, timestampMs } = message
    if (!this.#isItsTime(message, nowMs)) return false
    const { pendingCount: before } = cursor
    const pendingCount = isAgain ? before : before - 1
    const outgoing: OutgoingMessage = {
      stream: reader.name,
      consumer: name,
      message,
      deliveryCount: isAgain ? progress.nextDeliveryCount(sequence) : 1,
      consumerSequence: progress.delivered.consumer + 1,
      pendingCount,
      isHeadersOnly: config.headers_only === true,
      pinId: '',
    }
    const byteCount = output.sizeOf(outgoing)
    const backlog = { pendingCount: pendingCount + 1, ackPendingCount: progress.pendingCount }
    const recipient = target.choose(byteCount, backlog, nowMs)
    if (recipient === null) {
      target.passed(false, nowMs)
      return false
    }
    progress.deliver(sequence, nowMs)
    if (!isAgain) cursor.take(sequence, true)
    const { to, pinId } = recipient
    const isBehind = output.message(to, pinId === '' ? outgoing : { ...outgoing, pinId })
    this.#turnBytes += byteCount
    target.sent(recipient, byteCount, this.room <= 0, nowMs)
    this.#pacer.sent(byteCount, config.rate_limit_bps ?? 0, timestampMs, nowMs)
    this.#restsUntilMs = Math.max(this.#pacer.nextAtMs, isBehind ? nowMs + BEHIND_MS : 0)
    this.#ports.delivered(sequence, nowMs)
    return this.#restsUntilMs <= nowMs
  }

  /** With replay policy `original` a message waits as long as it did when it was stored. */
  #isItsTime({ sequence, timestampMs }: StoredMessage, nowMs: number): boolean {
    if (sequence > this.#replayUntil || this.#waitedFor === sequence) return true
    this.#waitedFor = sequence
    const gapMs = this.#pacer.gapMs(timestampMs)
    if (gapMs <= 1) return true
    this.#restsUntilMs = nowMs + gapMs
    return false
  }
}

import { withoutHeaders } from '../message-headers.ts'
import { type NewMessage, sizeOf } from '../record-mapping.ts'
import type { Stream } from '../stream.ts'
import type { StreamConfig, StreamSource } from '../stream-config.ts'
import type { OriginSink } from './origin-follower.ts'
import type { CopiedMessage } from './origin-status.ts'
import { sourcedHeaders, sourceHeaderOf, sourceKeyOf } from './source-header.ts'

/** Header blocks near the limit, which the header of the source may bring above it. */
const LARGE_HEADER_BYTES = 60_000

/** Takes the messages of a source: they get sequences of the stream, and say where they are from. */
export class SourceSink implements OriginSink {
  readonly #stream: Stream
  readonly #source: string

  constructor(stream: Stream, source: StreamSource) {
    this.#stream = stream
    this.#source = sourceKeyOf(source)
  }

  next(origin: Stream): number | null {
    const position = this.#stream.sources.get(this.#source)
    if (position === undefined) return null
    const isOther = position.identity !== '' && position.identity !== identityOf(origin)
    return isOther ? null : position.sequence + 1
  }

  whenCaughtUp(run: () => void): void {
    this.#stream.whenCaughtUp(run)
  }

  take(messages: readonly CopiedMessage[], origin: Stream, done: (count: number) => void): void {
    if (this.#stream.config.sealed) {
      done(0)
      return
    }
    const identity = identityOf(origin)
    const outcomes = new Outcomes(done)
    for (const message of messages) {
      const { sequence, payload, subject, originSubject } = message
      const header = sourceHeaderOf({ source: this.#source, sequence, identity }, originSubject)
      const headers = sourcedHeaders(message.headers, header)
      this.#stream.publishCopy({ subject, headers, payload }, 'source', outcomes.next())
      // Nothing may follow a message that is refused, so that is known first.
      if (mayBeRefused(message, this.#stream.config)) this.#stream.flush()
      if (outcomes.isStopped) break
    }
    outcomes.close()
  }
}

/** Takes the messages of a mirror's origin: they keep their sequences and times. */
export class MirrorSink implements OriginSink {
  readonly #stream: Stream

  constructor(stream: Stream) {
    this.#stream = stream
  }

  next(): number | null {
    const { lastSequence } = this.#stream
    return lastSequence === 0 ? null : lastSequence + 1
  }

  whenCaughtUp(run: () => void): void {
    this.#stream.whenCaughtUp(run)
  }

  take(messages: readonly CopiedMessage[], _: Stream, done: (count: number) => void): void {
    const outcomes = new Outcomes(done)
    const count = this.#roomFor(messages)
    for (const [at, message] of messages.entries()) {
      if (at === count) outcomes.stop()
      else this.#copy(message, outcomes)
      if (outcomes.isStopped) break
    }
    this.#stream.flush()
    outcomes.close()
  }

  #copy(message: CopiedMessage, outcomes: Outcomes): void {
    const { sequence, subject, headers, payload, timestampMs } = message
    const kept = withoutHeaders(headers, 'Nats-Batch-')
    const copy: NewMessage = { subject, headers: kept, payload, timestampMs }
    if (this.#stream.skipTo(sequence)) {
      this.#stream.publishCopy(copy, 'server', outcomes.next())
    } else outcomes.stop()
  }

  /** How many of them a mirror that discards new messages takes; all that came before is durable. */
  #roomFor(messages: readonly CopiedMessage[]): number {
    const { config, state } = this.#stream
    const { max_msgs, max_bytes, discard } = config
    if (discard === 'old') return messages.length
    let { messageCount, byteCount } = state.index
    let count = 0
    for (const message of messages) {
      byteCount += sizeOf(message)
      if (max_msgs > 0 && ++messageCount > max_msgs) break
      if (max_bytes > 0 && byteCount > max_bytes) break
      count++
    }
    return count
  }
}

/** Counts the messages that are stored, from the first on, and tells it once all are answered. */
class Outcomes {
  readonly #done: (count: number) => void
  #given = 0
  #answered = 0
  #firstRefused = Number.POSITIVE_INFINITY
  #isClosed = false
  isStopped = false

  constructor(done: (count: number) => void) {
    this.#done = done
  }

  next(): (outcome: object) => void {
    const at = this.#given++
    return (outcome) => {
      this.#answered++
      if ('err_code' in outcome) {
        this.#firstRefused = Math.min(this.#firstRefused, at)
        this.isStopped = true
      }
      this.#end()
    }
  }

  stop(): void {
    this.isStopped = true
  }

  close(): void {
    this.#isClosed = true
    this.#end()
  }

  #end(): void {
    if (!this.#isClosed || this.#answered < this.#given) return
    this.#done(Math.min(this.#firstRefused, this.#given))
  }
}

function mayBeRefused({ headers }: CopiedMessage, config: StreamConfig): boolean {
  if (config.discard === 'new' || config.max_msg_size > 0) return true
  if (headers === null) return false
  return headers.byteLength > LARGE_HEADER_BYTES || headers.includes('Nats-', 0, 'latin1')
}

/** Another stream of the same name has another one. */
const identityOf = (origin: Stream): string => origin.createdMs.toString(36)

import {
  type AbandonReason,
  AtomicBatches,
} from '../../../broker/jetstream/stream/batch/atomic-batches.ts'
import type { BatchPorts } from '../../../broker/jetstream/stream/batch/batch-target.ts'
import { FastBatches } from '../../../broker/jetstream/stream/batch/fast-batches.ts'
import { withHeaders } from '../../../broker/jetstream/stream/message-headers.ts'
import { publishFactsOf } from '../../../broker/jetstream/stream/publish-facts.ts'
import type { NewMessage } from '../../../broker/jetstream/stream/record-mapping.ts'
import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import type { PublishDone, Stored } from '../../../broker/jetstream/stream/stream-publisher.ts'
import type { StreamRefusal } from '../../../broker/jetstream/stream/stream-refusal.ts'
import { SubjectTransform } from '../../../broker/jetstream/stream/subject-transform.ts'
import { isPublishable } from '../../../broker/subjects/subject.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { ServerPublisher, SubjectSpace } from '../server-publisher.ts'
import { type SharedTail, type Subscriber, Subscription } from '../subscription.ts'
import type { MessageTrace } from '../tracing/message-trace.ts'
import { streamEndOf } from '../tracing/stream-error.ts'
import { withoutTrace } from '../tracing/trace-headers.ts'
import { BatchAnswers } from './batch-answers.ts'
import { byteJson } from './byte-json.ts'
import { isoTime } from './consumer-info-json.ts'
import { isFastReply, parseFastReply } from './fast-batch-reply.ts'
import type { Budget } from './storage-budget.ts'

/** A header block without a header: the same as none. */
const EMPTY_BLOCK_BYTES = 'NATS/1.0\r\n\r\n'.length

const BATCH_ID = 'Nats-Batch-Id:'

const NO_PAYLOAD = Buffer.alloc(0)

const nobodyWaits: PublishDone = () => undefined

export interface CapturePorts extends BatchPorts {
  /** null: streams may store as much as they like. */
  readonly budget: Budget | null
  /** Of the server; empty: none. */
  readonly domain: string
  readonly batchAbandoned: (batchId: string, reason: AbandonReason) => void
}

/** Takes what is published to the subjects of a stream, and answers once it is durable. */
export class StreamCapture implements Subscriber {
  readonly #stream: Stream
  readonly #space: SubjectSpace
  readonly #publisher: ServerPublisher
  readonly #scheduler: Scheduler
  readonly #budget: Budget | null
  readonly #domain: string
  readonly #answers: BatchAnswers
  readonly #atomic: AtomicBatches
  readonly #fast: FastBatches
  #subscriptions: Subscription[] = []
  #republish: SubjectTransform | null = null

  constructor(
    stream: Stream,
    space: SubjectSpace,
    publisher: ServerPublisher,
    ports: CapturePorts,
  ) {
    this.#scheduler = ports.scheduler
    this.#budget = ports.budget
    this.#domain = ports.domain
    this.#stream = stream
    this.#space = space
    this.#publisher = publisher
    this.#answers = new BatchAnswers(publisher, stream.config.name, ports.domain)
    const batches = { ...ports, target: stream }
    this.#atomic = new AtomicBatches({ ...batches, abandoned: ports.batchAbandoned })
    this.#fast = new FastBatches({ ...batches, answers: this.#answers })
    this.configure()
  }

  /** The stream has other subjects now. */
  configure(): void {
    const { subjects = [], republish } = this.#stream.config
    const kept = this.#subscriptions.filter(({ subject }) => subjects.includes(subject))
    for (const gone of this.#subscriptions) {
      if (!kept.includes(gone)) this.#space.router.remove(gone.subject, '', gone)
    }
    const before = new Set(kept.map(({ subject }) => subject))
    const added = subjects
      .filter((subject) => !before.has(subject))
      .map((subject) => new Subscription(this, subject, '', ''))
    for (const one of added) this.#space.router.insert(one.subject, '', one)
    this.#subscriptions = [...kept, ...added]
    const made =
      republish === undefined ? null : SubjectTransform.make(republish.src ?? '>', republish.dest)
    this.#republish = typeof made === 'string' ? null : made
    this.#atomic.configured()
    this.#fast.configured()
  }

  stop(): void {
    for (const one of this.#subscriptions) this.#space.router.remove(one.subject, '', one)
    this.#subscriptions = []
    this.#atomic.close()
    this.#fast.close()
  }

  deliver(_: Subscription, message: PublishedMessage): boolean {
    const taken = takenOf(message)
    const isAnswered = message.hasReply && this.#stream.config.no_ack !== true
    const reply = isAnswered ? message.reply() : ''
    const refusal = this.#budget?.take(taken) ?? null
    if (refusal !== null) this.#scheduler.endOfTurn(() => this.#answerTo(reply)(refusal))
    else if (isFastReply(message.bytes, message.replyStart, message.replyEnd)) {
      const to = message.reply()
      this.#fast.take(taken, parseFastReply(to), to)
    } else if (isOfBatch(taken)) this.#takeOfBatch(taken, reply)
    else this.#stream.publish(taken, this.#answerTo(reply))
    return true
  }

  deliverTraced(
    subscription: Subscription,
    message: PublishedMessage,
    _publisher: Subscriber,
    _shared: SharedTail,
    trace: MessageTrace,
  ): boolean {
    const given = takenOf(message)
    const step = trace.reachedStream(this.#stream.config.name)
    const { subject } = this.#stream.taken(given)
    const hasNoInterest = this.#stream.hasNoInterest(subject)
    if (isFastReply(message.bytes, message.replyStart, message.replyEnd) || isOfBatch(given)) {
      // What becomes of it is told for the batch as a whole.
      if (!trace.isOnly) this.deliver(subscription, message)
      step.ended(subject, hasNoInterest, '')
      return true
    }
    const isAnswered = message.hasReply && this.#stream.config.no_ack !== true
    const answer = this.#answerTo(isAnswered ? message.reply() : '')
    const ended = (outcome: Stored | StreamRefusal | null): void => {
      const { error, isPlaced } = streamEndOf(outcome, given.headers)
      step.ended(isPlaced ? subject : '', isPlaced && hasNoInterest, error)
    }
    if (trace.isOnly) {
      this.#stream.attempt(given, (outcome) => {
        if (outcome !== null) answer(outcome)
        ended(outcome)
      })
      return true
    }
    const done: PublishDone = (outcome) => {
      answer(outcome)
      ended(outcome)
    }
    const taken = { ...given, headers: withoutTrace(given.headers) }
    const refusal = this.#budget?.take(taken) ?? null
    if (refusal !== null) this.#scheduler.endOfTurn(() => done(refusal))
    else this.#stream.publish(taken, done)
    return true
  }

  /** A message is durable: who listens to its copy gets that. */
  stored(message: NewMessage, sequence: number, subjectLast: number): void {
    const to = this.#republish?.apply(message.subject)
    if (to === undefined || to === null || !isPublishable(to)) return
    const { state, config } = this.#stream
    const isHeadersOnly = config.republish?.headers_only === true
    const headers = withHeaders(message.headers, [
      ['Nats-Stream', config.name],
      ['Nats-Subject', message.subject],
      ['Nats-Sequence', String(sequence)],
      ['Nats-Time-Stamp', isoTime(state.index.timeOf(sequence))],
      ['Nats-Last-Sequence', String(subjectLast)],
      ...(isHeadersOnly ? [['Nats-Msg-Size', String(message.payload.byteLength)] as const] : []),
    ])
    this.#publisher.publish(to, null, headers, isHeadersOnly ? NO_PAYLOAD : message.payload)
  }

  #takeOfBatch(message: NewMessage, reply: string): void {
    const facts = publishFactsOf(message.headers)
    if (facts.batchId === '') {
      this.#stream.publish(message, this.#answerTo(reply))
      return
    }
    this.#atomic.take(message, facts, (outcome) => {
      if (reply !== '') this.#answers.atomic(reply, outcome)
    })
  }

  #answerTo(reply: string): PublishDone {
    if (reply === '') return nobodyWaits
    return (outcome) => {
      const stream = this.#stream.config.name
      const json =
        'err_code' in outcome
          ? { error: outcome, stream, seq: 0 }
          : {
              stream,
              ...(this.#domain !== '' && { domain: this.#domain }),
              seq: outcome.sequence,
              ...(outcome.isDuplicate && { duplicate: true }),
              ...(outcome.counter !== undefined && { val: outcome.counter }),
            }
      const payload = byteJson(json)
      this.#publisher.publish(reply, null, null, payload)
    }
  }
}

/** A copy of a message, as a stream keeps it. */
function takenOf(message: PublishedMessage): NewMessage {
  const { bytes, bodyStart, bodyEnd, hasHeaders, headerByteCount } = message
  const payloadStart = bodyStart + (hasHeaders ? headerByteCount : 0)
  return {
    subject: message.subject(),
    headers:
      payloadStart - bodyStart > EMPTY_BLOCK_BYTES
        ? Buffer.from(bytes.subarray(bodyStart, payloadStart))
        : null,
    payload: Buffer.from(bytes.subarray(payloadStart, bodyEnd)),
  }
}

/** Whether it may say that it belongs to an atomic batch. */
function isOfBatch({ headers }: NewMessage): boolean {
  return headers?.includes(BATCH_ID, 0, 'latin1') === true
}

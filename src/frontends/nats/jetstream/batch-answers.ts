import type { AtomicOutcome } from '../../../broker/jetstream/stream/batch/atomic-batches.ts'
import type {
  FastAnswers,
  FastCommit,
} from '../../../broker/jetstream/stream/batch/fast-batches.ts'
import type { StreamRefusal } from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import { byteJson } from './byte-json.ts'

const NOTHING = Buffer.alloc(0)

/** Answers the publishers of batches. Source: PubAck, BatchFlow* of nats-server. */
export class BatchAnswers implements FastAnswers {
  readonly #publisher: ServerPublisher
  readonly #stream: string
  readonly #domain: string

  /** @param domain of the server; empty: none */
  constructor(publisher: ServerPublisher, stream: string, domain: string) {
    this.#publisher = publisher
    this.#stream = stream
    this.#domain = domain
  }

  atomic(reply: string, outcome: AtomicOutcome): void {
    if (outcome === 'held') this.#publisher.publish(reply, null, null, NOTHING)
    else if ('err_code' in outcome) this.refused(reply, outcome)
    else this.committed(reply, { ...outcome, isDuplicate: false })
  }

  flow(reply: string, batchSequence: number, ackEvery: number): void {
    this.#send(reply, { type: 'ack', seq: batchSequence, msgs: ackEvery })
  }

  gap(reply: string, expected: number, batchSequence: number): void {
    this.#send(reply, { type: 'gap', last_seq: expected, seq: batchSequence })
  }

  failed(reply: string, batchSequence: number, error: StreamRefusal): void {
    this.#send(reply, { type: 'err', seq: batchSequence, error })
  }

  committed(reply: string, { batchId, sequence, count, isDuplicate }: FastCommit): void {
    this.#send(reply, {
      stream: this.#stream,
      ...(this.#domain !== '' && { domain: this.#domain }),
      seq: sequence,
      ...(isDuplicate && { duplicate: true }),
      batch: batchId,
      count,
    })
  }

  refused(reply: string, error: StreamRefusal): void {
    this.#send(reply, { error, stream: this.#stream, seq: 0 })
  }

  #send(reply: string, json: object): void {
    this.#publisher.publish(reply, null, null, byteJson(json))
  }
}

import type { AbandonReason } from '../../../broker/jetstream/stream/batch/atomic-batches.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Random } from '../../../ports/random.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import { byteJson } from './byte-json.ts'
import { isoTime } from './consumer-info-json.ts'

type Action = 'create' | 'delete' | 'modify'

const SUBJECTS: Readonly<Record<Action, string>> = {
  create: 'CREATED',
  delete: 'DELETED',
  modify: 'UPDATED',
}

/** Tells who listens that streams came, changed or went. Source: JSStreamActionAdvisory of nats-server. */
export class StreamAdvisories {
  readonly #publisher: ServerPublisher
  readonly #clock: Clock
  readonly #random: Random
  readonly #domain: string

  /** @param domain of the server; empty: none */
  constructor(publisher: ServerPublisher, clock: Clock, random: Random, domain: string) {
    this.#publisher = publisher
    this.#clock = clock
    this.#random = random
    this.#domain = domain
  }

  tell(stream: string, action: Action): void {
    this.#publish(`${SUBJECTS[action]}.${stream}`, 'stream_action', { stream, action })
  }

  /** Source: JSStreamBatchAbandonedAdvisory of nats-server. */
  batchAbandoned(stream: string, batch: string, reason: AbandonReason): void {
    this.#publish(`BATCH_ABANDONED.${stream}`, 'stream_batch_abandoned', { stream, batch, reason })
  }

  /**
   * A stream is being sent as a copy, or comes back from one, or that has ended.
   * Source: JSSnapshotCreateAdvisory and its like of nats-server.
   */
  copied(
    stream: string,
    kind: 'snapshot' | 'restore',
    step: 'create' | 'complete',
    facts: object,
  ): void {
    const subject = `${kind}_${step}`.toUpperCase()
    this.#publish(`${subject}.${stream}`, `${kind}_${step}`, { stream, ...facts })
  }

  #publish(subject: string, type: string, what: object): void {
    const json = {
      type: `io.nats.jetstream.advisory.v1.${type}`,
      id: this.#random.uuid(),
      timestamp: isoTime(this.#clock.nowMs()),
      ...what,
      ...(this.#domain !== '' && { domain: this.#domain }),
    }
    this.#publisher.publish(`$JS.EVENT.ADVISORY.STREAM.${subject}`, null, null, byteJson(json))
  }
}

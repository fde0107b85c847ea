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

  constructor(publisher: ServerPublisher, clock: Clock, random: Random) {
    this.#publisher = publisher
    this.#clock = clock
    this.#random = random
  }

  tell(stream: string, action: Action): void {
    const json = {
      type: 'io.nats.jetstream.advisory.v1.stream_action',
      id: this.#random.uuid(),
      timestamp: isoTime(this.#clock.nowMs()),
      stream,
      action,
    }
    const subject = `$JS.EVENT.ADVISORY.STREAM.${SUBJECTS[action]}.${stream}`
    this.#publisher.publish(subject, null, null, byteJson(json))
  }
}

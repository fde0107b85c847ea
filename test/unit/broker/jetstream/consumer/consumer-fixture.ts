import type { ConsumerAdvisory } from '../../../../../src/broker/jetstream/consumer/consumer-advisory.ts'
import type {
  ConsumerConfig,
  StreamFacts,
} from '../../../../../src/broker/jetstream/consumer/consumer-config.ts'
import type {
  ConsumerOutput,
  OutgoingMessage,
} from '../../../../../src/broker/jetstream/consumer/consumer-ports.ts'
import type { ConsumerStateChange } from '../../../../../src/broker/jetstream/consumer/consumer-state.ts'
import type { Status } from '../../../../../src/broker/jetstream/consumer/status.ts'
import {
  type ConsumerStore,
  type KeptConsumer,
  StreamConsumers,
  type StreamHost,
} from '../../../../../src/broker/jetstream/consumer/stream-consumers.ts'
import { ManualScheduler } from '../../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../../support/ports.ts'
import { FakeStream } from './fake-stream.ts'

export const STREAM: StreamFacts = {
  retention: 'limits',
  subjects: ['s.>'],
  num_replicas: 1,
  consumerMaxAckPending: 0,
  consumerInactiveThreshold: 0,
  maxConsumers: -1,
  maxAckPending: 0,
  maxRequestBatch: 0,
}

export function configOf(fields: Partial<ConsumerConfig>): ConsumerConfig {
  return {
    deliver_policy: 'all',
    ack_policy: 'explicit',
    replay_policy: 'instant',
    num_replicas: 0,
    ...fields,
  }
}

/** A disk that keeps consumers, and can fail. */
export class FakeStore implements ConsumerStore {
  readonly kept = new Map<string, KeptConsumer>()
  isBroken = false

  async save(consumer: KeptConsumer): Promise<boolean> {
    if (this.isBroken) return false
    const state = this.kept.get(consumer.name)?.state ?? []
    this.kept.set(consumer.name, { ...consumer, state: [...state, ...consumer.state] })
    return true
  }

  async remove(_stream: string, name: string): Promise<boolean> {
    return this.kept.delete(name)
  }

  journalOf(_stream: string, name: string) {
    return {
      keep: (change: ConsumerStateChange, done: (isKept: boolean) => void): void => {
        const consumer = this.kept.get(name)
        if (consumer !== undefined && !this.isBroken) {
          const state = change.isWhole ? [change] : [...consumer.state, change]
          this.kept.set(name, { ...consumer, state })
        }
        done(!this.isBroken)
      },
    }
  }
}

/** The consumers of one stream, with clients that note what they get. */
export class ConsumerFixture implements ConsumerOutput, StreamHost {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly reader = new FakeStream(this.clock)
  readonly store = new FakeStore()
  readonly delivered: { readonly to: string; readonly outgoing: OutgoingMessage }[] = []
  readonly statuses: { readonly to: string; readonly status: Status }[] = []
  readonly advisories: ConsumerAdvisory[] = []
  readonly done: (readonly [string, number, number])[] = []
  /** Nobody listens to these. */
  readonly silent = new Set<string>()
  readonly #watchers = new Map<string, () => void>()
  streamFacts: StreamFacts = STREAM
  consumers = this.#newConsumers()

  facts(): StreamFacts {
    return this.streamFacts
  }

  consumersChanged(): void {}

  finished(consumer: string, firstSequence: number, lastSequence: number): void {
    this.done.push([consumer, firstSequence, lastSequence])
  }

  neverAgain(sequence: number): void {
    this.reader.skipTo(sequence)
  }

  sizeOf({ message }: OutgoingMessage): number {
    return message.payload.byteLength
  }

  message(to: string, outgoing: OutgoingMessage): boolean {
    this.delivered.push({ to, outgoing })
    return false
  }

  status(to: string, status: Status): void {
    this.statuses.push({ to, status })
  }

  hasInterest(subject: string): boolean {
    return !this.silent.has(subject)
  }

  watchInterest(subject: string, changed: () => void): { stop(): void } {
    this.#watchers.set(subject, changed)
    return { stop: () => void this.#watchers.delete(subject) }
  }

  advisory(advisory: ConsumerAdvisory): void {
    this.advisories.push(advisory)
  }

  listen(subject: string, isListening: boolean): void {
    if (isListening) this.silent.delete(subject)
    else this.silent.add(subject)
    this.#watchers.get(subject)?.()
  }

  advance(byMs: number): void {
    this.scheduler.finishTurn()
    this.scheduler.advance(byMs)
    this.scheduler.finishTurn()
  }

  /** All that is not kept is forgotten. @param isKilled nothing is written any more */
  restart(isKilled: boolean): void {
    if (isKilled) this.store.isBroken = true
    this.consumers.close(false)
    this.store.isBroken = false
    this.consumers = this.#newConsumers()
    this.consumers.restore([...this.store.kept.values()])
  }

  #newConsumers(): StreamConsumers {
    const { clock, scheduler } = this
    const ports = { clock, scheduler, random: new CountingRandom(), output: this, logger: SILENT }
    return new StreamConsumers(this, this.store, ports)
  }
}

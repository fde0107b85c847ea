import type { Logger } from '../../../ports/logger.ts'
import { isSubset } from '../../subjects/subject-subset.ts'
import { randomText } from '../random-text.ts'
import { firstMillisecondFrom } from '../rfc3339.ts'
import type { StreamReader } from '../stream/stream-reader.ts'
import { SubjectFilter } from '../stream/subject-filter.ts'
import { Consumer } from './consumer.ts'
import {
  type ConsumerConfig,
  filtersOf,
  isDurable,
  isEphemeralInMemory,
  type StreamFacts,
  withRequiredLevel,
} from './consumer-config.ts'
import { withDefaults } from './consumer-defaults.ts'
import type { ConsumerJournal, ConsumerPorts } from './consumer-ports.ts'
import {
  type ConsumerRefusal,
  ConsumerRefusals,
  createRefusal,
  nameTooLong,
} from './consumer-refusal.ts'
import { type ConsumerStateChange, initialState } from './consumer-state.ts'
import { checkConsumerUpdate, isSameConfig } from './consumer-update.ts'
import { checkConsumerConfig } from './consumer-validation.ts'
import { StreamCursor } from './stream-cursor.ts'

/** Source: JSMaxNameLen of nats-server. */
const MAX_NAME_BYTES = 255
const NAME_LENGTH = 8
/** Facts that the server adds, and clients send back. */
const SERVER_METADATA = /^_nats\./

/** The stream, as its consumers see it. */
export interface StreamHost {
  readonly reader: StreamReader
  facts(): StreamFacts
  /** Consumers came or went, or want other messages. */
  consumersChanged(consumers: readonly Consumer[]): void
  /** A consumer is done with these. */
  finished(consumer: string, firstSequence: number, lastSequence: number): void
  /** Consumers were given messages up to here: no other message may get such a sequence. */
  neverAgain(sequence: number): void
}

/** Where consumers are kept. */
export interface ConsumerStore {
  /** @returns false when it could not be made durable */
  save(kept: KeptConsumer): Promise<boolean>
  remove(stream: string, name: string): Promise<boolean>
  journalOf(stream: string, name: string): ConsumerJournal
}

export interface KeptConsumer {
  readonly stream: string
  readonly name: string
  readonly config: ConsumerConfig
  readonly createdMs: number
  /** Empty in what is saved; a whole one and what changed since in what comes back. */
  readonly state: readonly ConsumerStateChange[]
}

/** What a client wants there to be. Source: CreateConsumerRequest of nats-server. */
export interface CreateRequest {
  readonly config: ConsumerConfig
  /** Empty: create or update. */
  readonly action: '' | 'create' | 'update'
  readonly isPedantic: boolean
}

/** The consumers of one stream. */
export class StreamConsumers {
  readonly #host: StreamHost
  readonly #store: ConsumerStore
  readonly #ports: ConsumerPorts & { readonly logger: Logger }
  readonly #consumers = new Map<string, Consumer>()
  #isClosed = false

  constructor(
    host: StreamHost,
    store: ConsumerStore,
    ports: ConsumerPorts & { readonly logger: Logger },
  ) {
    this.#host = host
    this.#store = store
    this.#ports = ports
  }

  get size(): number {
    return this.#consumers.size
  }

  get(name: string): Consumer | undefined {
    return this.#consumers.get(name)
  }

  /** In the order of their names. */
  all(): readonly Consumer[] {
    return [...this.#consumers.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Goes on with those that were kept. */
  restore(kept: readonly KeptConsumer[]): void {
    this.#host.neverAgain(Math.max(0, ...kept.map(lastDelivered)))
    for (const { name, config, createdMs, state } of kept) {
      const last = state.at(-1)
      const from = last === undefined ? this.#host.reader.firstSequence : last.delivered.stream + 1
      const cursor = new StreamCursor(this.#host.reader, filterOf(config), from)
      const changes = last === undefined ? [initialState(from)] : state
      this.#add(name, config, createdMs, cursor, changes).start()
    }
    this.#changed()
  }

  /** @param request its names are checked; `config` has no defaults yet */
  async create(request: CreateRequest): Promise<Consumer | ConsumerRefusal> {
    const facts = this.#host.facts()
    const filled = withDefaults(request.config, facts, request.isPedantic)
    if ('err_code' in filled) return filled
    const refusal = checkConsumerConfig(filled, facts)
    if (refusal !== null) return refusal
    const name = filled.durable_name || filled.name || this.#newName()
    if (name.length > MAX_NAME_BYTES) return nameTooLong(MAX_NAME_BYTES)
    // A name that the server gives is none of the configuration.
    const hasName = isDurable(filled) || (filled.name ?? '') !== ''
    const config = withRequiredLevel(hasName ? { ...filled, name } : filled)
    const present = this.#consumers.get(name)
    if (present !== undefined) return this.#replace(present, config, request.action)
    const cursor = await this.#startOf(config)
    return this.#create(name, config, request.action, cursor)
  }

  /** @returns null, or why it is not gone */
  async remove(name: string): Promise<ConsumerRefusal | null> {
    const consumer = this.#consumers.get(name)
    if (consumer === undefined) return ConsumerRefusals.consumerNotFound
    this.#consumers.delete(name)
    consumer.close(true)
    const { output } = this.#ports
    output.advisory({ kind: 'deleted', stream: this.#host.reader.name, consumer: name })
    this.#changed()
    if (isEphemeralInMemory(consumer.config)) return null
    const isKept = await this.#store.remove(this.#host.reader.name, name)
    return isKept ? null : createRefusal('the removal of the consumer could not be stored')
  }

  /** @param until RFC 3339; undefined: it goes on */
  async pause(name: string, until: string | undefined): Promise<Consumer | ConsumerRefusal> {
    const consumer = this.#consumers.get(name)
    if (consumer === undefined) return ConsumerRefusals.consumerNotFound
    const { pause_until: _, ...rest } = consumer.config
    const config = until === undefined ? rest : { ...rest, pause_until: until }
    return this.#update(consumer, withRequiredLevel(config))
  }

  /**
   * Begins anew behind what was acknowledged, or at a sequence.
   * @param sequence 0: behind the ack floor
   * @returns where it begins; why it can't; null: there is no such consumer
   * Source: resetStartingSeqLocked of nats-server.
   */
  async reset(name: string, sequence: number): Promise<number | string | null> {
    const consumer = this.#consumers.get(name)
    if (consumer === undefined) return null
    const { deliver_policy: policy, opt_start_seq = 0, opt_start_time = '' } = consumer.config
    let start = sequence
    if (sequence === 0) start = consumer.info().ackFloor.stream + 1
    else if (policy === 'by_start_sequence') {
      if (sequence < opt_start_seq) return 'below start seq'
    } else if (policy === 'by_start_time') {
      const first = await this.#host.reader.sequenceAtTime(
        firstMillisecondFrom(opt_start_time) ?? 0,
      )
      if (sequence < first) return 'below start time'
    } else if (policy !== 'all') return 'not allowed'
    consumer.reset(Math.max(1, start))
    return Math.max(1, start)
  }

  /** The broker stops, or the stream is deleted. */
  close(isForGood: boolean): void {
    this.#isClosed = true
    for (const consumer of this.#consumers.values()) consumer.close(isForGood)
    this.#consumers.clear()
  }

  async #create(
    name: string,
    config: ConsumerConfig,
    action: CreateRequest['action'],
    cursor: StreamCursor,
  ): Promise<Consumer | ConsumerRefusal> {
    // Somebody may have been quicker while the log was searched.
    const present = this.#consumers.get(name)
    if (present !== undefined) return this.#replace(present, config, action)
    if (action === 'update' || this.#isClosed) return ConsumerRefusals.doesNotExist
    const refusal = this.#checkPlace(config)
    if (refusal !== null) return refusal
    const createdMs = this.#ports.clock.nowMs()
    const { name: stream } = this.#host.reader
    const state = [initialState(cursor.next)]
    const consumer = this.#add(name, config, createdMs, cursor, state)
    this.#changed()
    if (!isEphemeralInMemory(config)) {
      const isKept = await this.#store.save({ stream, name, config, createdMs, state })
      if (!isKept) {
        this.#consumers.delete(name)
        consumer.close(true)
        this.#changed()
        return createRefusal('the consumer could not be stored')
      }
    }
    this.#ports.output.advisory({ kind: 'created', stream, consumer: name })
    consumer.start()
    return consumer
  }

  async #replace(
    present: Consumer,
    config: ConsumerConfig,
    action: CreateRequest['action'],
  ): Promise<Consumer | ConsumerRefusal> {
    // It is paused and goes on by requests of their own.
    const { pause_until: _, ...rest } = config
    const pauseUntil = present.config.pause_until
    const next = pauseUntil === undefined ? rest : { ...rest, pause_until: pauseUntil }
    const isSame = isSameConfig(withoutServerMetadata(present.config), withoutServerMetadata(next))
    if (action === 'create' && !isSame) return ConsumerRefusals.alreadyExists
    if (!this.#isUniqueOnWorkQueue(present.name, next)) return ConsumerRefusals.workQueueNotUnique
    if (isSame) return present
    const refusal = checkConsumerUpdate(present.config, next, present.isBound)
    return refusal ?? this.#update(present, next)
  }

  async #update(consumer: Consumer, config: ConsumerConfig): Promise<Consumer | ConsumerRefusal> {
    const { name, createdMs, streamName: stream } = consumer
    const before = consumer.config
    consumer.update(config)
    this.#changed()
    if (isEphemeralInMemory(config)) return consumer
    const isKept = await this.#store.save({ stream, name, config, createdMs, state: [] })
    if (isKept) return consumer
    consumer.update(before)
    return createRefusal('the change of the consumer could not be stored')
  }

  /** Source: addConsumerWithAssignment of nats-server. */
  #checkPlace(config: ConsumerConfig): ConsumerRefusal | null {
    const { maxConsumers, retention } = this.#host.facts()
    if (maxConsumers > 0 && this.#consumers.size >= maxConsumers) {
      return ConsumerRefusals.maximumConsumers
    }
    if (retention !== 'workqueue' || config.direct || config.sourcing) return null
    const { ack_policy: policy } = config
    if (policy !== 'explicit' && policy !== 'flow_control') {
      return ConsumerRefusals.workQueueNeedsExplicitAck
    }
    if (config.deliver_policy !== 'all') return ConsumerRefusals.workQueueNotDeliverAll
    if (this.#consumers.size === 0) return null
    if (filtersOf(config).length === 0) return ConsumerRefusals.workQueueManyUnfiltered
    const isUnique = this.#isUniqueOnWorkQueue('', config)
    return isUnique ? null : ConsumerRefusals.workQueueNotUnique
  }

  #isUniqueOnWorkQueue(name: string, config: ConsumerConfig): boolean {
    if (this.#host.facts().retention !== 'workqueue') return true
    const filters = filtersOf(config)
    for (const other of this.#consumers.values()) {
      if (other.name === name) continue
      const others = filtersOf(other.config)
      if (others.length === 0 || filters.length === 0) return false
      if (filters.some((one) => others.some((two) => isSubset(one, two) || isSubset(two, one)))) {
        return false
      }
    }
    return true
  }

  #add(
    name: string,
    config: ConsumerConfig,
    createdMs: number,
    cursor: StreamCursor,
    state: readonly ConsumerStateChange[],
  ): Consumer {
    const { reader } = this.#host
    const consumer = new Consumer({
      name,
      config,
      createdMs,
      reader,
      cursor,
      state,
      journal: isEphemeralInMemory(config) ? null : this.#store.journalOf(reader.name, name),
      ports: this.#ports,
      finished: (span) => this.#host.finished(name, span.firstOffset, span.lastOffset),
      abandoned: () => void this.remove(name),
    })
    this.#consumers.set(name, consumer)
    return consumer
  }

  #changed(): void {
    this.#host.consumersChanged(this.all())
  }

  /** Source: selectStartingSeqNo of nats-server. */
  async #startOf(config: ConsumerConfig): Promise<StreamCursor> {
    const { reader } = this.#host
    const filter = filterOf(config)
    const { deliver_policy: policy, opt_start_seq = 1, opt_start_time = '' } = config
    if (policy === 'last_per_subject') return StreamCursor.lastPerSubject(reader, filter)
    let next = reader.firstSequence
    if (policy === 'new') next = reader.lastSequence + 1
    else if (policy === 'last') next = lastSequence(reader, filter)
    else if (policy === 'by_start_sequence') next = Math.max(opt_start_seq, reader.firstSequence)
    else if (policy === 'by_start_time') {
      next = await reader.sequenceAtTime(firstMillisecondFrom(opt_start_time) ?? 0)
    }
    return new StreamCursor(reader, filter, next)
  }

  #newName(): string {
    for (;;) {
      const name = randomText(this.#ports.random, NAME_LENGTH)
      if (!this.#consumers.has(name)) return name
    }
  }
}

function filterOf(config: ConsumerConfig): SubjectFilter {
  return new SubjectFilter(filtersOf(config))
}

/** 0: nothing yet. One that was given nothing may begin anywhere, also where the stream never was. */
function lastDelivered({ state }: KeptConsumer): number {
  const delivered = state.at(-1)?.delivered
  return delivered === undefined || delivered.consumer === 0 ? 0 : delivered.stream
}

/** The last message that passes; the end of the stream when there is none. */
function lastSequence(reader: StreamReader, filter: SubjectFilter): number {
  if (filter.isAll) return Math.max(reader.lastSequence, reader.firstSequence)
  return reader.lastPerSubject(filter).at(-1) ?? reader.lastSequence + 1
}

function withoutServerMetadata(config: ConsumerConfig): ConsumerConfig {
  const { metadata = {} } = config
  const own = Object.entries(metadata).filter(([key]) => !SERVER_METADATA.test(key))
  return { ...config, metadata: Object.fromEntries(own) }
}

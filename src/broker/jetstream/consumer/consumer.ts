import type { Logger } from '../../../ports/logger.ts'
import type { OffsetSpan } from '../../delivery/delivery-state.ts'
import { randomText } from '../random-text.ts'
import { millisecondsOf } from '../rfc3339.ts'
import type { StreamReader, StreamWatcher } from '../stream/stream-reader.ts'
import { SubjectFilter } from '../stream/subject-filter.ts'
import { AckSampler } from './ack-sampler.ts'
import type { Acknowledgement } from './acknowledgement.ts'
import { Alarm } from './alarm.ts'
import type { ConsumerEvent, DeliveryFacts } from './consumer-advisory.ts'
import { type ConsumerConfig, filtersOf, isPush } from './consumer-config.ts'
import type { ConsumerInfo } from './consumer-info.ts'
import type { ConsumerJournal, ConsumerPorts } from './consumer-ports.ts'
import { ConsumerProgress } from './consumer-progress.ts'
import type { ConsumerStateChange } from './consumer-state.ts'
import { Idleness } from './idleness.ts'
import { MessagePump } from './message-pump.ts'
import { PinnedClient, type UnpinReason } from './pinned-client.ts'
import type { PullOptions } from './pull-request.ts'
import { PullTarget } from './pull-target.ts'
import { PushTarget } from './push-target.ts'
import { StateKeeper } from './state-keeper.ts'
import { type Status, Statuses, status } from './status.ts'
import type { StreamCursor } from './stream-cursor.ts'

export interface ConsumerOptions {
  readonly name: string
  readonly config: ConsumerConfig
  readonly createdMs: number
  readonly reader: StreamReader
  readonly cursor: StreamCursor
  /** A whole state, and what changed since. */
  readonly state: readonly ConsumerStateChange[]
  /** null: its progress is not kept. */
  readonly journal: ConsumerJournal | null
  readonly ports: ConsumerPorts & { readonly logger: Logger }
  /** The stream may remove these, as far as this consumer is concerned. */
  finished(span: OffsetSpan): void
  /** Nobody used it for as long as it may be unused. */
  abandoned(): void
}

const PIN_ID_LENGTH = 22
const FLOW_ID_LENGTH = 4

/** One JetStream consumer at work. */
export class Consumer implements StreamWatcher {
  readonly name: string
  readonly createdMs: number
  readonly #options: ConsumerOptions
  #config: ConsumerConfig
  readonly #progress: ConsumerProgress
  readonly #cursor: StreamCursor
  #filter: SubjectFilter
  readonly #target: PullTarget | PushTarget
  readonly #pinned: PinnedClient
  readonly #pump: MessagePump
  readonly #keeper: StateKeeper
  readonly #alarm: Alarm
  readonly #sampler: AckSampler
  /** By the clock that never goes back. */
  #lastDeliveredMs: number | null = null
  #lastAckMs: number | null = null
  readonly #idleness: Idleness
  #isClosed = false

  constructor(options: ConsumerOptions) {
    const { name, config, createdMs, reader, cursor, state, journal, ports } = options
    const { clock, scheduler, output, logger } = ports
    this.name = name
    this.createdMs = createdMs
    this.#options = options
    this.#config = config
    this.#sampler = new AckSampler(config, ports.random)
    this.#cursor = cursor
    this.#idleness = new Idleness(() => this.#config, clock.monotonicMs())
    this.#filter = new SubjectFilter(filtersOf(config))
    const isKept = journal !== null
    this.#progress = new ConsumerProgress(state, () => this.#config, isKept, clock.monotonicMs())
    this.#pinned = new PinnedClient(
      () => this.#config,
      () => randomText(ports.random, PIN_ID_LENGTH),
      {
        pinned: (group, pinId) => this.#advise({ kind: 'pinned', group, pinId }),
        unpinned: (group, reason) => this.#advise({ kind: 'unpinned', group, reason }),
      },
    )
    this.#target = isPush(config) ? this.#pushTarget() : this.#pullTarget()
    this.#keeper = new StateKeeper(() => this.#progress, journal, scheduler, state.length - 1)
    this.#alarm = new Alarm(clock, scheduler, () => this.#rang())
    this.#pump = new MessagePump({
      name,
      config: () => this.#config,
      reader,
      cursor,
      progress: this.#progress,
      target: this.#target,
      output,
      clock,
      scheduler,
      logger,
      isPaused: () => this.#pauseRemainingMs() > 0,
      delivered: (sequence, nowMs) => this.#wasDelivered(sequence, nowMs),
      rested: () => this.#setAlarm(),
    })
  }

  get config(): ConsumerConfig {
    return this.#config
  }

  get streamName(): string {
    return this.#options.reader.name
  }

  /** Somebody listens to a push consumer. */
  get isBound(): boolean {
    return this.#target instanceof PushTarget && this.#target.isInUse
  }

  /** Begins to deliver. */
  start(): void {
    const { reader } = this.#options
    const all = new SubjectFilter([])
    this.#progress.forgetMissing((sequence) => reader.nextSequence(sequence, all) === sequence)
    reader.watch(this)
    if (this.#target instanceof PushTarget) this.#target.bind(this.#nowMs())
    this.#pump.run()
  }

  /** @param isForGood it is deleted; else the broker stops */
  close(isForGood: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#pump.close()
    this.#keeper.close()
    this.#alarm.cancel()
    this.#options.reader.unwatch(this)
    this.#target.close(isForGood ? Statuses.consumerDeleted : Statuses.serverShutdown)
  }

  pull(reply: string, options: PullOptions): void {
    const { output } = this.#options.ports
    if (!(this.#target instanceof PullTarget)) {
      output.status(reply, Statuses.pushBased)
      return
    }
    const nowMs = this.#nowMs()
    this.#idleness.used(nowMs)
    const again = this.#progress.redeliveries(nowMs, options.batch).length
    this.#target.pull(reply, options, this.#cursor.pendingCount + again, nowMs)
    this.#pump.run()
  }

  /**
   * Takes what a client says of a message.
   * @param done told once it is durable; null: nobody asked for it
   */
  acknowledge(ack: Acknowledgement, done: (() => void) | null): void {
    const { verb, streamSequence } = ack
    const nowMs = this.#nowMs()
    this.#idleness.used(nowMs)
    switch (verb.kind) {
      case 'ack':
        this.#acknowledged(ack, true, done, nowMs)
        break
      case 'nak':
        this.#notAcknowledged(ack, verb.delayMs)
        this.#keeper.acknowledged(done)
        break
      case 'progress':
        this.#progress.renew(streamSequence, nowMs)
        done?.()
        break
      case 'term':
        this.#acknowledged(ack, false, done, nowMs)
        this.#advise({ kind: 'terminated', reason: verb.reason, ...factsOf(ack) })
        break
    }
    this.#pump.run()
  }

  /** Clients are done with messages, and wait for no answer. */
  acknowledgeAll(deliveries: readonly DeliveryFacts[]): void {
    const nowMs = this.#nowMs()
    this.#idleness.used(nowMs)
    for (const facts of deliveries) this.#acknowledged(facts, true, null, nowMs)
    this.#pump.run()
  }

  /** The client answers a flow control request. @param ack what it has, with that ack policy */
  flowAnswered(subject: string, ack: Acknowledgement | null): void {
    if (!(this.#target instanceof PushTarget) || !this.#target.flowAnswered(subject)) return
    if (this.#config.ack_policy === 'flow_control' && ack !== null) {
      this.#acknowledged(ack, true, null, this.#nowMs())
    }
    this.#pump.run()
  }

  /** Where it is, with all that waits for acks; for a copy of it. */
  get state(): ConsumerStateChange {
    return this.#progress.whole
  }

  info(): ConsumerInfo {
    const { clock } = this.#options.ports
    if (this.#target instanceof PullTarget) this.#target.passed(false, this.#nowMs())
    const monotonicMs = clock.monotonicMs()
    const nowMs = clock.nowMs()
    const timeOf = (atMs: number | null) =>
      atMs === null ? null : Math.round(nowMs - (monotonicMs - atMs))
    return {
      stream: this.streamName,
      name: this.name,
      createdMs: this.createdMs,
      config: this.#config,
      delivered: this.#progress.delivered,
      lastDeliveredMs: timeOf(this.#lastDeliveredMs),
      ackFloor: this.#progress.ackFloor,
      lastAckMs: timeOf(this.#lastAckMs),
      ackPendingCount: this.#progress.pendingCount,
      redeliveredCount: this.#config.max_deliver === 1 ? 0 : this.#progress.redeliveredCount,
      waitingCount: this.#target instanceof PullTarget ? this.#target.waitingCount : 0,
      pendingCount: this.#cursor.pendingCount,
      isBound: this.isBound,
      pauseRemainingMs: this.#pauseRemainingMs(),
      pinnedId: this.#pinned.id,
      pinnedMs: nowMs - (monotonicMs - this.#pinned.pinnedAtMs),
    }
  }

  /** @param config one that this may become */
  update(config: ConsumerConfig): void {
    const before = this.#config
    this.#config = config
    this.#sampler.configure(config)
    if (filtersOf(before).join(' ') !== filtersOf(config).join(' ')) {
      this.#filter = new SubjectFilter(filtersOf(config))
      this.#cursor.setFilter(this.#filter)
    }
    if (before.pause_until !== config.pause_until) {
      const isPaused = this.#pauseRemainingMs() > 0
      this.#advise({ kind: 'paused', isPaused, pauseUntil: config.pause_until })
    }
    if (this.#target instanceof PushTarget) this.#target.bind(this.#nowMs())
    this.#idleness.used(this.#nowMs())
    this.#pump.run()
  }

  unpin(group: string, reason: UnpinReason): void {
    this.#pinned.unpin(group, reason)
    this.#pump.run()
  }

  /** Delivers anew from a sequence; what was delivered counts from 1 again. */
  reset(startSequence: number): void {
    this.#progress.reset(startSequence, this.#nowMs())
    this.#cursor.seek(startSequence)
    this.#keeper.startAnew()
    this.#keeper.flush()
    this.#pump.run()
  }

  /** Whether the stream has to keep the message for this consumer. Source: needAck of nats-server. */
  needs(sequence: number, subject: string): boolean {
    if (!this.#filter.passes(subject)) return false
    const { ackFloor, delivered } = this.#progress
    if (this.#progress.isExhausted(sequence)) return true
    if (sequence <= ackFloor.stream) return false
    if (this.#config.ack_policy !== 'explicit') return true
    return sequence > delivered.stream || this.#progress.isPending(sequence)
  }

  appended(firstSequence: number, lastSequence: number): void {
    this.#cursor.appended(firstSequence, lastSequence)
    this.#pump.run()
  }

  removed(firstSequence: number, lastSequence: number): void {
    this.#cursor.removed(lastSequence)
    this.#progress.removed({ firstOffset: firstSequence, lastOffset: lastSequence })
    if (this.#progress.hasChange) this.#keeper.delivered()
    this.#pump.run()
  }

  gone(): void {
    this.close(true)
  }

  /** @param mayBeSampled it is done, and not given up */
  #acknowledged(
    facts: DeliveryFacts,
    mayBeSampled: boolean,
    done: (() => void) | null,
    nowMs: number,
  ): void {
    const { streamSequence, consumerSequence } = facts
    if (this.#config.ack_policy === 'none') return
    // A message that was never given to anybody.
    if (streamSequence > this.#progress.delivered.stream) return
    const isSampled = mayBeSampled && this.#sampler.isOn
    const sinceMs = isSampled ? this.#progress.deliveredAtMs(streamSequence) : null
    const span = this.#progress.acknowledge(streamSequence, consumerSequence)
    this.#keeper.acknowledged(done)
    if (span === null) return
    this.#lastAckMs = nowMs
    if (sinceMs !== null && this.#sampler.takes()) {
      this.#advise({ kind: 'ack_sample', ackTimeMs: nowMs - sinceMs, ...factsOf(facts) })
    }
    // Who acknowledges and then asks the stream sees it. After a crash both may be as before, or one of them:
    // a message that is gone is not asked for, and one that nobody needs is removed when the stream opens.
    this.#options.finished(span)
  }

  #notAcknowledged(ack: Acknowledgement, delayMs: number): void {
    const { streamSequence, consumerSequence } = ack
    if (consumerSequence <= this.#progress.ackFloor.consumer) return
    if (!this.#progress.isPending(streamSequence)) return
    this.#advise({ kind: 'nak', ...factsOf(ack) })
    const deliveries = this.#progress.nextDeliveryCount(streamSequence) - 1
    const outcome = this.#progress.release(streamSequence, delayMs, this.#nowMs())
    if (outcome !== 'exhausted') return
    this.#advise({ kind: 'max_deliver', streamSequence, deliveries })
  }

  #wasDelivered(sequence: number, nowMs: number): void {
    this.#lastDeliveredMs = nowMs
    this.#idleness.used(nowMs)
    this.#keeper.delivered()
    if (this.#config.ack_policy !== 'none') return
    this.#options.finished({ firstOffset: sequence, lastOffset: sequence })
  }

  #rang(): void {
    const nowMs = this.#nowMs()
    if (this.#progress.nextDueMs <= nowMs) {
      for (const { sequence, deliveryCount } of this.#progress.expire(nowMs)) {
        const facts = { streamSequence: sequence, deliveries: deliveryCount }
        this.#advise({ kind: 'max_deliver', ...facts })
      }
      if (this.#progress.hasChange) this.#keeper.delivered()
    }
    this.#target.passed(false, nowMs)
    const { nextDueMs } = this.#progress
    if (this.#idleness.isOver(this.#target.isInUse, nextDueMs, nowMs)) this.#options.abandoned()
    else this.#pump.run()
  }

  #setAlarm(): void {
    if (this.#isClosed) return
    const { restsUntilMs } = this.#pump
    const dueMs = Math.min(
      this.#progress.nextDueMs,
      this.#target.nextDueMs,
      this.#idleness.dueMs(this.#target.isInUse, this.#nowMs()),
      restsUntilMs > this.#nowMs() ? restsUntilMs : Number.POSITIVE_INFINITY,
      this.#nowMs() + (this.#pauseRemainingMs() || Number.POSITIVE_INFINITY),
    )
    if (dueMs !== Number.POSITIVE_INFINITY) this.#alarm.setFor(dueMs)
  }

  #pauseRemainingMs(): number {
    const { pause_until: until = '' } = this.#config
    if (until === '') return 0
    return Math.max(0, (millisecondsOf(until) ?? 0) - this.#options.ports.clock.nowMs())
  }

  #advise(event: ConsumerEvent): void {
    const { output } = this.#options.ports
    output.advisory({ stream: this.streamName, consumer: this.name, ...event })
  }

  #pullTarget(): PullTarget {
    const { output } = this.#options.ports
    return new PullTarget({
      config: () => this.#config,
      pinned: this.#pinned,
      send: (to, what) => output.status(to, what),
      hasInterest: (subject) => output.hasInterest(subject),
      heartbeat: () => this.#heartbeat(),
    })
  }

  #pushTarget(): PushTarget {
    const { output, random } = this.#options.ports
    return new PushTarget({
      config: () => this.#config,
      output,
      heartbeat: () => this.#heartbeat(),
      newFlowSubject: () =>
        `$JS.FC.${this.streamName}.${this.name}.${randomText(random, FLOW_ID_LENGTH)}`,
      changed: () => this.#interestChanged(),
    })
  }

  #interestChanged(): void {
    if (this.#isClosed || !(this.#target instanceof PushTarget)) return
    const wasBound = this.isBound
    this.#target.bind(this.#nowMs())
    if (wasBound && !this.isBound) this.#idleness.used(this.#nowMs())
    this.#pump.run()
  }

  #heartbeat(): Status {
    const { consumer } = this.#progress.delivered
    const stalledBy = this.#target instanceof PushTarget ? this.#target.stalledBy : ''
    return status(100, 'Idle Heartbeat', {
      'Nats-Last-Consumer': consumer,
      'Nats-Last-Stream': this.#cursor.next - 1,
      ...(stalledBy === '' ? {} : { 'Nats-Consumer-Stalled': stalledBy }),
    })
  }

  #nowMs(): number {
    return this.#options.ports.clock.monotonicMs()
  }
}

function factsOf({ streamSequence, consumerSequence, deliveries }: DeliveryFacts): DeliveryFacts {
  return { streamSequence, consumerSequence, deliveries }
}

import type { Clock } from '../../../ports/clock.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { Partition } from '../../topics/partition.ts'
import type { BatchTarget } from './batch/batch-target.ts'
import { CounterTotals } from './counter/counter-totals.ts'
import { MessageReader } from './message-reader.ts'
import type { MessageFollower, OriginStatus } from './origin/origin-status.ts'
import type { SourcePosition } from './origin/source-header.ts'
import { SourcePositions } from './origin/source-positions.ts'
import { type NewMessage, RecordMapping } from './record-mapping.ts'
import {
  isRemoved,
  type KeptRemovals,
  lastRemoved,
  type RemovalChange,
  RemovalKeeper,
} from './removal-keeper.ts'
import { ScheduleRunner } from './schedule/schedule-runner.ts'
import type { StreamConfig } from './stream-config.ts'
import { StreamExpiry } from './stream-expiry.ts'
import { StreamLog, type StreamLogListener } from './stream-log.ts'
import {
  type MessageStored,
  type PublishDone,
  type PublishedBy,
  type PublishStep,
  type Stored,
  StreamPublisher,
} from './stream-publisher.ts'
import type { MessagesRead, ReadLimits, StreamReader, StreamWatcher } from './stream-reader.ts'
import { StreamReads } from './stream-reads.ts'
import type { StreamRefusal } from './stream-refusal.ts'
import { type IsNeeded, type StateMessage, StreamState } from './stream-state.ts'
import { readOnlyReasonOf, takesAllSubjects, transformOf } from './stream-traits.ts'
import { StreamWatchers } from './stream-watchers.ts'
import type { SubjectFilter } from './subject-filter.ts'
import type { SubjectTransform } from './subject-transform.ts'

export interface StreamOptions {
  readonly config: StreamConfig
  readonly createdMs: number
  readonly baseSequence: number
  readonly everySubject: readonly string[]
  readonly partition: Partition
  readonly removals: KeptRemovals
  /** How far it had come with its sources. */
  readonly sourcePositions?: readonly SourcePosition[]
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly keepRemovals: (change: RemovalChange, done: (isKept: boolean) => void) => void
  /** A message is durable; for those who listen to its copy elsewhere. */
  readonly stored: MessageStored
}

/** The largest batch of messages, whatever the topic takes: it is in memory as a whole. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024

/** A stream: the messages of one partition, with what JetStream promises of them. */
export class Stream implements StreamReader, StreamLogListener, BatchTarget {
  readonly createdMs: number
  readonly state: StreamState
  readonly sources: SourcePositions
  /** Who copies from it. */
  readonly followers = new Set<MessageFollower>()
  /** How it stands with its mirror or its sources. */
  originStatus: () => readonly OriginStatus[] = () => []
  readonly #options: StreamOptions
  readonly #mapping: RecordMapping
  readonly #log: StreamLog
  readonly #publisher: StreamPublisher
  readonly #reads: StreamReads
  readonly #keeper: RemovalKeeper
  readonly #schedules: ScheduleRunner
  readonly #watchers = new StreamWatchers()
  readonly #expiry: StreamExpiry
  #config: StreamConfig
  #transform: SubjectTransform | null = null
  #everySubject: readonly string[]
  #catchingUp: { readonly offset: number; readonly run: () => void }[] = []
  #isLoaded = false
  #isClosed = false

  constructor(options: StreamOptions) {
    const { config, baseSequence, partition, clock, scheduler } = options
    this.#options = options
    this.#config = config
    this.createdMs = options.createdMs
    this.#everySubject = options.everySubject
    this.sources = new SourcePositions(options.sourcePositions ?? [])
    partition.readOnlyReason = readOnlyReasonOf(config)
    const takesAll = takesAllSubjects(config)
    this.#mapping = new RecordMapping(partition.topic, baseSequence, this.#everySubject, takesAll)
    const firstSequence = this.#mapping.sequenceOf(partition.log.logStartOffset)
    this.state = new StreamState(firstSequence, config, (sequence) => this.#removed(sequence))
    this.#log = new StreamLog(partition, this.#mapping, this)
    this.#reads = new StreamReads(this.state.index, new MessageReader(partition, this.#mapping))
    this.#keeper = new RemovalKeeper({
      index: this.state.index,
      scheduler,
      kept: options.removals,
      keep: options.keepRemovals,
      floorKept: (floor) => this.#deleteBefore(floor),
    })
    this.#publisher = new StreamPublisher({
      ...{ state: this.state, log: this.#log, clock, scheduler },
      config: () => this.#config,
      stored: options.stored,
      counters: new CounterTotals((sequences, done) => this.read(sequences, done)),
    })
    this.#schedules = new ScheduleRunner({
      ...{ book: this.state.schedules, reader: this, clock, scheduler, logger: options.logger },
      config: () => this.#config,
      lastOf: (subject) => this.state.index.lastOf(subject),
      publish: (message, done) => this.publishCopy(message, 'source', done),
    })
    this.#expiry = new StreamExpiry({
      ...{ config: () => this.#config, state: this.state, clock, scheduler },
      removed: () => this.#watchers.tellRemoved(),
      publish: (marker) => this.#publisher.publish(marker, () => undefined, 'server'),
    })
    this.#transform = transformOf(config)
  }

  /**
   * Makes the state from the log, and follows it from then on.
   * @throws StorageError when the log can't be read
   */
  async start(): Promise<void> {
    await this.#log.start()
    this.neverAgain(lastRemoved(this.#options.removals))
    this.#isLoaded = true
    this.#watchers.open()
    this.#expiry.run()
    this.#schedules.arm()
  }

  get name(): string {
    return this.#config.name
  }

  get config(): StreamConfig {
    return this.#config
  }

  get everySubject(): readonly string[] {
    return this.#everySubject
  }

  /** Blocks with bits of what was removed, among what is kept. */
  get keptBlocks(): Iterable<number> {
    return this.#keeper.keptBlocks
  }

  get topicId(): string {
    return this.#options.partition.topicId
  }

  get topic(): string {
    return this.#options.partition.topic
  }

  get baseSequence(): number {
    return this.#options.baseSequence
  }

  get firstSequence(): number {
    return this.state.index.firstSequence
  }

  get lastSequence(): number {
    return this.state.index.lastSequence
  }

  nextSequence(from: number, filter: SubjectFilter): number {
    return this.state.index.nextSequence(from, filter)
  }

  pendingCount(from: number, filter: SubjectFilter): number {
    return this.state.index.pendingCount(from, filter)
  }

  lastPerSubject(filter: SubjectFilter): number[] {
    return this.state.index.lastPerSubject(filter)
  }

  sequenceAtTime(timestampMs: number): Promise<number> {
    return Promise.resolve(this.state.index.sequenceAtTime(timestampMs))
  }

  read(sequences: readonly number[], done: MessagesRead, limits: ReadLimits = {}): void {
    this.#reads.read(sequences, done, limits)
  }

  watch(watcher: StreamWatcher): void {
    this.#watchers.add(watcher)
  }

  unwatch(watcher: StreamWatcher): void {
    this.#watchers.delete(watcher)
  }

  /** @param message its bytes stay as they are */
  publish(message: NewMessage, done: PublishDone): void {
    this.publishCopy(message, 'client', done)
  }

  /** Tells what would come of a message, without storing it; null: it would be stored. */
  attempt(message: NewMessage, done: (outcome: Stored | StreamRefusal | null) => void): void {
    this.#publisher.attempt(this.taken(message), done)
  }

  /** Whether nobody would be given a new message with this subject, so that it is not kept. */
  hasNoInterest(subject: string): boolean {
    const { isNeeded, index } = this.state
    if (this.#config.retention !== 'interest') return false
    return isNeeded === null || !isNeeded(index.lastSequence + 1, subject)
  }

  /** As `publish`, for a message that is in another stream. */
  publishCopy(message: NewMessage, by: PublishedBy, done: PublishDone): void {
    this.#publisher.publish(this.taken(message), done, by)
  }

  taken(message: NewMessage): NewMessage {
    const subject = this.#transform?.apply(message.subject) ?? message.subject
    return subject === message.subject ? message : { ...message, subject }
  }

  publishStep(step: PublishStep): boolean {
    return this.#publisher.publishStep(step)
  }

  /** A batch of messages is one of the topic, and as large as that takes. */
  get maxBatchBytes(): number {
    const { maxMessageBytes, segmentBytes } = this.#options.partition.settings
    return Math.min(maxMessageBytes, segmentBytes, MAX_BATCH_BYTES)
  }

  /** Takes what was published in this turn so far. */
  flush(): void {
    this.#publisher.flush()
  }

  /** Gives up sequences, so that the next message gets this one; whether that could be. */
  skipTo(sequence: number): boolean {
    if (this.#log.nextSequence + this.#publisher.waitingCount === sequence) return true
    this.#publisher.flush()
    return this.#log.nextSequence <= sequence && this.#log.skipTo(sequence)
  }

  /**
   * Sequences up to here were given once, as something that is kept speaks of them. Where the log lost
   * its end they are given up: a new message would be taken for the one that is lost.
   */
  neverAgain(sequence: number): void {
    const next = this.#log.nextSequence
    if (next > sequence) return
    const { logger } = this.#options
    const facts = { stream: this.name, firstSequence: next, lastSequence: sequence }
    logger.warn('messages at the end of a stream are lost, their sequences are given up', facts)
    if (!this.skipTo(sequence + 1)) logger.error('lost sequences could not be given up', facts)
  }

  /** Messages are durable elsewhere. A work queue has no more use for them. Source: nats-server. */
  copied(sequences: readonly number[]): void {
    const { isNeeded, index } = this.state
    if (isNeeded === null) return
    const isQueue = this.#config.retention === 'workqueue'
    for (const at of sequences) {
      if (!index.has(at)) continue
      const subject = index.subjectOf(at)
      const isKept = isQueue ? this.isFollowed(at, subject) : isNeeded(at, subject)
      if (!isKept) this.state.remove(at)
    }
    this.#watchers.tellRemoved()
  }

  /** Whether a message is still to be copied elsewhere. */
  isFollowed(sequence: number, subject: string): boolean {
    for (const one of this.followers) if (one.needs(sequence, subject)) return true
    return false
  }

  /** Runs once all that was published so far is durable, or failed. */
  whenCaughtUp(run: () => void): void {
    this.#publisher.flush()
    if (this.#publisher.waitingCount > 0) {
      // Counters are being read for what waits.
      this.#publisher.whenFlushed(() => this.whenCaughtUp(run))
      return
    }
    const { log } = this.#options.partition
    if (log.highWatermark >= log.logEndOffset || log.isFailed) run()
    else this.#catchingUp.push({ offset: log.logEndOffset, run })
  }

  /** Removes one message; told whether it was there, and once that is durable. */
  removeMessage(sequence: number, done: (isRemoved: boolean, isKept: boolean) => void): void {
    if (!this.state.remove(sequence)) {
      done(false, true)
      return
    }
    this.#watchers.tellRemoved()
    this.#keeper.flush((isKept) => done(true, isKept))
  }

  /** @param done told once how many were removed, and whether that is durable */
  purge(
    filter: SubjectFilter,
    before: number,
    keepCount: number,
    done: (count: number, isKept: boolean) => void,
  ): void {
    const count = this.state.purge(filter, before, keepCount)
    this.#watchers.tellRemoved()
    this.#keeper.flush((isKept) => done(count, isKept))
  }

  /** Keeps what was removed so far; then a new configuration can be kept. */
  keepRemovals(): Promise<boolean> {
    return new Promise((resolve) => this.#keeper.flush(resolve))
  }

  configure(config: StreamConfig, everySubject: readonly string[]): void {
    this.#config = config
    this.#everySubject = everySubject
    this.#transform = transformOf(config)
    this.#options.partition.readOnlyReason = readOnlyReasonOf(config)
    this.#mapping.configure(everySubject, takesAllSubjects(config))
    this.state.configure(config)
    this.#watchers.tellRemoved()
    this.#expiry.run()
    this.#schedules.arm()
  }

  /** @param isNeeded null: limits alone remove messages */
  setNeeds(isNeeded: IsNeeded | null): void {
    this.state.isNeeded = isNeeded
    if (isNeeded === null) return
    const { index } = this.state
    for (let at = index.next(0); at <= index.lastSequence; at = index.next(at + 1)) {
      if (!isNeeded(at, index.subjectOf(at))) this.state.remove(at)
    }
    this.#watchers.tellRemoved()
  }

  /** A consumer is done with messages: those that nobody else needs go. */
  finished(firstSequence: number, lastSequence: number): void {
    const { isNeeded, index } = this.state
    if (isNeeded === null) return
    for (let at = index.next(firstSequence); at <= lastSequence; at = index.next(at + 1)) {
      if (!isNeeded(at, index.subjectOf(at))) this.state.remove(at)
    }
    this.#watchers.tellRemoved()
  }

  /** @param isForGood the stream is deleted */
  close(isForGood: boolean): void {
    this.#isClosed = true
    this.#log.close()
    this.#keeper.close()
    this.#schedules.close()
    this.#expiry.close()
    this.#watchers.close(isForGood)
    this.#runCaughtUp()
  }

  message(message: StateMessage): void {
    const { sequence } = message
    this.#watchers.appended(sequence)
    const { streamSource } = message.facts
    if (streamSource !== '') this.sources.note(streamSource)
    const isGone = !this.#isLoaded && isRemoved(this.#options.removals, sequence)
    if (isGone) this.state.applyRemoved(message)
    else this.state.apply(message)
  }

  skipped(sequence: number): void {
    this.state.index.skipTo(sequence)
  }

  advanced(firstSequence: number): void {
    if (firstSequence > this.firstSequence) this.state.removeBefore(firstSequence)
    if (this.#isLoaded) {
      this.#watchers.tellAppended(this.lastSequence)
      this.#watchers.tellRemoved()
      this.#expiry.arm()
      this.#schedules.arm()
    }
    this.#runCaughtUp()
  }

  #runCaughtUp(): void {
    const { log } = this.#options.partition
    for (;;) {
      const [first] = this.#catchingUp
      if (first === undefined) return
      if (first.offset > log.highWatermark && !log.isFailed && !this.#isClosed) return
      this.#catchingUp.shift()
      first.run()
    }
  }

  #removed(sequence: number): void {
    this.#keeper.removed(sequence)
    this.#watchers.removed(sequence)
  }

  #deleteBefore(floor: number): void {
    const { log } = this.#options.partition
    const offset = this.#mapping.offsetOf(floor)
    if (this.#isClosed || log.isFailed || offset <= log.logStartOffset) return
    if (offset > log.highWatermark) return
    log.deleteRecordsBefore(offset).catch((error: unknown) => {
      this.#options.logger.error('removed messages could not be deleted', {
        stream: this.name,
        error,
      })
    })
  }
}

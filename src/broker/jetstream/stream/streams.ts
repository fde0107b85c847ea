import { ErrorCode } from '../../../base/error-code.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { MetadataChange, MetadataListener } from '../../../ports/metadata-store.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import { SerialTasks } from '../../serial-tasks.ts'
import { isOverlap } from '../../subjects/subject-overlap.ts'
import type { Partition } from '../../topics/partition.ts'
import type { KeptStream, StreamLedger } from '../coordinator/stream-ledger.ts'
import {
  removalRecords,
  removalTombstones,
  streamRecord,
  streamTombstone,
} from '../coordinator/stream-ledger.ts'
import { StreamRestore } from './backup/restore.ts'
import { OriginFollowers } from './origin/origin-followers.ts'
import type { SourcePosition } from './origin/source-header.ts'
import type { NewMessage } from './record-mapping.ts'
import type { KeptRemovals } from './removal-keeper.ts'
import { Stream } from './stream.ts'
import {
  isSameConfig,
  type StreamConfig,
  type WantedStream,
  withRequiredLevel,
} from './stream-config.ts'
import { withDefaults } from './stream-defaults.ts'
import {
  createFailed,
  deleteFailed,
  invalidConfig,
  type StreamRefusal,
  StreamRefusals,
  updateFailed,
} from './stream-refusal.ts'
import type { StreamTopics } from './stream-topics.ts'
import { checkStreamConfig, checkStreamUpdate, checkTexts } from './stream-validation.ts'

/** Told of what happens to streams, so that messages reach them and consumers follow. */
export interface StreamsListener {
  /** A stream can be used from now on. */
  added(stream: Stream): void
  /** It has another configuration. */
  updated(stream: Stream, before: StreamConfig): void
  /** It is gone for good. */
  removed(stream: Stream): void
  /** A message is durable. */
  stored(stream: Stream, message: NewMessage, sequence: number, subjectLast: number): void
}

export interface StreamsOptions {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly topics: StreamTopics
  /** @param done told once: when the records are durable, or why they are not */
  readonly commit: (records: readonly EncodedRecord[], done: (errorCode: ErrorCode) => void) => void
}

/** Where a new stream is. */
interface StreamPlace {
  readonly partition: Partition
  readonly baseSequence: number
  readonly everySubject: readonly string[]
}

const NOTHING_REMOVED: KeptRemovals = { floor: 0, blocks: new Map() }

/** All streams of an account: by name, in partitions of topics. */
export class Streams implements MetadataListener {
  readonly #options: StreamsOptions
  readonly #streams = new Map<string, Stream>()
  /** Names of streams that come back from backups. */
  readonly #restoring = new Set<string>()
  readonly #tasks = new SerialTasks()
  readonly #followers: OriginFollowers
  #listener: StreamsListener = { added() {}, updated() {}, removed() {}, stored() {} }

  constructor(options: StreamsOptions) {
    this.#options = options
    const { clock, scheduler } = options
    const find = (name: string) => this.#streams.get(name)
    this.#followers = new OriginFollowers({ clock, scheduler, find })
  }

  set listener(listener: StreamsListener) {
    this.#listener = listener
    for (const stream of this.#streams.values()) listener.added(stream)
  }

  /** Makes the streams that were kept, from their logs. One that can't be read is left out. */
  async restore(ledger: StreamLedger): Promise<void> {
    for (const kept of ledger.streams.values()) {
      const { name, topic, topicId } = kept
      const partition = this.#options.topics.partition(topic, topicId)
      const removals = ledger.removalsOf(topicId)
      if (partition === undefined) {
        await this.#forget(name, topicId, removals.blocks.keys())
        continue
      }
      try {
        await this.#open(kept, partition, removals, ledger.sourcePositionsOf(topicId))
      } catch (error) {
        this.#options.logger.error('a stream can not be read', { stream: name, error })
      }
    }
    for (const stream of this.#streams.values()) this.#followers.opened(stream)
  }

  get(name: string): Stream | undefined {
    return this.#streams.get(name)
  }

  /** In the order of their names. @param subject only streams that take some of it; empty: all */
  all(subject = ''): readonly Stream[] {
    const found = [...this.#streams.values()].filter(
      ({ config: { subjects = [] } }) =>
        subject === '' || subjects.some((one) => isOverlap(one, subject)),
    )
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  create(wanted: WantedStream, isPedantic: boolean): Promise<Stream | StreamRefusal> {
    return this.#tasks.run(() => this.#create(wanted, isPedantic))
  }

  update(wanted: WantedStream, isPedantic: boolean): Promise<Stream | StreamRefusal> {
    return this.#tasks.run(() => this.#update(wanted, isPedantic))
  }

  /** @returns null, or why it is still there */
  remove(name: string): Promise<StreamRefusal | null> {
    return this.#tasks.run(() => this.#remove(name))
  }

  /** Makes room for a stream of a backup; its name is taken from then on. */
  startRestore(wanted: WantedStream, isPedantic: boolean): Promise<StreamRestore | StreamRefusal> {
    return this.#tasks.run(() => this.#startRestore(wanted, isPedantic))
  }

  /** All of it is there: it is a stream like others now. */
  finishRestore(restore: StreamRestore): Promise<Stream | StreamRefusal> {
    return this.#tasks.run(async () => {
      this.#restoring.delete(restore.config.name)
      if (this.#overlaps(restore.config)) return StreamRefusals.subjectsOverlap
      return this.#add(restore.config, restore)
    })
  }

  /** It comes to nothing, and its topic goes. */
  async abandonRestore({ config, partition }: StreamRestore): Promise<void> {
    const problem = await this.#options.topics.remove(partition.topicId)
    this.#restoring.delete(config.name)
    if (problem === null) return
    const { name } = config
    this.#options.logger.warn('the topic of a failed restore stays', { stream: name, problem })
  }

  /** Topics that were deleted take their streams along. */
  metadataChanged(changes: readonly MetadataChange[]): void {
    for (const change of changes) {
      if (change.kind !== 'topicDeleted') continue
      for (const stream of this.#streams.values()) {
        if (stream.topicId === change.topicId) this.#topicGone(stream)
      }
    }
  }

  /** Keeps what was removed; nothing is followed any more. */
  async close(): Promise<void> {
    const streams = [...this.#streams.values()]
    this.#followers.close()
    await Promise.all(streams.map((stream) => stream.keepRemovals()))
    for (const stream of streams) stream.close(false)
    this.#streams.clear()
  }

  /** What is wrong with a wanted stream, or all of its settings. */
  #checked(wanted: WantedStream, isPedantic: boolean): StreamConfig | StreamRefusal {
    const texts = checkTexts(wanted)
    if (texts !== null) return texts
    const filled = withDefaults(wanted, isPedantic)
    if ('err_code' in filled) return filled
    const inherited = this.#withInherited(filled)
    const refusal = checkStreamConfig(inherited, (name) => this.#streams.get(name)?.config)
    return refusal ?? withRequiredLevel(inherited)
  }

  /** A mirror answers for its origin when that lets itself be asked directly. */
  #withInherited(config: StreamConfig): StreamConfig {
    const origin = config.mirror === undefined ? undefined : this.#streams.get(config.mirror.name)
    return origin === undefined ? config : { ...config, mirror_direct: origin.config.allow_direct }
  }

  #overlaps(config: StreamConfig): boolean {
    const { subjects = [] } = config
    for (const other of this.#streams.values()) {
      if (other.name === config.name) continue
      const { subjects: others = [] } = other.config
      if (others.some((one) => subjects.some((subject) => isOverlap(one, subject)))) return true
    }
    return false
  }

  async #create(wanted: WantedStream, isPedantic: boolean): Promise<Stream | StreamRefusal> {
    if (wanted.sealed === true) {
      return invalidConfig('stream configuration for create can not be sealed')
    }
    if (wanted.mirror_direct === true && wanted.mirror === undefined) {
      return invalidConfig('stream has no mirror but does have mirror direct')
    }
    const config = this.#checked(wanted, isPedantic)
    if ('err_code' in config) return config
    if (config.num_replicas > 1) return StreamRefusals.replicasNotSupported
    const present = this.#streams.get(config.name)
    if (present !== undefined) {
      return isSameConfig(present.config, config) ? present : StreamRefusals.nameInUse
    }
    if (this.#overlaps(config)) return StreamRefusals.subjectsOverlap
    if (this.#restoring.has(config.name)) return StreamRefusals.nameInUse
    const partition = await this.#options.topics.make(config.name)
    if ('err_code' in partition) return partition
    const baseSequence = Math.max(1, config.first_seq ?? 1)
    return this.#add(config, { partition, baseSequence, everySubject: config.subjects ?? [] })
  }

  async #startRestore(
    wanted: WantedStream,
    isPedantic: boolean,
  ): Promise<StreamRestore | StreamRefusal> {
    const config = this.#checked(wanted, isPedantic)
    if ('err_code' in config) return config
    if (config.num_replicas > 1) return StreamRefusals.replicasNotSupported
    const { name } = config
    if (this.#streams.has(name) || this.#restoring.has(name)) return StreamRefusals.cannotRestore
    if (this.#overlaps(config)) return StreamRefusals.subjectsOverlap
    const partition = await this.#options.topics.make(name)
    if ('err_code' in partition) return partition
    if (partition.log.logEndOffset > 0) {
      const description = `${StreamRefusals.cannotRestore.description}: its topic ${partition.topic} has records; delete it first`
      return { ...StreamRefusals.cannotRestore, description }
    }
    this.#restoring.add(name)
    return new StreamRestore(config, partition)
  }

  async #add(config: StreamConfig, place: StreamPlace): Promise<Stream | StreamRefusal> {
    const { partition, baseSequence, everySubject } = place
    const kept: KeptStream = {
      name: config.name,
      createdMs: this.#options.clock.nowMs(),
      topic: partition.topic,
      topicId: partition.topicId,
      baseSequence,
      config,
      everySubject,
    }
    const errorCode = await this.#commit([streamRecord(kept)])
    if (errorCode !== ErrorCode.NONE) return createFailed('the stream could not be stored')
    const stream = await this.#open(kept, partition, NOTHING_REMOVED, [])
    this.#followers.opened(stream)
    return stream
  }

  async #update(wanted: WantedStream, isPedantic: boolean): Promise<Stream | StreamRefusal> {
    const checked = this.#checked(wanted, isPedantic)
    if ('err_code' in checked) return checked
    const stream = this.#streams.get(checked.name)
    if (stream === undefined) return StreamRefusals.notFound
    if (checked.num_replicas > 1) return StreamRefusals.replicasNotSupported
    const before = stream.config
    const refusal = checkStreamUpdate(before, checked)
    if (refusal !== null) return refusal
    if (this.#overlaps(checked)) return StreamRefusals.subjectsOverlap
    const config = checked.sealed ? sealed(checked) : checked
    // What the old limits removed must not come back under the new ones.
    const isKept = await stream.keepRemovals()
    const everySubject = [...new Set([...stream.everySubject, ...(config.subjects ?? [])])]
    const errorCode = await this.#commit([
      streamRecord({ ...keptOf(stream), config, everySubject }),
    ])
    if (!isKept || errorCode !== ErrorCode.NONE) {
      return updateFailed('the change of the stream could not be stored')
    }
    stream.configure(config, everySubject)
    this.#followers.configured(stream)
    this.#listener.updated(stream, before)
    return stream
  }

  async #remove(name: string): Promise<StreamRefusal | null> {
    const stream = this.#streams.get(name)
    if (stream === undefined) return StreamRefusals.notFound
    this.#drop(stream)
    const problem = await this.#options.topics.remove(stream.topicId)
    if (problem !== null) this.#options.logger.warn('a topic stays', { stream: name, problem })
    const errorCode = await this.#forget(name, stream.topicId, stream.keptBlocks)
    return errorCode === ErrorCode.NONE ? null : deleteFailed('the removal could not be stored')
  }

  #topicGone(stream: Stream): void {
    this.#drop(stream)
    void this.#forget(stream.name, stream.topicId, stream.keptBlocks)
  }

  #drop(stream: Stream): void {
    if (!this.#streams.delete(stream.name)) return
    this.#followers.dropped(stream)
    stream.close(true)
    this.#listener.removed(stream)
  }

  #forget(name: string, topicId: string, blocks: Iterable<number>): Promise<ErrorCode> {
    return this.#commit([...removalTombstones(topicId, blocks), streamTombstone(name)])
  }

  async #open(
    kept: KeptStream,
    partition: Partition,
    removals: KeptRemovals,
    sourcePositions: readonly SourcePosition[],
  ): Promise<Stream> {
    const { clock, scheduler, logger, commit } = this.#options
    const stream: Stream = new Stream({
      ...kept,
      ...{ partition, removals, sourcePositions, clock, scheduler, logger },
      keepRemovals: (change, done) =>
        commit(removalRecords(kept.topicId, change, stream.sources.all), (code) =>
          done(code === ErrorCode.NONE),
        ),
      stored: (message, sequence, subjectLast) =>
        this.#listener.stored(stream, message, sequence, subjectLast),
    })
    await stream.start()
    this.#streams.set(kept.name, stream)
    this.#listener.added(stream)
    return stream
  }

  #commit(records: readonly EncodedRecord[]): Promise<ErrorCode> {
    return new Promise((resolve) => this.#options.commit(records, resolve))
  }
}

function keptOf(stream: Stream): KeptStream {
  const { name, createdMs, topic, topicId, baseSequence, config, everySubject } = stream
  return { name, createdMs, topic, topicId, baseSequence, config, everySubject }
}

/** Source: configUpdateCheck of nats-server. */
function sealed(config: StreamConfig): StreamConfig {
  return {
    ...config,
    max_age: 0,
    discard: 'new',
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
  }
}

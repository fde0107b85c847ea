import { ConfigError, StorageError } from '../../base/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { LogStore } from '../../ports/log-store.ts'
import type { Logger } from '../../ports/logger.ts'
import type {
  MetadataChange,
  MetadataImage,
  MetadataListener,
  MetadataStore,
} from '../../ports/metadata-store.ts'
import type { Random } from '../../ports/random.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import { encodeMetadataRecord } from '../../records/internal/metadata-record.ts'
import { decodeMetadataRecord } from '../../records/internal/metadata-records.ts'
import { formatQuorumState, parseQuorumState } from '../../records/internal/quorum-state.ts'
import { abortTransactionRecord } from '../../records/internal/topic-metadata-records.ts'
import {
  type FoundIdentity,
  loadNodeIdentity,
  type NodeIdentity,
  writeNodeIdentity,
} from './meta-properties.ts'
import { type LoadedSnapshots, loadMetadata } from './metadata-loader.ts'
import { METADATA_TOPIC, MetadataLog, type MetadataLogOptions } from './metadata-log.ts'
import { recordsOfChange } from './metadata-record-encoder.ts'
import { MetadataReplay } from './metadata-replay.ts'
import { MetadataState } from './metadata-state.ts'
import {
  type ControlRecord,
  firstChanges,
  leaderChangeRecord,
  ownVoters,
  voterRecords,
} from './node-records.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import { SnapshotGenerator, type SnapshotPolicy } from './snapshot-generator.ts'
import { snapshotRecords } from './snapshot-records.ts'
import { findObstacles } from './takeover-obstacles.ts'

export interface StandaloneMetadataOptions {
  readonly fs: FileSystem
  readonly dataDir: string
  readonly logStore: LogStore
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly nodeId: number
  /** Cluster id for a new directory; by default a random one. */
  readonly clusterId?: string
  /** Left out: synced, and of the sizes that Kafka has by default. */
  readonly log?: Partial<MetadataLogOptions>
  /** Left out: as often as Kafka does by default. */
  readonly snapshots?: Partial<SnapshotPolicy>
}

/** Source: Kafka's `metadata.log.*` configs. */
const LOG_DEFAULTS: MetadataLogOptions = {
  durability: 'fsync',
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 86_400_000,
}
/** Source: Kafka's `metadata.log.max.*` and `metadata.max.*` configs. */
const SNAPSHOT_DEFAULTS: SnapshotPolicy = {
  maxBytesBetween: 20 * 1024 * 1024,
  maxIntervalMs: 3_600_000,
  retentionBytes: 100 * 1024 * 1024,
  retentionMs: 7 * 86_400_000,
}
/** Only whole segments go, so they are no larger than what comes between two snapshots. */
const MIN_SEGMENT_BYTES = 1024 * 1024

const NO_UUID = 'A'.repeat(22)

/**
 * Metadata of a broker that is a cluster by itself: a log of KRaft records in
 * `__cluster_metadata-0`, written so that Apache Kafka 4.4 can start on it.
 * Source: KIP-500, KIP-631, KIP-853.
 */
export class StandaloneMetadata implements MetadataStore {
  readonly #log: MetadataLog
  readonly #state: MetadataState
  readonly #identity: NodeIdentity
  readonly #listeners: MetadataListener[] = []
  #snapshots: SnapshotGenerator | null = null
  #tail: Promise<unknown> = Promise.resolve()
  #failure: Error | null = null

  private constructor(log: MetadataLog, state: MetadataState, identity: NodeIdentity) {
    this.#log = log
    this.#state = state
    this.#identity = identity
  }

  /**
   * Reads the metadata of the directory, or begins it, and starts a new leader epoch.
   * @throws ConfigError when the directory is not ours or not understood; its data is untouched
   * @throws StorageError when the log can't be read or written
   */
  static async open(options: StandaloneMetadataOptions): Promise<StandaloneMetadata> {
    const { fs, dataDir, logger, logStore, clock, random } = options
    const found = loadNodeIdentity(options)
    const policy = { ...SNAPSHOT_DEFAULTS, ...options.snapshots }
    const directory = `${dataDir}/${METADATA_TOPIC}-0`
    const files = new SnapshotFiles(fs, directory)
    const log = new MetadataLog(logStore, clock, logOptionsOf(options, policy))
    const state = new MetadataState(found.clusterId, found.nodeId)
    const replay = new MetadataReplay(state)
    const loaded = await loadMetadata(log, files, state, replay)
    const [obstacle] = findObstacles(state, replay, found)
    if (obstacle !== undefined) throw new ConfigError(obstacle)
    for (const { name, problem } of loaded.damaged)
      logger.error('a snapshot of the metadata is damaged, the one before it is used', {
        name,
        problem,
      })
    files.tidy(loaded.damaged)

    const identity = completeIdentity(fs, dataDir, found, state, random)
    const epoch =
      Math.max(
        replay.lastEpoch,
        loaded.used?.epoch ?? 0,
        loaded.damaged[0]?.id.epoch ?? 0,
        quorumEpoch(fs, directory, logger),
      ) + 1
    fs.writeFileAtomic(
      `${directory}/quorum-state`,
      formatQuorumState({
        leaderId: identity.nodeId,
        leaderEpoch: epoch,
        votedId: -1,
        votedDirectoryId: NO_UUID,
      }),
    )
    log.setLeaderEpoch(epoch)
    const metadata = new StandaloneMetadata(log, state, identity)
    await metadata.#beginRun(replay, loaded)
    metadata.#snapshots = new SnapshotGenerator({
      ...options,
      log,
      files,
      state,
      directoryId: identity.directoryId,
      policy,
      lastEndOffset: loaded.used?.endOffset ?? 0,
      lastAppendMs: replay.lastAppendMs,
    })
    metadata.#snapshots.recordsAppended()
    const { image } = state
    logger.info('metadata is ready', { epoch, offset: image.offset, topics: image.topics.size })
    return metadata
  }

  get image(): MetadataImage {
    return this.#state.image
  }

  /** 22 characters base64url: the log directory as Kafka names it (KIP-858). */
  get directoryId(): string {
    return this.#identity.directoryId
  }

  /** The epoch of this run, for DescribeQuorum. */
  get leaderEpoch(): number {
    return this.#log.leaderEpoch
  }

  get logEndOffset(): number {
    return this.#log.endOffset
  }

  async commit(changes: readonly MetadataChange[]): Promise<void> {
    const before = this.#tail
    const done = before.then(() => this.#commitNow(changes))
    this.#tail = done.catch(() => undefined)
    return done
  }

  subscribe(listener: MetadataListener): void {
    this.#listeners.push(listener)
  }

  /** Waits for commits that are under way; the log itself belongs to the log store. */
  async close(): Promise<void> {
    await this.#tail
    this.#failure ??= new StorageError('the metadata is closed')
    await this.#snapshots?.close()
  }

  async #commitNow(changes: readonly MetadataChange[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (changes.length === 0) return
    const { image } = this.#state
    for (const change of changes) image.check(change)
    const { directoryId } = this.#identity
    const records = changes.flatMap((one) => recordsOfChange(one, image, directoryId))
    const lastOffset = await this.#append(records.map((value) => ({ value })))
    for (const change of changes) image.apply(change)
    image.advanceTo(lastOffset)
    for (const listener of this.#listeners) listener.metadataChanged(changes, image)
    this.#snapshots?.recordsAppended()
  }

  async #append(records: Parameters<MetadataLog['append']>[0], isControl = false) {
    try {
      return await this.#log.append(records, isControl)
    } catch (error) {
      // What the disk holds is not known any more; only a restart finds out.
      this.#failure = error as Error
      throw error
    }
  }

  /** The first records of a run: this node leads the metadata, and every partition it holds. */
  async #beginRun(replay: MetadataReplay, loaded: LoadedSnapshots): Promise<void> {
    const { image, kept } = this.#state
    await this.#appendControl(this.#firstControlRecords(loaded))
    if (replay.isInTransaction) {
      const reason = 'unfinished at start'
      await this.#appendValues([encodeMetadataRecord(abortTransactionRecord, 0, { reason })])
    }
    // Kafka's format tool leaves the first records in a snapshot, and the log is to begin with them.
    if (loaded.used?.endOffset === 0 && !replay.hasLogRecords)
      await this.#appendValues(snapshotRecords(this.#state, this.#identity.directoryId))
    const fences = kept.fences()
    await this.#appendValues(fences)
    for (const fence of fences) kept.apply(decodeMetadataRecord(fence), fence)
    const changes: MetadataChange[] = image.features.size === 0 ? [...firstChanges()] : []
    for (const topic of image.topics.values()) {
      for (const { partition, leaderId, leaderEpoch } of topic.partitions) {
        if (leaderId === image.nodeId) continue
        changes.push({
          kind: 'leaderChanged',
          topicId: topic.topicId,
          partition,
          leaderId: image.nodeId,
          leaderEpoch: leaderEpoch + 1,
        })
      }
    }
    await this.commit(changes)
  }

  /** A log that is new names its voters; one that Kafka began without them stays as it is. */
  #firstControlRecords(loaded: LoadedSnapshots): ControlRecord[] {
    const records = [leaderChangeRecord(this.#identity.nodeId)]
    if (this.#log.endOffset > 0) return records
    const { voters } = this.#state
    if (loaded.used === null) {
      records.push(...voterRecords(ownVoters(this.#identity)))
    } else if (voters.record !== null) {
      records.push(...voterRecords(voters.record))
    }
    return records
  }

  async #appendControl(records: readonly ControlRecord[]): Promise<void> {
    const lastOffset = await this.#append(records, true)
    for (const { key, value } of records) this.#state.voters.apply(key, value)
    this.#state.image.advanceTo(lastOffset)
  }

  async #appendValues(values: readonly Buffer[]): Promise<void> {
    if (values.length === 0) return
    this.#state.image.advanceTo(await this.#append(values.map((value) => ({ value }))))
  }
}

function logOptionsOf(
  options: StandaloneMetadataOptions,
  { maxBytesBetween }: SnapshotPolicy,
): MetadataLogOptions {
  const log = { ...LOG_DEFAULTS, ...options.log }
  const useful = Math.max(maxBytesBetween, MIN_SEGMENT_BYTES)
  return { ...log, segmentBytes: Math.min(log.segmentBytes, useful) }
}

/** A directory without an id gets the one that the metadata knows it by. */
function completeIdentity(
  fs: FileSystem,
  dataDir: string,
  { clusterId, nodeId, directoryId }: FoundIdentity,
  state: MetadataState,
  random: Random,
): NodeIdentity {
  if (directoryId !== null) return { clusterId, nodeId, directoryId }
  const ofVoter = state.voters.voters[0]?.directoryId
  const ofBroker = [...state.kept.brokers].find(({ brokerId }) => brokerId === nodeId)?.logDirs[0]
  const known = ofVoter ?? ofBroker ?? random.uuid()
  return writeNodeIdentity(fs, dataDir, { clusterId, nodeId, directoryId: known })
}

function quorumEpoch(fs: FileSystem, directory: string, logger: Logger): number {
  const path = `${directory}/quorum-state`
  if (fs.stat(path) === undefined) return 0
  try {
    return parseQuorumState(fs.readFile(path).toString('utf8')).leaderEpoch
  } catch (error) {
    // The epochs in the log are what counts; Kafka treats a missing file the same way.
    logger.warn('quorum-state cannot be read, the epoch of the log is used', { error })
    return 0
  }
}

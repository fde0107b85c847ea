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
import { encodeMetadataRecord } from '../../records/internal/metadata-record.ts'
import { formatQuorumState, parseQuorumState } from '../../records/internal/quorum-state.ts'
import { abortTransactionRecord } from '../../records/internal/topic-metadata-records.ts'
import { lastOffsetOf } from '../../records/record-batch.ts'
import { batchPositions } from '../../records/records-iterator.ts'
import { ClusterImage } from '../metadata-image.ts'
import { loadNodeIdentity, type NodeIdentity } from './meta-properties.ts'
import { METADATA_TOPIC, MetadataLog, type MetadataLogOptions } from './metadata-log.ts'
import { recordsOfChange } from './metadata-record-encoder.ts'
import { MetadataReplay } from './metadata-replay.ts'
import { type ControllerEndpoint, firstChanges, leaderChangeRecords } from './node-records.ts'

export interface StandaloneMetadataOptions {
  readonly fs: FileSystem
  readonly dataDir: string
  readonly logStore: LogStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly nodeId: number
  /** Cluster id for a new directory; by default a random one. */
  readonly clusterId?: string
  /** Left out: synced, and of the sizes that Kafka has by default. */
  readonly log?: Partial<MetadataLogOptions>
  /** Where Kafka's controller would listen if it took the directory over. */
  readonly controllerEndpoint?: ControllerEndpoint
}

/** Source: Kafka's `metadata.log.*` configs. */
const LOG_DEFAULTS: MetadataLogOptions = {
  durability: 'fsync',
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 86_400_000,
}
const NO_UUID = 'A'.repeat(22)
const SNAPSHOT = /^(\d{20})-(\d{10})\.checkpoint$/
const DEFAULT_CONTROLLER: ControllerEndpoint = {
  name: 'CONTROLLER',
  host: '127.0.0.1',
  port: 9093,
}

/**
 * Metadata of a broker that is a cluster by itself: a log of KRaft records in
 * `__cluster_metadata-0`, written so that Apache Kafka 4.4 can start on it.
 * Source: KIP-500, KIP-631, KIP-853.
 */
export class StandaloneMetadata implements MetadataStore {
  readonly #log: MetadataLog
  readonly #image: ClusterImage
  readonly #identity: NodeIdentity
  readonly #listeners: MetadataListener[] = []
  #tail: Promise<unknown> = Promise.resolve()
  #failure: Error | null = null

  private constructor(log: MetadataLog, image: ClusterImage, identity: NodeIdentity) {
    this.#log = log
    this.#image = image
    this.#identity = identity
  }

  /**
   * Reads the metadata of the directory, or begins it, and starts a new leader epoch.
   * @throws ConfigError when the directory is not ours or not understood; its data is untouched
   * @throws StorageError when the log can't be read or written
   */
  static async open(options: StandaloneMetadataOptions): Promise<StandaloneMetadata> {
    const identity = loadNodeIdentity(options)
    const { fs, logger, logStore, clock } = options
    const directory = `${options.dataDir}/${METADATA_TOPIC}-0`
    const snapshot = newestSnapshot(fs, directory)
    const log = new MetadataLog(logStore, clock, { ...LOG_DEFAULTS, ...options.log })
    const image = new ClusterImage(identity.clusterId, identity.nodeId)
    const replay = new MetadataReplay(image)
    await load(log, replay, snapshot, (name) => fs.readFile(`${directory}/${name}`))
    checkImage(image)

    const isFirstRun = log.endOffset === 0 && snapshot === null
    const known = Math.max(
      replay.lastEpoch,
      snapshot?.epoch ?? 0,
      quorumEpoch(fs, directory, logger),
    )
    const epoch = known + 1
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
    const metadata = new StandaloneMetadata(log, image, identity)
    const controller = options.controllerEndpoint ?? DEFAULT_CONTROLLER
    await metadata.#beginRun(leaderChangeRecords(identity, isFirstRun ? controller : null), replay)
    logger.info('metadata is ready', { epoch, offset: image.offset, topics: image.topics.size })
    return metadata
  }

  get image(): MetadataImage {
    return this.#image
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
  }

  async #commitNow(changes: readonly MetadataChange[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (changes.length === 0) return
    for (const change of changes) this.#image.check(change)
    const { directoryId } = this.#identity
    const records = changes.flatMap((one) => recordsOfChange(one, this.#image, directoryId))
    const lastOffset = await this.#append(records.map((value) => ({ value })))
    for (const change of changes) this.#image.apply(change)
    this.#image.advanceTo(lastOffset)
    for (const listener of this.#listeners) listener.metadataChanged(changes, this.#image)
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
  async #beginRun(
    control: Parameters<MetadataLog['append']>[0],
    replay: MetadataReplay,
  ): Promise<void> {
    this.#image.advanceTo(await this.#append(control, true))
    if (replay.isInTransaction) {
      const value = encodeMetadataRecord(abortTransactionRecord, 0, {
        reason: 'unfinished at start',
      })
      this.#image.advanceTo(await this.#append([{ value }]))
    }
    const changes: MetadataChange[] = this.#image.features.size === 0 ? [...firstChanges()] : []
    for (const topic of this.#image.topics.values()) {
      for (const { partition, leaderId, leaderEpoch } of topic.partitions) {
        if (leaderId === this.#image.nodeId) continue
        changes.push({
          kind: 'leaderChanged',
          topicId: topic.topicId,
          partition,
          leaderId: this.#image.nodeId,
          leaderEpoch: leaderEpoch + 1,
        })
      }
    }
    await this.commit(changes)
  }
}

interface Snapshot {
  readonly name: string
  /** The log goes on from here. */
  readonly endOffset: number
  readonly epoch: number
}

function newestSnapshot(fs: FileSystem, directory: string): Snapshot | null {
  if (fs.stat(directory) === undefined) return null
  let newest: Snapshot | null = null
  for (const name of fs.list(directory)) {
    const match = SNAPSHOT.exec(name)
    if (match !== null) newest = { name, endOffset: Number(match[1]), epoch: Number(match[2]) }
  }
  return newest
}

async function load(
  log: MetadataLog,
  replay: MetadataReplay,
  snapshot: Snapshot | null,
  readFile: (name: string) => Buffer,
): Promise<void> {
  const from = snapshot?.endOffset ?? 0
  if (log.startOffset > from || log.endOffset < from) {
    throw new ConfigError(
      `the metadata log covers offsets ${log.startOffset} to ${log.endOffset}, but its newest ` +
        `snapshot ends at ${from}; restore the files of __cluster_metadata-0`,
    )
  }
  if (snapshot !== null) replay.applyBatches(readFile(snapshot.name), false)
  await log.readFrom(from, (batches) => {
    replay.applyBatches(batches, true)
    let last = -1
    for (const position of batchPositions(batches)) last = lastOffsetOf(batches, position)
    return last + 1
  })
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

/** @throws ConfigError when topics need what this broker does not have */
function checkImage(image: ClusterImage): void {
  for (const topic of image.topics.values()) {
    if (image.configs(2, topic.name).get('remote.storage.enable') !== 'true') continue
    throw new ConfigError(
      `the topic ${topic.name} uses tiered storage, which this broker does not have; ` +
        'switch remote.storage.enable off with Kafka first',
    )
  }
}

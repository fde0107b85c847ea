import { openFileLimit } from '../adapters/open-file-limit.ts'
import type { BrokerConfig } from '../broker/configs/broker-config.ts'
import { cleanerConfigOf } from '../broker/configs/cleaner-config.ts'
import { ConfigAlterer } from '../broker/configs/config-alterer.ts'
import { ConfigDescriber } from '../broker/configs/config-describer.ts'
import { GroupCoordinator } from '../broker/groups/group-coordinator.ts'
import { StreamsGroupService } from '../broker/groups/streams/streams-group-service.ts'
import { ProducerIds } from '../broker/producer-ids.ts'
import { SerialTasks } from '../broker/serial-tasks.ts'
import { AutomaticTopics } from '../broker/topics/automatic-topics.ts'
import { TopicAdmin } from '../broker/topics/topic-admin.ts'
import { TopicRegistry } from '../broker/topics/topic-registry.ts'
import { StandaloneMetadata } from '../cluster/standalone/standalone-metadata.ts'
import type { Clock } from '../ports/clock.ts'
import type { FileSystem } from '../ports/file-system.ts'
import type { Logger } from '../ports/logger.ts'
import type { Meter } from '../ports/meter.ts'
import type { PartitionLog } from '../ports/partition-log.ts'
import type { Random } from '../ports/random.ts'
import type { Scheduler } from '../ports/scheduler.ts'
import type { SegmentCleaner } from '../ports/segment-cleaner.ts'
import type { CleaningResult } from '../storage/cleaner/log-cleaning.ts'
import { SteppedSegmentCleaner } from '../storage/cleaner/stepped-segment-cleaner.ts'
import { LogManager } from '../storage/log-manager.ts'
import { refuseUnservable } from './data-directory/directory-inspection.ts'
import { groupConfigOf } from './group-settings.ts'
import { JetStreamServices } from './jetstream-services.ts'
import { ShareServices } from './share-services.ts'
import { TransactionServices } from './transaction-services.ts'

/** The world as a broker sees it. */
export interface BrokerPorts {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  /** By default logs are compacted on the event loop, in steps. */
  readonly segmentCleaner?: SegmentCleaner
}

export interface CoreOptions extends BrokerPorts {
  readonly config: BrokerConfig
  readonly dataDir: string
  readonly nodeId: number
}

/** A broker without its front ends: logs, metadata, topics, groups, transactions. */
export class BrokerCore {
  readonly nodeId: number
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly config: BrokerConfig
  readonly metadata: StandaloneMetadata
  readonly registry: TopicRegistry
  readonly topicAdmin: TopicAdmin
  readonly automaticTopics: AutomaticTopics
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  readonly transactions: TransactionServices
  readonly streamsGroups: StreamsGroupService
  readonly shares: ShareServices
  readonly jetStream: JetStreamServices
  readonly configDescriber: ConfigDescriber
  readonly configAlterer: ConfigAlterer
  /** For everything that checks the metadata and then changes it. */
  readonly tasks = new SerialTasks()
  readonly #logStore: LogManager

  private constructor(options: CoreOptions, logStore: LogManager, metadata: StandaloneMetadata) {
    const { config, clock, scheduler, random, logger } = options
    this.nodeId = options.nodeId
    this.clock = clock
    this.scheduler = scheduler
    this.config = config
    this.metadata = metadata
    this.#logStore = logStore
    const topicLogger = logger.child('topics')
    this.registry = new TopicRegistry({ metadata, logStore, config, logger: topicLogger })
    this.topicAdmin = new TopicAdmin({
      metadata,
      registry: this.registry,
      config,
      random,
      logger: topicLogger,
      tasks: this.tasks,
    })
    this.automaticTopics = new AutomaticTopics({
      registry: this.registry,
      admin: this.topicAdmin,
      config,
      logger: topicLogger,
    })
    this.groups = new GroupCoordinator({
      clock,
      scheduler,
      random,
      logger: logger.child('groups'),
      topics: this.automaticTopics,
      config: () => groupConfigOf(config, metadata),
      metadata: () => metadata.image,
    })
    this.producerIds = new ProducerIds(metadata)
    this.transactions = new TransactionServices({
      ...{ config, clock, scheduler, random, metadata },
      logger: logger.child('transactions'),
      topics: this.automaticTopics,
      partitions: this.registry,
      groups: this.groups,
      producerIds: this.producerIds,
    })
    this.shares = new ShareServices({
      ...{ config, clock, scheduler, random, metadata },
      logger: logger.child('share-groups'),
      meter: options.meter,
      topics: this.automaticTopics,
      registry: this.registry,
      topicAdmin: this.topicAdmin,
      groups: this.groups,
    })
    this.jetStream = new JetStreamServices({
      ...{ clock, scheduler, random },
      logger: logger.child('jetstream'),
      topics: this.automaticTopics,
      registry: this.registry,
      topicAdmin: this.topicAdmin,
    })
    this.streamsGroups = new StreamsGroupService({
      groups: this.groups,
      topicAdmin: this.topicAdmin,
      logger: logger.child('streams-groups'),
    })
    this.configDescriber = new ConfigDescriber(metadata, config)
    this.configAlterer = new ConfigAlterer(metadata, config, this.tasks)
  }

  /**
   * Opens the data directory and everything in it.
   * @throws ConfigError when the directory is another's, in use, or not understood
   * @throws StorageError when it can't be read or written
   */
  static async open(options: CoreOptions): Promise<BrokerCore> {
    const { config, dataDir, nodeId, fs, clock, scheduler, logger } = options
    // Before anything touches the directory: one that is not ours must stay as it is.
    await refuseUnservable(fs, dataDir, nodeId)
    const logStore = new LogManager({
      ...options,
      logger: logger.child('storage'),
      options: logManagerOptionsOf(config),
      cleaning: {
        cleaner: options.segmentCleaner ?? new SteppedSegmentCleaner(fs, clock, scheduler),
        config: () => cleanerConfigOf(config),
      },
    })
    try {
      const metadata = await StandaloneMetadata.open({
        ...options,
        logStore,
        logger: logger.child('metadata'),
        log: {
          // Without syncs for brokers that keep nothing, such as those of tests.
          durability: config.getString('spool.durability') === 'os' ? 'os' : 'fsync',
          segmentBytes: config.getInt('metadata.log.segment.bytes'),
          segmentMs: config.getLong('metadata.log.segment.ms'),
        },
        snapshots: {
          maxBytesBetween: config.getLong('metadata.log.max.record.bytes.between.snapshots'),
          maxIntervalMs: config.getLong('metadata.log.max.snapshot.interval.ms'),
          retentionBytes: config.getLong('metadata.max.retention.bytes'),
          retentionMs: config.getLong('metadata.max.retention.ms'),
        },
      })
      const core = new BrokerCore(options, logStore, metadata)
      config.attach(metadata)
      await core.registry.start()
      metadata.subscribe(core.groups)
      metadata.subscribe(core.transactions.coordinator)
      for (const listener of core.shares.listeners) metadata.subscribe(listener)
      core.groups.start()
      core.shares.coordinator.start()
      metadata.subscribe(core.jetStream)
      // What it finds decided it writes to partitions and groups.
      core.transactions.coordinator.start()
      await core.jetStream.start()
      logStore.start()
      return core
    } catch (error) {
      // Releases the lock; what failed is what the operator needs to hear.
      await logStore.close().catch(() => undefined)
      throw error
    }
  }

  /**
   * Compacts a log now, with its last segment.
   * @returns null when there is nothing that may be compacted
   * @throws StorageError when it can't be
   */
  compact(log: PartitionLog): Promise<CleaningResult | null> {
    return this.#logStore.compactAll(log)
  }

  /** Syncs everything; front ends must have stopped. */
  async close(): Promise<void> {
    await this.jetStream.close()
    this.shares.close()
    this.transactions.coordinator.close()
    this.groups.close()
    await this.metadata.close()
    await this.#logStore.close()
  }
}

/** Where the system does not tell its limit. */
const USUAL_OPEN_FILE_LIMIT = 4096
/** The rest of the open files is for connections, reads of old segments and everything else. */
const GROWING_PART = 0.4

function logManagerOptionsOf(config: BrokerConfig) {
  return {
    tailCacheBytes: config.getLong('spool.tail.cache.bytes'),
    readBufferBytes: config.getLong('spool.max.read.buffer.bytes'),
    // Requests that wait have their part of it; what is above are those that no longer wait.
    maxUnwrittenBytes: 2 * config.getLong('spool.max.inflight.bytes'),
    retentionCheckIntervalMs: config.getLong('log.retention.check.interval.ms'),
    checkpointIntervalMs: config.getInt('log.flush.offset.checkpoint.interval.ms'),
    producerIdExpirationCheckIntervalMs: config.getInt('producer.id.expiration.check.interval.ms'),
    initialTaskDelayMs: config.getLong('log.initial.task.delay.ms'),
    maxGrowingFiles: Math.floor((openFileLimit() ?? USUAL_OPEN_FILE_LIMIT) * GROWING_PART),
  }
}

import { ErrorCode } from '../../base/error-code.ts'
import type { Logger } from '../../ports/logger.ts'
import type { BrokerConfig } from '../configs/broker-config.ts'
import type { InternalTopics } from '../coordinator/internal-topics.ts'
import type { Partition } from './partition.ts'
import type { TopicAdmin } from './topic-admin.ts'
import type { NewTopic } from './topic-creation.ts'
import { problemOfTopicName } from './topic-name.ts'
import type { TopicRegistry } from './topic-registry.ts'

export interface AutomaticTopicsOptions {
  readonly registry: TopicRegistry
  readonly admin: TopicAdmin
  readonly config: BrokerConfig
  readonly logger: Logger
}

/** Topics that are being created at the same time; more are refused until some are there. */
const MAX_PENDING = 1000

/** Creates topics that nobody asked for in words: on first use, and those of the coordinators. */
export class AutomaticTopics implements InternalTopics {
  readonly #registry: TopicRegistry
  readonly #admin: TopicAdmin
  readonly #config: BrokerConfig
  readonly #logger: Logger
  readonly #pending = new Set<string>()

  constructor({ registry, admin, config, logger }: AutomaticTopicsOptions) {
    this.#registry = registry
    this.#admin = admin
    this.#config = config
    this.#logger = logger
  }

  /** A client asked for a missing topic and allows its creation: it starts now, if configured. */
  createOnUse(name: string): void {
    if (!this.#config.getBoolean('auto.create.topics.enable')) return
    if (problemOfTopicName(name) === null) this.#create(name)
  }

  ensure(name: string): 'ready' | 'creating' {
    if (this.#registry.topic(name) !== undefined) return 'ready'
    this.#create(name)
    return 'creating'
  }

  partitionCount(name: string): number {
    return this.#registry.topic(name)?.partitions.length ?? 0
  }

  plannedPartitionCount(name: string): number {
    const count = this.partitionCount(name)
    return count > 0 ? count : this.#settingsOf(name).partitionCount
  }

  partition(name: string, index: number): Partition | undefined {
    return this.#registry.partition(name, index)
  }

  #create(name: string): void {
    if (this.#pending.has(name) || this.#pending.size >= MAX_PENDING) return
    this.#pending.add(name)
    this.#admin
      .createTopics([this.#settingsOf(name)], false)
      .then(([result]) => {
        const { errorCode = ErrorCode.NONE, errorMessage } = result ?? {}
        if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) return
        this.#logger.warn('a topic could not be created', { topic: name, reason: errorMessage })
      })
      .catch((error: unknown) => {
        this.#logger.error('a topic could not be created', { topic: name, error })
      })
      .finally(() => this.#pending.delete(name))
  }

  #settingsOf(name: string): NewTopic {
    const config = this.#config
    const internal = (prefix: string, values: Readonly<Record<string, string>>): NewTopic => {
      const configs = { ...values, 'segment.bytes': config.getString(`${prefix}.segment.bytes`) }
      return {
        name,
        partitionCount: config.getInt(`${prefix}.num.partitions`),
        // One node holds one replica, whatever a server.properties for many brokers says.
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      }
    }
    switch (name) {
      case '__consumer_offsets':
        return internal('offsets.topic', {
          'cleanup.policy': 'compact',
          'compression.type': 'producer',
        })
      case '__transaction_state':
        return internal('transaction.state.log', {
          'cleanup.policy': 'compact',
          'compression.type': 'uncompressed',
          'min.insync.replicas': '1',
          'unclean.leader.election.enable': 'false',
        })
      case '__share_group_state':
        return internal('share.coordinator.state.topic', {
          'cleanup.policy': 'delete',
          'compression.type': 'producer',
          'retention.ms': '-1',
        })
      case '__jetstream': {
        const configs = { 'cleanup.policy': 'compact', 'compression.type': 'producer' }
        return {
          ...{ name, partitionCount: 1, replicationFactor: 1, assignments: [] },
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        }
      }
      default:
        return { name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }
    }
  }
}

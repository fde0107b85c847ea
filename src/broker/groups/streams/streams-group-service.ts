import { ErrorCode } from '../../../base/error-code.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { CreatedTopic, TopicAdmin } from '../../topics/topic-admin.ts'
import type { GroupCoordinator } from '../group-coordinator.ts'
import type { StreamsHeartbeatRequest, StreamsHeartbeatResult } from './streams-group-requests.ts'
import { StatusCode } from './streams-status.ts'
import type { TopologyTopic } from './streams-topology.ts'

export interface StreamsGroupServiceOptions {
  readonly groups: Pick<GroupCoordinator, 'streamsHeartbeat'>
  readonly topicAdmin: Pick<TopicAdmin, 'createTopics'>
  readonly logger: Logger
}

/** Of topics that could not be created, so many are remembered: the oldest go first. */
const MAX_REMEMBERED = 1000

/** The broker's own number of replicas. */
const DEFAULT_REPLICATION = -1

/**
 * Streams groups (KIP-1071) as clients see them: the group coordinator says which internal topics a
 * topology needs, and here they are created.
 */
export class StreamsGroupService {
  readonly #options: StreamsGroupServiceOptions
  readonly #inFlight = new Set<string>()
  /** Why topics could not be created, for the members that wait for them. */
  readonly #failures = new Map<string, string>()

  constructor(options: StreamsGroupServiceOptions) {
    this.#options = options
  }

  async heartbeat(request: StreamsHeartbeatRequest): Promise<StreamsHeartbeatResult> {
    const { result, missingTopics } = await this.#options.groups.streamsHeartbeat(request)
    if (missingTopics.length === 0) return result
    const told = this.#withFailures(result, missingTopics)
    // The member does not wait for it: it is given tasks when the topics are there.
    this.#createLater(missingTopics)
    return told
  }

  #withFailures(
    result: StreamsHeartbeatResult,
    topics: readonly TopologyTopic[],
  ): StreamsHeartbeatResult {
    const failures = topics.flatMap(({ name }) => {
      const failure = this.#failures.get(name)
      return failure === undefined ? [] : [`${name} (${failure})`]
    })
    if (failures.length === 0) return result
    const status = result.status.map((one) =>
      one.statusCode === StatusCode.MISSING_INTERNAL_TOPICS
        ? {
            ...one,
            statusDetail: `${one.statusDetail}; Creation failed: ${failures.join(', ')}.`,
          }
        : one,
    )
    return { ...result, status }
  }

  #createLater(topics: readonly TopologyTopic[]): void {
    const wanted = topics.filter(({ name }) => !this.#inFlight.has(name))
    if (wanted.length === 0) return
    for (const { name } of wanted) this.#inFlight.add(name)
    const { topicAdmin, logger } = this.#options
    const newTopics = wanted.map(({ name, partitions, replicationFactor, topicConfigs }) => ({
      name,
      partitionCount: partitions,
      replicationFactor: replicationFactor === 0 ? DEFAULT_REPLICATION : replicationFactor,
      assignments: [],
      configs: topicConfigs.map((config) => ({ name: config.key, value: config.value })),
    }))
    topicAdmin
      .createTopics(newTopics, false)
      .then(
        (created) => {
          for (const topic of created) this.#remember(topic)
        },
        (error: unknown) => logger.warn('internal topics could not be created', { error }),
      )
      .finally(() => {
        for (const { name } of wanted) this.#inFlight.delete(name)
      })
  }

  #remember({ name, errorCode, errorMessage }: CreatedTopic): void {
    this.#failures.delete(name)
    // Somebody else was faster, which is as good.
    if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) return
    const [oldest] = this.#failures.keys()
    if (this.#failures.size >= MAX_REMEMBERED && oldest !== undefined) {
      this.#failures.delete(oldest)
    }
    this.#failures.set(name, errorMessage ?? `error ${errorCode}`)
    const fields = { topic: name, errorCode, errorMessage }
    this.#options.logger.warn('an internal topic could not be created', fields)
  }
}

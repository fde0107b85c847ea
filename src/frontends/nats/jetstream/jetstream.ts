import {
  filtersOf,
  isEphemeralInMemory,
  type StreamFacts,
} from '../../../broker/jetstream/consumer/consumer-config.ts'
import { ConsumerDirectory } from '../../../broker/jetstream/consumer/consumer-directory.ts'
import type {
  ConsumerStore,
  KeptConsumer,
} from '../../../broker/jetstream/consumer/stream-consumers.ts'
import type { BatchQuota } from '../../../broker/jetstream/stream/batch/batch-quota.ts'
import type { NewMessage } from '../../../broker/jetstream/stream/record-mapping.ts'
import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import type { StreamConfig } from '../../../broker/jetstream/stream/stream-config.ts'
import type { Streams, StreamsListener } from '../../../broker/jetstream/stream/streams.ts'
import { SubjectFilter } from '../../../broker/jetstream/stream/subject-filter.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { Random } from '../../../ports/random.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { Account } from '../account.ts'
import type { AccountLimits } from '../auth/account-limits.ts'
import type { ApiCounts, JetStreamAccount } from '../monitor/jetstream-pages.ts'
import { NATS_VERSION } from '../server-description.ts'
import { type ApiRequest, ApiRouter } from './api-router.ts'
import { consumerInfoJson } from './consumer-info-json.ts'
import { NatsConsumerOutput } from './consumer-output.ts'
import { ConsumerRequests } from './consumer-requests.ts'
import { ConsumerRouter } from './consumer-router.ts'
import { DirectGet } from './direct-get.ts'
import type { JetStreamSettings } from './jetstream-settings.ts'
import type { JetStreamUsage } from './jetstream-usage.ts'
import { MessageRequests } from './message-requests.ts'
import { RestoreRequests } from './restore-requests.ts'
import type { ServerResources } from './server-resources.ts'
import { SnapshotRequests } from './snapshot-requests.ts'
import { type Budget, StorageBudget, together } from './storage-budget.ts'
import { StreamAdvisories } from './stream-advisories.ts'
import { StreamCapture } from './stream-capture.ts'
import { NO_DETAILS, streamInfoJson } from './stream-info-json.ts'
import { StreamRequests } from './stream-requests.ts'

/** The level of JetStream's API that is served: that of nats-server 2.14. */
export const JETSTREAM_API_LEVEL = 4

export interface JetStreamOptions {
  readonly account: Account
  readonly limits: AccountLimits
  /** They are shown as those of a tier. */
  readonly hasTiers: boolean
  readonly settings: JetStreamSettings
  /** Shared by all accounts. */
  readonly resources: ServerResources
  readonly streams: Streams
  readonly consumerStore: ConsumerStore
  /** Consumers of a stream as they were kept when the broker started. */
  readonly keptConsumersOf: (stream: string) => readonly KeptConsumer[]
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  /** Shared by all accounts. */
  readonly batchQuota: BatchQuota
}

/** What a stream has in this front end. */
interface Served {
  readonly capture: StreamCapture
  directGet: DirectGet | null
}

/** JetStream for the clients of one account: its subjects, its requests, and what they lead to. */
export class JetStream implements StreamsListener, JetStreamAccount {
  readonly #options: JetStreamOptions
  readonly #router: ApiRouter
  readonly #requests: StreamRequests
  readonly #consumers: ConsumerDirectory
  readonly #advisories: StreamAdvisories
  readonly #served = new Map<Stream, Served>()
  /** What streams may hold together; null: as much as they like. */
  readonly #memory: Budget | null
  readonly #disk: Budget | null
  /** Consumers of streams that come back from backups. */
  readonly #comeBack = new Map<string, readonly KeptConsumer[]>()
  #isRestored = false

  constructor(options: JetStreamOptions) {
    const { account, streams, clock, scheduler, random, logger, limits, hasTiers, settings } =
      options
    const { domain } = settings
    const { resources } = options
    const { publisher } = account
    this.#options = options
    this.#router = new ApiRouter(account, publisher, scheduler)
    const output = new NatsConsumerOutput(publisher, clock, random, domain)
    const consumerPorts = { clock, scheduler, random, output, logger }
    this.#consumers = new ConsumerDirectory(options.consumerStore, consumerPorts)
    this.#advisories = new StreamAdvisories(publisher, clock, random, domain)
    const serverMetadata = {
      '_nats.ver': NATS_VERSION,
      '_nats.level': String(JETSTREAM_API_LEVEL),
    }
    const router = this.#router
    const apiLevel = JETSTREAM_API_LEVEL
    const advisories = this.#advisories
    this.#requests = new StreamRequests({
      ...{ router, streams, clock, logger, serverMetadata, apiLevel, limits, hasTiers, settings },
      resources,
      consumerCount: (stream) => this.#consumers.consumersOf(stream)?.size ?? 0,
    })
    new MessageRequests(router, streams)
    new SnapshotRequests({
      ...{ router, publisher, advisories, streams, clock, scheduler, random, logger, apiLevel },
      consumersOf: (stream) => this.#consumers.consumersOf(stream)?.all() ?? [],
    })
    new RestoreRequests({
      ...{ router, publisher, advisories, streams, clock, scheduler, random, logger, apiLevel },
      ...{ limits, settings, resources },
      factsOf: (config) => factsOf(config, limits, settings),
      keepConsumers: (stream, consumers) => this.#keepConsumers(stream, consumers),
      forgetConsumers: async (stream, consumers) => {
        this.#comeBack.delete(stream)
        await Promise.all(consumers.map(({ name }) => options.consumerStore.remove(stream, name)))
      },
      infoJson: (stream) => {
        const count = this.#consumers.consumersOf(stream.name)?.size ?? 0
        return streamInfoJson(stream, NO_DETAILS, count, clock.nowMs(), serverMetadata)
      },
    })
    const requests = new ConsumerRequests(this.#consumers, clock, serverMetadata)
    const directory = this.#consumers
    new ConsumerRouter({ router, publisher, requests, directory, logger, apiLevel })
    const { max_memory, max_storage } = limits
    const hold = (kind: 'memory' | 'storage') => () => this.usage.stats[kind]
    const memory = max_memory < 0 ? null : new StorageBudget(max_memory, hold('memory'))
    const disk = max_storage < 0 ? null : new StorageBudget(max_storage, hold('storage'))
    this.#memory = together([resources.memory, memory])
    this.#disk = together([resources.storage, disk])
    resources.add(() => this.usage.stats)
    router.before = (request, run) => this.#whenCaughtUp(request, run)
    streams.listener = this
    this.#isRestored = true
  }

  added(stream: Stream): void {
    const { account, keptConsumersOf, limits, settings } = this.#options
    const { clock, scheduler, batchQuota } = this.#options
    const capture = new StreamCapture(stream, account, account.publisher, {
      ...{ clock, scheduler, quota: batchQuota, apiLevel: JETSTREAM_API_LEVEL },
      domain: settings.domain,
      batchAbandoned: (batchId, reason) => {
        this.#advisories.batchAbandoned(stream.name, batchId, reason)
      },
      budget: stream.config.storage === 'memory' ? this.#memory : this.#disk,
    })
    this.#served.set(stream, { capture, directGet: this.#directGetFor(stream) })
    const kept = this.#isRestored
      ? (this.#comeBack.get(stream.name) ?? [])
      : keptConsumersOf(stream.name)
    this.#comeBack.delete(stream.name)
    this.#consumers.streamOpened(
      {
        reader: stream,
        facts: () => factsOf(stream.config, limits, settings),
        consumersChanged: () => this.#consumersChanged(stream),
        finished: (_, firstSequence, lastSequence) => stream.finished(firstSequence, lastSequence),
        neverAgain: (sequence) => stream.neverAgain(sequence),
      },
      kept,
    )
    this.#consumersChanged(stream)
    if (this.#isRestored) this.#advisories.tell(stream.name, 'create')
  }

  updated(stream: Stream, before: StreamConfig): void {
    const served = this.#served.get(stream)
    if (served === undefined) return
    served.capture.configure()
    if (before.allow_direct !== stream.config.allow_direct) {
      served.directGet?.stop()
      served.directGet = this.#directGetFor(stream)
    }
    if (before.retention !== stream.config.retention) this.#consumersChanged(stream)
    this.#advisories.tell(stream.name, 'modify')
  }

  removed(stream: Stream): void {
    const { logger } = this.#options
    const served = this.#served.get(stream)
    this.#served.delete(stream)
    served?.capture.stop()
    served?.directGet?.stop()
    this.#consumers.streamDeleted(stream.name).catch((error: unknown) => {
      logger.error('consumers of a deleted stream could not be removed', { error })
    })
    this.#advisories.tell(stream.name, 'delete')
  }

  stored(stream: Stream, message: NewMessage, sequence: number, subjectLast: number): void {
    this.#served.get(stream)?.capture.stored(message, sequence, subjectLast)
  }

  get name(): string {
    return this.#options.account.name
  }

  get limits(): { readonly max_memory: number; readonly max_storage: number } {
    return this.#options.limits
  }

  get usage(): JetStreamUsage {
    return this.#requests.usage
  }

  get apiCounts(): ApiCounts {
    return this.#requests.apiCounts
  }

  /** Source: StreamDetail of nats-server. */
  streamDetails(hasConsumers: boolean, hasConfig: boolean): object[] {
    const nowMs = this.#options.clock.nowMs()
    return this.#options.streams.all().map((stream) => {
      const consumers = this.#consumers.consumersOf(stream.name)?.all() ?? []
      const info = streamInfoJson(stream, NO_DETAILS, consumers.length, nowMs, {})
      const { config, created, state, mirror, sources } = info
      const shown = hasConsumers ? consumers : []
      const details = shown.map((consumer) => {
        const { config: its, ...rest } = consumerInfoJson(consumer.info(), nowMs, {})
        return hasConfig ? { ...rest, config: its } : rest
      })
      return {
        ...{ name: stream.name, created, state, mirror, sources },
        ...(hasConfig && { config }),
        ...(details.length > 0 && { consumer_detail: details }),
      }
    })
  }

  close(): void {
    this.#consumers.close()
  }

  /** What a client published before a request is in the answer to it, though nobody waited for acks. */
  #whenCaughtUp({ subject }: ApiRequest, run: () => void): void {
    const { streams } = this.#options
    const [, , , , first = '', second = ''] = subject.split('.')
    const stream = streams.get(first) ?? streams.get(second)
    if (stream === undefined) run()
    else stream.whenCaughtUp(run)
  }

  /** A stream that is still to be added comes with these. */
  async #keepConsumers(stream: string, consumers: readonly KeptConsumer[]): Promise<boolean> {
    this.#comeBack.set(stream, consumers)
    const kept = consumers.filter(({ config }) => !isEphemeralInMemory(config))
    const saved = await Promise.all(kept.map((one) => this.#options.consumerStore.save(one)))
    return saved.every((isSaved) => isSaved)
  }

  #directGetFor(stream: Stream): DirectGet | null {
    const { allow_direct, mirror_direct } = stream.config
    if (!allow_direct && !mirror_direct) return null
    return new DirectGet(this.#router, this.#options.account.publisher, stream)
  }

  /** Who has to be asked before a message goes. */
  #consumersChanged(stream: Stream): void {
    if (stream.config.retention === 'limits') {
      stream.setNeeds(null)
      return
    }
    const isQueue = stream.config.retention === 'workqueue'
    const consumers = this.#consumers.consumersOf(stream.name)?.all() ?? []
    const filters = consumers.map(({ config }) => new SubjectFilter(filtersOf(config)))
    stream.setNeeds((sequence, subject) => {
      if (consumers.some((consumer) => consumer.needs(sequence, subject))) return true
      if (stream.isFollowed(sequence, subject)) return true
      // A queue keeps what nobody came for so far.
      return isQueue && !filters.some((filter) => filter.passes(subject))
    })
  }
}

/** @param account what it allows each stream */
function factsOf(
  config: StreamConfig,
  account: AccountLimits,
  server: JetStreamSettings,
): StreamFacts {
  const { retention, subjects = [], num_replicas, consumer_limits: limits } = config
  return {
    ...{ retention, subjects, num_replicas },
    consumerMaxAckPending: limits.max_ack_pending ?? 0,
    consumerInactiveThreshold: limits.inactive_threshold ?? 0,
    maxConsumers: smallerLimit(config.max_consumers, account.max_consumers),
    maxAckPending: Math.max(0, smallerLimit(server.maxAckPending, account.max_ack_pending)),
    maxRequestBatch: server.maxRequestBatch,
  }
}

/** Limits below 1 are none. */
function smallerLimit(one: number, other: number): number {
  if (one <= 0) return other
  return other <= 0 ? one : Math.min(one, other)
}

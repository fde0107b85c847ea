import { setImmediate } from 'node:timers/promises'
import type {
  JoinGroupRequest,
  JoinGroupResult,
  MemberProtocol,
  SyncGroupResult,
} from '../../../../src/broker/groups/classic/classic-group-requests.ts'
import {
  DEFAULT_GROUP_CONFIG,
  type GroupConfig,
} from '../../../../src/broker/groups/group-config.ts'
import { GroupCoordinator } from '../../../../src/broker/groups/group-coordinator.ts'
import {
  NO_TOPIC_ID,
  type OffsetCommitRequest,
  type OffsetFetchResult,
  type TopicErrors,
} from '../../../../src/broker/groups/offset-requests.ts'
import {
  consumerProtocolSubscription,
  encodeConsumerProtocol,
} from '../../../../src/records/internal/consumer-protocol.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { MemoryCoordinatorLog } from './memory-coordinator-log.ts'

/** An answer that may not have come yet. */
export interface Pending<T> {
  value: T | undefined
  isDone: boolean
}

/** What a consumer says of itself: the topics it wants. */
export function subscription(...topics: string[]): Buffer {
  return encodeConsumerProtocol(consumerProtocolSubscription, 1, { topics })
}

export function protocols(...names: string[]): MemberProtocol[] {
  return names.map((name) => ({ name, metadata: subscription('orders') }))
}

export interface CommitOptions {
  readonly memberId?: string
  readonly generationId?: number
  readonly groupInstanceId?: string | null
  readonly topic?: string
  readonly topicId?: string
  readonly metadata?: string | null
  readonly retentionTimeMs?: number
  readonly knowsGroupIdNotFound?: boolean
}

/** A group coordinator with a clock and a log that the test moves. */
export class GroupHarness {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly log = new MemoryCoordinatorLog()
  readonly random = new CountingRandom()
  config: GroupConfig
  topicState: 'ready' | 'creating' = 'ready'
  coordinator: GroupCoordinator

  constructor(config: Partial<GroupConfig> = {}) {
    this.config = { ...DEFAULT_GROUP_CONFIG, ...config }
    this.coordinator = this.#start()
  }

  #start(): GroupCoordinator {
    const topics = {
      ensure: () => this.topicState,
      partitionCount: () => (this.topicState === 'ready' ? 1 : 0),
      plannedPartitionCount: () => 1,
      partition: () => undefined,
    }
    const { clock, scheduler, random, log } = this
    const config = (): GroupConfig => this.config
    const ports = { clock, scheduler, random, logger: SILENT }
    const openLog = () => (this.topicState === 'ready' ? log : undefined)
    const coordinator = new GroupCoordinator({ ...ports, topics, config, openLog })
    coordinator.start()
    return coordinator
  }

  /** As after a crash: only the log is left. */
  restart(): void {
    this.coordinator.close()
    this.coordinator = this.#start()
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    this.scheduler.finishTurn()
    await setImmediate()
    this.scheduler.finishTurn()
  }

  async advance(byMs: number): Promise<void> {
    this.scheduler.advance(byMs)
    await this.settle()
  }

  track<T>(promise: Promise<T>): Pending<T> {
    const pending: Pending<T> = { value: undefined, isDone: false }
    void promise.then((value) => {
      pending.value = value
      pending.isDone = true
    })
    return pending
  }

  /** The answer to something that must not wait for time. */
  async now<T>(promise: Promise<T>): Promise<T> {
    const pending = this.track(promise)
    await this.settle()
    if (pending.value === undefined) throw new Error('there is no answer yet')
    return pending.value
  }

  joinRequest(options: Partial<JoinGroupRequest> = {}): JoinGroupRequest {
    return {
      groupId: 'g',
      client: { clientId: 'app', clientHost: '/10.0.0.1' },
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: protocols('range'),
      isMemberIdRequired: true,
      canSkipAssignment: true,
      ...options,
    }
  }

  join(options: Partial<JoinGroupRequest> = {}): Pending<JoinGroupResult> {
    return this.track(this.coordinator.joinGroup(this.joinRequest(options)))
  }

  joinNow(options: Partial<JoinGroupRequest> = {}): Promise<JoinGroupResult> {
    return this.now(this.coordinator.joinGroup(this.joinRequest(options)))
  }

  /** The id a new dynamic member is given. */
  async newMemberId(options: Partial<JoinGroupRequest> = {}): Promise<string> {
    return (await this.joinNow(options)).memberId
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Readonly<Record<string, string>> = {},
    groupInstanceId: string | null = null,
  ): Pending<SyncGroupResult> {
    const request = {
      groupId: 'g',
      generationId,
      memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: new Map(
        Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)]),
      ),
    }
    return this.track(this.coordinator.syncGroup(request))
  }

  beat(memberId: string, generationId: number, groupInstanceId: string | null = null) {
    const request = { groupId: 'g', generationId, memberId, groupInstanceId }
    return this.now(this.coordinator.heartbeat(request))
  }

  leave(...members: { memberId: string; groupInstanceId?: string | null }[]) {
    const leaving = members.map((member) => ({ groupInstanceId: null, ...member }))
    return this.now(this.coordinator.leaveGroup({ groupId: 'g', members: leaving }))
  }

  /** Joins members to a stable group; the first leads. Instance ids make static members. */
  async stable(
    count: number,
    options: (index: number) => Partial<JoinGroupRequest> = () => ({}),
  ): Promise<{ memberIds: string[]; generationId: number }> {
    const joins: Pending<JoinGroupResult>[] = []
    for (let index = 0; index < count; index++) {
      joins.push(this.join({ isMemberIdRequired: false, ...options(index) }))
    }
    await this.settle()
    await this.advance(this.config.initialRebalanceDelayMs)
    // Those who came after the first made the delay longer, if their rebalance timeouts allow it.
    if (!joins.every(({ isDone }) => isDone))
      await this.advance(this.config.initialRebalanceDelayMs)
    const memberIds = joins.map(({ value }) => value?.memberId ?? '')
    const generationId = joins[0]?.value?.generationId ?? -1
    const assignments = Object.fromEntries(memberIds.map((id, index) => [id, `p${index}`]))
    const syncs = memberIds.map((id, index) =>
      this.sync(
        id,
        generationId,
        index === 0 ? assignments : {},
        options(index).groupInstanceId ?? null,
      ),
    )
    await this.settle()
    if (syncs.some(({ value }) => value?.errorCode !== 0)) throw new Error('a sync failed')
    return { memberIds, generationId }
  }

  commitRequest(offset: number, options: CommitOptions = {}): OffsetCommitRequest {
    const { topic = 'orders', metadata = 'm', topicId = NO_TOPIC_ID } = options
    const partitions = [{ partition: 0, offset, leaderEpoch: 7, metadata }]
    return {
      groupId: 'g',
      generationId: options.generationId ?? -1,
      memberId: options.memberId ?? '',
      groupInstanceId: options.groupInstanceId ?? null,
      retentionTimeMs: options.retentionTimeMs ?? -1,
      knowsGroupIdNotFound: options.knowsGroupIdNotFound ?? false,
      topics: [{ name: topic, topicId, partitions }],
    }
  }

  commit(offset: number, options: CommitOptions = {}): Promise<readonly TopicErrors[]> {
    return this.now(this.coordinator.commitOffsets(this.commitRequest(offset, options)))
  }

  async commitCode(offset: number, options: CommitOptions = {}): Promise<number> {
    const [topic] = await this.commit(offset, options)
    return topic?.partitions[0]?.errorCode ?? -1
  }

  fetch(topic = 'orders', topicId = NO_TOPIC_ID): Promise<OffsetFetchResult> {
    const topics = [{ name: topic, topicId, partitions: [0] }]
    const request = { groupId: 'g', topics, requireStable: false }
    return this.now(this.coordinator.fetchOffsets(request))
  }

  async committed(topic = 'orders', topicId = NO_TOPIC_ID): Promise<number> {
    const { topics } = await this.fetch(topic, topicId)
    return topics[0]?.partitions[0]?.offset ?? Number.NaN
  }

  async state(): Promise<string> {
    return (await this.now(this.coordinator.describeGroup('g'))).state
  }
}

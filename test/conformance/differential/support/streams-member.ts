import type { Encodable } from '../../../../src/wire/kafka/codec.ts'
import { streamsGroupHeartbeatApi } from '../../../../src/wire/kafka/messages/88-streams-group-heartbeat.ts'
import type { Broker } from './broker.ts'

type HeartbeatRequest = Encodable<typeof streamsGroupHeartbeatApi.request>
type Subtopology = NonNullable<HeartbeatRequest['topology']>['subtopologies'][number]
type TaskLists = NonNullable<HeartbeatRequest['activeTasks']>

/** A code of the status: what is about time comes and goes with how busy the machine is. */
const ASSIGNMENT_DELAYED = 5

export interface StreamsMemberOptions {
  readonly groupId: string
  readonly memberId: string
  readonly subtopologies: readonly Subtopology[]
  readonly instanceId?: string
  readonly processId?: string
  readonly version?: number
}

/** A part of a topology; what is left out it has none of. */
export function subtopology(facts: Partial<Subtopology> = {}): Subtopology {
  return {
    subtopologyId: '0',
    sourceTopics: [],
    sourceTopicRegex: [],
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
    ...facts,
  }
}

export function internalTopic(name: string, partitions = 0) {
  return { name, partitions, replicationFactor: 0, topicConfigs: [] }
}

/** One member of a streams group, which does only what it is told. */
export class StreamsMember {
  readonly #broker: Broker
  readonly #options: StreamsMemberOptions
  memberEpoch = 0
  endpointEpoch = 0
  #active: TaskLists = []
  #standby: TaskLists = []
  #warmup: TaskLists = []

  constructor(broker: Broker, options: StreamsMemberOptions) {
    this.#broker = broker
    this.#options = options
  }

  async beat(changes: Partial<HeartbeatRequest> = {}) {
    const { groupId, memberId, instanceId = null, version = 1 } = this.#options
    const answer = await this.#broker.call(streamsGroupHeartbeatApi, version, {
      ...{ groupId, memberId, memberEpoch: this.memberEpoch, instanceId },
      endpointInformationEpoch: this.endpointEpoch,
      ...{ rackId: null, rebalanceTimeoutMs: -1, topology: null, processId: null },
      ...{ activeTasks: null, standbyTasks: null, warmupTasks: null },
      ...{ userEndpoint: null, clientTags: null, taskOffsets: null, taskEndOffsets: null },
      shutdownApplication: false,
      ...changes,
    })
    if (answer.errorCode === 0 && answer.memberEpoch >= 0) {
      this.memberEpoch = answer.memberEpoch
      this.endpointEpoch = answer.endpointInformationEpoch
    }
    if (answer.activeTasks !== null) {
      this.#active = answer.activeTasks
      this.#standby = answer.standbyTasks ?? []
      this.#warmup = answer.warmupTasks ?? []
    }
    const status = answer.status?.filter(({ statusCode }) => statusCode !== ASSIGNMENT_DELAYED)
    return { ...answer, status: status ?? null }
  }

  join(changes: Partial<HeartbeatRequest> = {}) {
    const { subtopologies, memberId, processId = `process ${memberId}` } = this.#options
    return this.beat({
      ...{ memberEpoch: 0, rebalanceTimeoutMs: 60_000, processId },
      ...{ activeTasks: [], standbyTasks: [], warmupTasks: [] },
      topology: { epoch: 0, subtopologies: [...subtopologies] },
      ...changes,
    })
  }

  /** Says that it has just what it was told to have. */
  own(changes: Partial<HeartbeatRequest> = {}) {
    const [activeTasks, standbyTasks, warmupTasks] = [this.#active, this.#standby, this.#warmup]
    return this.beat({ activeTasks, standbyTasks, warmupTasks, ...changes })
  }

  get taskCount(): number {
    return this.#active.reduce((sum, { partitions }) => sum + partitions.length, 0)
  }

  get standbyCount(): number {
    return this.#standby.reduce((sum, { partitions }) => sum + partitions.length, 0)
  }

  /** What it has, in short. */
  get tasks() {
    return { active: this.#active, standby: this.#standby, warmup: this.#warmup }
  }
}

/** Members beat until each has so many active tasks, and copies. */
export async function settle(
  broker: Broker,
  members: readonly StreamsMember[],
  taskCounts: readonly number[],
  standbyCount = 0,
): Promise<void> {
  await broker.until(`members with ${taskCounts} tasks`, async () => {
    for (const member of members) await member.own()
    const counts = members.map(({ taskCount }) => taskCount).sort((a, b) => a - b)
    const isThere = counts.join() === [...taskCounts].join()
    const hasCopies = members.every((member) => member.standbyCount === standbyCount)
    return isThere && hasCopies ? true : undefined
  })
}

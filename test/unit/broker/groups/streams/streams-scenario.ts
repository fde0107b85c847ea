import { setImmediate } from 'node:timers/promises'
import { ErrorCode, errorName } from '../../../../../src/base/error-code.ts'
import {
  DEFAULT_GROUP_CONFIG,
  type GroupConfig,
} from '../../../../../src/broker/groups/group-config.ts'
import { GroupCoordinator } from '../../../../../src/broker/groups/group-coordinator.ts'
import type { StreamsHeartbeatRequest } from '../../../../../src/broker/groups/streams/streams-group-requests.ts'
import { StreamsGroupService } from '../../../../../src/broker/groups/streams/streams-group-service.ts'
import type { MetadataChange } from '../../../../../src/ports/metadata-store.ts'
import { FakeMetadata, topicImage } from '../../../support/fake-cluster.ts'
import { ManualScheduler } from '../../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../../support/ports.ts'
import { type Command, milliseconds } from '../../../support/scenario-script.ts'
import { MemoryCoordinatorLog } from '../memory-coordinator-log.ts'
import { linesOfGroup, textOfRecord, textOfResult } from './streams-text.ts'
import { offsetsOf, subtopologyOf, tasksOf } from './streams-words.ts'

type Verb = (command: Command) => void
type Owned = Pick<StreamsHeartbeatRequest, 'activeTasks' | 'standbyTasks' | 'warmupTasks'>

/** What a member knows of itself. */
interface Member {
  readonly memberId: string
  readonly instanceId: string | null
  epoch: number
  endpointEpoch: number
  owned: Owned
}

const NOTHING: Owned = { activeTasks: [], standbyTasks: [], warmupTasks: [] }
const AS_BEFORE: Owned = { activeTasks: null, standbyTasks: null, warmupTasks: null }

/**
 * Commands of a script against a group coordinator: members of a streams application, which do what
 * they are told when they `own` it. Answers are shown as they come, then the records that became
 * durable.
 */
export class StreamsScenario {
  readonly #clock = new FakeClock()
  readonly #scheduler = new ManualScheduler(this.#clock)
  readonly #log = new MemoryCoordinatorLog()
  readonly #metadata = new FakeMetadata()
  readonly #members = new Map<string, Member>()
  #config: GroupConfig = { ...DEFAULT_GROUP_CONFIG, streamsInitialRebalanceDelayMs: 0 }
  #topology: NonNullable<StreamsHeartbeatRequest['topology']> = { epoch: 0, subtopologies: [] }
  /** Internal topics are made by a command of the script. */
  readonly #wantedTopics = new Map<string, number>()
  #topicError: ErrorCode = ErrorCode.NONE
  #groups = this.#start()
  #service = this.#startService()
  #lines: string[] = []
  #shownRecordCount = 0

  readonly #verbs: Readonly<Record<string, Verb>> = {
    topic: ({ plain: [name = '', count = '1'] }) => this.#create(name, Number(count)),
    'delete-topic': ({ plain: [name = ''] }) =>
      this.#change({ kind: 'topicDeleted', name, topicId: idOf(name) }),
    'create-internal': () => {
      const wanted = [...this.#wantedTopics]
      this.#wantedTopics.clear()
      for (const [name, partitionCount] of wanted) this.#create(name, partitionCount)
    },
    'refuse-internal': ({ plain: [code = '0'] }) => {
      this.#topicError = Number(code) as ErrorCode
      this.#wantedTopics.clear()
    },
    topology: ({ named }) => {
      this.#topology = { epoch: Number(named.get('epoch') ?? 0), subtopologies: [] }
    },
    subtopology: (command) => {
      const { epoch, subtopologies } = this.#topology
      this.#topology = { epoch, subtopologies: [...subtopologies, subtopologyOf(command)] }
    },
    join: (command) => this.#join(command),
    beat: (command) => this.#beat(command, AS_BEFORE),
    own: (command) => this.#beat(command, this.#member(command).owned),
    leave: (command) => this.#leave(command),
    commit: (command) => this.#commit(command),
    fetch: ({ plain: [name = ''], named }) => this.#fetch(name, named.get('epoch')),
    describe: ({ plain: [groupId = 'g'] }) => {
      void this.#groups
        .describeStreamsGroup(groupId)
        .then((group) => this.#lines.push(...linesOfGroup(group)))
    },
    list: ({ named }) => {
      const filter = (name: string): string[] => named.get(name)?.split(',') ?? []
      void this.#groups.listGroups(filter('state'), filter('type')).then(({ groups }) => {
        const listed = groups.map(({ groupId, state, type }) => `${groupId}=${state}/${type}`)
        this.#lines.push(`list: ${listed.join(' ') || 'none'}`)
      })
    },
    delete: ({ plain: [groupId = 'g'] }) => {
      void this.#groups
        .deleteGroup(groupId)
        .then((code) => this.#lines.push(`delete ${groupId}: ${errorName(code)}`))
    },
    'classic-join': ({ plain: [memberId = ''] }) => this.#classicJoin(memberId),
    'classic-leave': ({ plain: [memberId = ''] }) => {
      const members = [{ memberId, groupInstanceId: null }]
      void this.#groups.leaveGroup({ groupId: 'g', members }).then((left) => {
        this.#lines.push(`leave: ${errorName(left.members[0]?.errorCode ?? left.errorCode)}`)
      })
    },
    'consumer-join': ({ plain: [memberId = ''] }) => this.#consumerJoin(memberId),
    config: ({ named }) => {
      const changed = [...named].map(([name, value]) => [
        name,
        name === 'streamsClientTags' ? value.split(',') : milliseconds(value),
      ])
      this.#config = { ...this.#config, ...Object.fromEntries(changed) }
    },
    restart: () => {
      this.#groups.close()
      this.#metadata.restart()
      this.#groups = this.#start()
      this.#service = this.#startService()
    },
    wait: () => {},
  }

  async run(command: Command): Promise<string[]> {
    this.#lines = []
    const verb = this.#verbs[command.verb]
    if (verb === undefined) throw new Error(`no command ${command.verb}`)
    verb(command)
    await this.#settle()
    const [time] = command.plain
    if (command.verb === 'wait' && time !== undefined) {
      this.#scheduler.advance(milliseconds(time))
      await this.#settle()
    }
    for (const record of this.#log.durable.slice(this.#shownRecordCount)) {
      this.#lines.push(`log ${textOfRecord(record)}`)
    }
    this.#shownRecordCount = this.#log.durable.length
    return this.#lines.map((line) => line.trimEnd())
  }

  async #settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.#scheduler.finishTurn()
      await setImmediate()
    }
  }

  #start(): GroupCoordinator {
    const groups = new GroupCoordinator({
      clock: this.#clock,
      scheduler: this.#scheduler,
      random: new CountingRandom(),
      logger: SILENT,
      topics: {
        ensure: () => 'ready',
        partitionCount: () => 1,
        plannedPartitionCount: () => 1,
        partition: () => undefined,
      },
      config: () => this.#config,
      metadata: () => this.#metadata.image,
      openLog: () => this.#log,
    })
    this.#metadata.subscribe(groups)
    groups.start()
    return groups
  }

  #startService(): StreamsGroupService {
    return new StreamsGroupService({
      groups: this.#groups,
      topicAdmin: {
        createTopics: (topics) => {
          const names = topics.map(({ name, partitionCount }) => `${name}:${partitionCount}`)
          this.#lines.push(`to create: ${names.sort().join(' ')}`)
          for (const topic of topics) this.#wantedTopics.set(topic.name, topic.partitionCount)
          const errorCode = this.#topicError
          const errorMessage = errorCode === 0 ? null : 'not here'
          return Promise.resolve(
            topics.map(({ name }) => ({ name, errorCode, errorMessage, created: null })),
          )
        },
      },
      logger: SILENT,
    })
  }

  #create(name: string, partitionCount: number): void {
    this.#change({ kind: 'topicCreated', topic: topicImage(name, idOf(name), partitionCount) })
  }

  #change(change: MetadataChange): void {
    void this.#metadata.commit([change])
  }

  #member({ plain: [name = ''] }: Command): Member {
    const member = this.#members.get(name)
    if (member === undefined) throw new Error(`${name} never joined`)
    return member
  }

  #join(command: Command): void {
    const { plain, named } = command
    const [name = ''] = plain
    const instanceId = named.get('instance') ?? null
    const memberId = named.get('id') ?? name
    const member = { memberId, instanceId, epoch: 0, endpointEpoch: 0, owned: NOTHING }
    this.#members.set(name, member)
    const [host, port] = named.get('endpoint')?.split(':') ?? []
    const tags = named.get('tags')?.split(',') ?? []
    this.#heartbeat(command, member, {
      ...NOTHING,
      memberEpoch: 0,
      rebalanceTimeoutMs: milliseconds(named.get('rebalance') ?? '60s'),
      topology: plain.includes('without-topology') ? null : this.#topology,
      processId: named.get('process') ?? `p-${name}`,
      userEndpoint: host === undefined ? null : { host, port: Number(port) },
      clientTags: tags.map((tag) => {
        const [key = '', value = ''] = tag.split(':')
        return { key, value }
      }),
      rackId: named.get('rack') ?? null,
    })
  }

  #beat(command: Command, owned: Owned): void {
    const { named } = command
    const member = this.#member(command)
    const said = named.get('active')
    this.#heartbeat(command, member, {
      ...owned,
      ...(said !== undefined && { ...NOTHING, activeTasks: tasksOf(said) }),
      memberEpoch: Number(named.get('epoch') ?? member.epoch),
      taskOffsets: offsetsOf(named.get('offsets')),
      taskEndOffsets: offsetsOf(named.get('ends')),
    })
  }

  #leave(command: Command): void {
    const memberEpoch = Number(command.named.get('epoch') ?? -1)
    this.#heartbeat(command, this.#member(command), { memberEpoch })
  }

  #heartbeat(
    { plain, named }: Command,
    member: Member,
    request: Partial<StreamsHeartbeatRequest>,
  ): void {
    const [name = ''] = plain
    const unchanged = {
      ...{ rackId: null, rebalanceTimeoutMs: -1, topology: null, processId: null },
      ...{ userEndpoint: null, clientTags: null, taskOffsets: null, taskEndOffsets: null },
    }
    const asked = {
      groupId: named.get('group') ?? 'g',
      client: { clientId: 'app', clientHost: '/10.0.0.1' },
      memberId: member.memberId,
      memberEpoch: member.epoch,
      endpointEpoch: member.endpointEpoch,
      instanceId: member.instanceId,
      isShutdownRequested: plain.includes('shutdown'),
      knowsClientTagStatus: true,
      ...unchanged,
      ...AS_BEFORE,
      ...request,
    }
    void this.#service.heartbeat(asked).then((result) => {
      if (result.errorCode === 0 && result.memberEpoch >= 0) {
        member.epoch = result.memberEpoch
        member.endpointEpoch = result.endpointEpoch
      }
      if (result.tasks !== null) {
        const { active, standby, warmup } = result.tasks
        member.owned = { activeTasks: active, standbyTasks: standby, warmupTasks: warmup }
      }
      this.#lines.push(...textOfResult(name, result))
    })
  }

  #commit({ plain: [name = ''], named }: Command): void {
    const member = this.#members.get(name) ?? { memberId: '', epoch: -1 }
    const topic = named.get('topic') ?? 'in'
    const partition = Number(named.get('partition') ?? 0)
    const offset = Number(named.get('offset') ?? 1)
    const partitions = [{ partition, offset, leaderEpoch: -1, metadata: null }]
    const request = {
      groupId: 'g',
      memberId: member.memberId,
      generationId: Number(named.get('epoch') ?? member.epoch),
      groupInstanceId: null,
      retentionTimeMs: -1,
      knowsGroupIdNotFound: named.get('version') !== '8',
      topics: [{ name: topic, topicId: idOf(topic), partitions }],
    }
    void this.#groups.commitOffsets(request).then(([outcome]) => {
      this.#lines.push(`${name}: ${errorName(outcome?.partitions[0]?.errorCode ?? -1)}`)
    })
  }

  #fetch(name: string, epoch: string | undefined): void {
    const member = this.#members.get(name)
    const memberId = member?.memberId ?? null
    const memberEpoch = Number(epoch ?? member?.epoch ?? -1)
    const request = { groupId: 'g', topics: null, requireStable: false, memberId, memberEpoch }
    void this.#groups.fetchOffsets(request).then(({ errorCode, topics }) => {
      const offsets = topics.flatMap((topic) =>
        topic.partitions.map(({ partition, offset }) => `${topic.name}-${partition}@${offset}`),
      )
      this.#lines.push(`${name}: ${errorName(errorCode)} ${offsets.join(' ')}`)
    })
  }

  #classicJoin(memberId: string): void {
    const request = {
      groupId: 'g',
      client: { clientId: 'app', clientHost: '/10.0.0.1' },
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      isMemberIdRequired: false,
      canSkipAssignment: true,
    }
    void this.#groups
      .joinGroup(request)
      .then(({ errorCode }) => this.#lines.push(`classic: ${errorName(errorCode)}`))
    this.#scheduler.advance(10_000)
  }

  #consumerJoin(memberId: string): void {
    void this.#groups
      .consumerHeartbeat({
        groupId: 'g',
        client: { clientId: 'app', clientHost: '/10.0.0.1' },
        memberId,
        isMemberIdRequired: true,
        ...{ memberEpoch: 0, instanceId: null, rackId: null, rebalanceTimeoutMs: 1000 },
        ...{ subscribedTopicNames: ['in'], subscribedTopicRegex: null, serverAssignor: null },
        ownedPartitions: [],
      })
      .then(({ errorCode, errorMessage }) =>
        this.#lines.push(`consumer: ${errorName(errorCode)} ${errorMessage ?? ''}`),
      )
  }
}

const idOf = (topic: string): string => topic.padEnd(22, 'A')

import { setImmediate } from 'node:timers/promises'
import { errorName } from '../../../../src/base/error-code.ts'
import type {
  ConsumerHeartbeatResult,
  DescribedConsumerGroup,
} from '../../../../src/broker/groups/consumer/consumer-group-requests.ts'
import type { TopicPartitions } from '../../../../src/broker/groups/consumer/partition-epochs.ts'
import {
  DEFAULT_GROUP_CONFIG,
  type GroupConfig,
} from '../../../../src/broker/groups/group-config.ts'
import { GroupCoordinator } from '../../../../src/broker/groups/group-coordinator.ts'
import type { MetadataChange } from '../../../../src/ports/metadata-store.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeConsumerProtocol,
  encodeConsumerProtocol,
} from '../../../../src/records/internal/consumer-protocol.ts'
import { decodeOffsetsRecord } from '../../../../src/records/internal/offsets-records.ts'
import { FakeMetadata, topicImage } from '../../support/fake-cluster.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { type Command, milliseconds } from '../../support/scenario-script.ts'
import { type LoggedRecord, MemoryCoordinatorLog } from './memory-coordinator-log.ts'

type Verb = (command: Command) => void

/** What a client of either protocol knows of itself. */
interface Member {
  memberId: string
  epoch: number
  owned: readonly TopicPartitions[]
  instanceId: string | null
  topics: readonly string[]
}

/**
 * Commands of a script against a group coordinator: members of the consumer protocol, which do what
 * they are told with their next heartbeat, and classic ones beside them. Answers are shown as they
 * come, then the records that became durable.
 */
export class ConsumerScenario {
  readonly #clock = new FakeClock()
  readonly #scheduler = new ManualScheduler(this.#clock)
  readonly #log = new MemoryCoordinatorLog()
  readonly #metadata = new FakeMetadata()
  readonly #members = new Map<string, Member>()
  #config: GroupConfig = DEFAULT_GROUP_CONFIG
  #groups = this.#start()
  #lines: string[] = []
  #shownRecordCount = 0

  readonly #verbs: Readonly<Record<string, Verb>> = {
    topic: ({ plain: [name = '', count = '1'] }) =>
      this.#change({ kind: 'topicCreated', topic: topicImage(name, idOf(name), Number(count)) }),
    'delete-topic': ({ plain: [name = ''] }) =>
      this.#change({ kind: 'topicDeleted', name, topicId: idOf(name) }),
    'add-partitions': ({ plain: [name = '', count = ''] }) => {
      const { partitions } = topicImage(name, idOf(name), Number(count))
      const known = this.#metadata.image.topics.get(name)?.partitions.length ?? 0
      const added = partitions.slice(known)
      this.#change({ kind: 'partitionsAdded', topicId: idOf(name), partitions: added })
    },
    join: (command) => this.#join(command),
    beat: (command) => this.#beat(command),
    leave: ({ plain: [name = ''], named }) => {
      const memberEpoch = Number(named.get('epoch') ?? -1)
      this.#heartbeat(name, this.#member(name), { memberEpoch, ownedPartitions: null })
    },
    commit: (command) => this.#commit(command),
    fetch: ({ plain: [name = ''], named }) => this.#fetch(name, named.get('epoch')),
    describe: ({ plain: [groupId = 'g'] }) => {
      void this.#groups
        .describeConsumerGroup(groupId)
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
    'classic-join': (command) => this.#classicJoin(command),
    'classic-sync': (command) => this.#classicSync(command),
    'classic-beat': ({ plain: [name = ''] }) => {
      const { memberId, epoch, instanceId } = this.#member(name)
      const request = { groupId: 'g', memberId, generationId: epoch, groupInstanceId: instanceId }
      void this.#groups
        .heartbeat(request)
        .then((code) => this.#lines.push(`${name}: ${errorName(code)}`))
    },
    'classic-leave': ({ plain: [name = ''] }) => {
      const { memberId, instanceId } = this.#member(name)
      const members = [{ memberId, groupInstanceId: instanceId }]
      void this.#groups.leaveGroup({ groupId: 'g', members }).then((left) => {
        this.#lines.push(`${name}: ${errorName(left.members[0]?.errorCode ?? left.errorCode)}`)
      })
    },
    config: ({ named }) => {
      const changed = [...named].map(([name, value]) => [
        name,
        name === 'migrationPolicy' ? value : milliseconds(value),
      ])
      this.#config = { ...this.#config, ...Object.fromEntries(changed) }
    },
    restart: () => {
      this.#groups.close()
      this.#metadata.restart()
      this.#groups = this.#start()
    },
    'disk-fails': () => {
      this.#log.fail()
      this.#log.isSlow = false
    },
    'disk-slow': () => {
      this.#log.isSlow = true
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

  #change(change: MetadataChange): void {
    void this.#metadata.commit([change])
  }

  #member(name: string): Member {
    const member = this.#members.get(name)
    if (member === undefined) throw new Error(`${name} never joined`)
    return member
  }

  #join({ plain: [name = '', ...topics], named }: Command): void {
    const instanceId = named.get('instance') ?? null
    const member = { memberId: named.get('id') ?? name, epoch: 0, owned: [], instanceId, topics }
    this.#members.set(name, member)
    this.#heartbeat(name, member, {
      memberEpoch: Number(named.get('epoch') ?? 0),
      rebalanceTimeoutMs: milliseconds(named.get('rebalance') ?? '60s'),
      subscribedTopicNames: topics,
      subscribedTopicRegex: named.get('regex') ?? null,
      serverAssignor: named.get('assignor') ?? null,
      ownedPartitions: [],
    })
  }

  /** `owned=as-before` sends no list, as clients do when nothing changed. */
  #beat({ plain: [name = '', ...topics], named }: Command): void {
    const member = this.#member(name)
    this.#heartbeat(name, member, {
      memberEpoch: Number(named.get('epoch') ?? member.epoch),
      subscribedTopicNames: topics.length === 0 ? null : topics,
      subscribedTopicRegex: named.get('regex') ?? null,
      ownedPartitions: named.get('owned') === 'as-before' ? null : member.owned,
    })
  }

  #heartbeat(
    name: string,
    member: Member,
    request: Partial<Parameters<GroupCoordinator['consumerHeartbeat']>[0]>,
  ): void {
    const unchanged = {
      ...{ rackId: null, rebalanceTimeoutMs: -1, subscribedTopicNames: null },
      ...{ subscribedTopicRegex: null, serverAssignor: null, ownedPartitions: null },
    }
    void this.#groups
      .consumerHeartbeat({
        groupId: 'g',
        client: { clientId: 'app', clientHost: '/10.0.0.1' },
        memberId: member.memberId,
        isMemberIdRequired: true,
        memberEpoch: member.epoch,
        instanceId: member.instanceId,
        ...unchanged,
        ...request,
      })
      .then((answer) => {
        if (answer.errorCode === 0 && answer.memberEpoch >= 0) member.epoch = answer.memberEpoch
        if (answer.assignment !== null) member.owned = answer.assignment
        this.#lines.push(`${name}: ${textOfAnswer(answer)}`)
      })
  }

  #commit({ plain: [name = ''], named }: Command): void {
    const member = this.#members.get(name) ?? { memberId: '', epoch: -1 }
    const topic = named.get('topic') ?? 't'
    const partition = Number(named.get('partition') ?? 0)
    const offset = Number(named.get('offset'))
    const partitions = [{ partition, offset, leaderEpoch: -1, metadata: null }]
    const request = {
      groupId: named.get('group') ?? 'g',
      memberId: member.memberId,
      generationId: Number(named.get('epoch') ?? member.epoch),
      groupInstanceId: null,
      retentionTimeMs: -1,
      knowsGroupIdNotFound: true,
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

  #classicJoin({ plain: [name = '', ...topics], named }: Command): void {
    const known = this.#members.get(name)
    const instanceId = named.get('instance') ?? known?.instanceId ?? null
    const made = { memberId: '', epoch: -1, owned: [], instanceId, topics }
    const member: Member = known === undefined || topics.length > 0 ? made : known
    this.#members.set(name, member)
    const ownedPartitions = member.owned.map(({ topicId, partitions }) => ({
      ...{ topic: nameOf(topicId), partitions: [...partitions] },
    }))
    const metadata = encodeConsumerProtocol(consumerProtocolSubscription, 1, {
      ...{ topics: [...member.topics], ownedPartitions },
    })
    void this.#groups
      .joinGroup({
        groupId: 'g',
        client: { clientId: 'old', clientHost: '/10.0.0.2' },
        sessionTimeoutMs: 45_000,
        rebalanceTimeoutMs: 60_000,
        memberId: member.memberId,
        groupInstanceId: member.instanceId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata }],
        isMemberIdRequired: false,
        canSkipAssignment: true,
      })
      .then(({ errorCode, memberId, generationId, leader, members }) => {
        if (errorCode === 0) Object.assign(member, { memberId, epoch: generationId })
        const role = leader === memberId && members.length > 0 ? `leads ${members.length}` : ''
        this.#lines.push(`${name}: ${errorName(errorCode)} generation=${generationId} ${role}`)
      })
  }

  /** `t=0,1` gives the member itself these partitions, as a leader alone in its group does. */
  #classicSync({ plain: [name = ''], named }: Command): void {
    const member = this.#member(name)
    const assignedPartitions = [...named].map(([topic, partitions]) => ({
      ...{ topic, partitions: partitions.split(',').map(Number) },
    }))
    const own = { assignedPartitions, userData: null }
    const bytes = encodeConsumerProtocol(consumerProtocolAssignment, 1, own)
    const assignments = new Map(assignedPartitions.length > 0 ? [[member.memberId, bytes]] : [])
    const request = {
      ...{ groupId: 'g', memberId: member.memberId, generationId: member.epoch, assignments },
      ...{ groupInstanceId: member.instanceId, protocolType: 'consumer', protocolName: 'range' },
    }
    void this.#groups.syncGroup(request).then(({ errorCode, assignment }) => {
      if (assignment.length > 0) {
        const decoded = decodeConsumerProtocol(consumerProtocolAssignment, assignment)
        member.owned = decoded.assignedPartitions.map(({ topic, partitions }) => ({
          ...{ topicId: idOf(topic), partitions },
        }))
      }
      this.#lines.push(`${name}: ${errorName(errorCode)} ${textOfTopics(member.owned)}`)
    })
  }
}

const idOf = (topic: string): string => topic.padEnd(22, 'A')
const nameOf = (topicId: string): string => topicId.replace(/A+$/, '')

const textOfTopics = (topics: readonly TopicPartitions[]): string =>
  topics.map(({ topicId, partitions }) => `${nameOf(topicId)}:${partitions}`).join(' ')

function textOfAnswer(answer: ConsumerHeartbeatResult): string {
  const { errorCode, errorMessage, memberEpoch, assignment } = answer
  if (errorCode !== 0) return `${errorName(errorCode)} ${errorMessage ?? ''}`
  const text = assignment === null ? 'as before' : textOfTopics(assignment) || 'nothing'
  return `epoch=${memberEpoch} ${text}`
}

function linesOfGroup(group: DescribedConsumerGroup): string[] {
  const { groupId, errorCode, errorMessage, state, groupEpoch, assignmentEpoch } = group
  if (errorCode !== 0) return [`${groupId}: ${errorName(errorCode)} ${errorMessage ?? ''}`]
  const members = group.members.map((member) => {
    const has = textOfTopics(member.assignment)
    const target = textOfTopics(member.targetAssignment)
    const kind = member.isClassic ? ' classic' : ''
    return `  ${member.memberId}${kind} epoch=${member.memberEpoch} has=${has} target=${target}`
  })
  const epochs = `epoch=${groupEpoch} assignment=${assignmentEpoch} ${group.assignorName}`
  return [`${groupId}: ${state} ${epochs}`, ...members]
}

/** Without what no reader asks about: hashes, times, who the client is. */
const HIDDEN = new Set([
  ...['metadataHash', 'assignmentTimestamp', 'clientId', 'clientHost', 'rackId', 'timestamp'],
  ...['commitTimestamp', 'expireTimestamp', 'metadata', 'currentStateTimestamp', 'leaderEpoch'],
  ...['classicMemberMetadata', 'protocolType', 'serverAssignor', 'subscription'],
])

function textOfRecord({ key, value }: LoggedRecord): string {
  const record = decodeOffsetsRecord(key, value)
  if (record === undefined) return 'another record'
  const name = `${record.name.replace('ConsumerGroup', '')} ${Object.values(record.key).join(' ')}`
  if (record.value === null) return `${name} gone`
  return `${name} ${JSON.stringify(withoutHidden(record.value)).replaceAll('"', '')}`
}

function withoutHidden(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `${value.length} bytes`
  if (typeof value === 'string') return nameOf(value)
  if (Array.isArray(value)) return value.map(withoutHidden)
  if (typeof value !== 'object' || value === null) return value
  const shown = Object.entries(value).filter(([name, inner]) => !HIDDEN.has(name) && inner !== null)
  return Object.fromEntries(shown.map(([name, inner]) => [name, withoutHidden(inner)]))
}

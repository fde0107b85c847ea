import { setImmediate } from 'node:timers/promises'
import { errorName } from '../../../../src/base/error-code.ts'
import {
  DEFAULT_GROUP_CONFIG,
  type GroupConfig,
} from '../../../../src/broker/groups/group-config.ts'
import { GroupCoordinator } from '../../../../src/broker/groups/group-coordinator.ts'
import { ShareCoordinator } from '../../../../src/broker/share/coordinator/share-coordinator.ts'
import { DEFAULT_SHARE_COORDINATOR_CONFIG } from '../../../../src/broker/share/coordinator/share-coordinator-config.ts'
import {
  ShareGroupService,
  type SharePartitionOffset,
} from '../../../../src/broker/share/share-group-service.ts'
import { SharePersister } from '../../../../src/broker/share/share-persister.ts'
import type { Partition } from '../../../../src/broker/topics/partition.ts'
import type { MetadataChange } from '../../../../src/ports/metadata-store.ts'
import { decodeOffsetsRecord } from '../../../../src/records/internal/offsets-records.ts'
import { FakeMetadata, topicImage } from '../../support/fake-cluster.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { type Command, milliseconds } from '../../support/scenario-script.ts'
import { type LoggedRecord, MemoryCoordinatorLog } from '../groups/memory-coordinator-log.ts'

type Verb = (command: Command) => void

/**
 * Commands of a script against the group coordinator and the share coordinator: members of share
 * groups, and administrators. Answers are shown as they come, then the records about the groups.
 */
export class ShareGroupScenario {
  readonly #clock = new FakeClock()
  readonly #scheduler = new ManualScheduler(this.#clock)
  readonly #groupLog = new MemoryCoordinatorLog()
  readonly #shareLog = new MemoryCoordinatorLog()
  readonly #metadata = new FakeMetadata()
  #config: GroupConfig = DEFAULT_GROUP_CONFIG
  /** Epoch that each member knows. */
  readonly #epochs = new Map<string, number>()
  #parts = this.#start()
  #lines: string[] = []
  #shownRecordCount = 0

  readonly #verbs: Readonly<Record<string, Verb>> = {
    topic: ({ plain: [name = '', count = '1'] }) => {
      const topic = topicImage(name, idOf(name), Number(count))
      this.#change({ kind: 'topicCreated', topic })
    },
    'delete-topic': ({ plain: [name = ''] }) =>
      this.#change({ kind: 'topicDeleted', name, topicId: idOf(name) }),
    'add-partitions': ({ plain: [name = '', count = ''] }) => {
      const { partitions } = topicImage(name, idOf(name), Number(count))
      const known = this.#metadata.image.topics.get(name)?.partitions.length ?? 0
      const added = partitions.slice(known)
      this.#change({ kind: 'partitionsAdded', topicId: idOf(name), partitions: added })
    },
    join: (command) => this.#heartbeat(command, 0),
    beat: (command) => this.#heartbeat(command, undefined),
    leave: (command) => this.#heartbeat(command, -1),
    describe: ({ plain: [group = 'g'] }) => {
      void this.#parts.service.describe(group).then(({ members, ...facts }) => {
        this.#say('describe', facts.errorCode, facts.errorMessage, [
          `${facts.state} epoch=${facts.groupEpoch} assignment=${facts.assignmentEpoch}`,
          ...members.map((one) => {
            const partitions = one.assignment.map((t) => `${t.topicName}:${t.partitions}`)
            return `  ${one.memberId} epoch=${one.memberEpoch} ${partitions.join(' ')}`
          }),
        ])
      })
    },
    offsets: ({ plain: [group = 'g', ...topics] }) => {
      const asked =
        topics.length === 0 ? null : topics.map((topicName) => ({ topicName, partitions: [0, 1] }))
      void this.#parts.service.describeOffsets(group, asked).then((read) => {
        if (typeof read === 'number') this.#say('offsets', read, null)
        else this.#say('offsets', 0, null, read.map(textOfOffsets))
      })
    },
    alter: ({ plain: [group = 'g', topic = ''], named }) => {
      const partitions = [...named].map(([partition, startOffset]) => ({
        partition: Number(partition),
        startOffset: Number(startOffset),
      }))
      void this.#parts.service
        .alterOffsets(group, [{ topicName: topic, partitions }])
        .then((answer) => {
          const lines = answer.topics.flatMap(({ topicName, partitions: outcomes }) =>
            outcomes.map((one) => `${topicName}-${one.partition}: ${errorName(one.errorCode)}`),
          )
          this.#say('alter', answer.errorCode, answer.errorMessage, lines)
        })
    },
    'delete-offsets': ({ plain: [group = 'g', ...topics] }) => {
      void this.#parts.service.deleteOffsets(group, topics).then((answer) => {
        const lines = answer.topics.map(
          (one) => `${one.topicName}: ${errorName(one.errorCode)} ${one.errorMessage ?? ''}`,
        )
        this.#say('delete-offsets', answer.errorCode, answer.errorMessage, lines)
      })
    },
    delete: ({ plain: [group = 'g'] }) => {
      void this.#parts.service.prepareDelete(group).then(async (prepared) => {
        const code = prepared === 0 ? await this.#parts.groups.deleteGroup(group) : prepared
        this.#say('delete', code, null)
      })
    },
    list: () => {
      void this.#parts.groups.listGroups([], ['share']).then(({ errorCode, groups }) => {
        const lines = groups.map(({ groupId, state, type }) => `${groupId} ${type} ${state}`)
        this.#say('list', errorCode, null, lines)
      })
    },
    'join-classic': ({ plain: [memberId = ''] }) => {
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
      void this.#parts.groups
        .joinGroup(request)
        .then(({ errorCode }) => this.#say('join-classic', errorCode, null))
    },
    config: ({ named }) => {
      const changed = [...named].map(([name, value]) => [name, milliseconds(value)])
      this.#config = { ...this.#config, ...Object.fromEntries(changed) }
    },
    'share-disk-hangs': () => {
      this.#shareLog.isSlow = true
    },
    'share-disk-works': () => {
      this.#shareLog.fail()
      this.#shareLog.isSlow = false
    },
    restart: () => {
      this.#parts.groups.close()
      this.#parts.shares.close()
      this.#metadata.restart()
      this.#parts = this.#start()
    },
    wait: () => {},
  }

  #start() {
    const ports = {
      clock: this.#clock,
      scheduler: this.#scheduler,
      random: new CountingRandom(),
      logger: SILENT,
    }
    const topics = {
      ensure: () => 'ready' as const,
      partitionCount: () => 1,
      plannedPartitionCount: () => 1,
      partition: () => undefined,
    }
    const metadata = () => this.#metadata.image
    const groups = new GroupCoordinator({
      ...{ ...ports, topics, metadata },
      config: () => this.#config,
      openLog: () => this.#groupLog,
    })
    const shares = new ShareCoordinator({
      ...{ ...ports, topics, metadata },
      config: () => DEFAULT_SHARE_COORDINATOR_CONFIG,
      openLog: () => this.#shareLog,
      endOffset: () => this.#shareLog.durable.length,
    })
    this.#metadata.subscribe(groups)
    this.#metadata.subscribe(shares)
    groups.start()
    shares.start()
    const persister = new SharePersister(shares, this.#scheduler)
    const partitions = {
      partition: () => undefined,
      partitionById: () => ({ log: { highWatermark: 1_000 } }) as Partition,
      topicName: () => undefined,
      topicId: () => undefined,
    }
    const options = { groups, persister, metadata, partitions, logger: SILENT }
    return { groups, shares, service: new ShareGroupService(options) }
  }

  #change(change: MetadataChange): void {
    void this.#metadata.commit([change])
  }

  #heartbeat(
    { plain: [memberId = '', ...topics], named }: Command,
    epoch: number | undefined,
  ): void {
    const memberEpoch = Number(named.get('epoch') ?? epoch ?? this.#epochs.get(memberId) ?? 0)
    const request = {
      groupId: named.get('group') ?? 'g',
      client: { clientId: 'app', clientHost: '/10.0.0.1' },
      memberId,
      memberEpoch,
      rackId: null,
      subscribedTopicNames: topics.length === 0 ? null : topics,
    }
    void this.#parts.service.heartbeat(request).then((answer) => {
      const { errorCode, errorMessage, assignment } = answer
      if (errorCode === 0) this.#epochs.set(memberId, answer.memberEpoch)
      const partitions = assignment?.map(
        (one) => `${one.topicId.replace(/A+$/, '')}:${one.partitions}`,
      )
      const facts = [`epoch=${answer.memberEpoch} ${partitions?.join(' ') ?? 'as before'}`]
      this.#say(memberId, errorCode, errorMessage, errorCode === 0 ? facts : [])
    })
  }

  #say(who: string, code: number, text: string | null, facts: readonly string[] = []): void {
    const [first = '', ...rest] = facts
    const words = [`${who}:`, errorName(code as never), text ?? '', first]
    this.#lines.push(words.filter((word) => word !== '').join(' '), ...rest)
  }

  async run(command: Command): Promise<string[]> {
    this.#lines = []
    const verb = this.#verbs[command.verb]
    if (verb === undefined) throw new Error(`no command ${command.verb}`)
    verb(command)
    const [time] = command.plain
    if (command.verb === 'wait' && time !== undefined) this.#scheduler.advance(milliseconds(time))
    for (let round = 0; round < 6; round++) {
      this.#scheduler.finishTurn()
      await setImmediate()
    }
    for (const record of this.#groupLog.durable.slice(this.#shownRecordCount)) {
      this.#lines.push(`log ${textOfRecord(record)}`)
    }
    this.#shownRecordCount = this.#groupLog.durable.length
    return this.#lines
  }
}

const idOf = (topic: string): string => topic.padEnd(22, 'A')

function textOfOffsets(topic: {
  readonly topicName: string
  readonly partitions: readonly SharePartitionOffset[]
}): string {
  const offsets = topic.partitions.map(
    (one) => `${one.partition}@${one.startOffset} lag ${one.lag}`,
  )
  return `${topic.topicName} ${offsets.join(', ')}`
}

function textOfRecord({ key, value }: LoggedRecord): string {
  const record = decodeOffsetsRecord(key, value)
  if (record === undefined || !record.name.startsWith('ShareGroup')) return 'another record'
  const { groupId, memberId = '' } = record.key as { groupId: string; memberId?: string }
  const name = [record.name.replace('ShareGroup', ''), groupId, memberId].filter(Boolean).join(' ')
  if (record.value === null) return `${name} gone`
  const fields = { ...record.value } as Record<string, unknown>
  for (const hidden of [
    'metadataHash',
    'assignmentTimestamp',
    'clientId',
    'clientHost',
    'rackId',
  ]) {
    delete fields[hidden]
  }
  return `${name} ${JSON.stringify(fields).replaceAll(/A{5,}/g, '').replaceAll('"', '')}`
}

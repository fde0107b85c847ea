import { errorName } from '../../../../src/base/error-code.ts'
import type { EncodedRecord } from '../../../../src/broker/coordinator/coordinator-log.ts'
import type { JoinGroupResult } from '../../../../src/broker/groups/classic/classic-group-requests.ts'
import { NO_TOPIC_ID } from '../../../../src/broker/groups/offset-requests.ts'
import { decodeOffsetsRecord } from '../../../../src/records/internal/offsets-records.ts'
import { type Command, milliseconds } from '../../support/scenario-script.ts'
import { GroupHarness, subscription } from './group-harness.ts'

interface Client {
  memberId: string
  generationId: number
  groupInstanceId: string | null
  groupId: string
}

type Verb = (command: Command) => void

/**
 * Commands of a script against a group coordinator. What comes of each: answers as they arrive, then
 * the records that became durable. Member ids are random, so they are shown as `<name>`, with a number
 * from the second id of a client on.
 */
export class GroupScenario {
  readonly #groups = new GroupHarness()
  readonly #clients = new Map<string, Client>()
  readonly #aliases = new Map<string, string>()
  #lines: string[] = []
  #shownRecordCount = 0

  readonly #verbs: Readonly<Record<string, Verb>> = {
    join: (command) => this.#join(command),
    sync: (command) => this.#sync(command),
    heartbeat: (command) => this.#heartbeat(command),
    leave: (command) => this.#leave(command),
    commit: (command) => this.#commit(command),
    fetch: (command) => this.#fetch(command),
    describe: (command) => this.#describe(command),
    list: () => this.#list(),
    delete: (command) => this.#delete(command),
    'delete-topic': ({ plain: [topic = ''] }) => this.#groups.coordinator.topicDeleted(topic),
    config: ({ named }) => {
      const changed = [...named].map(([name, value]) => [name, Number(value)])
      this.#groups.config = { ...this.#groups.config, ...Object.fromEntries(changed) }
    },
    restart: () => this.#groups.restart(),
    'disk-slow': () => {
      this.#groups.log.isSlow = true
    },
    'disk-catches-up': () => this.#groups.log.flush(),
    'disk-fails': () => {
      this.#groups.log.fail()
      this.#groups.log.isSlow = false
    },
    wait: () => {},
  }

  async run(command: Command): Promise<string[]> {
    this.#lines = []
    const verb = this.#verbs[command.verb]
    if (verb === undefined) throw new Error(`no command ${command.verb}`)
    verb(command)
    await this.#groups.settle()
    const [duration] = command.plain
    if (command.verb === 'wait') await this.#groups.advance(milliseconds(duration ?? ''))
    for (const record of this.#groups.log.durable.slice(this.#shownRecordCount)) {
      this.#say(`log ${describeRecord(record)}`)
    }
    this.#shownRecordCount = this.#groups.log.durable.length
    return this.#lines.map((line) => this.#withAliases(line))
  }

  #say(line: string): void {
    this.#lines.push(line)
  }

  #client(name: string | undefined): Client {
    const client = this.#clients.get(name ?? '')
    if (client === undefined) throw new Error(`${name} never joined`)
    return client
  }

  #withAliases(line: string): string {
    let text = line
    for (const [memberId, alias] of this.#aliases) text = text.replaceAll(memberId, alias)
    return text
  }

  #remember(name: string, memberId: string): void {
    if (memberId === '' || this.#aliases.has(memberId)) return
    let alias = `<${name}>`
    for (let count = 2; [...this.#aliases.values()].includes(alias); count++) {
      alias = `<${name}${count}>`
    }
    this.#aliases.set(memberId, alias)
  }

  #join({ plain: [name = ''], named }: Command): void {
    const groupId = named.get('group') ?? 'g'
    const known = this.#clients.get(name)
    const groupInstanceId = named.get('instance') ?? known?.groupInstanceId ?? null
    const isNew = named.get('id') === 'none'
    const memberId = isNew ? '' : (known?.memberId ?? '')
    const generationId = known?.generationId ?? -1
    const client = { memberId, generationId, groupInstanceId, groupId }
    this.#clients.set(name, client)
    const topics = (named.get('topics') ?? 'orders').split(',')
    const request = this.#groups.joinRequest({
      groupId,
      memberId,
      groupInstanceId,
      client: { clientId: name, clientHost: '/127.0.0.1' },
      sessionTimeoutMs: milliseconds(named.get('session') ?? '10s'),
      rebalanceTimeoutMs: milliseconds(named.get('rebalance') ?? '60s'),
      protocolType: named.get('type') ?? 'consumer',
      protocols: (named.get('protocols') ?? 'range')
        .split(',')
        .map((protocol) => ({ name: protocol, metadata: subscription(...topics) })),
    })
    void this.#groups.coordinator.joinGroup(request).then((result) => {
      this.#remember(name, result.memberId)
      if (result.memberId !== '') client.memberId = result.memberId
      client.generationId = result.generationId
      this.#say(`join ${name}: ${describeJoin(result)}`)
    })
  }

  #sync({ plain: [name = ''], named }: Command): void {
    const client = this.#client(name)
    const assignments = new Map(
      [...named]
        .filter(([key]) => key !== 'generation')
        .map(([who, text]) => [this.#client(who).memberId, Buffer.from(text)]),
    )
    const generationId = Number(named.get('generation') ?? client.generationId)
    const request = { ...client, generationId, protocolType: null, protocolName: null, assignments }
    void this.#groups.coordinator.syncGroup(request).then(({ errorCode, assignment }) => {
      const text = assignment.length === 0 ? '' : ` assignment=${assignment}`
      this.#say(`sync ${name}: ${errorName(errorCode)}${text}`)
    })
  }

  #heartbeat({ plain }: Command): void {
    for (const name of plain) {
      void this.#groups.coordinator.heartbeat(this.#client(name)).then((errorCode) => {
        this.#say(`heartbeat ${name}: ${errorName(errorCode)}`)
      })
    }
  }

  #leave({ plain }: Command): void {
    const clients = plain.map((name) => this.#client(name))
    const groupId = clients[0]?.groupId ?? 'g'
    void this.#groups.coordinator.leaveGroup({ groupId, members: clients }).then(({ members }) => {
      for (const [index, { errorCode }] of members.entries()) {
        this.#say(`leave ${plain[index]}: ${errorName(errorCode)}`)
      }
    })
  }

  #commit({ plain: [name = ''], named }: Command): void {
    const outside = { memberId: '', generationId: -1, groupInstanceId: null }
    const client = this.#clients.get(name)
    const retention = named.get('retention')
    void this.#groups.coordinator
      .commitOffsets({
        ...(client ?? outside),
        groupId: named.get('group') ?? client?.groupId ?? 'g',
        retentionTimeMs: retention === undefined ? -1 : milliseconds(retention),
        knowsGroupIdNotFound: true,
        topics: [
          {
            name: named.get('topic') ?? 'orders',
            topicId: NO_TOPIC_ID,
            partitions: [
              {
                partition: 0,
                offset: Number(named.get('offset')),
                leaderEpoch: -1,
                metadata: null,
              },
            ],
          },
        ],
      })
      .then(([outcome]) => {
        const errorCode = outcome?.partitions[0]?.errorCode ?? -1
        this.#say(`commit ${name}: ${errorName(errorCode)}`)
      })
  }

  #fetch({ plain: [groupId = 'g'] }: Command): void {
    const request = { groupId, topics: null, requireStable: false }
    void this.#groups.coordinator.fetchOffsets(request).then(({ errorCode, topics }) => {
      const offsets = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partition, offset }) => ` ${name}-${partition}=${offset}`),
      )
      this.#say(`fetch ${groupId}: ${errorName(errorCode)}${offsets.join('')}`)
    })
  }

  #describe({ plain: [groupId = 'g'] }: Command): void {
    void this.#groups.coordinator.describeGroup(groupId).then((group) => {
      const { errorCode, state, protocolName, members } = group
      const ids = members.map(({ memberId, assignment }) =>
        assignment.length === 0 ? memberId : `${memberId}:${assignment}`,
      )
      const protocol = protocolName === '' ? '' : ` protocol=${protocolName}`
      const list = ids.length === 0 ? '' : ` members=${ids.join(',')}`
      this.#say(`describe ${groupId}: ${errorName(errorCode)} ${state}${protocol}${list}`)
    })
  }

  #list(): void {
    void this.#groups.coordinator.listGroups([], []).then(({ errorCode, groups }) => {
      const listed = groups.map(({ groupId, state, type }) => ` ${groupId}=${state}/${type}`)
      this.#say(`list: ${errorName(errorCode)}${listed.join('')}`)
    })
  }

  #delete({ plain: [groupId = 'g'] }: Command): void {
    void this.#groups.coordinator.deleteGroup(groupId).then((errorCode) => {
      this.#say(`delete ${groupId}: ${errorName(errorCode)}`)
    })
  }
}

function describeJoin(result: JoinGroupResult): string {
  const { errorCode, memberId, generationId, leader, protocolName, members } = result
  const id = memberId === '' ? '' : ` id=${memberId}`
  if (errorCode !== 0) return `${errorName(errorCode)}${id}`
  const list =
    members.length === 0 ? '' : ` members=${members.map((one) => one.memberId).join(',')}`
  const skip = result.skipAssignment ? ' skip-assignment' : ''
  const generation = `generation=${generationId} protocol=${protocolName} leader=${leader}`
  return `NONE${id} ${generation}${list}${skip}`
}

function describeRecord({ key, value }: EncodedRecord): string {
  const record = decodeOffsetsRecord(key, value)
  if (record?.name === 'GroupMetadata') {
    const { group } = record.key
    if (record.value === null) return `GroupMetadata ${group} tombstone`
    const { generation, members } = record.value
    const list = members.map(({ memberId, assignment }) => `${memberId}:${assignment}`)
    return `GroupMetadata ${group} generation=${generation} members=${list.join(',') || 'none'}`
  }
  if (record?.name === 'OffsetCommit') {
    const { group, topic, partition } = record.key
    return `OffsetCommit ${group} ${topic}-${partition} ${record.value?.offset ?? 'tombstone'}`
  }
  throw new Error('a record of an unknown kind')
}

import { offsetCommitApi } from '../../../src/wire/kafka/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../../src/wire/kafka/messages/09-offset-fetch.ts'
import { describeGroupsApi } from '../../../src/wire/kafka/messages/15-describe-groups.ts'
import { listGroupsApi } from '../../../src/wire/kafka/messages/16-list-groups.ts'
import { deleteGroupsApi } from '../../../src/wire/kafka/messages/42-delete-groups.ts'
import { offsetDeleteApi } from '../../../src/wire/kafka/messages/47-offset-delete.ts'
import { consumerGroupHeartbeatApi } from '../../../src/wire/kafka/messages/68-consumer-group-heartbeat.ts'
import { streamsGroupDescribeApi } from '../../../src/wire/kafka/messages/89-streams-group-describe.ts'
import { streamsGroupTopologyDescriptionUpdateApi } from '../../../src/wire/kafka/messages/93-streams-group-topology-description-update.ts'
import type { Broker } from './support/broker.ts'
import { newMember } from './support/group.ts'
import { type Scenario, scenario } from './support/scenario.ts'
import { configureGroup } from './support/share-member.ts'
import { internalTopic, StreamsMember, settle, subtopology } from './support/streams-member.ts'

/** Of a coordinator that has to load its log first. */
const LOADING = [14, 16]

type JoinChanges = Parameters<StreamsMember['join']>[0]

/** A group whose first members do not wait for more, and its topic with so many partitions. */
async function prepare(broker: Broker, name: string, partitions = 2): Promise<void> {
  await broker.coordinatorReady(name)
  await configureGroup(broker, name, {
    'streams.initial.rebalance.delay.ms': '0',
    'streams.assignment.interval.ms': '0',
  })
  if (partitions > 0) await broker.createTopic(name, { partitions })
  // Kafka goes by a config a moment after it took it; once it serves these, it does.
  for (const later of ['later', 'latest']) await broker.createTopic(`${name}-${later}`)
}

const reads = (topic: string) => [subtopology({ sourceTopics: [topic] })]

function member(broker: Broker, groupId: string, memberId = 'one', facts: object = {}) {
  return new StreamsMember(broker, { groupId, memberId, subtopologies: reads(groupId), ...facts })
}

const describe = (broker: Broker, ...groupIds: string[]) =>
  broker.call(streamsGroupDescribeApi, 1, {
    groupIds,
    includeAuthorizedOperations: true,
    includeTopologyDescription: true,
  })

const refused: readonly (readonly [string, JoinChanges])[] = [
  ['no topology', { topology: null }],
  ['no rebalance timeout', { rebalanceTimeoutMs: -1 }],
  ['an empty group id', { groupId: '' }],
  ['an empty member id', { memberId: ' ' }],
  ['an empty instance id', { instanceId: '' }],
  ['an empty rack', { rackId: '' }],
  ['active tasks', { activeTasks: [{ subtopologyId: '0', partitions: [0] }] }],
  ['standby tasks', { standbyTasks: [{ subtopologyId: '0', partitions: [0] }] }],
  ['warm-up tasks', { warmupTasks: [{ subtopologyId: '0', partitions: [0] }] }],
  ['one kind of tasks only', { warmupTasks: null }],
  ['a member epoch below -2', { memberEpoch: -3 }],
  ['epoch -2 without instance', { memberEpoch: -2, topology: null }],
  ['epoch -1 in a missing group', { memberEpoch: -1, topology: null }],
  ['an epoch in a missing group', { memberEpoch: 4, topology: null }],
  ['a topology of a member that is in', { memberEpoch: 4 }],
]

const topologies: readonly (readonly [string, readonly ReturnType<typeof subtopology>[]])[] = [
  ['a regular expression', [subtopology({ sourceTopicRegex: ['a.*'] })]],
  [
    'a changelog with a partition count',
    [subtopology({ sourceTopics: ['in'], stateChangelogTopics: [internalTopic('log', 3)] })],
  ],
  ['an internal topic of Kafka', [subtopology({ sourceTopics: ['__consumer_offsets'] })]],
  ['a name that is none', [subtopology({ sourceTopics: ['a b'] })]],
  [
    'a loop',
    [
      subtopology({
        repartitionSourceTopics: [internalTopic('rep')],
        repartitionSinkTopics: ['rep'],
      }),
    ],
  ],
  [
    'a repartition topic that nobody writes',
    [subtopology({ repartitionSourceTopics: [internalTopic('rep')] })],
  ],
  ['no source at all', [subtopology({})]],
]

const refusals: readonly Scenario[] = [
  ...refused.map(([what, changes], index) =>
    scenario(`StreamsGroupHeartbeat refuses ${what}`, async (broker) => {
      const name = `str-refused-${index}`
      await broker.coordinatorReady(name)
      return settled(broker, () => member(broker, name).join(changes))
    }),
  ),
  ...topologies.map(([what, subtopologies], index) =>
    scenario(`StreamsGroupHeartbeat refuses a topology with ${what}`, async (broker) => {
      const groupId = `str-topology-${index}`
      await broker.coordinatorReady(groupId)
      const one = new StreamsMember(broker, { groupId, memberId: 'one', subtopologies })
      return settled(broker, () => one.join())
    }),
  ),
  scenario('StreamsGroupTopologyDescriptionUpdate needs a plugin', (broker) =>
    broker.call(streamsGroupTopologyDescriptionUpdateApi, 0, {
      ...{ groupId: 'g', memberId: 'm', topologyEpoch: 0 },
      topologyDescription: { subtopologies: [], globalStores: [] },
    }),
  ),
]

async function settled<A extends { readonly errorCode: number }>(
  broker: Broker,
  ask: () => Promise<A>,
): Promise<A> {
  return broker.until('an answer of the coordinator', async () => {
    const answer = await ask()
    return LOADING.includes(answer.errorCode) ? undefined : answer
  })
}

const membership: readonly Scenario[] = [
  scenario('a member of a streams group joins, is described, and leaves', async (broker) => {
    const name = 'str-join'
    await prepare(broker, name)
    const one = member(broker, name)
    const joined = await one.join({ clientTags: [{ key: 'zone', value: 'z' }], rackId: 'r' })
    const kept = await one.own()
    const plain = await one.beat()
    const stranger = await member(broker, name, 'two').beat({ memberEpoch: 3 })
    const ahead = await one.beat({ memberEpoch: 99 })
    const behind = await one.beat({ memberEpoch: 1 })
    const described = await describe(broker, name, 'str-nothing', '')
    const listed = await list(broker, name)
    const asClassic = await broker.call(describeGroupsApi, 6, {
      ...{ groups: [name], includeAuthorizedOperations: false },
    })
    const wasNotEmpty = await broker.call(deleteGroupsApi, 2, { groupsNames: [name] })
    const left = await one.beat({ memberEpoch: -1 })
    const empty = await describe(broker, name)
    const deleted = await broker.call(deleteGroupsApi, 2, { groupsNames: [name] })
    const gone = await describe(broker, name)
    return {
      ...{ joined, kept, plain, stranger, ahead, behind, described, listed, asClassic },
      ...{ wasNotEmpty, left, empty, deleted, gone },
    }
  }),
  scenario('version 0 of StreamsGroupHeartbeat is answered in its own form', async (broker) => {
    await prepare(broker, 'str-v0')
    const one = member(broker, 'str-v0', 'one', { version: 0 })
    return [await one.join(), await one.own(), await one.beat({ memberEpoch: -1 })]
  }),
  scenario('tasks move to a second member once the first gave them up', async (broker) => {
    const name = 'str-move'
    await prepare(broker, name, 4)
    const [one, two] = [member(broker, name), member(broker, name, 'two')]
    const steps = [await one.join(), await one.own(), await two.join()]
    steps.push(await one.beat(), await two.beat(), await one.own(), await two.own())
    steps.push(await one.own(), await two.own())
    const described = await describe(broker, name)
    await one.beat({ memberEpoch: -1 })
    await settle(broker, [two], [4])
    return { steps, described, tasks: two.tasks }
  }),
  scenario('tasks that a topology does not have are refused', async (broker) => {
    await prepare(broker, 'str-tasks')
    const one = member(broker, 'str-tasks')
    await one.join()
    const none = { standbyTasks: [], warmupTasks: [] }
    return [
      await one.beat({ activeTasks: [{ subtopologyId: '0', partitions: [0, 2] }], ...none }),
      await one.beat({ activeTasks: [{ subtopologyId: '9', partitions: [0] }], ...none }),
      await one.beat({
        taskOffsets: [0, 0].map((partition) => ({ subtopologyId: '0', partition, offset: 5 })),
      }),
    ]
  }),
  scenario('a group keeps its topology', async (broker) => {
    const name = 'str-keep'
    await prepare(broker, name)
    await member(broker, name).join()
    const other = subtopology({ sourceTopics: [name], subtopologyId: '7' })
    const two = member(broker, name, 'two', { subtopologies: [other] })
    const subtopologies = reads(name)
    return [await two.join(), await two.join({ topology: { epoch: 1, subtopologies } })]
  }),
  scenario('a static member comes back to its tasks', async (broker) => {
    const name = 'str-static'
    await prepare(broker, name)
    const one = member(broker, name, 'one', { instanceId: 'i', processId: 'p' })
    const again = member(broker, name, 'again', { instanceId: 'i', processId: 'p' })
    const steps = [await one.join(), await one.own(), await again.join()]
    steps.push(await again.beat({ memberEpoch: 2 }))
    const away = await one.beat({ memberEpoch: -2 })
    const described = await describe(broker, name)
    const back = [await again.join(), await again.own(), await one.beat({ memberEpoch: 2 })]
    const left = await again.beat({ memberEpoch: -1 })
    const unknown = await again.beat({ memberEpoch: -1 })
    return { steps, away, described, back, left, unknown }
  }),
  scenario('members are told where others can be asked', async (broker) => {
    const name = 'str-endpoint'
    await prepare(broker, name)
    const [one, two] = [member(broker, name), member(broker, name, 'two')]
    const at = (port: number) => ({ userEndpoint: { host: 'somewhere', port } })
    const steps = [await one.join(at(1)), await one.beat(), await one.own()]
    steps.push(await two.join(at(2)), await one.beat(), await one.own())
    steps.push(await two.own(), await one.own(), await one.beat())
    return steps
  }),
  scenario('a member can ask the whole application to stop', async (broker) => {
    const name = 'str-stop'
    await prepare(broker, name)
    const [one, two] = [member(broker, name), member(broker, name, 'two')]
    await one.join()
    const asked = await one.beat({ shutdownApplication: true })
    const told = await two.join()
    await one.beat({ memberEpoch: -1 })
    await two.beat({ memberEpoch: -1 })
    return [asked, told, await one.join()]
  }),
  scenario('a member reports how far its state is', async (broker) => {
    const name = 'str-offsets'
    await prepare(broker, name)
    const one = member(broker, name)
    await one.join()
    const at = (offset: number) => [{ subtopologyId: '0', partition: 1, offset }]
    await one.beat({ taskOffsets: at(5), taskEndOffsets: at(9) })
    await one.beat({ taskEndOffsets: at(10) })
    return describe(broker, name)
  }),
]

async function list(broker: Broker, groupId: string) {
  const filters = [{ typesFilter: ['streams'] }, { statesFilter: ['Stable'] }]
  const answers = await Promise.all(
    filters.map((filter) =>
      broker.call(listGroupsApi, 5, { statesFilter: [], typesFilter: [], ...filter }),
    ),
  )
  return answers.map(({ groups }) => groups.filter((group) => group.groupId === groupId))
}

const topics: readonly Scenario[] = [
  scenario('a member waits for source topics', async (broker) => {
    const name = 'str-source'
    await prepare(broker, name, 0)
    const one = member(broker, name)
    const joined = await one.join()
    const described = await describe(broker, name)
    await broker.createTopic(name, { partitions: 3 })
    await settle(broker, [one], [3])
    return { joined, described, tasks: one.tasks }
  }),
  scenario('internal topics are created with the right counts', async (broker) => {
    const name = 'str-internal'
    await prepare(broker, name, 3)
    const one = member(broker, name, 'one', {
      subtopologies: [
        subtopology({ sourceTopics: [name], repartitionSinkTopics: [`${name}-rep`] }),
        subtopology({
          subtopologyId: '1',
          repartitionSourceTopics: [internalTopic(`${name}-rep`)],
          stateChangelogTopics: [
            {
              ...internalTopic(`${name}-log`),
              topicConfigs: [{ key: 'cleanup.policy', value: 'compact' }],
            },
          ],
        }),
      ],
    })
    const joined = await one.join()
    await settle(broker, [one], [6])
    return {
      status: joined.status?.map(({ statusCode }) => statusCode),
      tasks: one.tasks,
      described: await describe(broker, name),
    }
  }),
  scenario('topics that are joined need the same number of partitions', async (broker) => {
    const name = 'str-join-topics'
    await prepare(broker, name, 2)
    await broker.createTopic(`${name}-2`, { partitions: 3 })
    const together = { sourceTopics: [0, 1], sourceTopicRegex: [], repartitionSourceTopics: [] }
    const sourceTopics = [name, `${name}-2`]
    const parts = [subtopology({ sourceTopics, copartitionGroups: [together] })]
    const one = member(broker, name, 'one', { subtopologies: parts })
    return [await one.join(), await one.beat()]
  }),
  scenario('a fixed repartition topic has to fit what it is joined with', async (broker) => {
    const name = 'str-fixed'
    await prepare(broker, name, 2)
    const parts = [
      subtopology({
        sourceTopics: [name],
        repartitionSourceTopics: [internalTopic(`${name}-rep`, 5)],
        repartitionSinkTopics: [`${name}-rep`],
        copartitionGroups: [
          { sourceTopics: [0], sourceTopicRegex: [], repartitionSourceTopics: [0] },
        ],
      }),
    ]
    return member(broker, name, 'one', { subtopologies: parts }).join()
  }),
  scenario('an internal topic that is there with another count is in the way', async (broker) => {
    const name = 'str-count'
    await prepare(broker, name, 2)
    await broker.createTopic(`${name}-log`, { partitions: 5 })
    const stateChangelogTopics = [internalTopic(`${name}-log`)]
    const parts = [subtopology({ sourceTopics: [name], stateChangelogTopics })]
    return member(broker, name, 'one', { subtopologies: parts }).join()
  }),
  scenario('copies of tasks go to another process', async (broker) => {
    const name = 'str-standby'
    await prepare(broker, name, 2)
    await configureGroup(broker, name, { 'streams.num.standby.replicas': '1' })
    const stateChangelogTopics = [internalTopic(`${name}-log`)]
    const subtopologies = [subtopology({ sourceTopics: [name], stateChangelogTopics })]
    const one = member(broker, name, 'one', { subtopologies, processId: 'p1' })
    const two = member(broker, name, 'two', { subtopologies, processId: 'p2' })
    await one.join()
    await settle(broker, [one], [2])
    await two.join()
    await settle(broker, [one, two], [1, 1], 1)
    const tasks = [one.tasks, two.tasks]
    await two.beat({ memberEpoch: -1 })
    await settle(broker, [one], [2])
    return { tasks, left: one.tasks }
  }),
]

const others: readonly Scenario[] = [
  scenario('members of a streams group commit at their epochs', async (broker) => {
    const name = 'str-commit'
    await prepare(broker, name)
    const one = member(broker, name)
    await one.join()
    const commit = async (epoch: number, memberId = 'one', version = 9, topic = name) => {
      const partitions = [
        { partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' },
      ]
      const answer = await broker.call(offsetCommitApi, version, {
        ...{ groupId: name, generationIdOrMemberEpoch: epoch, memberId, groupInstanceId: null },
        topics: [{ name: topic, partitions }],
      })
      return answer.topics[0]?.partitions[0]?.errorCode
    }
    const fetch = async (memberEpoch: number, memberId: string | null) => {
      const group = { groupId: name, memberId, memberEpoch, topics: null }
      const answer = await broker.call(offsetFetchApi, 9, { groups: [group], requireStable: false })
      return answer.groups[0]
    }
    const epoch = one.memberEpoch
    const codes = [await commit(epoch), await commit(epoch + 1), await commit(epoch - 1)]
    codes.push(await commit(epoch, 'two'), await commit(-1, ''), await commit(epoch, 'one', 8))
    const fetched = [await fetch(epoch, 'one'), await fetch(epoch + 1, 'one')]
    fetched.push(await fetch(epoch, 'two'), await fetch(-1, null))
    const kept = await broker.call(offsetDeleteApi, 0, {
      ...{ groupId: name, topics: [{ name, partitions: [{ partitionIndex: 0 }] }] },
    })
    await one.beat({ memberEpoch: -1 })
    codes.push(await commit(-1, ''))
    const deleted = await broker.call(offsetDeleteApi, 0, {
      ...{ groupId: name, topics: [{ name, partitions: [{ partitionIndex: 0 }] }] },
    })
    return { codes, fetched, kept, deleted }
  }),
  scenario('members of other protocols are kept out of a streams group', async (broker) => {
    const name = 'str-others'
    await prepare(broker, name)
    const one = member(broker, name)
    await one.join()
    const classic = await newMember(broker, name)
    const seen = [await classic.join(), await classic.heartbeat(), await classic.sync()]
    const consumer = await broker.call(consumerGroupHeartbeatApi, 1, {
      ...{ groupId: name, memberId: 'c', memberEpoch: 0, rebalanceTimeoutMs: 1000 },
      ...{ subscribedTopicNames: [name], topicPartitions: [] },
    })
    await one.beat({ memberEpoch: -1 })
    const consumerOfEmpty = await broker.call(consumerGroupHeartbeatApi, 1, {
      ...{ groupId: name, memberId: 'c', memberEpoch: 0, rebalanceTimeoutMs: 1000 },
      ...{ subscribedTopicNames: [name], topicPartitions: [] },
    })
    const { errorCode } = await classic.joinFully()
    const inClassic = await one.join()
    return { seen, consumer, consumerOfEmpty, errorCode, inClassic, now: await list(broker, name) }
  }),
  scenario('an empty classic group becomes a streams group', async (broker) => {
    const name = 'str-upgrade'
    await prepare(broker, name)
    const classic = await newMember(broker, name)
    await classic.joinFully()
    const whileThere = await member(broker, name).join()
    await classic.leave()
    const joined = await member(broker, name).join()
    return { whileThere, joined, listed: await list(broker, name) }
  }),
]

export const streamsGroups: readonly Scenario[] = [...refusals, ...membership, ...topics, ...others]

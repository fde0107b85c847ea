import { batchPositions, recordsOf } from '../../../src/records/records-iterator.ts'
import { findCoordinatorApi } from '../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { describeGroupsApi } from '../../../src/wire/kafka/messages/15-describe-groups.ts'
import { listGroupsApi } from '../../../src/wire/kafka/messages/16-list-groups.ts'
import { deleteGroupsApi } from '../../../src/wire/kafka/messages/42-delete-groups.ts'
import { shareGroupDescribeApi } from '../../../src/wire/kafka/messages/77-share-group-describe.ts'
import { initializeShareGroupStateApi } from '../../../src/wire/kafka/messages/83-initialize-share-group-state.ts'
import { readShareGroupStateApi } from '../../../src/wire/kafka/messages/84-read-share-group-state.ts'
import { writeShareGroupStateApi } from '../../../src/wire/kafka/messages/85-write-share-group-state.ts'
import { deleteShareGroupStateApi } from '../../../src/wire/kafka/messages/86-delete-share-group-state.ts'
import { readShareGroupStateSummaryApi } from '../../../src/wire/kafka/messages/87-read-share-group-state-summary.ts'
import { describeShareGroupOffsetsApi } from '../../../src/wire/kafka/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsetsApi } from '../../../src/wire/kafka/messages/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsetsApi } from '../../../src/wire/kafka/messages/92-delete-share-group-offsets.ts'
import { type Broker, batchOf } from './support/broker.ts'
import { type Scenario, scenario } from './support/scenario.ts'
import { configureGroup, ShareMember } from './support/share-member.ts'

const ACCEPT = 1
const RELEASE = 2
const REJECT = 3
const RENEW = 4
const GAP = 0
/** Of a coordinator that has to load its log first. */
const LOADING = [14, 16]

/** A topic of the scenario's own, with records, and a group that reads it from its beginning. */
async function prepare(broker: Broker, name: string, values: readonly string[] = []) {
  await broker.coordinatorReady(name)
  const topicId = await broker.createTopic(name)
  await configureGroup(broker, name, { 'share.auto.offset.reset': 'earliest' })
  for (const value of values) await broker.produce(name, batchOf(value))
  return topicId
}

/** A member that joined, on its own connection. */
async function member(broker: Broker, name: string, topicId: string, id = 'one') {
  const one = new ShareMember(broker, name, id, topicId)
  await one.join(name)
  return one
}

const values = (count: number): string[] => Array.from({ length: count }, (_, at) => `value ${at}`)

const heartbeats: readonly Scenario[] = [
  ...[
    ['an empty member id', { memberId: '' }],
    ['a member id of 37 characters', { memberId: 'm'.repeat(37) }],
    ['an empty group id', { groupId: '' }],
    ['an empty rack', { rackId: '' }],
    ['no subscription', { subscribedTopicNames: null }],
    ['an empty subscription', { subscribedTopicNames: [] }],
    ['a member epoch below -1', { memberEpoch: -2 }],
    ['epoch -1 in a missing group', { memberEpoch: -1 }],
    ['an epoch in a missing group', { memberEpoch: 5 }],
  ].map(([what, changes], index) =>
    scenario(`ShareGroupHeartbeat refuses ${what}`, async (broker) => {
      await broker.coordinatorReady(`sh-refused-${index}`)
      const one = new ShareMember(broker, `sh-refused-${index}`, 'one', '')
      return broker.until('an answer of the coordinator', async () => {
        const answer = await one.beat({ subscribedTopicNames: ['nothing'], ...(changes as object) })
        return LOADING.includes(answer.errorCode) ? undefined : answer
      })
    }),
  ),
  scenario('a member joins, gets partitions when they have state, and leaves', async (broker) => {
    const topicId = await prepare(broker, 'sh-join')
    const one = new ShareMember(broker, 'sh-join', 'one', topicId)
    const joined = await one.beat({ subscribedTopicNames: ['sh-join'] })
    await one.join('sh-join')
    const told = await one.beat()
    const stranger = await new ShareMember(broker, 'sh-join', 'two', topicId).beat({
      memberEpoch: 3,
    })
    const ahead = await one.beat({ memberEpoch: 99 })
    const listed = await broker.call(listGroupsApi, 5, {
      statesFilter: [],
      typesFilter: ['share'],
    })
    const own = listed.groups.filter(({ groupId }) => groupId === 'sh-join')
    const described = await broker.call(shareGroupDescribeApi, 1, {
      groupIds: ['sh-join', 'sh-nothing'],
      includeAuthorizedOperations: true,
    })
    const asClassic = await broker.call(describeGroupsApi, 6, {
      groups: ['sh-join'],
      includeAuthorizedOperations: false,
    })
    const left = await one.beat({ memberEpoch: -1 })
    return { joined, told, stranger, ahead, own, described, asClassic, left }
  }),
]

const sessions: readonly Scenario[] = [
  scenario('share sessions have epochs', async (broker) => {
    const topicId = await prepare(broker, 'ss-epochs', values(1))
    const one = await member(broker, 'ss-epochs', topicId)
    const wait = { maxWaitMs: 0 }
    const before = await one.fetch({ ...wait, shareSessionEpoch: 1 })
    const final = await one.fetch({ ...wait, shareSessionEpoch: -1 })
    const withWords = await one.fetch(wait, [[0, 0, ACCEPT]])
    const opened = (await one.fetchSome()).errorCode
    const epoch = one.sessionEpoch
    const wrong = await one.fetch({ ...wait, shareSessionEpoch: 77 })
    const acknowledgedFirst = await one.acknowledge([[0, 0, ACCEPT]], { shareSessionEpoch: 0 })
    const acknowledgedWrong = await one.acknowledge([[0, 0, ACCEPT]], { shareSessionEpoch: 78 })
    one.sessionEpoch = epoch
    const acknowledged = await one.acknowledge([[0, 0, ACCEPT]])
    const closed = await one.acknowledge([], { shareSessionEpoch: -1, topics: [] })
    const gone = await one.acknowledge([[0, 0, ACCEPT]])
    return [
      ...[before, final, withWords, opened, wrong],
      ...[acknowledgedFirst, acknowledgedWrong, acknowledged, closed, gone],
    ]
  }),
  scenario('a fetch of what is not there says so, without waiting for it', async (broker) => {
    await prepare(broker, 'ss-unknown')
    const one = new ShareMember(broker, 'ss-unknown', 'one', 'AAAAAAAAAAAAAAAAAAAAAg')
    const first = await one.fetch()
    const second = await one.fetch()
    const noGroup = await one.fetch({ groupId: null })
    const noMember = await one.fetch({ memberId: null })
    const longMember = await one.fetch({ memberId: 'm'.repeat(37) })
    const said = await one.acknowledge([[0, 1, ACCEPT]])
    return [first, second, noGroup, noMember, longMember, said]
  }),
  scenario('a group that never read a partition has no state of it', async (broker) => {
    const topicId = await prepare(broker, 'ss-stateless')
    const one = new ShareMember(broker, 'ss-stateless', 'one', topicId)
    return one.fetch()
  }),
]

const deliveries: readonly Scenario[] = [
  scenario('records are accepted, released, rejected and said to be no records', async (broker) => {
    const topicId = await prepare(broker, 'sd-types', values(8))
    const one = await member(broker, 'sd-types', topicId)
    const got = await one.fetchSome()
    const some = await one.acknowledge([
      [0, 3, ACCEPT, RELEASE, REJECT, GAP],
      [4, 5, RELEASE],
    ])
    const again = await one.fetchSome()
    const rest = await one.fetch({ maxWaitMs: 0 }, [
      [1, 1, ACCEPT],
      [4, 7, ACCEPT],
    ])
    return { got, some, again, rest }
  }),
  scenario('acknowledgements that do not fit are refused as a whole', async (broker) => {
    const topicId = await prepare(broker, 'sd-misfit', values(6))
    const one = await member(broker, 'sd-misfit', topicId)
    await one.fetchSome()
    const answers = []
    for (const said of [
      [[0, 9, ACCEPT]],
      [[20, 21, ACCEPT]],
      [[3, 2, ACCEPT]],
      [[0, 1]],
      [[0, 1, ACCEPT, ACCEPT, ACCEPT]],
      [[0, 0, 9]],
      [[0, 0, RENEW]],
      [
        [2, 3, ACCEPT],
        [0, 1, ACCEPT],
      ],
      [[0, 1, ACCEPT]],
      [[0, 1, ACCEPT]],
      [[0, 3, ACCEPT]],
      [[1, 2, ACCEPT, ACCEPT]],
      [],
    ] as [number, number][][]) {
      answers.push(await one.acknowledge(said))
    }
    return answers
  }),
  scenario('what a member has is nobody else to acknowledge', async (broker) => {
    const topicId = await prepare(broker, 'sd-owner', values(4))
    const one = await member(broker, 'sd-owner', topicId)
    const two = await member(broker, 'sd-owner', topicId, 'two')
    await one.fetchSome()
    await two.fetch({ maxWaitMs: 0 })
    const stolen = await two.acknowledge([[0, 3, ACCEPT]])
    const some = await two.acknowledge([[1, 2, ACCEPT]])
    await one.fetch({ shareSessionEpoch: -1, topics: [] })
    const inherited = await two.fetchSome()
    return { stolen, some, inherited }
  }),
  scenario('locks are renewed only by requests that say so', async (broker) => {
    const topicId = await prepare(broker, 'sd-renew', values(2))
    const one = await member(broker, 'sd-renew', topicId)
    await one.fetchSome()
    const nothing = { maxBytes: 0, minBytes: 0, maxRecords: 0, maxWaitMs: 0 }
    const unsaid = await one.acknowledge([[0, 1, RENEW]])
    const said = await one.acknowledge([[0, 1, RENEW]], { isRenewAck: true })
    const greedy = await one.fetch({ isRenewAck: true }, [[0, 1, RENEW]])
    const fetched = await one.fetch({ ...nothing, isRenewAck: true }, [[0, 1, RENEW]])
    const accepted = await one.acknowledge([[0, 1, ACCEPT]])
    const late = await one.acknowledge([[0, 1, RENEW]], { isRenewAck: true })
    return { unsaid, said, greedy, fetched, accepted, late }
  }),
  scenario('records that were delivered too often are archived', async (broker) => {
    const topicId = await prepare(broker, 'sd-count', values(1))
    const limit = { 'share.delivery.count.limit': '2' }
    await configureGroup(broker, 'sd-count', limit)
    const one = await member(broker, 'sd-count', topicId)
    const first = await one.fetchSome()
    await one.acknowledge([[0, 0, RELEASE]])
    const second = await one.fetchSome()
    await one.acknowledge([[0, 0, RELEASE]])
    const third = await one.fetch()
    await broker.produce('sd-count', batchOf('more'))
    const more = await one.fetchSome()
    return { first, second, third, more }
  }),
  scenario('batches are cut at the batch size, and at the limit of records', async (broker) => {
    const topicId = await prepare(broker, 'sd-cut', values(6))
    const one = await member(broker, 'sd-cut', topicId)
    const first = await one.fetchSome({ batchSize: 2, maxRecords: 3 })
    const strict = await one.fetchSome({ maxRecords: 1, shareAcquireMode: 1 })
    const rest = await one.fetchSome({ batchSize: 1 })
    return { first, strict, rest }
  }),
]

/** Key, value and headers of the records of a topic, as text. */
async function dumped(broker: Broker, topic: string, count: number): Promise<unknown[]> {
  return broker.until(`${count} records of ${topic}`, async () => {
    const { records } = await broker.fetch(topic, 0)
    if (records === null) return undefined
    const found = [...batchPositions(records)].flatMap((at) => [...recordsOf(records, at)])
    if (found.length < count) return undefined
    return found.map(({ offset, key, value, headers }) => ({
      offset,
      key: key?.toString(),
      value: value?.toString(),
      headers: headers.map((header) => `${header.key}: ${header.value}`),
    }))
  })
}

const deadLetters: readonly Scenario[] = [
  ...[
    ['with their keys and values', 'sl-copy', 'true'],
    ['without their keys and values', 'sl-bare', 'false'],
  ].map(([how = '', name = '', copies = '']) =>
    scenario(
      `rejected and exhausted records go to the dead-letter topic ${how}`,
      async (broker) => {
        const topicId = await prepare(broker, name, values(4))
        const topic = `dlq.${name}`
        const enabled = { 'errors.deadletterqueue.group.enable': 'true' }
        await broker.createTopic(topic, { configs: enabled })
        await configureGroup(broker, name, {
          'errors.deadletterqueue.topic.name': topic,
          'errors.deadletterqueue.copy.record.enable': copies,
          'share.delivery.count.limit': '2',
        })
        const one = await member(broker, name, topicId)
        await one.fetchSome()
        await one.acknowledge([
          [0, 1, REJECT],
          [2, 2, RELEASE],
          [3, 3, ACCEPT],
        ])
        const rejected = await dumped(broker, topic, 2)
        await one.fetchSome()
        await one.acknowledge([[2, 2, RELEASE]])
        const all = await dumped(broker, topic, 3)
        await broker.produce(name, batchOf('more'))
        const more = await one.fetchSome()
        return { rejected, all, more }
      },
    ),
  ),
  scenario('a dead-letter topic that is not one holds nobody up', async (broker) => {
    const topicId = await prepare(broker, 'sl-none', values(2))
    await configureGroup(broker, 'sl-none', { 'errors.deadletterqueue.topic.name': 'dlq.nothing' })
    const one = await member(broker, 'sl-none', topicId)
    await one.fetchSome()
    const rejected = await one.acknowledge([[0, 1, REJECT]])
    await broker.produce('sl-none', batchOf('more'))
    return { rejected, more: await one.fetchSome() }
  }),
]

const admin: readonly Scenario[] = [
  scenario('offsets are set, described and deleted while nobody is in', async (broker) => {
    const topicId = await prepare(broker, 'sa-offsets', values(5))
    const describe = (topics: object[] | null) =>
      broker.call(describeShareGroupOffsetsApi, 1, {
        groups: [{ groupId: 'sa-offsets', topics: topics as never }],
      })
    const alter = (topicName: string, partitionIndex: number, startOffset: number) =>
      broker.call(alterShareGroupOffsetsApi, 0, {
        groupId: 'sa-offsets',
        topics: [{ topicName, partitions: [{ partitionIndex, startOffset }] }],
      })
    const remove = (...names: string[]) =>
      broker.call(deleteShareGroupOffsetsApi, 0, {
        groupId: 'sa-offsets',
        topics: names.map((topicName) => ({ topicName })),
      })
    const early = [await describe(null), await remove('sa-offsets')]
    const set = [await alter('sa-offsets', 0, 2), await alter('sa-offsets', 7, 2)]
    const nowhere = await alter('sa-nothing', 0, 2)
    const shown = [
      await describe(null),
      await describe([{ topicName: 'sa-offsets', partitions: [0] }]),
      await describe([{ topicName: 'sa-nothing', partitions: [0] }]),
      await describe([]),
    ]
    const one = await member(broker, 'sa-offsets', topicId)
    const got = await one.fetchSome()
    await one.acknowledge([[3, 4, ACCEPT]])
    const busy = [await alter('sa-offsets', 0, 0), await remove('sa-offsets')]
    const full = await broker.call(deleteGroupsApi, 2, { groupsNames: ['sa-offsets'] })
    const behind = await describe(null)
    await one.acknowledge([], { shareSessionEpoch: -1, topics: [] })
    await one.beat({ memberEpoch: -1 })
    const removed = [await remove('sa-offsets', 'sa-nothing'), await describe(null)]
    const deleted = await broker.call(deleteGroupsApi, 2, { groupsNames: ['sa-offsets'] })
    const after = await broker.call(shareGroupDescribeApi, 1, {
      groupIds: ['sa-offsets'],
      includeAuthorizedOperations: false,
    })
    return { early, set, nowhere, shown, got, busy, full, behind, removed, deleted, after }
  }),
]

const state: readonly Scenario[] = [
  scenario('the state of a share partition is initialized, read and written', async (broker) => {
    const topicId = await prepare(broker, 'st-state')
    const groupId = 'st-state'
    const key = `${groupId}:${topicId}:0`
    await broker.until('share coordinator', async () => {
      const answer = await broker.call(findCoordinatorApi, 6, {
        ...{ keyType: 2, coordinatorKeys: [key] },
      })
      return answer.coordinators[0]?.errorCode === 0 ? true : undefined
    })
    const of = <P extends object>(partition: P) => ({
      groupId,
      topics: [{ topicId, partitions: [{ partition: 0, ...partition }] }],
    })
    const initialize = (partition: object) =>
      broker.call(initializeShareGroupStateApi, 0, of(partition) as never)
    const read = (leaderEpoch: number) =>
      broker.call(readShareGroupStateApi, 0, of({ leaderEpoch }))
    const write = (changes: object) =>
      broker.call(
        writeShareGroupStateApi,
        1,
        of({
          stateEpoch: 3,
          leaderEpoch: 5,
          startOffset: 0,
          deliveryCompleteCount: 0,
          stateBatches: [],
          ...changes,
        }),
      )
    const batch = (
      firstOffset: number,
      lastOffset: number,
      deliveryState: number,
      count: number,
    ) => ({
      ...{ firstOffset, lastOffset, deliveryState, deliveryCount: count },
    })
    const summary = () => broker.call(readShareGroupStateSummaryApi, 1, of({ leaderEpoch: 5 }))
    const answers = [await read(0), await write({}), await summary()]
    answers.push(await initialize({ partition: 9, stateEpoch: 3, startOffset: 0 }))
    answers.push(await initialize({ stateEpoch: -1, startOffset: 0 }))
    answers.push(await initialize({ stateEpoch: 3, startOffset: -1 }), await summary())
    answers.push(await initialize({ stateEpoch: 2, startOffset: 0 }))
    answers.push(await read(5), await read(4), await write({ leaderEpoch: 4 }))
    answers.push(await write({ stateEpoch: 2 }), await write({ stateEpoch: -1 }))
    answers.push(await write({ stateBatches: [batch(0, 9, 0, 1), batch(12, 14, 2, 1)] }))
    answers.push(await write({ stateBatches: [batch(2, 3, 2, 2), batch(5, 5, 4, 1)] }))
    answers.push(await read(5))
    answers.push(await write({ startOffset: 3, deliveryCompleteCount: 7 }), await summary())
    answers.push(await read(6))
    answers.push(await broker.call(deleteShareGroupStateApi, 0, of({}) as never))
    answers.push(await read(6), await summary())
    return answers
  }),
]

export const shareGroups: readonly Scenario[] = [
  ...heartbeats,
  ...sessions,
  ...deliveries,
  ...deadLetters,
  ...admin,
  ...state,
]

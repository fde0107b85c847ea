import { describeGroupsApi } from '../../../src/wire/kafka/messages/15-describe-groups.ts'
import { listGroupsApi } from '../../../src/wire/kafka/messages/16-list-groups.ts'
import { deleteGroupsApi } from '../../../src/wire/kafka/messages/42-delete-groups.ts'
import { consumerGroupHeartbeatApi } from '../../../src/wire/kafka/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribeApi } from '../../../src/wire/kafka/messages/69-consumer-group-describe.ts'
import type { Broker } from './support/broker.ts'
import { Consumer } from './support/consumer.ts'
import { newMember } from './support/group.ts'
import { type Scenario, scenario } from './support/scenario.ts'

/** The topic that these groups read, with three partitions, and a coordinator. */
export async function prepareTopic(broker: Broker, groupId: string): Promise<void> {
  await broker.coordinatorReady(groupId)
  try {
    await broker.createTopic('ck', { partitions: 3 })
  } catch (error) {
    // An earlier conversation with the same broker made it.
    if (!String(error).includes('error 36')) throw error
  }
}

/** A member that joined and has all three partitions. */
async function settled(broker: Broker, groupId: string, base = {}): Promise<Consumer> {
  await prepareTopic(broker, groupId)
  const consumer = new Consumer(broker, groupId, 'one', base)
  await consumer.join()
  await consumer.until(3)
  return consumer
}

const list = (broker: Broker, filters: object) =>
  broker.call(listGroupsApi, 5, { statesFilter: [], typesFilter: [], ...filters })

export const consumerGroups: readonly Scenario[] = [
  ...[
    ['an empty member id', { memberId: '' }],
    ['an empty group id', { groupId: '' }],
    ['an empty instance id', { instanceId: '' }],
    ['an empty rack', { rackId: ' ' }],
    ['no rebalance timeout', { rebalanceTimeoutMs: -1 }],
    ['no list of partitions', { topicPartitions: null }],
    ['no subscription', { subscribedTopicNames: null }],
    ['a member epoch below -2', { memberEpoch: -3 }],
    ['epoch -2 without instance id', { memberEpoch: -2 }],
    ['epoch -1 in a missing group', { memberEpoch: -1 }],
    ['an epoch in a missing group', { memberEpoch: 5 }],
    ['an unknown assignor', { serverAssignor: 'mine' }],
    ['a regular expression that is none', { subscribedTopicRegex: 'a[' }],
    ['look-ahead, which RE2 has not', { subscribedTopicRegex: 'a(?=b)' }],
  ].map(([what, changes], index) =>
    scenario(`ConsumerGroupHeartbeat refuses ${what}`, async (broker) => {
      await prepareTopic(broker, `ck-refused-${index}`)
      const consumer = new Consumer(broker, `ck-refused-${index}`, 'one')
      return consumer.join(changes as object)
    }),
  ),
  scenario('partitions that are held at a join have error 42', async (broker) => {
    await prepareTopic(broker, 'ck-held')
    const topicId = await broker.topicReady('ck')
    const consumer = new Consumer(broker, 'ck-held', 'one')
    return consumer.join({ topicPartitions: [{ topicId, partitions: [0] }] })
  }),
  scenario('v0 gives an id to a member that comes without one', async (broker) => {
    await prepareTopic(broker, 'ck-v0')
    const answer = await broker.call(consumerGroupHeartbeatApi, 0, {
      ...{ groupId: 'ck-v0', memberId: '', memberEpoch: 0, rebalanceTimeoutMs: 1000 },
      ...{ subscribedTopicNames: ['ck'], topicPartitions: [] },
    })
    return [answer.errorCode, answer.memberId?.length, answer.memberEpoch, answer.assignment]
  }),
  scenario('the first member of a group gets everything at once', async (broker) => {
    await prepareTopic(broker, 'ck-first')
    const consumer = new Consumer(broker, 'ck-first', 'one')
    const joined = await consumer.join()
    return [joined, await consumer.beat(), await consumer.describe()]
  }),
  scenario('a heartbeat that says everything is told everything', async (broker) => {
    const consumer = await settled(broker, 'ck-full')
    const full = { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['ck'] }
    return [await consumer.send({}), await consumer.beat(), await consumer.beat(full)]
  }),
  scenario('a topic that is missing is no error, and gives nothing', async (broker) => {
    await prepareTopic(broker, 'ck-missing')
    const consumer = new Consumer(broker, 'ck-missing', 'one')
    const joined = await consumer.join({ subscribedTopicNames: ['ck-not-there'] })
    return [joined, await consumer.beat(), await consumer.describe()]
  }),
  scenario('an empty subscription is no error', async (broker) => {
    await prepareTopic(broker, 'ck-empty')
    const consumer = new Consumer(broker, 'ck-empty', 'one')
    return [await consumer.join({ subscribedTopicNames: [] }), await consumer.describe()]
  }),
  scenario('a topic that is created later is handed out', async (broker) => {
    await prepareTopic(broker, 'ck-later')
    const consumer = new Consumer(broker, 'ck-later', 'one')
    await consumer.join({ subscribedTopicNames: ['ck-later-topic'] })
    await broker.createTopic('ck-later-topic', { partitions: 2 })
    return [await consumer.until(2), consumer.epoch]
  }),
  scenario(
    'epochs: too great and too small have error 110, the previous passes',
    async (broker) => {
      const consumer = await settled(broker, 'ck-epochs')
      const { epoch, owned } = consumer
      const previous = epoch - 1
      return [
        (await consumer.beat({ memberEpoch: epoch + 1 })).errorCode,
        (await consumer.beat({ memberEpoch: previous })).errorCode,
        (await consumer.send({ memberEpoch: 1, topicPartitions: owned })).errorCode,
        (await consumer.send({ memberId: 'nobody' })).errorCode,
        (await consumer.join()).memberEpoch,
      ]
    },
  ),
  scenario('a second member gets its share when the first has let go', async (broker) => {
    const first = await settled(broker, 'ck-two')
    const second = new Consumer(broker, 'ck-two', 'two')
    const joined = await second.join()
    await broker.until('a smaller set for the first', async () => {
      await first.beat({ topicPartitions: null })
      return first.count === 3 ? undefined : true
    })
    const unconfirmed = await second.beat()
    const state = (await second.describe())?.groupState
    const confirmed = await first.beat()
    const answers = [joined.errorCode, unconfirmed.assignment, state, confirmed.errorCode]
    return [...answers, await second.until(1), first.epoch === second.epoch, first.count]
  }),
  scenario('a member that leaves is gone, and its partitions are the others', async (broker) => {
    const first = await settled(broker, 'ck-leave')
    const second = new Consumer(broker, 'ck-leave', 'two')
    await second.join()
    await broker.until('a share for the second', async () => {
      await first.beat()
      await second.beat()
      return second.count === 1 ? true : undefined
    })
    const left = await second.leave()
    const again = await second.leave()
    return [left, again, await first.until(3)]
  }),
  scenario('the last member leaves an empty group behind', async (broker) => {
    const consumer = await settled(broker, 'ck-last')
    const left = await consumer.leave()
    const description = await consumer.describe()
    const rejoined = await consumer.join()
    return [left, description, rejoined]
  }),
  scenario('static members: pause, another id, and a living instance', async (broker) => {
    const base = { instanceId: 'i1' }
    const first = await settled(broker, 'ck-static', base)
    const taken = new Consumer(broker, 'ck-static', 'two', base)
    const unreleased = await taken.join()
    const fenced = await taken.send({ memberEpoch: 3 })
    const paused = await first.leave(-2)
    const whilePaused = await first.describe()
    const back = await taken.join()
    const old = await first.send({ memberEpoch: 2 })
    const unknown = await first.send({ instanceId: 'other', memberEpoch: 2 })
    return [unreleased, fenced, paused, whilePaused, back, old, unknown, await taken.describe()]
  }),
  scenario('OffsetCommit checks the member epoch', async (broker) => {
    const consumer = await settled(broker, 'ck-commit')
    const { epoch } = consumer
    return [
      await consumer.commit(epoch),
      await consumer.commit(epoch, 8),
      await consumer.commit(epoch + 1),
      await consumer.commit(epoch - 1),
      await consumer.commit(epoch, 9, 'nobody'),
      await consumer.commit(-1, 9, ''),
      await consumer.fetchOffsets(epoch),
      await consumer.fetchOffsets(epoch - 1),
      await consumer.fetchOffsets(epoch, 'nobody'),
      await consumer.fetchOffsets(-1, null),
    ]
  }),
  scenario('a commit with an older epoch passes for partitions held since', async (broker) => {
    const first = await settled(broker, 'ck-older')
    const before = first.epoch
    const second = new Consumer(broker, 'ck-older', 'two')
    await second.join()
    await broker.until('a share for the second', async () => {
      await first.beat()
      await second.beat()
      return second.count === 1 ? true : undefined
    })
    const held = first.owned[0]?.partitions.includes(0) === true ? first : second
    return [first.epoch > before, held === first, await first.commit(before)]
  }),
  scenario('commits from outside go to an empty group only', async (broker) => {
    const consumer = await settled(broker, 'ck-outside')
    const refused = await consumer.commit(-1, 9, '')
    await consumer.leave()
    return [refused, await consumer.commit(-1, 9, ''), await consumer.commit(1, 9, 'one')]
  }),
  scenario('a regular expression gets the topics whose whole name matches', async (broker) => {
    await prepareTopic(broker, 'ck-regex')
    await broker.createTopic('ck-re-one', { partitions: 1 })
    await broker.createTopic('ck-re-two', { partitions: 2 })
    const base = { subscribedTopicRegex: 'ck-re-.*' }
    const consumer = new Consumer(broker, 'ck-regex', 'one', base)
    const joined = await consumer.join()
    const count = await consumer.until(3)
    const described = await consumer.describe()
    return [joined.errorCode, count, described?.members[0]?.subscribedTopicRegex]
  }),
  scenario('a changed subscription takes partitions away at once', async (broker) => {
    const consumer = await settled(broker, 'ck-change')
    const changed = await consumer.beat({ subscribedTopicNames: [], rebalanceTimeoutMs: 30_000 })
    const held = changed.assignment
    return [changed.errorCode, held, await consumer.until(0)]
  }),
  scenario('the range assignor gives runs of partitions', async (broker) => {
    await prepareTopic(broker, 'ck-range')
    const base = { serverAssignor: 'range' }
    const first = new Consumer(broker, 'ck-range', 'one', base)
    const second = new Consumer(broker, 'ck-range', 'two', base)
    await first.join()
    await second.join()
    await broker.until('a share for each', async () => {
      await first.beat()
      await second.beat()
      return first.count === 2 && second.count === 1 ? true : undefined
    })
    const described = await first.describe()
    return [first.owned, second.owned, described?.assignorName]
  }),
  scenario('classic calls about a consumer group have error 69', async (broker) => {
    const consumer = await settled(broker, 'ck-classic')
    return [
      await broker.call(describeGroupsApi, 5, { groups: ['ck-classic'] }),
      await broker.call(describeGroupsApi, 6, { groups: ['ck-classic'] }),
      await broker.call(deleteGroupsApi, 2, { groupsNames: ['ck-classic'] }),
      (await consumer.leave()).errorCode,
      await broker.call(deleteGroupsApi, 2, { groupsNames: ['ck-classic'] }),
      await broker.call(deleteGroupsApi, 2, { groupsNames: ['ck-classic'] }),
      await consumer.describe(),
    ]
  }),
  scenario(
    'ConsumerGroupDescribe of a missing and of a classic group has error 69',
    async (broker) => {
      const member = await newMember(broker, 'ck-is-classic')
      await member.joinFully()
      return broker.call(consumerGroupDescribeApi, 0, {
        groupIds: ['ck-nothing', 'ck-is-classic'],
        includeAuthorizedOperations: true,
      })
    },
  ),
  scenario('a classic group of another protocol type can not be joined', async (broker) => {
    const member = await newMember(broker, 'ck-connect', { protocolType: 'connect' })
    await member.joinFully()
    await member.sync()
    const consumer = new Consumer(broker, 'ck-connect', 'one')
    return consumer.join()
  }),
  scenario('ListGroups filters by type and state', async (broker) => {
    await settled(broker, 'ck-listed')
    const named = async (filters: object) => {
      const { groups } = await list(broker, filters)
      return groups.filter(({ groupId }) => groupId === 'ck-listed')
    }
    return [
      await named({ typesFilter: ['consumer'], statesFilter: ['stable'] }),
      await named({ typesFilter: ['Consumer'], statesFilter: ['Empty'] }),
      await named({ typesFilter: ['classic'] }),
      await named({}),
    ]
  }),
]

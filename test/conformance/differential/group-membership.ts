import { findCoordinatorApi } from '../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { joinGroupApi } from '../../../src/wire/kafka/messages/11-join-group.ts'
import { leaveGroupApi } from '../../../src/wire/kafka/messages/13-leave-group.ts'
import { describeGroupsApi } from '../../../src/wire/kafka/messages/15-describe-groups.ts'
import type { Broker } from './support/broker.ts'
import { type Member, newMember } from './support/group.ts'
import { type Scenario, scenario } from './support/scenario.ts'

async function find(broker: Broker, version: number, keys: readonly string[], keyType = 0) {
  const request =
    version >= 4 ? { keyType, coordinatorKeys: keys } : { keyType, key: keys[0] ?? '' }
  return broker.call(findCoordinatorApi, version, request)
}

/** The first member of a group, in Stable. */
async function stable(broker: Broker, groupId: string, options = {}): Promise<Member> {
  const member = await newMember(broker, groupId, options)
  await member.joinFully()
  await member.sync()
  return member
}

export const groupMembership: readonly Scenario[] = [
  scenario(
    'FindCoordinator names this broker, and refuses key types that it does not know',
    async (broker) => {
      await broker.coordinatorReady('find-group')
      const answers: unknown[] = []
      for (let version = 1; version <= 6; version++)
        answers.push(await find(broker, version, ['find-group']))
      const { coordinators, ...rest } = await find(broker, 4, ['find-group'], 9)
      // Spool's text says what is wrong, Kafka's only that something is.
      const refused = coordinators.map((one) => ({
        ...one,
        errorMessage: one.errorMessage !== null,
      }))
      return [answers, { ...rest, refused }, await find(broker, 4, ['a', 'b'])]
    },
  ),
  scenario('a new member without an id is given one and error 79 first', async (broker) => {
    const member = await newMember(broker, 'join-79')
    const first = await member.join()
    const second = await member.join()
    return [first, second]
  }),
  ...[0, 1, 2, 3, 5, 6, 7, 8, 9].map((version) =>
    scenario(`JoinGroup v${version}, SyncGroup and Heartbeat go through`, async (broker) => {
      const member = await newMember(broker, `join-v${version}`, { version })
      return [
        await member.joinFully(),
        await member.sync(),
        await member.heartbeat(),
        await member.leave(),
      ]
    }),
  ),
  ...[
    ['a session timeout below the minimum', { sessionTimeoutMs: 50 }],
    ['a session timeout above the maximum', { sessionTimeoutMs: 1_800_001 }],
    ['no protocols', { protocols: [] }],
    ['an empty protocol type', { protocolType: '' }],
    ['an unknown member id', { memberId: 'nobody' }],
  ].map(([what, options], index) =>
    scenario(`JoinGroup refuses ${what}`, async (broker) =>
      (await newMember(broker, `join-refused-${index}`, options as object)).join(),
    ),
  ),
  scenario('JoinGroup refuses an empty group id', async (broker) => {
    await broker.coordinatorReady('join-empty')
    return broker.call(joinGroupApi, 5, {
      ...{ groupId: '', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '' },
      ...{ protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from('m') }] },
    })
  }),
  scenario('another protocol type, or no common protocol, has error 23', async (broker) => {
    await stable(broker, 'join-type')
    const other = await newMember(broker, 'join-type', { protocolType: 'connect' })
    const foreign = await newMember(broker, 'join-type', { protocols: ['other'] })
    return [await other.join(), await foreign.join()]
  }),
  scenario('the protocol that most members like best is chosen', async (broker) => {
    const groupId = 'join-vote'
    const first = await stable(broker, groupId, { protocols: ['a', 'b'] })
    const second = await newMember(broker, groupId, { protocols: ['b', 'a'] })
    const third = await newMember(broker, groupId, { protocols: ['b', 'a', 'c'] })
    await second.join()
    await third.join()
    const all = [second.joinLater(), third.joinLater()]
    await broker.until('the rebalance', async () =>
      (await first.heartbeat()).errorCode === 27 ? true : undefined,
    )
    const answers = await Promise.all([first.join(), ...all])
    return answers.map(({ errorCode, protocolName, generationId }) => [
      errorCode,
      protocolName,
      generationId,
    ])
  }),
  scenario(
    'Heartbeat: 0 in Stable and CompletingRebalance, 27 in PreparingRebalance',
    async (broker) => {
      const groupId = 'beat-states'
      const first = await newMember(broker, groupId)
      await first.joinFully()
      const completing = await first.heartbeat()
      await first.sync()
      const steady = await first.heartbeat()
      const second = await newMember(broker, groupId)
      await second.join()
      const pending = second.joinLater()
      await broker.until('the rebalance', async () =>
        (await first.heartbeat()).errorCode === 27 ? true : undefined,
      )
      const preparing = await first.heartbeat()
      await first.join()
      await pending
      const wrongGeneration = await first.heartbeat({ generationId: 99 })
      const unknown = await first.heartbeat({ memberId: 'nobody' })
      return [completing, steady, preparing, wrongGeneration, unknown]
    },
  ),
  scenario('Heartbeat to a group that is not there has error 25', async (broker) => {
    const member = await newMember(broker, 'beat-missing')
    return member.heartbeat({ memberId: 'nobody', generationId: 1 })
  }),
  scenario(
    'a member that does not join again is dropped when the rebalance times out',
    async (broker) => {
      const groupId = 'join-drop'
      const first = await stable(broker, groupId, {
        rebalanceTimeoutMs: 1500,
        sessionTimeoutMs: 20_000,
      })
      const second = await newMember(broker, groupId, { rebalanceTimeoutMs: 1500 })
      await second.join()
      const joined = await second.join()
      return [joined.errorCode, joined.members.length, await first.heartbeat()]
    },
  ),
  scenario('a member that falls silent is dropped when its session ends', async (broker) => {
    const member = await stable(broker, 'join-silent', { sessionTimeoutMs: 500 })
    await broker.until('a group without members', async () => {
      const { groups } = await broker.call(describeGroupsApi, 5, { groups: ['join-silent'] })
      return groups[0]?.groupState === 'Empty' ? true : undefined
    })
    return member.heartbeat()
  }),
  scenario('SyncGroup refuses a wrong generation, type, name and member', async (broker) => {
    const member = await newMember(broker, 'sync-refused')
    await member.joinFully()
    return [
      await member.sync({ generationId: 99 }),
      await member.sync({ protocolType: 'connect' }),
      await member.sync({ protocolName: 'other' }),
      await member.sync({ memberId: 'nobody' }),
      await member.sync(),
      await member.sync(),
    ]
  }),
  scenario('a follower waits for the assignment of the leader', async (broker) => {
    const groupId = 'sync-follower'
    const first = await stable(broker, groupId)
    const second = await newMember(broker, groupId)
    await second.join()
    const pending = second.joinLater()
    await broker.until('the rebalance', async () =>
      (await first.heartbeat()).errorCode === 27 ? true : undefined,
    )
    const leader = await first.join()
    const follower = await pending
    const waiting = second.syncLater()
    await first.sync({ assignmentFor: second.memberId })
    return [
      leader.members.length,
      follower.members.length,
      leader.leader === follower.leader,
      await waiting,
    ]
  }),
  scenario(
    'a member with the same metadata that joins again keeps the generation, with other it rebalances',
    async (broker) => {
      const member = await stable(broker, 'join-again')
      const same = await member.join()
      await member.sync()
      const changed = await member.join({ metadata: 'other' })
      return [same.errorCode, same.generationId, changed.errorCode, changed.generationId]
    },
  ),
  scenario('a static member that restarts has a new id in the same generation', async (broker) => {
    const groupId = 'static-restart'
    const first = await newMember(broker, groupId, { groupInstanceId: 'one' })
    const joined = await first.join()
    await first.sync()
    const again = await newMember(broker, groupId, { groupInstanceId: 'one' })
    const rejoined = await again.join()
    const synced = await again.sync()
    return [joined, rejoined, synced, await first.heartbeat(), await again.heartbeat()]
  }),
  scenario('the old incarnation of a static member is fenced in every call', async (broker) => {
    const groupId = 'static-fenced'
    const first = await newMember(broker, groupId, { groupInstanceId: 'one' })
    await first.join()
    await first.sync()
    await (await newMember(broker, groupId, { groupInstanceId: 'one' })).join()
    return [await first.heartbeat(), await first.sync(), await first.join(), await first.leave()]
  }),
  scenario('LeaveGroup is per member, and knows instances by their name alone', async (broker) => {
    const groupId = 'leave-some'
    const first = await newMember(broker, groupId, { groupInstanceId: 'one' })
    await first.join()
    await first.sync()
    const leave = (members: readonly { memberId: string; groupInstanceId?: string }[]) =>
      broker.call(leaveGroupApi, 4, {
        groupId,
        members: members.map(({ memberId, groupInstanceId = null }) => ({
          memberId,
          groupInstanceId,
        })),
      })
    return [
      await leave([{ memberId: 'nobody' }]),
      await leave([{ memberId: '', groupInstanceId: 'two' }]),
      await leave([{ memberId: 'wrong', groupInstanceId: 'one' }]),
      await leave([{ memberId: '', groupInstanceId: 'one' }]),
      await leave([{ memberId: '', groupInstanceId: 'one' }]),
    ]
  }),
  scenario('LeaveGroup v0 of an unknown member has error 25', async (broker) => {
    await broker.coordinatorReady('leave-old')
    return broker.call(leaveGroupApi, 0, { groupId: 'leave-old', memberId: 'nobody', members: [] })
  }),
]

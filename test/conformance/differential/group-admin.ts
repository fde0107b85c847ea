import { offsetCommitApi } from '../../../src/wire/kafka/messages/08-offset-commit.ts'
import { describeGroupsApi } from '../../../src/wire/kafka/messages/15-describe-groups.ts'
import { listGroupsApi } from '../../../src/wire/kafka/messages/16-list-groups.ts'
import { deleteGroupsApi } from '../../../src/wire/kafka/messages/42-delete-groups.ts'
import { offsetDeleteApi } from '../../../src/wire/kafka/messages/47-offset-delete.ts'
import type { Broker } from './support/broker.ts'
import { type Member, newMember } from './support/group.ts'
import { type Scenario, scenario } from './support/scenario.ts'

const describe = (broker: Broker, version: number, ...groups: string[]) =>
  broker.call(describeGroupsApi, version, { groups, includeAuthorizedOperations: false })
const remove = (broker: Broker, version: number, ...groupsNames: string[]) =>
  broker.call(deleteGroupsApi, version, { groupsNames })

async function list(
  broker: Broker,
  version: number,
  prefix: string,
  states: string[] = [],
  types: string[] = [],
) {
  const answer = await broker.call(listGroupsApi, version, {
    statesFilter: states,
    typesFilter: types,
  })
  return { ...answer, groups: answer.groups.filter(({ groupId }) => groupId.startsWith(prefix)) }
}

async function active(broker: Broker, groupId: string): Promise<Member> {
  const member = await newMember(broker, groupId)
  await member.joinFully()
  await member.sync()
  return member
}

async function simple(broker: Broker, groupId: string): Promise<void> {
  await broker.coordinatorReady(groupId)
  await broker.createTopic(groupId, { partitions: 2 })
  const partition = { partitionIndex: 0, committedOffset: 3, committedMetadata: '' }
  await broker.call(offsetCommitApi, 8, {
    ...{ groupId, generationIdOrMemberEpoch: -1, memberId: '' },
    topics: [{ name: groupId, partitions: [partition] }],
  })
}

async function forget(broker: Broker, groupId: string, name: string, partitionIndex: number) {
  const topics = [{ name, partitions: [{ partitionIndex }] }]
  return broker.call(offsetDeleteApi, 0, { groupId, topics })
}

export const groupAdmin: readonly Scenario[] = [
  scenario(
    'DescribeGroups shows members, metadata and assignment in each version',
    async (broker) => {
      await active(broker, 'admin-describe')
      const answers: unknown[] = []
      for (let version = 0; version <= 6; version++)
        answers.push(await describe(broker, version, 'admin-describe'))
      return answers
    },
  ),
  scenario('DescribeGroups of a missing group is Dead up to v5, error 69 in v6', async (broker) => {
    await broker.coordinatorReady('admin-missing')
    return [
      await describe(broker, 5, 'admin-missing'),
      await describe(broker, 6, 'admin-missing'),
      await describe(broker, 5, ''),
    ]
  }),
  scenario('DescribeGroups follows the states of a group', async (broker) => {
    const member = await newMember(broker, 'admin-states')
    await member.joinFully()
    const completing = await describe(broker, 5, 'admin-states')
    await member.sync()
    await member.leave()
    return [completing, await describe(broker, 5, 'admin-states')]
  }),
  scenario('ListGroups in each version, filtered by state and type', async (broker) => {
    await active(broker, 'admin-list-active')
    await simple(broker, 'admin-list-simple')
    const answers: unknown[] = []
    for (let version = 0; version <= 5; version++)
      answers.push(await list(broker, version, 'admin-list'))
    return [
      answers,
      await list(broker, 4, 'admin-list', ['Stable']),
      await list(broker, 4, 'admin-list', ['stable']),
      await list(broker, 4, 'admin-list', ['Empty', 'Nonsense']),
      await list(broker, 5, 'admin-list', [], ['classic']),
      await list(broker, 5, 'admin-list', [], ['consumer']),
      await list(broker, 5, 'admin-list', [], ['nonsense']),
    ]
  }),
  scenario('DeleteGroups: missing 69, with members 68, else gone', async (broker) => {
    const member = await active(broker, 'admin-delete')
    await simple(broker, 'admin-delete-simple')
    const full = await remove(
      broker,
      2,
      'admin-delete',
      'admin-delete-missing',
      'admin-delete-simple',
    )
    await member.leave()
    return [
      full,
      await remove(broker, 3, 'admin-delete', ''),
      await list(broker, 5, 'admin-delete'),
    ]
  }),
  scenario('OffsetDelete: missing group 69, subscribed topic 86, else gone', async (broker) => {
    await simple(broker, 'admin-forget')
    return [
      await forget(broker, 'admin-forget-missing', 'admin-forget', 0),
      await forget(broker, 'admin-forget', 'admin-forget', 1),
      await forget(broker, 'admin-forget', 'admin-nowhere', 0),
      await forget(broker, 'admin-forget', 'admin-forget', 0),
    ]
  }),
  scenario(
    'OffsetDelete reads of a subscription only the topics, as in version 0',
    async (broker) => {
      const answers: unknown[] = []
      for (const version of [0, 1, 3, 77]) {
        const groupId = `admin-prefix-${version}`
        await simple(broker, groupId)
        const member = await newMember(broker, groupId)
        // One topic, no user data, and nothing of what later versions add.
        const length = String.fromCharCode(groupId.length)
        const metadata = `\0${String.fromCharCode(version)}\0\0\0\x01\0${length}${groupId}\0\0\0\0`
        const first = await member.join({ metadata })
        if (first.errorCode === 79) await member.join({ metadata })
        await member.sync()
        answers.push(await forget(broker, groupId, groupId, 0))
        answers.push(await forget(broker, groupId, 'admin-nowhere', 0))
      }
      return answers
    },
  ),
  scenario(
    'OffsetDelete of a group whose members do not speak the consumer protocol has error 68',
    async (broker) => {
      await active(broker, 'admin-forget-active')
      await broker.createTopic('admin-forget-topic')
      return forget(broker, 'admin-forget-active', 'admin-forget-topic', 0)
    },
  ),
]

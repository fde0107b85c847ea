import { ZERO_UUID } from '../../../src/wire/kafka/codec.ts'
import { offsetCommitApi } from '../../../src/wire/kafka/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../../src/wire/kafka/messages/09-offset-fetch.ts'
import type { Broker } from './support/broker.ts'
import { newMember } from './support/group.ts'
import { type Scenario, scenario } from './support/scenario.ts'

interface Commit {
  readonly groupId: string
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly offset?: number
  readonly metadata?: string | null
  readonly generationId?: number
  readonly memberId?: string
  readonly groupInstanceId?: string
}

async function commit(broker: Broker, asked: Commit, version = 9) {
  const partition = {
    partitionIndex: asked.partition ?? 0,
    committedOffset: asked.offset ?? 5,
    committedMetadata: asked.metadata === undefined ? 'note' : asked.metadata,
  }
  const topic =
    version >= 10 ? { topicId: asked.topicId ?? ZERO_UUID } : { name: asked.topic ?? 'commit' }
  return broker.call(offsetCommitApi, version, {
    groupId: asked.groupId,
    generationIdOrMemberEpoch: asked.generationId ?? -1,
    memberId: asked.memberId ?? '',
    groupInstanceId: asked.groupInstanceId ?? null,
    topics: [{ ...topic, partitions: [partition] }],
  })
}

/** What is committed, for the given partitions or for all. */
async function committed(
  broker: Broker,
  groupId: string,
  version: number,
  topics: Record<string, number[]> | null,
) {
  const asked =
    topics === null
      ? null
      : Object.entries(topics).map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
  const request =
    version >= 8 ? { groups: [{ groupId, topics: asked }] } : { groupId, topics: asked, groups: [] }
  return broker.call(offsetFetchApi, version, { groupId: '', topics: [], ...request })
}

async function ready(broker: Broker, groupId: string): Promise<void> {
  await broker.coordinatorReady(groupId)
  await broker.createTopic(groupId, { partitions: 2 })
}

export const committedOffsets: readonly Scenario[] = [
  scenario('every version commits and fetches what was committed', async (broker) => {
    const name = 'commit-versions'
    await broker.coordinatorReady(name)
    const topicId = await broker.createTopic(name, { partitions: 2 })
    const seen: unknown[] = []
    for (let version = 2; version <= 10; version++) {
      seen.push(
        await commit(broker, { groupId: name, topic: name, topicId, offset: version }, version),
      )
      if (version <= 9) seen.push(await committed(broker, name, version, { [name]: [0, 1] }))
    }
    seen.push(await committed(broker, name, 1, { [name]: [0, 1] }))
    const groups = [{ groupId: name, topics: [{ topicId, partitionIndexes: [0, 1] }] }]
    seen.push(await broker.call(offsetFetchApi, 10, { groupId: '', topics: [], groups }))
    return seen
  }),
  scenario('null topics are all topics, and a missing group is no error', async (broker) => {
    const name = 'commit-all'
    await ready(broker, name)
    await commit(broker, { groupId: name, topic: name, partition: 1 })
    return [
      await committed(broker, name, 2, null),
      await committed(broker, name, 8, null),
      await committed(broker, 'commit-no-group', 8, { [name]: [0] }),
      await committed(broker, 'commit-no-group', 7, { [name]: [0] }),
      await committed(broker, 'commit-no-group', 8, null),
      await committed(broker, name, 8, { 'commit-nowhere': [3] }),
    ]
  }),
  scenario('several groups in one request are answered each', async (broker) => {
    const name = 'commit-several'
    await ready(broker, name)
    await commit(broker, { groupId: name, topic: name })
    const groups = [name, 'commit-other'].map((groupId) => ({
      groupId,
      topics: [{ name, partitionIndexes: [0] }],
    }))
    return broker.call(offsetFetchApi, 8, { groupId: '', topics: [], groups })
  }),
  scenario('null metadata goes out as text', async (broker) => {
    const name = 'commit-null'
    await ready(broker, name)
    return [
      await commit(broker, { groupId: name, topic: name, metadata: null }),
      await committed(broker, name, 8, { [name]: [0] }),
    ]
  }),
  scenario('a negative offset is accepted, metadata above the limit is not', async (broker) => {
    const name = 'commit-limits'
    await ready(broker, name)
    return [
      await commit(broker, { groupId: name, topic: name, offset: -7 }),
      await committed(broker, name, 8, { [name]: [0] }),
      await commit(broker, { groupId: name, topic: name, metadata: 'x'.repeat(4097) }),
      await commit(broker, { groupId: name, topic: name, metadata: 'x'.repeat(4096) }),
    ]
  }),
  scenario(
    'commits to unknown topics and partitions have error 3, unknown ids 100',
    async (broker) => {
      const name = 'commit-unknown'
      await ready(broker, name)
      return [
        await commit(broker, { groupId: name, topic: 'commit-nowhere' }),
        await commit(broker, { groupId: name, topic: name, partition: 9 }),
        await commit(broker, { groupId: name, topicId: 'AAAAAAAAAAAAAAAAAAAABQ' }, 10),
      ]
    },
  ),
  scenario('commits of a member need its generation and id', async (broker) => {
    const name = 'commit-member'
    await ready(broker, name)
    const missing = await commit(broker, {
      groupId: 'commit-missing',
      topic: name,
      generationId: 1,
      memberId: 'a',
    })
    const member = await newMember(broker, name)
    await member.joinFully()
    const { memberId, generationId } = member
    const mine = { groupId: name, topic: name, memberId, generationId }
    const completing = await commit(broker, mine)
    await member.sync()
    return [
      missing,
      completing,
      await commit(broker, mine),
      await commit(broker, { ...mine, generationId: 99 }),
      await commit(broker, { ...mine, memberId: 'nobody' }),
      await commit(broker, { groupId: name, topic: name }),
      await commit(broker, { ...mine, groupInstanceId: 'unknown' }),
    ]
  }),
  scenario(
    'a commit of the last generation counts while the group prepares a rebalance',
    async (broker) => {
      const name = 'commit-preparing'
      await ready(broker, name)
      const member = await newMember(broker, name)
      await member.joinFully()
      await member.sync()
      const second = await newMember(broker, name)
      await second.join()
      const pending = second.joinLater()
      await broker.until('the rebalance', async () =>
        (await member.heartbeat()).errorCode === 27 ? true : undefined,
      )
      const { memberId, generationId } = member
      const answer = await commit(broker, { groupId: name, topic: name, memberId, generationId })
      await member.join()
      await pending
      return answer
    },
  ),
  scenario('an empty group id cannot commit or fetch', async (broker) => {
    const name = 'commit-empty-id'
    await ready(broker, name)
    return [
      await commit(broker, { groupId: '', topic: name }),
      await committed(broker, '', 8, { [name]: [0] }),
    ]
  }),
]

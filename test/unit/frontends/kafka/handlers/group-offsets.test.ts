import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { offsetCommitHandler } from '../../../../../src/frontends/kafka/handlers/08-offset-commit.ts'
import { offsetFetchHandler } from '../../../../../src/frontends/kafka/handlers/09-offset-fetch.ts'
import { offsetDeleteHandler } from '../../../../../src/frontends/kafka/handlers/47-offset-delete.ts'
import { offsetCommitApi } from '../../../../../src/wire/kafka/messages/08-offset-commit.ts'
import { offsetFetchApi } from '../../../../../src/wire/kafka/messages/09-offset-fetch.ts'
import { offsetDeleteApi } from '../../../../../src/wire/kafka/messages/47-offset-delete.ts'
import { GroupHarness } from '../../../broker/groups/group-harness.ts'
import { call, metadataWithOrders, ORDERS_ID, UNKNOWN_ID } from './group-apis-harness.ts'

function setUp() {
  const groups = new GroupHarness()
  const services = {
    get groups() {
      return groups.coordinator
    },
    metadata: metadataWithOrders(),
  }
  const commit = (version: number, topics: readonly object[], generation = -1) =>
    groups.now(
      call(offsetCommitApi, offsetCommitHandler(services), version, {
        groupId: 'g',
        generationIdOrMemberEpoch: generation,
        memberId: '',
        topics: topics as [],
      }),
    )
  const fetchHandler = offsetFetchHandler(services)
  const fetch = (version: number, request: object) =>
    groups.now(call(offsetFetchApi, fetchHandler, version, request))
  return { groups, services, commit, fetch }
}

const partition = (partitionIndex: number, committedOffset: number) => ({
  partitionIndex,
  committedOffset,
  committedMetadata: 'm',
})

describe('OffsetCommit on the wire', () => {
  it('commits in every version, and OffsetFetch of every version reads it', async () => {
    for (let version = 2; version <= 10; version++) {
      const { commit, fetch } = setUp()
      const named = { name: 'orders', topicId: ORDERS_ID }
      const topic = { ...named, partitions: [partition(1, version)] }
      const { topics } = await commit(version, [topic])
      assert.equal(topics[0]?.partitions[0]?.errorCode, ErrorCode.NONE)
      for (let fetchVersion = 1; fetchVersion <= 10; fetchVersion++) {
        const asked = [{ ...named, partitionIndexes: [1] }]
        const request =
          fetchVersion < 8
            ? { groupId: 'g', topics: asked }
            : { groups: [{ groupId: 'g', topics: asked }] }
        const answer = await fetch(fetchVersion, request)
        const fetched = fetchVersion < 8 ? answer.topics : answer.groups[0]?.topics
        assert.equal(fetched?.[0]?.partitions[0]?.committedOffset, version)
        assert.equal(fetched?.[0]?.partitions[0]?.metadata, 'm')
      }
    }
  })

  it('answers unknown topics with 3 and unknown ids with 100, in the order asked', async () => {
    const { commit } = setUp()
    const byName = await commit(9, [
      { name: 'none', partitions: [partition(0, 1)] },
      { name: 'orders', partitions: [partition(5, 1), partition(0, 1), partition(-1, 1)] },
    ])
    assert.deepEqual(
      byName.topics.map(({ name, partitions }) => [name, partitions.map((one) => one.errorCode)]),
      [
        ['none', [3]],
        ['orders', [3, 0, 3]],
      ],
    )
    const byId = await commit(10, [
      { topicId: UNKNOWN_ID, partitions: [partition(0, 1)] },
      { topicId: ORDERS_ID, partitions: [partition(0, 1)] },
    ])
    assert.deepEqual(
      byId.topics.map(({ topicId, partitions }) => [topicId, partitions[0]?.errorCode]),
      [
        [UNKNOWN_ID, ErrorCode.UNKNOWN_TOPIC_ID],
        [ORDERS_ID, ErrorCode.NONE],
      ],
    )
  })

  it('says GROUP_ID_NOT_FOUND from version 9 on, ILLEGAL_GENERATION before', async () => {
    const { commit } = setUp()
    const topics = [{ name: 'orders', partitions: [partition(0, 1)] }]
    const code = async (version: number) =>
      (await commit(version, topics, 4)).topics[0]?.partitions[0]?.errorCode
    assert.equal(await code(8), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(await code(9), ErrorCode.GROUP_ID_NOT_FOUND)
  })
})

describe('OffsetFetch on the wire', () => {
  it('has the error of the group in each partition before version 2', async () => {
    const { groups, fetch } = setUp()
    groups.topicState = 'creating'
    groups.restart()
    const topics = [{ name: 'orders', partitionIndexes: [0] }]
    const first = await fetch(1, { groupId: 'g', topics })
    assert.equal(first.topics[0]?.partitions[0]?.errorCode, ErrorCode.NOT_COORDINATOR)
    const second = await fetch(2, { groupId: 'g', topics })
    assert.equal(second.errorCode, ErrorCode.NOT_COORDINATOR)
    const eighth = await fetch(8, { groups: [{ groupId: 'g', topics }] })
    assert.equal(eighth.groups[0]?.errorCode, ErrorCode.NOT_COORDINATOR)
  })

  it('serves several groups, all topics, and leaves out ids of topics that are gone', async () => {
    const { groups, commit, fetch } = setUp()
    await commit(9, [{ name: 'orders', partitions: [partition(0, 4)] }])
    await groups.commit(8, { topic: 'gone' })
    const all = [
      { groupId: 'g', topics: null },
      { groupId: 'h', topics: null },
    ]
    const named = await fetch(9, { groups: all })
    assert.deepEqual(
      named.groups.map(({ groupId, topics }) => [groupId, topics.map(({ name }) => name)]),
      [
        ['g', ['orders', 'gone']],
        ['h', []],
      ],
    )
    const byId = await fetch(10, { groups: all })
    assert.deepEqual(
      byId.groups.map(({ topics }) => topics.map(({ topicId }) => topicId)),
      [[ORDERS_ID], []],
    )
    const unknown = [{ topicId: UNKNOWN_ID, partitionIndexes: [0] }]
    const answer = await fetch(10, { groups: [{ groupId: 'g', topics: unknown }] })
    const [one] = answer.groups[0]?.topics ?? []
    assert.equal(one?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_ID)
    assert.equal(one?.topicId, UNKNOWN_ID)
  })

  it('takes a null topics list as all from version 2 on', async () => {
    const { commit, fetch } = setUp()
    await commit(2, [{ name: 'orders', partitions: [partition(0, 4)] }])
    const answer = await fetch(2, { groupId: 'g', topics: null })
    assert.equal(answer.topics[0]?.partitions[0]?.committedOffset, 4)
  })
})

describe('OffsetDelete on the wire', () => {
  it('deletes, and answers unknown partitions with 3', async () => {
    const { groups, services, commit } = setUp()
    await commit(9, [{ name: 'orders', partitions: [partition(0, 4)] }])
    const topics = [
      { name: 'none', partitions: [{ partitionIndex: 0 }] },
      { name: 'orders', partitions: [{ partitionIndex: 7 }, { partitionIndex: 0 }] },
    ]
    const handler = offsetDeleteHandler(services)
    const answer = await groups.now(call(offsetDeleteApi, handler, 0, { groupId: 'g', topics }))
    assert.deepEqual(
      answer.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
      [[3], [3, 0]],
    )
    assert.equal(await groups.committed(), -1)
    const missing = await groups.now(call(offsetDeleteApi, handler, 0, { groupId: 'x', topics }))
    assert.equal(missing.errorCode, ErrorCode.GROUP_ID_NOT_FOUND)
    const empty = await groups.now(call(offsetDeleteApi, handler, 0, { groupId: '', topics }))
    assert.equal(empty.errorCode, ErrorCode.INVALID_GROUP_ID)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { GroupHarness } from './group-harness.ts'

describe('answers of the group coordinator', () => {
  it('leave when what they say is durable', async () => {
    const groups = new GroupHarness()
    groups.log.isSlow = true
    const join = groups.join()
    await groups.settle()
    assert.ok(!join.isDone)
    groups.log.flush()
    await groups.settle()
    assert.equal(join.value?.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
  })

  it('never show an offset that a crash could take back', async () => {
    const groups = new GroupHarness()
    await groups.commit(1)
    groups.log.isSlow = true
    void groups.coordinator.commitOffsets(groups.commitRequest(2))
    const topics = [{ name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: [0] }]
    const request = { groupId: 'g', topics, requireStable: false }
    const fetch = groups.track(groups.coordinator.fetchOffsets(request))
    await groups.settle()
    assert.ok(!fetch.isDone)
    groups.log.flush()
    await groups.settle()
    assert.equal(fetch.value?.topics[0]?.partitions[0]?.offset, 2)
  })

  it('share one append when they come in one turn', async () => {
    const groups = new GroupHarness()
    const before = groups.log.batchCount
    for (let member = 0; member < 20; member++) groups.join({ groupId: `g${member}` })
    await groups.settle()
    assert.equal(groups.log.batchCount, before + 1)
    assert.equal(groups.log.durable.length, 20)
  })
})

describe('a group coordinator whose append failed', () => {
  it('refuses what waited with NOT_COORDINATOR and goes on from its log', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    const [first = '', second = ''] = memberIds
    await groups.commit(1, { memberId: first, generationId: 1 })
    const parked = groups.join({ memberId: first })
    await groups.settle()
    groups.log.isSlow = true
    const request = groups.commitRequest(2, { memberId: second, generationId: 1 })
    const commit = groups.track(groups.coordinator.commitOffsets(request))
    await groups.settle()
    groups.log.fail()
    await groups.settle()
    assert.equal(parked.value?.errorCode, ErrorCode.NOT_COORDINATOR)
    groups.log.isSlow = false
    assert.equal(commit.value?.[0]?.partitions[0]?.errorCode, ErrorCode.NOT_COORDINATOR)
    assert.equal(await groups.committed(), 1)
    assert.equal(await groups.beat(second, 1), ErrorCode.NONE)
  })

  it('does so too when the log refuses at once', async () => {
    const groups = new GroupHarness()
    groups.log.refuseNext = true
    assert.equal(await groups.commitCode(1), ErrorCode.NOT_COORDINATOR)
    assert.equal(await groups.state(), 'Dead')
    assert.equal(await groups.commitCode(1), ErrorCode.NONE)
  })

  it('keeps no timers of the state it threw away', async () => {
    const groups = new GroupHarness()
    await groups.stable(5)
    groups.log.isUsable = false
    groups.log.refuseNext = true
    await groups.commitCode(1, { topic: 'x', generationId: -1 })
    await groups.newMemberId({ groupId: 'other' })
    assert.equal(groups.scheduler.pendingCount, 0)
    assert.equal(await groups.commitCode(1), ErrorCode.NOT_COORDINATOR)
  })
})

describe('a group coordinator that loads', () => {
  it('answers COORDINATOR_LOAD_IN_PROGRESS, and NONE to heartbeats', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    groups.log.isCold = true
    groups.restart()
    assert.equal(groups.coordinator.isLoading, true)
    const { errorCode } = await groups.joinNow()
    assert.equal(errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    const code = await groups.commitCode(1)
    assert.equal(code, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    assert.equal((await groups.fetch()).errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    const list = await groups.now(groups.coordinator.listGroups([], []))
    assert.equal(list.errorCode, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    assert.equal(await groups.beat(memberIds[0] ?? '', 1), ErrorCode.NONE)
    groups.log.finishReplay()
    assert.equal(await groups.state(), 'Stable')
  })

  it('gives members a whole session from the end of loading', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    await groups.advance(9_000)
    groups.restart()
    await groups.advance(9_999)
    assert.equal(await groups.beat(memberIds[0] ?? '', 1), ErrorCode.NONE)
    await groups.advance(10_000)
    assert.equal(await groups.state(), 'Empty')
  })

  it('reads a log that failed again only after a pause', async () => {
    const groups = new GroupHarness()
    await groups.commit(1)
    groups.log.replayError = new Error('the disk broke')
    groups.restart()
    assert.equal(await groups.commitCode(1), ErrorCode.NOT_COORDINATOR)
    await groups.advance(1_000)
    assert.equal(await groups.committed(), 1)
  })

  it('makes a group that is over group.max.size rebalance', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(3)
    groups.config = { ...groups.config, maxSize: 2 }
    groups.restart()
    const joins = memberIds.map((memberId) => groups.join({ memberId }))
    await groups.advance(60_000)
    assert.deepEqual(
      joins.map(({ value }) => value?.errorCode),
      [ErrorCode.NONE, ErrorCode.NONE, ErrorCode.GROUP_MAX_SIZE_REACHED],
    )
  })
})

describe('a group coordinator without its topic', () => {
  it('is COORDINATOR_NOT_AVAILABLE until the topic exists', async () => {
    const groups = new GroupHarness()
    groups.topicState = 'creating'
    groups.restart()
    assert.equal(groups.coordinator.locate('g'), ErrorCode.COORDINATOR_NOT_AVAILABLE)
    assert.equal(await groups.commitCode(1), ErrorCode.NOT_COORDINATOR)
    groups.topicState = 'ready'
    assert.equal(groups.coordinator.locate('g'), ErrorCode.NONE)
    assert.equal(await groups.commitCode(1), ErrorCode.NONE)
  })

  it('forgets everything when the topic is deleted', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    await groups.newMemberId()
    const join = groups.join({ memberId: memberIds[0] ?? '' })
    await groups.settle()
    groups.log.durable.length = 0
    groups.coordinator.topicDeleted('__consumer_offsets')
    await groups.settle()
    assert.equal(join.value?.errorCode, ErrorCode.NOT_COORDINATOR)
    assert.equal(await groups.state(), 'Dead')
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { GroupHarness, protocols, subscription } from './group-harness.ts'

describe('JoinGroup', () => {
  it('gives a new dynamic member an id first: MEMBER_ID_REQUIRED (KIP-394, B114)', async () => {
    const groups = new GroupHarness()
    const answer = await groups.joinNow()
    assert.equal(answer.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
    assert.match(answer.memberId, /^app-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/)
    assert.equal(await groups.state(), 'Empty')
  })

  it('forgets a pending member that never joined with its id', async () => {
    const groups = new GroupHarness()
    const memberId = await groups.newMemberId()
    await groups.advance(10_000)
    const answer = await groups.joinNow({ memberId })
    assert.equal(answer.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('lets a pending member hold up a rebalance no longer than its session', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    await groups.newMemberId()
    const rejoin = groups.join({ memberId: memberIds[0] ?? '' })
    await groups.settle()
    assert.ok(!rejoin.isDone)
    await groups.advance(10_000)
    assert.equal(rejoin.value?.errorCode, ErrorCode.NONE)
  })

  it('refuses a session timeout out of bounds, an empty group id, an unknown member', async () => {
    const groups = new GroupHarness()
    const code = async (options: object) => (await groups.joinNow(options)).errorCode
    assert.equal(await code({ sessionTimeoutMs: 5_999 }), ErrorCode.INVALID_SESSION_TIMEOUT)
    assert.equal(await code({ sessionTimeoutMs: 1_800_001 }), ErrorCode.INVALID_SESSION_TIMEOUT)
    assert.equal(await code({ sessionTimeoutMs: 6_000 }), ErrorCode.MEMBER_ID_REQUIRED)
    assert.equal(await code({ groupId: '' }), ErrorCode.INVALID_GROUP_ID)
    assert.equal(await code({ memberId: 'who' }), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await code({ groupId: 'h', memberId: 'who' }), ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('refuses no protocols, another protocol type or none in common', async () => {
    const groups = new GroupHarness()
    const code = async (options: object) => (await groups.joinNow(options)).errorCode
    assert.equal(await code({ protocols: [] }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(await code({ protocolType: '' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(await groups.state(), 'Dead')
    await groups.stable(1)
    assert.equal(await code({ protocolType: 'connect' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(await code({ protocols: protocols('x') }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(await code({}), ErrorCode.MEMBER_ID_REQUIRED)
  })
})

describe('the join phase', () => {
  it('waits group.initial.rebalance.delay.ms for the first join of an empty group', async () => {
    const groups = new GroupHarness()
    const join = groups.join({ isMemberIdRequired: false })
    await groups.advance(2_999)
    assert.ok(!join.isDone)
    await groups.advance(1)
    assert.equal(join.value?.generationId, 1)
    assert.equal(join.value?.members.length, 1)
  })

  it('makes the initial delay longer while members come, up to the rebalance timeout', async () => {
    const groups = new GroupHarness()
    const options = { isMemberIdRequired: false, rebalanceTimeoutMs: 7_000 }
    const joins = [groups.join(options)]
    await groups.advance(2_000)
    joins.push(groups.join(options))
    await groups.advance(2_000)
    joins.push(groups.join(options))
    await groups.advance(2_999)
    assert.ok(joins.every(({ isDone }) => !isDone))
    await groups.advance(1)
    assert.ok(joins.every(({ value }) => value?.generationId === 1))
  })

  it('ends the join phase when all rejoined, long before the timeout', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    const joins = memberIds.map((memberId) => groups.join({ memberId }))
    await groups.settle()
    assert.deepEqual(
      joins.map(({ value }) => value?.generationId),
      [2, 2],
    )
    assert.equal(joins[0]?.value?.members.length, 2)
    assert.equal(joins[1]?.value?.members.length, 0)
  })

  it('drops who did not rejoin within the largest rebalance timeout', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(3, (index) => ({
      rebalanceTimeoutMs: index === 1 ? 3_000 : 1_000,
      sessionTimeoutMs: 30_000,
    }))
    const [first = '', , third = ''] = memberIds
    const join = groups.join({ memberId: first, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 500 })
    await groups.advance(2_999)
    assert.ok(!join.isDone)
    await groups.advance(1)
    assert.deepEqual(
      join.value?.members.map(({ memberId }) => memberId),
      [first],
    )
    assert.equal(await groups.beat(third, 2), ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('gives the office to a member that joined when the leader did not', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2, () => ({ sessionTimeoutMs: 100_000 }))
    const [, second = ''] = memberIds
    const changed = [{ name: 'range', metadata: subscription('other') }]
    const join = groups.join({ memberId: second, protocols: changed, sessionTimeoutMs: 100_000 })
    await groups.advance(60_000)
    assert.equal(join.value?.leader, second)
    assert.equal(join.value?.members.length, 1)
  })
})

describe('JoinGroup of a group with members', () => {
  it('chooses the protocol that most members prefer among those all know', async () => {
    const groups = new GroupHarness()
    const offers = [
      ['a', 'b', 'c'],
      ['b', 'a'],
      ['x', 'b', 'a'],
    ]
    const joins = offers.map((names) =>
      groups.join({ isMemberIdRequired: false, protocols: protocols(...names) }),
    )
    await groups.advance(10_000)
    assert.deepEqual(
      joins.map(({ value }) => value?.protocolName),
      ['b', 'b', 'b'],
    )
  })

  it('rebalances when a follower changes its metadata, and only then', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    const [, follower = ''] = memberIds
    const same = await groups.joinNow({ memberId: follower })
    assert.equal(same.generationId, 1)
    assert.equal(same.members.length, 0)
    assert.equal(await groups.state(), 'Stable')
    const changed = [{ name: 'range', metadata: subscription('other') }]
    const join = groups.join({ memberId: follower, protocols: changed })
    await groups.settle()
    assert.ok(!join.isDone)
    assert.equal(await groups.state(), 'PreparingRebalance')
  })

  it('rebalances when the leader of a stable group rejoins unchanged', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    const join = await groups.joinNow({ memberId: memberIds[0] ?? '' })
    assert.equal(join.generationId, 2)
  })

  it('repeats the generation for a member whose join answer was lost', async () => {
    const groups = new GroupHarness()
    const join = groups.join({ isMemberIdRequired: false })
    await groups.advance(3_000)
    const again = await groups.joinNow({ memberId: join.value?.memberId ?? '' })
    assert.deepEqual(again, join.value)
  })

  it('keeps a group at group.max.size: GROUP_MAX_SIZE_REACHED', async () => {
    const groups = new GroupHarness({ maxSize: 2 })
    await groups.stable(2)
    const answer = await groups.joinNow({ isMemberIdRequired: false })
    assert.equal(answer.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    assert.equal(answer.memberId, '')
    assert.equal(await groups.state(), 'Stable')
  })
})

describe('joins that wait', () => {
  it('gives the second member of a group its place within one rebalance', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    const [first = ''] = memberIds
    const memberId = await groups.newMemberId()
    const second = groups.join({ memberId })
    assert.equal(await groups.beat(first, 1), ErrorCode.REBALANCE_IN_PROGRESS)
    const rejoin = groups.join({ memberId: first })
    await groups.settle()
    assert.equal(second.value?.generationId, 2)
    assert.equal(rejoin.value?.members.length, 2)
    const follower = groups.sync(memberId, 2)
    const leader = groups.sync(first, 2, { [first]: 'p0 p1', [memberId]: 'p2' })
    await groups.settle()
    assert.equal(leader.value?.assignment.toString(), 'p0 p1')
    assert.equal(follower.value?.assignment.toString(), 'p2')
    assert.equal(await groups.beat(memberId, 2), ErrorCode.NONE)
  })

  it('lets the first member keep reading while the second one waits for what it gives up', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    const [first = ''] = memberIds
    const memberId = await groups.newMemberId()
    // As the cooperative assignor does: what moves is assigned to nobody, then to its new member.
    for (const [generationId, kept, moved] of [
      [2, 'p0 p1', ''],
      [3, 'p0 p1', 'p2'],
    ] as const) {
      const joins = [groups.join({ memberId: first }), groups.join({ memberId })]
      await groups.settle()
      for (const { value } of joins) assert.equal(value?.generationId, generationId)
      const follower = groups.sync(memberId, generationId)
      const leader = groups.sync(first, generationId, { [first]: kept, [memberId]: moved })
      await groups.settle()
      assert.equal(leader.value?.assignment.toString(), kept)
      assert.equal(follower.value?.assignment.toString(), moved)
      for (const id of [first, memberId])
        assert.equal(await groups.beat(id, generationId), ErrorCode.NONE)
    }
  })

  it('gives no more than 10,000 ids that nobody uses', async () => {
    const groups = new GroupHarness()
    for (let count = 0; count < 10_000; count++) groups.join()
    await groups.settle()
    assert.equal((await groups.joinNow()).errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    assert.equal((await groups.joinNow({ groupId: 'h' })).errorCode, ErrorCode.MEMBER_ID_REQUIRED)
  })

  it('answers a parked join of a member that left with UNKNOWN_MEMBER_ID', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    const [first = '', second = ''] = memberIds
    const join = groups.join({ memberId: first })
    await groups.settle()
    await groups.leave({ memberId: first })
    assert.equal(join.value?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await groups.beat(second, 1), ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('expires a new member whose join waits for five minutes', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1, () => ({
      rebalanceTimeoutMs: 600_000,
      sessionTimeoutMs: 1_000_000,
    }))
    const join = groups.join({ isMemberIdRequired: false })
    await groups.advance(299_999)
    assert.ok(!join.isDone)
    await groups.advance(1)
    assert.equal(join.value?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await groups.beat(memberIds[0] ?? '', 1), ErrorCode.REBALANCE_IN_PROGRESS)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { GroupHarness, protocols } from './group-harness.ts'

describe('SyncGroup', () => {
  it('gives every member its assignment, an empty one to who was forgotten', async () => {
    const groups = new GroupHarness()
    const joins = [0, 1].map(() => groups.join({ isMemberIdRequired: false }))
    await groups.advance(6_000)
    const [leader = '', follower = ''] = joins.map(({ value }) => value?.memberId ?? '')
    const waiting = groups.sync(follower, 1)
    await groups.settle()
    assert.ok(!waiting.isDone)
    const sync = groups.sync(leader, 1, { [leader]: 'all' })
    await groups.settle()
    assert.equal(sync.value?.assignment.toString(), 'all')
    assert.equal(sync.value?.protocolName, 'range')
    assert.equal(waiting.value?.assignment.length, 0)
    assert.equal(waiting.value?.errorCode, ErrorCode.NONE)
  })

  it('refuses a wrong generation, protocol, member or group', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    const [memberId = ''] = memberIds
    const base = {
      groupId: 'g',
      generationId: 1,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: new Map<string, Buffer>(),
    }
    const code = async (options: object) =>
      (await groups.now(groups.coordinator.syncGroup({ ...base, ...options }))).errorCode
    assert.equal(await code({ generationId: 2 }), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(await code({ protocolType: 'x' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(await code({ protocolName: 'x' }), ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    assert.equal(await code({ protocolType: null, protocolName: null }), ErrorCode.NONE)
    assert.equal(await code({ memberId: 'x' }), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await code({ groupId: 'x' }), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await code({ groupId: '' }), ErrorCode.INVALID_GROUP_ID)
  })

  it('answers REBALANCE_IN_PROGRESS while members join', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    groups.join({ memberId: memberIds[0] ?? '' })
    await groups.settle()
    const sync = groups.sync(memberIds[1] ?? '', 1)
    await groups.settle()
    assert.equal(sync.value?.errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
  })
})

describe('members that never sync', () => {
  it('removes members that joined and never sync after the rebalance timeout', async () => {
    const groups = new GroupHarness()
    const options = { isMemberIdRequired: false, sessionTimeoutMs: 200_000 }
    const joins = [0, 1].map(() => groups.join(options))
    await groups.advance(6_000)
    const [leader = '', follower = ''] = joins.map(({ value }) => value?.memberId ?? '')
    const sync = groups.sync(leader, 1, { [leader]: 'all' })
    await groups.settle()
    assert.equal(sync.value?.errorCode, ErrorCode.NONE)
    await groups.advance(59_999)
    assert.equal(await groups.beat(follower, 1), ErrorCode.NONE)
    await groups.advance(1)
    assert.equal(await groups.beat(follower, 1), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await groups.beat(leader, 1), ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('removes a leader that never syncs, and its followers learn of it', async () => {
    const groups = new GroupHarness()
    const options = { isMemberIdRequired: false, sessionTimeoutMs: 200_000 }
    const joins = [0, 1].map(() => groups.join(options))
    await groups.advance(6_000)
    const [, follower = ''] = joins.map(({ value }) => value?.memberId ?? '')
    const sync = groups.sync(follower, 1)
    await groups.advance(60_000)
    assert.equal(sync.value?.errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    const join = await groups.joinNow({ memberId: follower })
    assert.equal(join.leader, follower)
  })
})

describe('Heartbeat', () => {
  it('is 27 only while members join, 0 while the group completes', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    const [first = '', second = ''] = memberIds
    assert.equal(await groups.beat(first, 1), ErrorCode.NONE)
    groups.join({ memberId: first })
    assert.equal(await groups.beat(second, 1), ErrorCode.REBALANCE_IN_PROGRESS)
    groups.join({ memberId: second })
    await groups.settle()
    assert.equal(await groups.state(), 'CompletingRebalance')
    assert.equal(await groups.beat(second, 2), ErrorCode.NONE)
    assert.equal(await groups.beat(second, 1), ErrorCode.ILLEGAL_GENERATION)
  })

  it('keeps the session; who is silent is evicted and gets 25', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    const [first = '', second = ''] = memberIds
    await groups.advance(9_000)
    assert.equal(await groups.beat(first, 1), ErrorCode.NONE)
    await groups.advance(1_000)
    assert.equal(await groups.beat(second, 1), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await groups.beat(first, 1), ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('is 25 without such a group and 24 without a group id', async () => {
    const groups = new GroupHarness()
    assert.equal(await groups.beat('x', 1), ErrorCode.UNKNOWN_MEMBER_ID)
    const request = { groupId: '', generationId: 1, memberId: 'x', groupInstanceId: null }
    const code = await groups.now(groups.coordinator.heartbeat(request))
    assert.equal(code, ErrorCode.INVALID_GROUP_ID)
  })

  it('sets no timer per heartbeat', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    const before = groups.scheduler.pendingCount
    for (let beat = 0; beat < 50; beat++) await groups.beat(memberIds[0] ?? '', 1)
    assert.equal(groups.scheduler.pendingCount, before)
  })
})

describe('LeaveGroup', () => {
  it('has an outcome per member: 25 inside, 0 outside (KIP-345, B125)', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2)
    const [first = ''] = memberIds
    const left = await groups.leave({ memberId: 'x' }, { memberId: first })
    assert.equal(left.errorCode, ErrorCode.NONE)
    assert.deepEqual(
      left.members.map(({ errorCode }) => errorCode),
      [ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.NONE],
    )
    assert.equal(await groups.state(), 'PreparingRebalance')
  })

  it('takes a static member by its instance id alone', async () => {
    const groups = new GroupHarness()
    await groups.stable(1, () => ({ groupInstanceId: 'i0' }))
    const left = await groups.leave({ memberId: '', groupInstanceId: 'i0' })
    assert.equal(left.members[0]?.errorCode, ErrorCode.NONE)
    assert.equal(await groups.state(), 'Empty')
    const again = await groups.leave({ memberId: '', groupInstanceId: 'i0' })
    assert.equal(again.members[0]?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('answers a missing group with 25 for each member', async () => {
    const groups = new GroupHarness()
    const left = await groups.leave({ memberId: 'a' }, { memberId: 'b' })
    assert.equal(left.errorCode, ErrorCode.NONE)
    assert.ok(left.members.every(({ errorCode }) => errorCode === ErrorCode.UNKNOWN_MEMBER_ID))
  })

  it('lets a pending member go', async () => {
    const groups = new GroupHarness()
    const memberId = await groups.newMemberId()
    const left = await groups.leave({ memberId })
    assert.equal(left.members[0]?.errorCode, ErrorCode.NONE)
    const join = await groups.joinNow({ memberId })
    assert.equal(join.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('empties the group with its last member, under a new generation', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    await groups.leave({ memberId: memberIds[0] ?? '' })
    assert.equal(await groups.state(), 'Empty')
    groups.restart()
    assert.equal(await groups.state(), 'Empty')
    const join = groups.join({ isMemberIdRequired: false })
    await groups.advance(3_000)
    assert.equal(join.value?.generationId, 3)
  })

  it('leaves no timers behind when a group is empty', async () => {
    const groups = new GroupHarness()
    const idle = groups.scheduler.pendingCount
    const { memberIds } = await groups.stable(3)
    await groups.leave(...memberIds.map((memberId) => ({ memberId })))
    assert.equal(groups.scheduler.pendingCount, idle)
  })
})

describe('DescribeGroups and ListGroups', () => {
  it('tell metadata and assignments of a stable group only', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1)
    const stable = await groups.now(groups.coordinator.describeGroup('g'))
    assert.equal(stable.protocolName, 'range')
    assert.equal(stable.members[0]?.assignment.toString(), 'p0')
    assert.ok((stable.members[0]?.metadata.length ?? 0) > 0)
    await groups.newMemberId()
    groups.join({ memberId: memberIds[0] ?? '' })
    await groups.settle()
    const preparing = await groups.now(groups.coordinator.describeGroup('g'))
    assert.equal(preparing.state, 'PreparingRebalance')
    assert.equal(preparing.protocolName, '')
    assert.equal(preparing.members[0]?.assignment.length, 0)
    assert.equal(preparing.members[0]?.clientId, 'app')
  })

  it('filter by state and type whatever the case; an unknown type matches nothing', async () => {
    const groups = new GroupHarness()
    await groups.stable(1)
    await groups.joinNow({ groupId: 'h', protocols: protocols('range') })
    const list = async (states: string[], types: string[]) => {
      const { groups: listed } = await groups.now(groups.coordinator.listGroups(states, types))
      return listed.map(({ groupId }) => groupId)
    }
    assert.deepEqual(await list([], []), ['g', 'h'])
    assert.deepEqual(await list(['stable'], []), ['g'])
    assert.deepEqual(await list(['EMPTY', 'Dead'], ['Classic']), ['h'])
    assert.deepEqual(await list([], ['consumer']), [])
    assert.deepEqual(await list([], ['no such type']), [])
  })
})

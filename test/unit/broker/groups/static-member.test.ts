import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { GroupHarness, protocols } from './group-harness.ts'

const STATIC = (index: number) => ({ groupInstanceId: `i${index}`, isMemberIdRequired: true })

describe('static members (KIP-345)', () => {
  it('need no MEMBER_ID_REQUIRED round', async () => {
    const groups = new GroupHarness()
    const join = groups.join(STATIC(0))
    await groups.advance(3_000)
    assert.equal(join.value?.errorCode, ErrorCode.NONE)
    assert.match(join.value?.memberId ?? '', /^i0-/)
    assert.equal(join.value?.members[0]?.groupInstanceId, 'i0')
  })

  it('come back with a new id into the same generation; a leader skips the assignment (KIP-814, B123)', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2, STATIC)
    const answer = await groups.joinNow(STATIC(0))
    assert.equal(answer.errorCode, ErrorCode.NONE)
    assert.notEqual(answer.memberId, memberIds[0])
    assert.equal(answer.generationId, 1)
    assert.equal(answer.leader, answer.memberId)
    assert.equal(answer.skipAssignment, true)
    assert.equal(answer.members.length, 2)
    assert.equal(await groups.state(), 'Stable')
    const sync = groups.sync(answer.memberId, 1, {}, 'i0')
    await groups.settle()
    assert.equal(sync.value?.assignment.toString(), 'p0')
  })

  it('see the old leader id when their client is older than KIP-814', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2, STATIC)
    const answer = await groups.joinNow({ ...STATIC(0), canSkipAssignment: false })
    assert.equal(answer.leader, memberIds[0])
    assert.equal(answer.skipAssignment, false)
    assert.equal(answer.members.length, 0)
  })

  it('fence their old incarnation: FENCED_INSTANCE_ID', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1, STATIC)
    const [old = ''] = memberIds
    await groups.joinNow(STATIC(0))
    assert.equal(await groups.beat(old, 1, 'i0'), ErrorCode.FENCED_INSTANCE_ID)
    assert.equal(await groups.beat(old, 1), ErrorCode.UNKNOWN_MEMBER_ID)
    const join = await groups.joinNow({ ...STATIC(0), memberId: old })
    assert.equal(join.errorCode, ErrorCode.FENCED_INSTANCE_ID)
    const sync = groups.sync(old, 1, {}, 'i0')
    await groups.settle()
    assert.equal(sync.value?.errorCode, ErrorCode.FENCED_INSTANCE_ID)
    const options = { memberId: old, generationId: 1, groupInstanceId: 'i0' }
    assert.equal(await groups.commitCode(1, options), ErrorCode.FENCED_INSTANCE_ID)
    const left = await groups.leave({ memberId: old, groupInstanceId: 'i0' })
    assert.equal(left.members[0]?.errorCode, ErrorCode.FENCED_INSTANCE_ID)
  })
})

describe('a static member that comes back', () => {
  it('replace timeouts and client data when they come back', async () => {
    const groups = new GroupHarness()
    await groups.stable(1, STATIC)
    const client = { clientId: 'app-2', clientHost: '/10.0.0.2' }
    const join = await groups.joinNow({ ...STATIC(0), sessionTimeoutMs: 60_000, client })
    const { members } = await groups.now(groups.coordinator.describeGroup('g'))
    assert.equal(members[0]?.clientId, 'app-2')
    assert.equal(members[0]?.clientHost, '/10.0.0.2')
    await groups.advance(59_999)
    assert.equal(await groups.beat(join.memberId, 1, 'i0'), ErrorCode.NONE)
    await groups.advance(60_000)
    assert.equal(await groups.beat(join.memberId, 1, 'i0'), ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('fence a join and a sync that wait', async () => {
    const groups = new GroupHarness()
    const first = groups.join(STATIC(0))
    await groups.settle()
    const second = groups.join(STATIC(0))
    await groups.settle()
    assert.equal(first.value?.errorCode, ErrorCode.FENCED_INSTANCE_ID)
    await groups.advance(3_000)
    assert.equal(second.value?.errorCode, ErrorCode.NONE)
  })

  it('start a rebalance when they come back while the group completes one', async () => {
    const groups = new GroupHarness()
    const joins = [groups.join(STATIC(0)), groups.join(STATIC(1))]
    await groups.advance(6_000)
    const waiting = groups.sync(joins[1]?.value?.memberId ?? '', 1, {}, 'i1')
    await groups.settle()
    groups.join(STATIC(0))
    await groups.settle()
    assert.equal(waiting.value?.errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
    assert.equal(await groups.state(), 'PreparingRebalance')
  })

  it('start a rebalance when they come back with other protocols', async () => {
    const groups = new GroupHarness()
    await groups.stable(1, (index) => ({ ...STATIC(index), protocols: protocols('range', 'rr') }))
    const join = await groups.joinNow({ ...STATIC(0), protocols: protocols('rr') })
    assert.equal(join.generationId, 2)
    assert.equal(join.protocolName, 'rr')
  })
})

describe('sessions of static members', () => {
  it('are not dropped by a rebalance they missed, only by their session timeout', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2, (index) => ({
      ...STATIC(index),
      rebalanceTimeoutMs: 6_000,
      sessionTimeoutMs: 20_000,
    }))
    const [first = '', second = ''] = memberIds
    const options = { ...STATIC(0), sessionTimeoutMs: 20_000, rebalanceTimeoutMs: 6_000 }
    const join = groups.join({ ...options, memberId: first })
    await groups.advance(6_000)
    assert.equal(join.value?.members.length, 2)
    assert.equal(await groups.beat(second, 2, 'i1'), ErrorCode.NONE)
  })

  it('wait on when none of them rejoined in time', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(2, (index) => ({
      ...STATIC(index),
      rebalanceTimeoutMs: 6_000,
      sessionTimeoutMs: 60_000,
    }))
    await groups.leave({ memberId: '', groupInstanceId: 'i0' })
    await groups.advance(7_000)
    assert.equal(await groups.state(), 'PreparingRebalance')
    assert.equal(await groups.beat(memberIds[1] ?? '', 1, 'i1'), ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('survive a restart with their instance ids', async () => {
    const groups = new GroupHarness()
    const { memberIds } = await groups.stable(1, STATIC)
    groups.restart()
    assert.equal(await groups.beat(memberIds[0] ?? '', 1, 'i0'), ErrorCode.NONE)
    assert.equal(await groups.beat('other', 1, 'i0'), ErrorCode.FENCED_INSTANCE_ID)
  })
})

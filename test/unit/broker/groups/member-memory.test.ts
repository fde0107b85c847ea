import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import type { JoinGroupRequest } from '../../../../src/broker/groups/classic/classic-group-requests.ts'
import type { ConsumerHeartbeatRequest } from '../../../../src/broker/groups/consumer/consumer-group-requests.ts'
import { GroupHarness } from './group-harness.ts'

const MIB = 1024 * 1024

/** A member that has much to say, and needs no id first. */
function big(groupId: string, byteCount = MIB) {
  const protocols = [{ name: 'range', metadata: Buffer.alloc(byteCount) }]
  return { groupId, protocols, isMemberIdRequired: false }
}

/** Joins, and lets the initial delay of none pass. */
async function joined(groups: GroupHarness, options: Partial<JoinGroupRequest>) {
  const join = groups.join(options)
  await groups.advance(1)
  assert.ok(join.value !== undefined, 'the join is answered')
  return join.value
}

function heartbeat(subscribedTopicNames: string[]): ConsumerHeartbeatRequest {
  return {
    groupId: 'modern',
    client: { clientId: 'app', clientHost: '/10.0.0.1' },
    memberId: 'm',
    isMemberIdRequired: true,
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 1000,
    subscribedTopicNames,
    subscribedTopicRegex: null,
    serverAssignor: null,
    ownedPartitions: [],
  }
}

describe('what members of all groups keep', () => {
  it('is bounded: a flood of large JoinGroups to many groups gets GROUP_MAX_SIZE_REACHED', async () => {
    const groups = new GroupHarness({ maxMemberBytes: 8 * MIB, initialRebalanceDelayMs: 0 })
    for (let index = 0; index < 20; index++) groups.join(big(`g${index}`))
    await groups.settle()
    const { groups: listed } = await groups.now(groups.coordinator.listGroups([], []))
    assert.equal(listed.length, 7)
    const refused = await groups.joinNow(big('late'))
    assert.equal(refused.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    const small = await groups.joinNow({ groupId: 'small' })
    assert.equal(small.errorCode, ErrorCode.MEMBER_ID_REQUIRED, 'there is a little room left')
  })

  it('is free again when members are gone', async () => {
    const groups = new GroupHarness({ maxMemberBytes: 4 * MIB, initialRebalanceDelayMs: 0 })
    for (let index = 0; index < 6; index++) groups.join(big(`flood-${index}`))
    const refused = await joined(groups, big('late'))
    assert.equal(refused.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    // Their sessions of 10 s end.
    await groups.advance(11_000)
    const { errorCode } = await joined(groups, big('after'))
    assert.equal(errorCode, ErrorCode.NONE)
  })

  it('does not grow when a member joins again and again', async () => {
    const groups = new GroupHarness({ maxMemberBytes: 4 * MIB, initialRebalanceDelayMs: 0 })
    const { memberId } = await joined(groups, big('g'))
    for (let round = 0; round < 20; round++) {
      const again = await joined(groups, { ...big('g'), memberId })
      assert.equal(again.errorCode, ErrorCode.NONE)
    }
  })

  it('has assignments of leaders and subscriptions of the other protocols in it', async () => {
    const groups = new GroupHarness({ maxMemberBytes: 2 * MIB, initialRebalanceDelayMs: 0 })
    const { memberId, generationId } = await joined(groups, big('g', 1000))
    const sync = {
      groupId: 'g',
      generationId,
      memberId,
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: new Map([[memberId, Buffer.alloc(3 * MIB)]]),
    }
    const synced = await groups.now(groups.coordinator.syncGroup(sync))
    assert.equal(synced.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    const names = Array.from({ length: 10_000 }, (_, index) => `${index}`.padEnd(249, 'x'))
    const beat = await groups.now(groups.coordinator.consumerHeartbeat(heartbeat(names)))
    assert.equal(beat.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    assert.match(beat.errorMessage ?? '', /spool\.max\.group\.member\.bytes/)
    const { client, memberId: member } = heartbeat([])
    const share = { groupId: 'share', client, memberId: member, memberEpoch: 0, rackId: null }
    const shared = await groups.now(
      groups.coordinator.shareHeartbeat({ ...share, subscribedTopicNames: names }),
    )
    assert.equal(shared.result.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED)
    assert.match(shared.result.errorMessage ?? '', /spool\.max\.group\.member\.bytes/)
    const few = await groups.now(groups.coordinator.consumerHeartbeat(heartbeat(['orders'])))
    assert.equal(few.errorCode, ErrorCode.NONE)
  })
})

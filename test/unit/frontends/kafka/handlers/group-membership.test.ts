import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { joinGroupHandler } from '../../../../../src/frontends/kafka/handlers/11-join-group.ts'
import { heartbeatHandler } from '../../../../../src/frontends/kafka/handlers/12-heartbeat.ts'
import { leaveGroupHandler } from '../../../../../src/frontends/kafka/handlers/13-leave-group.ts'
import { syncGroupHandler } from '../../../../../src/frontends/kafka/handlers/14-sync-group.ts'
import { describeGroupsHandler } from '../../../../../src/frontends/kafka/handlers/15-describe-groups.ts'
import { listGroupsHandler } from '../../../../../src/frontends/kafka/handlers/16-list-groups.ts'
import { deleteGroupsHandler } from '../../../../../src/frontends/kafka/handlers/42-delete-groups.ts'
import { joinGroupApi } from '../../../../../src/wire/kafka/messages/11-join-group.ts'
import { heartbeatApi } from '../../../../../src/wire/kafka/messages/12-heartbeat.ts'
import { leaveGroupApi } from '../../../../../src/wire/kafka/messages/13-leave-group.ts'
import { syncGroupApi } from '../../../../../src/wire/kafka/messages/14-sync-group.ts'
import { describeGroupsApi } from '../../../../../src/wire/kafka/messages/15-describe-groups.ts'
import { listGroupsApi } from '../../../../../src/wire/kafka/messages/16-list-groups.ts'
import { deleteGroupsApi } from '../../../../../src/wire/kafka/messages/42-delete-groups.ts'
import { GroupHarness, subscription } from '../../../broker/groups/group-harness.ts'
import { call } from './group-apis-harness.ts'

/** A group, and each API in a version. */
class Wire {
  readonly groups = new GroupHarness({ initialRebalanceDelayMs: 0 })
  readonly #services = { groups: this.groups.coordinator }

  async join(version: number, options: object = {}, clientId: string | null = 'app') {
    const request = {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription('orders') }],
      ...options,
    }
    const handler = joinGroupHandler(this.#services)
    const join = this.groups.track(call(joinGroupApi, handler, version, request, clientId))
    await this.groups.settle()
    await this.groups.advance(0)
    return join
  }

  async stable(version: number, groupInstanceId: string | null = null): Promise<string> {
    const rest = version >= 5 ? { groupInstanceId } : {}
    const first = await this.join(version, rest)
    const memberId = first.value?.memberId ?? ''
    const isAskedAgain = first.value?.errorCode === ErrorCode.MEMBER_ID_REQUIRED
    const joined = isAskedAgain ? await this.join(version, { ...rest, memberId }) : first
    assert.equal(joined.value?.errorCode, ErrorCode.NONE)
    const assignments = [{ memberId, assignment: Buffer.from('all') }]
    const sync = await this.sync(3, { memberId, groupInstanceId, assignments })
    assert.equal(sync.errorCode, ErrorCode.NONE)
    return memberId
  }

  sync(version: number, options: object) {
    const request = { groupId: 'g', generationId: 1, memberId: '', assignments: [], ...options }
    return this.groups.now(call(syncGroupApi, syncGroupHandler(this.#services), version, request))
  }

  heartbeat(version: number, memberId: string, generationId = 1) {
    const request = { groupId: 'g', generationId, memberId }
    return this.groups.now(call(heartbeatApi, heartbeatHandler(this.#services), version, request))
  }

  leave(version: number, options: object) {
    const request = { groupId: 'g', ...options }
    return this.groups.now(call(leaveGroupApi, leaveGroupHandler(this.#services), version, request))
  }

  describe(version: number, groups: string[], includeAuthorizedOperations = false) {
    const request = { groups, includeAuthorizedOperations }
    return this.groups.now(
      call(describeGroupsApi, describeGroupsHandler(this.#services), version, request),
    )
  }

  list(version: number, options: object = {}) {
    return this.groups.now(call(listGroupsApi, listGroupsHandler(this.#services), version, options))
  }

  async delete(version: number, ...groupsNames: string[]) {
    const shareGroups = { prepareDelete: async () => ErrorCode.NONE }
    const handler = deleteGroupsHandler({ ...this.#services, shareGroups })
    const answer = call(deleteGroupsApi, handler, version, { groupsNames })
    // The coordinator of share groups is asked first.
    await this.groups.settle()
    return this.groups.now(answer)
  }
}

describe('JoinGroup on the wire', () => {
  it('joins in every version, with the member id round from version 4 on', async () => {
    for (let version = 0; version <= 9; version++) {
      const wire = new Wire()
      const first = await wire.join(version)
      const expected = version < 4 ? ErrorCode.NONE : ErrorCode.MEMBER_ID_REQUIRED
      assert.equal(first.value?.errorCode, expected)
      const memberId = first.value?.memberId ?? ''
      const joined = version < 4 ? first : await wire.join(version, { memberId })
      assert.equal(joined.value?.generationId, 1)
      assert.equal(joined.value?.leader, memberId)
      assert.equal(joined.value?.protocolName, 'range')
      assert.equal(joined.value?.protocolType, version < 7 ? null : 'consumer')
      assert.deepEqual(joined.value?.members[0]?.metadata, subscription('orders'))
    }
  })

  it('has an empty protocol name in an error before version 7, null from then on', async () => {
    const wire = new Wire()
    const refused = { sessionTimeoutMs: 1 }
    assert.equal((await wire.join(6, refused)).value?.protocolName, '')
    assert.equal((await wire.join(7, refused)).value?.protocolName, null)
  })

  it('drops instance ids silently towards members of old versions', async () => {
    const wire = new Wire()
    await wire.stable(5, 'i0')
    const old = await wire.join(4)
    const memberId = old.value?.memberId ?? ''
    await wire.join(4, { memberId })
    await wire.leave(3, { members: [{ memberId: '', groupInstanceId: 'i0' }] })
    await wire.join(9, { groupInstanceId: 'i1' })
    const rejoin = await wire.join(4, { memberId })
    assert.equal(rejoin.value?.errorCode, ErrorCode.NONE)
    assert.equal(rejoin.value?.members.length, 2)
    assert.ok(rejoin.value?.members.every(({ groupInstanceId }) => groupInstanceId === null))
  })

  it('uses the session timeout for the rebalance in version 0', async () => {
    const wire = new Wire()
    const first = await wire.join(0)
    const memberId = first.value?.memberId ?? ''
    await wire.groups.advance(9_000)
    await wire.heartbeat(0, memberId)
    await wire.groups.advance(1_000)
    assert.equal((await wire.heartbeat(0, memberId)).errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('takes a request without client id', async () => {
    const wire = new Wire()
    const join = await wire.join(9, {}, null)
    assert.match(join.value?.memberId ?? '', /^-[0-9a-f]{8}-/)
  })
})

describe('SyncGroup, Heartbeat and LeaveGroup on the wire', () => {
  it('SyncGroup v5 has to name the protocol (KIP-559)', async () => {
    const wire = new Wire()
    const memberId = await wire.stable(9)
    const unnamed = await wire.sync(5, { memberId })
    assert.equal(unnamed.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    const named = { memberId, protocolType: 'consumer', protocolName: 'range' }
    const sync = await wire.sync(5, named)
    assert.equal(sync.assignment.toString(), 'all')
    assert.equal(sync.protocolName, 'range')
  })

  it('Heartbeat answers in every version', async () => {
    const wire = new Wire()
    const memberId = await wire.stable(9)
    for (let version = 0; version <= 4; version++) {
      assert.equal((await wire.heartbeat(version, memberId)).errorCode, ErrorCode.NONE)
      const stale = await wire.heartbeat(version, memberId, 9)
      assert.equal(stale.errorCode, ErrorCode.ILLEGAL_GENERATION)
    }
  })

  it('LeaveGroup has its one outcome outside before version 3, inside from then on', async () => {
    const wire = new Wire()
    const memberId = await wire.stable(9)
    const unknown = await wire.leave(2, { memberId: 'x' })
    assert.equal(unknown.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    const batch = await wire.leave(5, { members: [{ memberId: 'x', reason: 'done' }] })
    assert.equal(batch.errorCode, ErrorCode.NONE)
    assert.equal(batch.members[0]?.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal((await wire.leave(1, { memberId })).errorCode, ErrorCode.NONE)
    assert.equal(await wire.groups.state(), 'Empty')
  })
})

describe('group administration on the wire', () => {
  it('DescribeGroups of a missing group: Dead and no error, GROUP_ID_NOT_FOUND from v6 on', async () => {
    const wire = new Wire()
    for (let version = 0; version <= 6; version++) {
      const [group] = (await wire.describe(version, ['none'])).groups
      assert.equal(group?.groupState, 'Dead')
      assert.equal(group?.errorCode, version < 6 ? ErrorCode.NONE : ErrorCode.GROUP_ID_NOT_FOUND)
      assert.equal(group?.errorMessage, version < 6 ? null : 'Group none not found.')
    }
  })

  it('DescribeGroups tells members, and operations when asked', async () => {
    const wire = new Wire()
    const memberId = await wire.stable(9, 'i0')
    const [group] = (await wire.describe(5, ['g'], true)).groups
    assert.equal(group?.groupState, 'Stable')
    assert.equal(group?.protocolData, 'range')
    assert.equal(group?.authorizedOperations, 3400)
    const [member] = group?.members ?? []
    assert.deepEqual(
      [member?.memberId, member?.clientHost, member?.groupInstanceId],
      [memberId, '/10.0.0.1', 'i0'],
    )
    assert.equal(member?.memberAssignment.toString(), 'all')
    const [unasked] = (await wire.describe(5, ['g'])).groups
    assert.equal(unasked?.authorizedOperations, -2_147_483_648)
  })

  it('ListGroups has the state from v4 and the type from v5 on (KIP-518, KIP-848)', async () => {
    const wire = new Wire()
    await wire.stable(9)
    const groupsOf = async (version: number, options: object = {}) =>
      (await wire.list(version, options)).groups
    const [plain] = await groupsOf(3)
    assert.deepEqual([plain?.groupId, plain?.protocolType], ['g', 'consumer'])
    const [typed] = await groupsOf(5, { statesFilter: ['Stable'], typesFilter: ['classic'] })
    assert.deepEqual([typed?.groupState, typed?.groupType], ['Stable', 'classic'])
    assert.deepEqual(await groupsOf(5, { typesFilter: ['bogus'] }), [])
  })

  it('DeleteGroups says what hinders it', async () => {
    const wire = new Wire()
    await wire.stable(9)
    await wire.groups.commit(1, { topic: 'orders' })
    const { results } = await wire.delete(3, 'g', 'none')
    assert.deepEqual(
      results.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]),
      [
        [ErrorCode.NON_EMPTY_GROUP, 'Group g is not empty.'],
        [ErrorCode.GROUP_ID_NOT_FOUND, 'Group none not found.'],
      ],
    )
    await wire.groups.advance(10_000)
    assert.equal((await wire.delete(0, 'g')).results[0]?.errorCode, ErrorCode.NONE)
    assert.equal(await wire.groups.state(), 'Dead')
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { GroupHarness } from './group-harness.ts'

const RETENTION_MS = 100_000
/** Nobody is thrown out while offsets grow old. */
const PATIENT = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 }

/** A group whose offsets of `orders`, which it reads, and of `old` have grown old. */
class OldOffsets {
  readonly groups = new GroupHarness({
    offsetsRetentionMs: RETENTION_MS,
    offsetsRetentionCheckIntervalMs: 1_000,
  })

  async commit(): Promise<void> {
    await this.groups.commit(1)
    await this.groups.commit(2, { topic: 'old' })
  }

  /** Lets them grow old. @returns what is left of `orders` and `old` */
  async left(afterMs = RETENTION_MS + 1_000): Promise<number[]> {
    await this.groups.advance(afterMs)
    return [await this.groups.committed(), await this.groups.committed('old')]
  }
}

describe('offsets of a classic group expire by its state (KIP-211, KIP-496)', () => {
  it('without a protocol: from the commit', async () => {
    const offsets = new OldOffsets()
    await offsets.commit()
    assert.deepEqual(await offsets.left(RETENTION_MS - 1_000), [1, 2])
    assert.deepEqual(await offsets.left(1_000), [-1, -1])
  })

  it('Empty: from the moment it became empty, whatever it read', async () => {
    const offsets = new OldOffsets()
    await offsets.commit()
    const { memberIds } = await offsets.groups.stable(1, () => PATIENT)
    await offsets.groups.advance(RETENTION_MS / 2)
    await offsets.groups.leave({ memberId: memberIds[0] ?? '' })
    assert.deepEqual(await offsets.left(RETENTION_MS - 2_000), [1, 2])
    assert.deepEqual(await offsets.left(3_000), [-1, -1])
    assert.equal(await offsets.groups.state(), 'Dead')
  })

  it('Stable: only topics that no member is subscribed to', async () => {
    const offsets = new OldOffsets()
    await offsets.commit()
    await offsets.groups.stable(2, () => PATIENT)
    assert.deepEqual(await offsets.left(), [1, -1])
    assert.equal(await offsets.groups.state(), 'Stable')
  })

  it('Stable, of another protocol type than "consumer": nothing', async () => {
    const offsets = new OldOffsets()
    await offsets.commit()
    const { groups } = offsets
    const options = { ...PATIENT, protocolType: 'connect', isMemberIdRequired: false }
    const joined = groups.join(options)
    await groups.advance(groups.config.initialRebalanceDelayMs)
    const { memberId = '', generationId = -1 } = joined.value ?? {}
    const facts = { groupId: 'g', generationId, memberId, groupInstanceId: null }
    const untyped = { protocolType: null, protocolName: null, assignments: new Map() }
    await groups.now(groups.coordinator.syncGroup({ ...facts, ...untyped }))
    assert.equal(await groups.state(), 'Stable')
    assert.deepEqual(await offsets.left(), [1, 2])
  })

  it('PreparingRebalance and CompletingRebalance: nothing', async () => {
    const offsets = new OldOffsets()
    await offsets.commit()
    const { memberIds } = await offsets.groups.stable(2, () => PATIENT)
    const [leader = '', follower = ''] = memberIds
    offsets.groups.join({ ...PATIENT, memberId: leader })
    await offsets.groups.settle()
    assert.equal(await offsets.groups.state(), 'PreparingRebalance')
    assert.deepEqual(await offsets.left(), [1, 2])
    offsets.groups.join({ ...PATIENT, memberId: follower })
    await offsets.groups.settle()
    assert.equal(await offsets.groups.state(), 'CompletingRebalance')
    assert.deepEqual(await offsets.left(), [1, 2])
  })

  it('Dead: they went with the group, and a new one of its name starts without', async () => {
    const offsets = new OldOffsets()
    await offsets.commit()
    const { groups } = offsets
    assert.equal(await groups.now(groups.coordinator.deleteGroup('g')), ErrorCode.NONE)
    assert.equal(await groups.state(), 'Dead')
    assert.deepEqual(await offsets.left(0), [-1, -1])
    const before = groups.log.durable.length
    await groups.advance(RETENTION_MS * 2)
    assert.equal(groups.log.durable.length, before, 'nothing is left to expire')
    await groups.stable(1, () => PATIENT)
    assert.deepEqual(await offsets.left(0), [-1, -1])
  })
})

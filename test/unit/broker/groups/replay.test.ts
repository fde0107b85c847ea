import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { EncodedRecord } from '../../../../src/broker/coordinator/coordinator-log.ts'
import { DEFAULT_GROUP_CONFIG } from '../../../../src/broker/groups/group-config.ts'
import { groupMetadataRecord } from '../../../../src/broker/groups/group-coordinator-records.ts'
import { GroupCoordinatorShard } from '../../../../src/broker/groups/group-coordinator-shard.ts'
import { NO_TOPIC_ID } from '../../../../src/broker/groups/offset-requests.ts'
import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../../src/records/internal/coordinator-record.ts'
import { offsetCommit } from '../../../../src/records/internal/group-records.ts'
import { decodeOffsetsRecord } from '../../../../src/records/internal/offsets-records.ts'
import { protocols } from './group-harness.ts'
import { MachineHarness } from './machine-harness.ts'

const CONFIG = { ...DEFAULT_GROUP_CONFIG, offsetsRetentionMs: 600_000, maxSize: 3 }

type Action = readonly [kind: string, who: number, amount: number]

interface Walker {
  memberId: string
  generationId: number
}

/** Clients that do what they like, in two groups. */
class Walk extends MachineHarness {
  readonly #walkers = new Map<number, Walker>()

  act([kind, who, amount]: Action): void {
    const walker = this.#walkers.get(who) ?? { memberId: '', generationId: -1 }
    this.#walkers.set(who, walker)
    const groupId = `g${who % 2}`
    if (kind === 'join') this.#join(groupId, walker, who, amount)
    else if (kind === 'sync') this.#sync(groupId, walker, who, amount)
    else if (kind === 'commit') this.#commit(groupId, walker, amount)
    else if (kind === 'delete') this.shard.deleteGroup(groupId, this.reply(), this.turn())
    else if (kind === 'wait') this.advance(amount * 1_000)
    else {
      const members = [{ memberId: walker.memberId, groupInstanceId: instanceOf(who) }]
      this.shard.leave({ groupId, members }, this.reply(), this.turn())
    }
  }

  #join(groupId: string, walker: Walker, who: number, amount: number): void {
    const request = {
      groupId,
      client: { clientId: `c${who}`, clientHost: '/127.0.0.1' },
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      memberId: amount % 4 === 0 ? '' : walker.memberId,
      groupInstanceId: instanceOf(who),
      protocolType: 'consumer',
      protocols: amount % 2 === 0 ? protocols('range', 'rr') : protocols('rr', 'range'),
      isMemberIdRequired: amount % 3 === 0,
      canSkipAssignment: true,
    }
    const reply = this.reply<Walker & { errorCode: number }>((answer) => {
      walker.memberId = answer.memberId
      walker.generationId = answer.generationId
    })
    this.shard.join(request, reply, this.turn())
  }

  #sync(groupId: string, walker: Walker, who: number, amount: number): void {
    const assignments = new Map(
      [...this.#walkers.values()].map(({ memberId }) => [memberId, Buffer.from(`${amount}`)]),
    )
    const request = {
      groupId,
      ...walker,
      groupInstanceId: instanceOf(who),
      protocolType: null,
      protocolName: null,
      assignments,
    }
    this.shard.sync(request, this.reply(), this.turn())
  }

  #commit(groupId: string, walker: Walker, amount: number): void {
    const partitions = [{ partition: amount % 2, offset: amount, leaderEpoch: -1, metadata: null }]
    const request = {
      groupId,
      ...(amount % 3 === 0 ? { memberId: '', generationId: -1 } : walker),
      groupInstanceId: null,
      retentionTimeMs: amount % 5 === 0 ? 60_000 : -1,
      knowsGroupIdNotFound: true,
      topics: [{ name: amount % 7 === 0 ? 'old' : 'orders', topicId: NO_TOPIC_ID, partitions }],
    }
    this.shard.commitOffsets(request, this.reply(), this.turn())
  }
}

const instanceOf = (who: number): string | null => (who > 5 ? `i${who}` : null)

function replayed(records: readonly EncodedRecord[]): GroupCoordinatorShard {
  const shard = new GroupCoordinatorShard(() => CONFIG)
  for (const [offset, { key, value }] of records.entries()) shard.replay(key, value, offset, -1)
  return shard
}

/** Groups in a rebalance are in the log as they were before it, so they are left out. */
function snapshot(shard: GroupCoordinatorShard, leftOut: ReadonlySet<string>): unknown {
  const groups = [...shard.groups.groups]
    .filter(({ groupId }) => !leftOut.has(groupId))
    .map((group) => {
      assert.ok(group.type === 'classic')
      const { key, value } = groupMetadataRecord(group)
      // A group that only keeps offsets has no record of its own.
      return group.protocolType === null ? group.groupId : decodeOffsetsRecord(key, value)
    })
  const offsets = [...shard.offsets.entries()].map(([group, topic, partition, committed]) => [
    `${group} ${topic} ${partition}`,
    { ...committed, order: 0 },
  ])
  return { groups: new Set(groups), offsets: new Map(offsets as [string, object][]) }
}

describe('replay of group records', () => {
  it('gives the state that the shard is in, after every step of any walk', () => {
    const kinds = ['join', 'join', 'join', 'sync', 'sync', 'commit', 'leave', 'delete', 'wait']
    const action = fc.tuple(fc.constantFrom(...kinds), fc.nat(8), fc.nat(40))
    const seen = new Set<string>()
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 80 }), (actions) => {
        const walk = new Walk(CONFIG)
        for (const one of actions) {
          walk.act(one)
          const rebalancing = new Set<string>()
          for (const { groupId, state } of walk.shard.groups.groups) {
            seen.add(state)
            if (state !== 'Stable' && state !== 'Empty') rebalancing.add(groupId)
          }
          assert.deepEqual(
            snapshot(replayed(walk.records), rebalancing),
            snapshot(walk.shard, rebalancing),
          )
        }
      }),
      { numRuns: 150 },
    )
    assert.equal(seen.size, 4, 'the walks saw every state')
  })

  it('needs one timer per member and pending member, two per group, one per shard at most', () => {
    const action = fc.tuple(
      fc.constantFrom('join', 'join', 'sync', 'leave', 'wait'),
      fc.nat(8),
      fc.nat(40),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const walk = new Walk(CONFIG)
        for (const one of actions) {
          walk.act(one)
          let bound = 1
          for (const group of walk.shard.groups.groups) {
            assert.ok(group.type === 'classic')
            bound += 2 + group.members.size + group.pendingJoinMembers.size
          }
          assert.ok(walk.timers.size <= bound)
        }
      }),
    )
  })
})

function offsetRecord(offset: number): EncodedRecord {
  const fields = { offset, metadata: '', commitTimestamp: 1, leaderEpoch: -1 }
  return {
    key: encodeCoordinatorKey(offsetCommit, { group: 'g', topic: 'orders', partition: 0 }),
    value: encodeCoordinatorValue(offsetCommit, 3, fields),
  }
}

describe('offsets that a transaction committed (KIP-98, KIP-447)', () => {
  const fetch = (shard: GroupCoordinatorShard, requireStable = false) => {
    const topics = [{ name: 'orders', topicId: NO_TOPIC_ID, partitions: [0] }]
    const fetched = shard.offsets.fetch({ groupId: 'g', topics, requireStable })
    assert.ok(typeof fetched !== 'number')
    const [topic] = fetched
    return [topic?.partitions[0]?.offset, topic?.partitions[0]?.errorCode]
  }
  const load = (shard: GroupCoordinatorShard, offset: number, at: number, producerId: number) => {
    const { key, value } = offsetRecord(offset)
    shard.replay(key, value, at, producerId)
  }

  it('count when it ends with COMMIT, and are UNSTABLE_OFFSET_COMMIT before', () => {
    const shard = replayed([offsetRecord(1)])
    load(shard, 5, 1, 77)
    assert.deepEqual(fetch(shard), [1, 0])
    assert.deepEqual(fetch(shard, true), [-1, 88])
    shard.replayTransactionEnd(77, true)
    assert.deepEqual(fetch(shard, true), [5, 0])
  })

  it('are dropped when it ends with ABORT', () => {
    const shard = replayed([offsetRecord(1)])
    load(shard, 5, 1, 77)
    shard.replayTransactionEnd(77, false)
    assert.deepEqual(fetch(shard, true), [1, 0])
  })

  it('do not replace a plain commit that came later', () => {
    const shard = replayed([])
    load(shard, 5, 0, 77)
    load(shard, 9, 1, -1)
    shard.replayTransactionEnd(77, true)
    assert.deepEqual(fetch(shard), [9, 0])
  })

  it('go with a tombstone', () => {
    const shard = replayed([])
    load(shard, 5, 0, 77)
    shard.replay(offsetRecord(0).key, null, 1, -1)
    shard.replayTransactionEnd(77, true)
    assert.deepEqual(fetch(shard, true), [-1, 0])
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ConsumerGroup } from '../../../../../src/broker/groups/consumer/consumer-group.ts'
import { DEFAULT_GROUP_CONFIG } from '../../../../../src/broker/groups/group-config.ts'
import { GroupCoordinatorShard } from '../../../../../src/broker/groups/group-coordinator-shard.ts'
import { ConsumerWalk } from './consumer-walk.ts'

const CONFIG = { ...DEFAULT_GROUP_CONFIG, consumerMaxSize: 8 }
const TOPIC_CHOICES = [['orders'], ['orders', 'mail'], ['mail'], ['missing'], []] as const
const REGEXES = [null, null, null, 'ord.*', '.*'] as const
const ASSIGNORS = [null, null, 'uniform', 'range'] as const

type Action = readonly [kind: string, who: number, amount: number]

function act(walk: ConsumerWalk, [kind, who, amount]: Action): void {
  const name = amount % 2 === 0 ? 'orders' : 'mail'
  if (kind === 'join') {
    const topics = TOPIC_CHOICES[amount % TOPIC_CHOICES.length] ?? []
    const regex = REGEXES[amount % REGEXES.length] ?? null
    walk.join(who, topics, regex, ASSIGNORS[amount % ASSIGNORS.length] ?? null)
  } else if (kind === 'beat') walk.beat(who)
  else if (kind === 'lost') walk.beat(who, true)
  else if (kind === 'leave') walk.leave(who, -1)
  else if (kind === 'pause') walk.leave(who, -2)
  else if (kind === 'kill') walk.kill(who)
  else if (kind === 'wait') walk.advance(amount * 1_000)
  else if (kind === 'grow') {
    const isNew = !walk.topics.topics.has(name)
    const count = walk.topics.topics.get(name)?.partitions.length ?? 0
    walk.topics.set(name, Math.min(count + 1 + (amount % 4), 12))
    walk.tellTopics([name], isNew)
  } else {
    walk.topics.delete(name)
    walk.tellTopics([name], false)
  }
}

/** Everything that a restart has to bring back. */
function snapshot(group: ConsumerGroup | undefined): unknown {
  if (group === undefined) return null
  return {
    epochs: [group.groupEpoch, group.assignmentEpoch, group.assignmentTimestampMs],
    hash: group.metadataHash,
    state: group.state,
    members: new Set(group.members.values()),
    targets: new Map(group.targets),
    regexes: new Map(group.regexes),
    topics: group.subscribedTopicNames,
    assignor: group.preferredAssignor,
    isHomogeneous: group.isHomogeneous,
  }
}

function replayed(walk: ConsumerWalk): ConsumerGroup | undefined {
  const shard = new GroupCoordinatorShard(
    () => CONFIG,
    () => walk.topics,
  )
  for (const [offset, { key, value }] of walk.records.entries())
    shard.replay(key, value, offset, -1)
  const group = shard.groups.group('g')
  return group?.type === 'consumer' ? group : undefined
}

function assertOneOwner(walk: ConsumerWalk): void {
  const owners = new Map<string, string>()
  for (const member of walk.group?.members.values() ?? []) {
    for (const partitions of [member.assigned, member.pendingRevocation]) {
      for (const [topicId, epochs] of partitions) {
        for (const partition of epochs.keys()) {
          const place = `${topicId}/${partition}`
          assert.equal(owners.get(place), undefined, 'no partition has two owners in the group')
          owners.set(place, member.memberId)
        }
      }
    }
  }
  const users = new Map<string, string>()
  for (const { memberId, owned } of walk.walkers.values()) {
    for (const place of owned) {
      // A client that was thrown out while it was silent does not know it yet.
      if (walk.group?.members.has(memberId) !== true) continue
      assert.equal(users.get(place), undefined, 'no partition is read by two clients')
      users.set(place, memberId)
    }
  }
}

/** Topics that somebody wants, with all their partitions. */
function wantedPlaces(walk: ConsumerWalk): string[] {
  return [...walk.topics.topics.values()].flatMap(({ name, topicId, partitions }) =>
    [...walk.walkers.values()].some(({ topics, regex }) => wants(topics, regex, name))
      ? partitions.map(({ partition }) => `${topicId}/${partition}`)
      : [],
  )
}

function wants(topics: readonly string[], regex: string | null, name: string): boolean {
  return topics.includes(name) || (regex !== null && new RegExp(`^(?:${regex})$`).test(name))
}

const kinds = [
  ...['join', 'join', 'join', 'beat', 'beat', 'beat', 'beat', 'lost'],
  ...['leave', 'pause', 'kill', 'wait', 'grow', 'drop'],
]
const actions = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(9), fc.nat(40)), {
  minLength: 10,
  maxLength: 60,
})

describe('a consumer group whose members do what they like (KIP-848)', () => {
  it('never gives a partition to two, and is rebuilt by its records, after every step', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(actions, (walked) => {
        const walk = new ConsumerWalk(CONFIG)
        act(walk, ['grow', 0, 2])
        for (const action of walked) {
          act(walk, action)
          seen.add(walk.group?.state ?? 'none')
          assertOneOwner(walk)
          assert.deepEqual(snapshot(replayed(walk)), snapshot(walk.group))
        }
      }),
      { numRuns: 150 },
    )
    const states = ['Assigning', 'Empty', 'Reconciling', 'Stable']
    assert.deepEqual([...seen].filter((state) => state !== 'none').sort(), states)
  })

  it('gives every partition of a wanted topic to somebody in the end', () => {
    fc.assert(
      fc.property(actions, (walked) => {
        const walk = new ConsumerWalk(CONFIG)
        act(walk, ['grow', 0, 2])
        for (const action of walked) act(walk, action)
        settle(walk)
        const owned = [...walk.walkers.values()].flatMap((walker) => [...walker.owned])
        assert.deepEqual(owned.sort(), wantedPlaces(walk).sort())
        for (const { epoch } of walk.walkers.values()) {
          assert.equal(epoch, walk.group?.groupEpoch)
        }
      }),
      // More members than the group takes.
      { numRuns: 150, examples: [[Array.from({ length: 10 }, (_, who) => ['join', who, 0])]] },
    )
  })
})

/** Long enough for sessions of the dead to end and for regexes to be looked at again. */
function settle(walk: ConsumerWalk): void {
  for (let round = 0; round < 80; round++) {
    walk.advance(1_500)
    for (const who of [...walk.walkers.keys()]) walk.beat(who)
    assertOneOwner(walk)
  }
}

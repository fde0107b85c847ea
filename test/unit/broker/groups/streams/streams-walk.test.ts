import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  DEFAULT_GROUP_CONFIG,
  type GroupConfig,
} from '../../../../../src/broker/groups/group-config.ts'
import { GroupCoordinatorShard } from '../../../../../src/broker/groups/group-coordinator-shard.ts'
import type {
  DescribedStreamsGroup,
  StreamsHeartbeatOutcome,
  StreamsHeartbeatRequest,
} from '../../../../../src/broker/groups/streams/streams-group-requests.ts'
import { TestTopics } from '../consumer/test-topics.ts'
import { MachineHarness } from '../machine-harness.ts'

const GROUP = 'g'
const TASK_COUNT = 5
const NOTHING = { activeTasks: [], standbyTasks: [], warmupTasks: [] }
const NO_NEWS = { activeTasks: null, standbyTasks: null, warmupTasks: null }

interface Member {
  readonly name: string
  epoch: number
  owned: Pick<StreamsHeartbeatRequest, 'activeTasks' | 'standbyTasks' | 'warmupTasks'>
}

/** Members of an application with one store, on two processes, that do as they are told or not. */
class StreamsWalk {
  readonly #topics = new TestTopics()
  readonly #config: GroupConfig
  readonly #harness: MachineHarness
  readonly #members = new Map<string, Member>()

  constructor(standbyCount: number) {
    this.#config = {
      ...DEFAULT_GROUP_CONFIG,
      streamsInitialRebalanceDelayMs: 0,
      streamsAssignmentIntervalMs: 0,
      streamsStandbyCount: standbyCount,
    }
    this.#topics.set('in', TASK_COUNT)
    this.#topics.set('store', TASK_COUNT)
    this.#harness = new MachineHarness(this.#config, () => this.#topics)
  }

  get names(): string[] {
    return [...this.#members.keys()]
  }

  join(name: string): void {
    const member = { name, epoch: 0, owned: NOTHING }
    this.#members.set(name, member)
    const subtopology = {
      ...{ subtopologyId: '0', sourceTopics: ['in'], sourceTopicRegex: [] },
      ...{ repartitionSinkTopics: [], repartitionSourceTopics: [], copartitionGroups: [] },
      stateChangelogTopics: [
        { name: 'store', partitions: 0, replicationFactor: 0, topicConfigs: [] },
      ],
    }
    this.#heartbeat(member, {
      ...NOTHING,
      ...{ memberEpoch: 0, rebalanceTimeoutMs: 5_000 },
      processId: `process ${name.charCodeAt(0) % 2}`,
      topology: { epoch: 0, subtopologies: [subtopology] },
    })
  }

  beat(name: string): void {
    const member = this.#members.get(name)
    if (member !== undefined) this.#heartbeat(member, { memberEpoch: member.epoch })
  }

  /** Reports that it has just what it was told to have. */
  own(name: string): void {
    const member = this.#members.get(name)
    if (member === undefined) return
    this.#heartbeat(member, { memberEpoch: member.epoch, ...member.owned })
  }

  leave(name: string): void {
    const member = this.#members.get(name)
    if (member === undefined) return
    this.#heartbeat(member, { memberEpoch: -1 })
    this.#members.delete(name)
  }

  wait(ms: number): void {
    this.#harness.advance(ms)
  }

  #heartbeat({ name, ...known }: Member, facts: Partial<StreamsHeartbeatRequest>): void {
    const request: StreamsHeartbeatRequest = {
      ...{ groupId: GROUP, memberId: name, memberEpoch: known.epoch, endpointEpoch: 0 },
      client: { clientId: 'app', clientHost: '/10.0.0.1' },
      ...{ instanceId: null, rackId: null, rebalanceTimeoutMs: -1, topology: null },
      ...{ processId: null, userEndpoint: null, clientTags: null },
      ...{ taskOffsets: null, taskEndOffsets: null, isShutdownRequested: false },
      knowsClientTagStatus: true,
      ...NO_NEWS,
      ...facts,
    }
    const reply = this.#harness.reply<StreamsHeartbeatOutcome>(({ result }) => {
      const member = this.#members.get(name)
      if (member === undefined) return
      // Thrown out while it was silent: it forgets everything, and joins again later.
      if (result.errorCode !== 0) this.#members.delete(name)
      else if (result.memberEpoch >= 0) member.epoch = result.memberEpoch
      if (result.tasks === null) return
      const { active, standby, warmup } = result.tasks
      member.owned = { activeTasks: active, standbyTasks: standby, warmupTasks: warmup }
    })
    const { shard } = this.#harness
    shard.streams((groups, step) => groups.heartbeat(request, step), reply, this.#harness.turn())
  }

  /** Until all have what they shall have. */
  settle(): DescribedStreamsGroup {
    for (let round = 0; round < 8; round++) for (const name of this.names) this.own(name)
    return this.describe(this.#harness.shard)
  }

  describe(shard: GroupCoordinatorShard): DescribedStreamsGroup {
    let described: DescribedStreamsGroup | undefined
    const reply = this.#harness.reply<DescribedStreamsGroup>((group) => {
      described = group
    })
    shard.streams((groups, step) => groups.describe(GROUP, step), reply, this.#harness.turn())
    assert.ok(described !== undefined)
    return described
  }

  check(): void {
    const group = this.describe(this.#harness.shard)
    const owners = new Set<string>()
    const copies = new Set<string>()
    for (const { assignment, processId } of group.members) {
      for (const { partitions } of assignment.active) {
        for (const partition of partitions) {
          assert.ok(!owners.has(String(partition)), 'no task is run by two members')
          owners.add(String(partition))
        }
      }
      for (const { partitions } of assignment.standby) {
        for (const partition of partitions) {
          const copy = `${processId} ${partition}`
          assert.ok(!copies.has(copy), 'no process has a copy twice')
          copies.add(copy)
        }
      }
    }
    assert.deepEqual(plain(this.describe(this.#replayed())), plain(group), 'a replay is the state')
  }

  #replayed(): GroupCoordinatorShard {
    const shard = new GroupCoordinatorShard(
      () => this.#config,
      () => this.#topics,
    )
    for (const [offset, { key, value }] of this.#harness.records.entries()) {
      shard.replay(key, value, offset, -1)
    }
    return shard
  }
}

/** Members by name, and without the counts of topics, which a replay has not looked at yet. */
function plain({ members, topology, ...facts }: DescribedStreamsGroup) {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  return { ...facts, members: sorted, epoch: topology?.epoch }
}

const name = fc.constantFrom('a', 'b', 'c', 'd')
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('join', 'beat', 'own', 'own', 'leave'), name }),
  fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(1_000, 6_000, 46_000) }),
)

describe('streams groups (KIP-1071)', () => {
  it('run each task once, keep copies apart, and are what their records say', () => {
    fc.assert(
      fc.property(fc.nat(2), fc.array(step, { maxLength: 40 }), (standbyCount, steps) => {
        const walk = new StreamsWalk(standbyCount)
        walk.join('a')
        for (const one of steps) {
          if ('ms' in one) walk.wait(one.ms)
          else if (one.kind === 'join') walk.join(one.name)
          else if (one.kind === 'beat') walk.beat(one.name)
          else if (one.kind === 'own') walk.own(one.name)
          else walk.leave(one.name)
          walk.check()
        }
        // Whoever was thrown out without knowing it finds out, and somebody is there in the end.
        for (const known of walk.names) walk.beat(known)
        if (walk.names.length === 0) walk.join('a')
        const { state, members } = walk.settle()
        walk.check()
        const counts = members.map(({ assignment }) => assignment.active[0]?.partitions.length ?? 0)
        const sum = counts.reduce((total, count) => total + count, 0)
        assert.deepEqual([state, sum], ['Stable', TASK_COUNT])
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, 'tasks are spread evenly')
      }),
    )
  })
})

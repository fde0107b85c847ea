import { createTopic, deleteTopic, setGroupConfig, topicIdOf } from '../broker-client.ts'
import { producerPerformance, shareConsumerPerformance } from '../perf-tools.ts'
import { measure } from '../process-usage.ts'
import { medianOf } from '../report.ts'
import type { Scenario, ScenarioContext } from '../scenario.ts'
import { ClassicMember } from './classic-member.ts'
import { ConsumerMember } from './consumer-member.ts'
import { type GroupMember, rebalance } from './group-member.ts'
import type { MemberOptions } from './member-connection.ts'

const MEMBER_COUNT = 100
const PARTITION_COUNT = 1_000
const LEAST_MEMBERS = 5
const LEAST_PARTITIONS = 50
/** Of a member that joins and leaves again. */
const ROUND_COUNT = 20
const COMMIT_SECONDS = 5
const SHARE_RECORD_COUNT = 500_000
const LEAST_RECORDS = 5_000
const SHARE_RECORD_BYTES = 1_024

type Protocol = 'classic' | 'consumer'

const OPEN: Readonly<Record<Protocol, (options: MemberOptions) => Promise<GroupMember>>> = {
  classic: ClassicMember.open,
  consumer: ConsumerMember.open,
}

/** A group on a topic of its own, whose partitions its members have all. */
class Group {
  readonly #options: MemberOptions
  readonly #open: (options: MemberOptions) => Promise<GroupMember>
  readonly members: GroupMember[] = []

  private constructor(protocol: Protocol, options: MemberOptions) {
    this.#open = OPEN[protocol]
    this.#options = options
  }

  static async form(protocol: Protocol, { target, topic, scale }: ScenarioContext): Promise<Group> {
    const { bootstrap } = target
    const groupId = `${topic}-${protocol}`
    // It bundles changes of a second otherwise, and that would be all that is measured.
    if (protocol === 'consumer')
      await setGroupConfig(bootstrap, groupId, { 'consumer.assignment.interval.ms': '0' })
    const partitionCount = Math.max(LEAST_PARTITIONS, Math.round(PARTITION_COUNT * scale))
    await createTopic(bootstrap, topic, partitionCount, { 'file.delete.delay.ms': '1000' })
    const topicId = await topicIdOf(bootstrap, topic)
    const facts = { bootstrap, groupId, topic, topicId, partitionCount }
    const group = new Group(protocol, facts)
    const memberCount = Math.max(LEAST_MEMBERS, Math.round(MEMBER_COUNT * scale))
    for (let index = 0; index < memberCount; index++) group.members.push(await group.newMember())
    await group.rebalance(group.members, async () => {
      await Promise.all(group.members.map((member) => member.join()))
    })
    return group
  }

  /** @returns milliseconds until the members have followed */
  rebalance(members: readonly GroupMember[], trigger: () => Promise<void>): Promise<number> {
    return rebalance(members, this.#options.partitionCount, trigger)
  }

  newMember(): Promise<GroupMember> {
    return this.#open(this.#options)
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.leave().finally(() => member.close())))
    await deleteTopic(this.#options.bootstrap, this.#options.topic)
  }
}

function rebalanceScenario(protocol: Protocol, title: string): Scenario {
  return {
    name: `rebalance-${protocol}`,
    title,
    metrics: [
      { name: 'one joins', unit: 'ms', goal: { ratioAtMost: 1 } },
      { name: 'one leaves', unit: 'ms', goal: { ratioAtMost: 1 } },
      { name: 'CPU per rebalance', unit: 'ms' },
    ],
    run: async (context) => {
      const group = await Group.form(protocol, context)
      const { members } = group
      const extra = await group.newMember()
      const roundCount = Math.max(2, Math.round(ROUND_COUNT * context.scale))
      const joins: number[] = []
      const leaves: number[] = []
      const { cpuSeconds } = await measure(context.target.pid, async () => {
        for (let round = 0; round < roundCount; round++) {
          const all = [...members, extra]
          joins.push(await group.rebalance(all, () => extra.join()))
          leaves.push(await group.rebalance(members, () => extra.leave()))
        }
      })
      await extra.close()
      await group.close()
      return {
        'one joins': medianOf(joins),
        'one leaves': medianOf(leaves),
        'CPU per rebalance': (cpuSeconds * 1e3) / (2 * roundCount),
      }
    },
  }
}

const commits: Scenario = {
  name: 'offset-commits',
  title: `${MEMBER_COUNT} members, each commits its ${PARTITION_COUNT / MEMBER_COUNT} partitions all the time`,
  metrics: [
    { name: 'commits', unit: '/s', goal: { ratioAtLeast: 1 } },
    { name: 'CPU per commit', unit: 'µs' },
    { name: 'p50', unit: 'ms' },
    { name: 'p99', unit: 'ms' },
  ],
  run: async (context) => {
    const group = await Group.form('classic', context)
    const { result, seconds, cpuSeconds } = await measure(context.target.pid, () => {
      const endAt = performance.now() + Math.max(0.5, COMMIT_SECONDS * context.scale) * 1e3
      return Promise.all(group.members.map((member) => commitUntil(member, endAt)))
    })
    await group.close()
    const times = result.flat().sort((one, other) => one - other)
    const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN
    return {
      commits: times.length / seconds,
      'CPU per commit': (cpuSeconds * 1e6) / times.length,
      p50: at(0.5),
      p99: at(0.99),
    }
  },
}

/** @returns milliseconds of each commit */
async function commitUntil(member: GroupMember, endAt: number): Promise<number[]> {
  const times: number[] = []
  for (let at = performance.now(), offset = 0; at < endAt; offset++) {
    await member.commit(offset)
    const now = performance.now()
    times.push(now - at)
    at = now
  }
  return times
}

const share: Scenario = {
  name: 'share-group',
  title: 'a member of a share group reads and acknowledges 1 KB records',
  metrics: [
    { name: 'rate', unit: 'MB/s', goal: { ratioAtLeast: 1 } },
    { name: 'CPU per GB', unit: 's' },
  ],
  topic: { partitionCount: 6 },
  prepare: async (context) => {
    const { target, topic } = context
    const { bootstrap } = target
    await setGroupConfig(bootstrap, topic, { 'share.auto.offset.reset': 'earliest' })
    await producerPerformance({
      ...{ bootstrap, topic, recordBytes: SHARE_RECORD_BYTES },
      // A run may take a few batches more than it was asked for.
      recordCount: 4 * LEAST_RECORDS + shareRecordCount(context),
      properties: ['batch.size=131072', 'linger.ms=5'],
    })
    // The first member of a group waits a heartbeat longer for its partitions than those after it.
    await shareConsumerPerformance(bootstrap, topic, topic, LEAST_RECORDS)
  },
  run: async (context) => {
    const { pid, bootstrap } = context.target
    const { topic } = context
    const { result, cpuSeconds } = await measure(pid, () =>
      shareConsumerPerformance(bootstrap, topic, topic, shareRecordCount(context)),
    )
    return {
      rate: result.megabytesPerSecond,
      'CPU per GB': cpuSeconds / (result.megabytes / 1e3),
    }
  },
}

function shareRecordCount({ scale }: ScenarioContext): number {
  return Math.max(2 * LEAST_RECORDS, Math.round(SHARE_RECORD_COUNT * scale))
}

/** What groups cost: changes of their members, commits, and records that are acknowledged one by one. */
export const GROUP_SCENARIOS: readonly Scenario[] = [
  rebalanceScenario(
    'classic',
    `a member joins a group of ${MEMBER_COUNT} on ${PARTITION_COUNT} partitions and leaves it, classic protocol`,
  ),
  rebalanceScenario('consumer', 'the same, protocol of KIP-848'),
  commits,
  share,
]

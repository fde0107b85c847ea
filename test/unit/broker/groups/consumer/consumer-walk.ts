import type { ConsumerGroup } from '../../../../../src/broker/groups/consumer/consumer-group.ts'
import type {
  ConsumerHeartbeatRequest,
  ConsumerHeartbeatResult,
} from '../../../../../src/broker/groups/consumer/consumer-group-requests.ts'
import type { GroupConfig } from '../../../../../src/broker/groups/group-config.ts'
import { MachineHarness } from '../machine-harness.ts'
import { TestTopics } from './test-topics.ts'

/** A consumer that follows the protocol, seen from the client's side. */
export interface Walker {
  readonly memberId: string
  readonly instanceId: string | null
  epoch: number
  /** By `topic id / partition`. */
  owned: Set<string>
  topics: readonly string[]
  regex: string | null
  assignor: string | null
  /** Tells the broker everything with the next heartbeat. */
  isFull: boolean
  life: number
}

/** Walkers in one group, on topics that change. */
export class ConsumerWalk extends MachineHarness {
  readonly topics: TestTopics
  readonly walkers = new Map<number, Walker>()
  #lives = 0

  constructor(config: GroupConfig) {
    const topics = new TestTopics()
    super(config, () => topics)
    this.topics = topics
  }

  get group(): ConsumerGroup | undefined {
    const group = this.shard.groups.group('g')
    return group?.type === 'consumer' ? group : undefined
  }

  join(
    who: number,
    topics: readonly string[],
    regex: string | null,
    assignor: string | null,
  ): void {
    const known = this.walkers.get(who)
    if (known !== undefined) {
      Object.assign(known, { topics, regex, assignor, isFull: true })
      this.beat(who)
      return
    }
    this.walkers.set(who, {
      memberId: `m${who}-${this.#lives++}`,
      instanceId: who >= 6 ? `i${who}` : null,
      epoch: 0,
      owned: new Set(),
      ...{ topics, regex, assignor, isFull: true, life: 0 },
    })
    this.beat(who)
  }

  beat(who: number, losesAnswer = false): void {
    const walker = this.walkers.get(who)
    if (walker === undefined) return
    const answer = this.#send(this.#requestOf(walker))
    if (losesAnswer || answer === undefined) {
      // As clients do: what may have been lost is said again.
      walker.isFull = true
      return
    }
    this.#take(who, walker, answer)
  }

  leave(who: number, epoch: -1 | -2): void {
    const walker = this.walkers.get(who)
    if (walker === undefined) return
    if (epoch === -2 && walker.instanceId === null) return
    this.#send({ ...this.#requestOf(walker), memberEpoch: epoch })
    this.walkers.delete(who)
  }

  /** The process dies: nobody says that it leaves. */
  kill(who: number): void {
    this.walkers.delete(who)
  }

  tellTopics(names: readonly string[], hasCreated: boolean): void {
    this.shard.topicsChanged({ names, hasCreated }, this.turn())
  }

  #requestOf(walker: Walker): ConsumerHeartbeatRequest {
    const { epoch, isFull, topics, regex, assignor } = walker
    const saysAll = epoch === 0 || isFull
    return {
      groupId: 'g',
      client: { clientId: 'c', clientHost: '/127.0.0.1' },
      memberId: walker.memberId,
      isMemberIdRequired: true,
      memberEpoch: epoch,
      instanceId: walker.instanceId,
      rackId: null,
      rebalanceTimeoutMs: saysAll ? 60_000 : -1,
      subscribedTopicNames: saysAll ? topics : null,
      subscribedTopicRegex: saysAll ? (regex ?? '') : null,
      serverAssignor: saysAll ? assignor : null,
      ownedPartitions: toTopics(walker.owned),
    }
  }

  #send(request: ConsumerHeartbeatRequest): ConsumerHeartbeatResult | undefined {
    let result: ConsumerHeartbeatResult | undefined
    const reply = this.reply<ConsumerHeartbeatResult>((answer) => {
      result = answer
    })
    this.shard.consumerHeartbeat(request, reply, this.turn())
    return result
  }

  #take(who: number, walker: Walker, answer: ConsumerHeartbeatResult): void {
    const { errorCode, memberEpoch, assignment } = answer
    if (errorCode === UNRELEASED_INSTANCE_ID || errorCode === GROUP_MAX_SIZE_REACHED) {
      // A client takes these as final.
      this.walkers.delete(who)
    } else if (errorCode !== 0) {
      // Fenced or unknown: it lets go of everything and joins anew.
      walker.owned = new Set()
      walker.epoch = 0
      walker.life++
    } else {
      walker.epoch = memberEpoch
      walker.isFull = false
      if (assignment !== null) {
        walker.owned = new Set(
          assignment.flatMap(({ topicId, partitions }) =>
            partitions.map((partition) => `${topicId}/${partition}`),
          ),
        )
      }
    }
  }
}

const GROUP_MAX_SIZE_REACHED = 81
const UNRELEASED_INSTANCE_ID = 111

function toTopics(owned: ReadonlySet<string>) {
  const topics = new Map<string, number[]>()
  for (const one of owned) {
    const [topicId = '', partition] = one.split('/')
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)])
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}

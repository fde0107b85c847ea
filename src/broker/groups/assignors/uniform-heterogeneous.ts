import { assert } from '../../../base/assert.ts'
import {
  addPartition,
  copyAssignment,
  type MutableAssignment,
  removePartition,
} from './assignment.ts'
import { LoadBalancer } from './load-balancer.ts'
import type { AssignmentRequest, GroupAssignment } from './partition-assignor.ts'

/** Rounds over all topics; it settles long before, and an endless loop must be impossible. */
const MAX_ROUND_COUNT = 16
const NOBODY = -1

interface Topic {
  readonly topicId: string
  /** Indices of the members that want it. */
  readonly subscribers: number[]
  /** Index of the member that has the partition, or NOBODY. */
  readonly owners: number[]
}

/**
 * Members want different topics. Partitions that nobody has go to the least loaded of those that want
 * them; then topic by topic partitions move from the most to the least loaded subscriber until the
 * loads differ by one at most, or nothing moves any more.
 */
export function assignHeterogeneously(request: AssignmentRequest): GroupAssignment {
  return new HeterogeneousAssignment(request).assign()
}

class HeterogeneousAssignment {
  readonly #request: AssignmentRequest
  readonly #topics: readonly Topic[]
  /** By member index. */
  readonly #assignments: MutableAssignment[] = []
  readonly #loads: number[] = []

  constructor(request: AssignmentRequest) {
    this.#request = request
    this.#topics = sortedTopics(request)
  }

  assign(): GroupAssignment {
    this.#keepWhatIsWanted()
    for (const topic of this.#topics) this.#assignFree(topic)
    this.#balance()
    const { members } = this.#request
    return new Map(
      members.map(({ memberId }, index) => [memberId, this.#assignments[index] ?? new Map()]),
    )
  }

  #keepWhatIsWanted(): void {
    const owners = new Map(this.#topics.map((topic) => [topic.topicId, topic.owners]))
    for (const [index, member] of this.#request.members.entries()) {
      const assignment = copyAssignment(member.assignment)
      let load = 0
      for (const [topicId, partitions] of [...assignment]) {
        if (!member.topicIds.has(topicId)) {
          assignment.delete(topicId)
          continue
        }
        load += partitions.size
        for (const partition of partitions) (owners.get(topicId) ?? [])[partition] = index
      }
      this.#assignments.push(assignment)
      this.#loads.push(load)
    }
  }

  #assignFree(topic: Topic): void {
    const balancer = new LoadBalancer(topic.subscribers, this.#loads)
    for (const [partition, owner] of topic.owners.entries()) {
      if (owner === NOBODY) this.#move(topic, partition, balancer.nextLeastLoaded())
    }
  }

  #balance(): void {
    const topics = this.#topics.filter(({ subscribers }) => subscribers.length > 1)
    let lastMovedIndex = -1
    for (let round = 0; round < MAX_ROUND_COUNT; round++) {
      for (const [index, topic] of topics.entries()) {
        if (index === lastMovedIndex) return
        const hasMoved = this.#balanceTopic(topic)
        if (hasMoved || lastMovedIndex === -1) lastMovedIndex = index
      }
    }
  }

  /** @returns true when a partition moved */
  #balanceTopic(topic: Topic): boolean {
    const balancer = new LoadBalancer(topic.subscribers, this.#loads)
    if (balancer.imbalance <= 1) return false
    const owned = new Map<number, number[]>()
    for (const [partition, owner] of topic.owners.entries()) {
      owned.set(owner, [...(owned.get(owner) ?? []), partition])
    }
    let hasMoved = false
    while (!balancer.isBalanced) {
      const partition = this.#partitionToMove(balancer, owned)
      if (partition === undefined) break
      const leastLoaded = balancer.nextLeastLoaded()
      if (balancer.isBalanced) break
      this.#move(topic, partition, leastLoaded)
      hasMoved = true
    }
    return hasMoved
  }

  /** The last partition that the most loaded member has of the topic and did not get just now. */
  #partitionToMove(
    balancer: LoadBalancer,
    owned: ReadonlyMap<number, number[]>,
  ): number | undefined {
    for (;;) {
      const mostLoaded = balancer.nextMostLoaded()
      if (mostLoaded === undefined) return undefined
      const partition = owned.get(mostLoaded)?.pop()
      if (partition !== undefined) return partition
      balancer.excludeMostLoaded()
    }
  }

  #move(topic: Topic, partition: number, to: number): void {
    const { topicId, owners } = topic
    const from = owners[partition] ?? NOBODY
    if (from !== NOBODY) {
      removePartition(this.#assignmentOf(from), topicId, partition)
      this.#loads[from] = (this.#loads[from] ?? 0) - 1
    }
    addPartition(this.#assignmentOf(to), topicId, partition)
    this.#loads[to] = (this.#loads[to] ?? 0) + 1
    owners[partition] = to
  }

  #assignmentOf(index: number): MutableAssignment {
    const assignment = this.#assignments[index]
    assert(assignment !== undefined, 'a member that gets partitions is in the group')
    return assignment
  }
}

/** Topics with many partitions per subscriber first: later ones even out what is left. */
function sortedTopics({ members, partitionCount }: AssignmentRequest): Topic[] {
  const topics = new Map<string, Topic>()
  for (const [index, { topicIds }] of members.entries()) {
    for (const topicId of topicIds) {
      const topic = topics.get(topicId)
      if (topic !== undefined) topic.subscribers.push(index)
      else {
        const owners = new Array<number>(partitionCount(topicId)).fill(NOBODY)
        topics.set(topicId, { topicId, subscribers: [index], owners })
      }
    }
  }
  const density = ({ owners, subscribers }: Topic): number => owners.length / subscribers.length
  return [...topics.values()].sort(
    (a, b) =>
      density(b) - density(a) ||
      a.subscribers.length - b.subscribers.length ||
      (a.topicId < b.topicId ? -1 : 1),
  )
}

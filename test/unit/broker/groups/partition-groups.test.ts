import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { partitionForKey } from '../../../../src/broker/coordinator/internal-topics.ts'
import { DEFAULT_GROUP_CONFIG } from '../../../../src/broker/groups/group-config.ts'
import { GroupCoordinator } from '../../../../src/broker/groups/group-coordinator.ts'
import { NO_TOPIC_ID } from '../../../../src/broker/groups/offset-requests.ts'
import { Partition } from '../../../../src/broker/topics/partition.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { MemoryLog } from '../../support/memory-log.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'

const TOPIC = '__consumer_offsets'
const TOPIC_ID = 'c3Bvb2wtdG9waWMtaWQwMQ'
const PARTITION_COUNT = 4

/** A coordinator on partitions, as in the broker. */
class PartitionedGroups {
  readonly logs: MemoryLog[] = []
  readonly #partitions: Partition[] = []
  readonly #clock = new FakeClock()
  readonly #scheduler = new ManualScheduler(this.#clock)
  coordinator: GroupCoordinator

  constructor() {
    for (let index = 0; index < PARTITION_COUNT; index++) {
      const partition = new Partition(TOPIC, TOPIC_ID, index)
      const log = new MemoryLog(TOPIC, TOPIC_ID, index, partition)
      partition.attach(log)
      this.logs.push(log)
      this.#partitions.push(partition)
    }
    this.coordinator = this.start()
  }

  start(): GroupCoordinator {
    const coordinator = new GroupCoordinator({
      clock: this.#clock,
      scheduler: this.#scheduler,
      random: new CountingRandom(),
      logger: SILENT,
      config: () => DEFAULT_GROUP_CONFIG,
      topics: {
        ensure: () => 'ready',
        partitionCount: () => PARTITION_COUNT,
        plannedPartitionCount: () => PARTITION_COUNT,
        partition: (_, index) => this.#partitions[index],
      },
    })
    coordinator.start()
    return coordinator
  }

  async now<T>(promise: Promise<T>): Promise<T> {
    this.#scheduler.finishTurn()
    await setImmediate()
    return promise
  }

  async commit(groupId: string, offset: number): Promise<number> {
    const partitions = [{ partition: 0, offset, leaderEpoch: -1, metadata: null }]
    const [topic] = await this.now(
      this.coordinator.commitOffsets({
        groupId,
        generationId: -1,
        memberId: '',
        groupInstanceId: null,
        retentionTimeMs: -1,
        knowsGroupIdNotFound: true,
        topics: [{ name: 'orders', topicId: NO_TOPIC_ID, partitions }],
      }),
    )
    return topic?.partitions[0]?.errorCode ?? -1
  }

  async committed(groupId: string): Promise<number> {
    const request = { groupId, topics: null, requireStable: true }
    const { topics } = await this.now(this.coordinator.fetchOffsets(request))
    return topics[0]?.partitions[0]?.offset ?? -1
  }
}

const IDS = Array.from({ length: 12 }, (_, index) => `group-${index}`)

describe('groups on the partitions of __consumer_offsets', () => {
  it('are each in the partition that Kafka puts them in', async () => {
    const groups = new PartitionedGroups()
    for (const [index, id] of IDS.entries()) await groups.commit(id, index)
    const counts = new Array<number>(PARTITION_COUNT).fill(0)
    for (const id of IDS) {
      const index = partitionForKey(id, PARTITION_COUNT)
      counts[index] = (counts[index] ?? 0) + 1
    }
    assert.deepEqual(
      groups.logs.map(({ logEndOffset }) => logEndOffset),
      counts,
    )
  })

  it('are all there after a restart, and listed together', async () => {
    const groups = new PartitionedGroups()
    for (const [index, id] of IDS.entries()) await groups.commit(id, index)
    groups.coordinator.close()
    groups.coordinator = groups.start()
    for (const [index, id] of IDS.entries()) assert.equal(await groups.committed(id), index)
    const { groups: listed } = await groups.now(groups.coordinator.listGroups([], []))
    assert.deepEqual(listed.map(({ groupId }) => groupId).sort(), [...IDS].sort())
  })

  it('fail alone when the log of their partition fails', async () => {
    const groups = new PartitionedGroups()
    for (const id of IDS) await groups.commit(id, 1)
    groups.logs[0]?.fail()
    for (const id of IDS) {
      const isFailed = partitionForKey(id, PARTITION_COUNT) === 0
      if (isFailed) {
        const log = groups.logs[0]
        if (log !== undefined) log.nextAppendError = ErrorCode.KAFKA_STORAGE_ERROR
      }
      const expected = isFailed ? ErrorCode.NOT_COORDINATOR : ErrorCode.NONE
      assert.equal(await groups.commit(id, 2), expected)
    }
    const { errorCode, groups: listed } = await groups.now(groups.coordinator.listGroups([], []))
    assert.equal(errorCode, ErrorCode.NONE)
    assert.ok(listed.length > 0 && listed.length < IDS.length)
  })

  it('refuse everything once the coordinator is closed', async () => {
    const groups = new PartitionedGroups()
    await groups.commit('g', 1)
    groups.coordinator.close()
    assert.equal(await groups.commit('g', 2), ErrorCode.NOT_COORDINATOR)
  })
})

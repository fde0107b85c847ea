import { setImmediate } from 'node:timers/promises'
import { UNPOOLED } from '../../../../src/base/lease.ts'
import { ShareCoordinator } from '../../../../src/broker/share/coordinator/share-coordinator.ts'
import { DEFAULT_SHARE_COORDINATOR_CONFIG } from '../../../../src/broker/share/coordinator/share-coordinator-config.ts'
import {
  type DeadLetterConfig,
  DeadLetterWriter,
} from '../../../../src/broker/share/dead-letter-writer.ts'
import type {
  ShareFetchParams,
  ShareFetchResult,
} from '../../../../src/broker/share/delayed-share-fetch.ts'
import {
  DEFAULT_SHARE_SETTINGS,
  type ShareGroupSettings,
} from '../../../../src/broker/share/share-config.ts'
import { SharePartitionManager } from '../../../../src/broker/share/share-partition-manager.ts'
import { SharePersister } from '../../../../src/broker/share/share-persister.ts'
import { Partition } from '../../../../src/broker/topics/partition.ts'
import { type BatchOptions, buildBatch } from '../../../../src/records/batch-builder.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { MemoryLog } from '../../support/memory-log.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { RecordingMeter } from '../../support/recording-meter.ts'
import { MemoryCoordinatorLog } from '../groups/memory-coordinator-log.ts'

export const TOPIC_ID = 'c3Bvb2wtdG9waWMtaWQwMQ'
const DEAD_TOPIC = 'dlq.jobs'

/** Answers that may not have come yet. */
export interface Fetching {
  results: ShareFetchResult[] | undefined
  cancel(): void
}

const PARAMS: ShareFetchParams = {
  memberId: 'a',
  minBytes: 1,
  maxBytes: 1_000_000,
  maxWaitMs: 500,
  maxRecordCount: 500,
  batchSize: 500,
  isRecordLimit: false,
}

/** Partitions of a topic in memory as share groups read them, with a clock that the test moves. */
export class ShareHarness {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly stateLog = new MemoryCoordinatorLog()
  readonly partitions = [0, 1].map((index) => newPartition('jobs', TOPIC_ID, index))
  readonly dead = newPartition(DEAD_TOPIC, 'c3Bvb2wtdG9waWMtaWQwMg', 0)
  settings: ShareGroupSettings = {
    ...DEFAULT_SHARE_SETTINGS,
    autoOffsetReset: { kind: 'earliest' },
  }
  deadLetterConfig: DeadLetterConfig = { mayCreate: false, topicPrefix: 'dlq.' }
  isDeadTopicEnabled = true
  maxSessions = 2
  coordinator = this.#startCoordinator()
  readonly meter = new RecordingMeter()
  shares = this.#startShares()

  #startCoordinator(): ShareCoordinator {
    const partitionImages = this.partitions.map(({ partition }) => ({
      ...{ partition, replicas: [1], isr: [1] },
      ...{ leaderId: 1, leaderEpoch: 0, partitionEpoch: 0 },
    }))
    const topic = { name: 'jobs', topicId: TOPIC_ID, partitions: partitionImages }
    const coordinator = new ShareCoordinator({
      ...{ clock: this.clock, scheduler: this.scheduler },
      random: new CountingRandom(),
      logger: SILENT,
      topics: {
        ensure: () => 'ready',
        partitionCount: () => 1,
        plannedPartitionCount: () => 1,
        partition: () => undefined,
      },
      config: () => DEFAULT_SHARE_COORDINATOR_CONFIG,
      metadata: () => ({ topicsById: new Map([[TOPIC_ID, topic]]) }),
      openLog: () => this.stateLog,
      endOffset: () => this.stateLog.durable.length,
    })
    coordinator.start()
    return coordinator
  }

  #startShares(): SharePartitionManager {
    const { clock, scheduler } = this
    const byId = (id: string, index: number) =>
      id === TOPIC_ID ? this.partitions[index] : undefined
    return new SharePartitionManager({
      ...{ clock, scheduler, logger: SILENT, meter: this.meter },
      persister: new SharePersister(this.coordinator, scheduler),
      deadLetters: new DeadLetterWriter({
        ...{ clock, scheduler },
        topics: {
          partitionCount: (topic) => (topic === DEAD_TOPIC ? 1 : 0),
          partition: () => this.dead,
          isEnabled: () => this.isDeadTopicEnabled,
          create: async () => 'it is not wanted',
        },
        config: () => this.deadLetterConfig,
      }),
      partitions: {
        partition: (_, index) => this.partitions[index],
        partitionById: byId,
        topicName: (id) => (id === TOPIC_ID ? 'jobs' : undefined),
        topicId: () => TOPIC_ID,
      },
      config: () => ({
        maxSessions: this.maxSessions,
        maxFetchBytes: 1_000_000,
        ofGroup: () => this.settings,
      }),
    })
  }

  /** As after a crash: what was acknowledged is in the log of the coordinator, all else is gone. */
  restart(): void {
    this.shares.close()
    this.coordinator.close()
    this.coordinator = this.#startCoordinator()
    this.shares = this.#startShares()
  }

  /** Gives a share partition state, as the group coordinator does before members get it. */
  async initialize(partition = 0): Promise<void> {
    const key = { groupId: 'g', topicId: TOPIC_ID, partition }
    void this.coordinator.initializeState(key, 1, -1)
    await this.settle()
  }

  produce(count: number, index = 0, options: BatchOptions = {}): void {
    const records = Array.from({ length: count }, (_, at) => ({
      timestamp: this.clock.nowMs(),
      value: Buffer.from(`job ${at}`),
    }))
    const log = this.partitions[index]?.log as MemoryLog
    const waiter = { appendDone() {} }
    const batch = buildBatch(records, options)
    const facts = { lease: UNPOOLED, safety: 'none' as const, waiter, slot: 0 }
    log.append({ batch, ...facts, logAppendTimeMs: -1 })
    log.flush()
  }

  fetch(changes: Partial<ShareFetchParams> = {}, partitions = [0]): Fetching {
    const wanted = partitions.map((partition) => ({ topicId: TOPIC_ID, partition }))
    const fetching: Fetching = { results: undefined, cancel: () => {} }
    const running = this.shares.fetch('g', wanted, { ...PARAMS, ...changes }, (results) => {
      fetching.results = results
    })
    fetching.cancel = () => running.cancel()
    return fetching
  }

  acknowledge(memberId: string, firstOffset: number, lastOffset: number, type: number) {
    const key = { groupId: 'g', topicId: TOPIC_ID, partition: 0 }
    return this.now(
      this.shares.acknowledge(key, memberId, [{ firstOffset, lastOffset, types: [type] }]),
    )
  }

  async now<T>(promise: Promise<T>): Promise<T> {
    await this.settle()
    return promise
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 5; round++) {
      this.scheduler.finishTurn()
      await setImmediate()
    }
  }

  async advance(byMs: number): Promise<void> {
    this.scheduler.advance(byMs)
    await this.settle()
  }
}

function newPartition(topic: string, topicId: string, index: number): Partition {
  const partition = new Partition(topic, topicId, index)
  partition.attach(new MemoryLog(topic, topicId, index, partition))
  return partition
}

/** What a fetch got, such as `0: 5-9 x1`; an error by its number. */
export function shown({ results }: Fetching): string[] | undefined {
  return results?.map(({ partition, errorCode, acquired }) => {
    if (errorCode !== 0) return `${partition}: error ${errorCode}`
    const spans = acquired.map(
      ({ firstOffset, lastOffset, deliveryCount }) =>
        `${firstOffset}-${lastOffset} x${deliveryCount}`,
    )
    return `${partition}: ${spans.join(', ') || 'nothing'}`
  })
}

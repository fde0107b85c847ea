import { setImmediate } from 'node:timers/promises'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import {
  DEFAULT_TRANSACTION_CONFIG,
  type TransactionConfig,
} from '../../../../src/broker/transactions/transaction-config.ts'
import { TransactionCoordinator } from '../../../../src/broker/transactions/transaction-coordinator.ts'
import type { MarkerWriter } from '../../../../src/broker/transactions/transaction-marker-sender.ts'
import type { TopicPartition } from '../../../../src/broker/transactions/transaction-metadata.ts'
import type { EndTxnMarker } from '../../../../src/records/control-batch.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { MemoryCoordinatorLog } from '../groups/memory-coordinator-log.ts'

export interface WrittenMarker {
  readonly name: string
  readonly marker: EndTxnMarker
}

/** Partitions that take markers when the test lets them. */
export class FakeMarkerWriter implements MarkerWriter {
  readonly written: WrittenMarker[] = []
  /** Codes that a partition answers instead of taking its marker. */
  readonly refusals = new Map<string, ErrorCode>()
  /** Markers wait for `arrive`. */
  isSlow = false
  #waiting: (() => void)[] = []

  write(
    { topic, partition }: TopicPartition,
    marker: EndTxnMarker,
    done: (errorCode: ErrorCode) => void,
  ): void {
    const write = (): void => {
      const name = `${topic}-${partition}`
      const refusal = this.refusals.get(name) ?? ErrorCode.NONE
      if (refusal === ErrorCode.NONE) this.written.push({ name, marker })
      done(refusal)
    }
    if (this.isSlow) this.#waiting.push(write)
    else write()
  }

  arrive(): void {
    for (const write of this.#waiting.splice(0)) write()
  }

  /** As in a crash: markers on their way are lost. */
  lose(): void {
    this.#waiting = []
  }
}

/** A transaction coordinator with a clock, a log and partitions that the test moves. */
export class TransactionHarness {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly writer = new FakeMarkerWriter()
  log = new MemoryCoordinatorLog()
  config: TransactionConfig
  topicState: 'ready' | 'creating' = 'ready'
  nextProducerId = 0
  /** `take` finds nothing, and `next` waits for `recordBlock`. */
  isBlockUsedUp = false
  coordinator: TransactionCoordinator
  readonly #random = new CountingRandom()
  #blockWaiters: ((id: number) => void)[] = []

  constructor(config: Partial<TransactionConfig> = {}) {
    this.config = { ...DEFAULT_TRANSACTION_CONFIG, ...config }
    this.coordinator = this.#start()
  }

  #start(): TransactionCoordinator {
    const { clock, scheduler, writer } = this
    const coordinator = new TransactionCoordinator({
      ...{ clock, scheduler, writer, random: this.#random, logger: SILENT },
      topics: {
        ensure: () => this.topicState,
        partitionCount: () => (this.topicState === 'ready' ? 1 : 0),
        plannedPartitionCount: () => 1,
        partition: () => undefined,
      },
      config: () => this.config,
      producerIds: {
        take: () => (this.isBlockUsedUp ? undefined : this.nextProducerId++),
        next: () =>
          new Promise((resolve) => {
            this.#blockWaiters.push(resolve)
          }),
      },
      openLog: () => this.log,
    })
    coordinator.start()
    return coordinator
  }

  /** As after a crash: only the log, or the given part of it, is left. */
  restart(log: MemoryCoordinatorLog = this.log): void {
    this.coordinator.close()
    this.writer.lose()
    this.log = log
    this.coordinator = this.#start()
  }

  recordBlock(): void {
    this.isBlockUsedUp = false
    for (const resolve of this.#blockWaiters.splice(0)) resolve(this.nextProducerId++)
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.scheduler.finishTurn()
      await setImmediate()
    }
    this.scheduler.finishTurn()
  }

  async advance(byMs: number): Promise<void> {
    this.scheduler.advance(byMs)
    await this.settle()
  }
}

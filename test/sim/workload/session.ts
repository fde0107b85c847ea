import type { BrokerCore } from '../../../src/app/broker-core.ts'
import { BrokerError, StorageError } from '../../../src/base/errors.ts'
import type { Partition } from '../../../src/broker/topics/partition.ts'
import type { SeededRandom } from '../../fuzz/seeded-random.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { PartitionLedger } from '../ledger/partition-ledger.ts'
import type { TopicLedger } from '../ledger/topic-ledger.ts'
import type { Machine } from '../world/machine.ts'

/** A partition as the broker has it, and what clients know of it. */
export interface Target {
  readonly topic: TopicLedger
  readonly partition: Partition
  readonly ledger: PartitionLedger
  readonly index: number
}

/** What the clients of one run of the broker share. */
export class Session {
  readonly machine: Machine
  readonly core: BrokerCore
  readonly ledger: Ledger
  readonly random: SeededRandom
  /** Requests that were not answered yet. */
  openCount = 0
  #connectionCount = 1

  constructor(machine: Machine, core: BrokerCore, ledger: Ledger, random: SeededRandom) {
    this.machine = machine
    this.core = core
    this.ledger = ledger
    this.random = random
  }

  nextConnectionId(): number {
    return ++this.#connectionCount
  }

  /**
   * Tells how a request ended, unless the process that was asked died before.
   * @param refused with an error that a broker may give; any other is a fault
   */
  answered<T>(request: Promise<T>, done: (value: T) => void, refused: () => void): void {
    const { machine } = this
    this.openCount++
    const tell = (work: () => void): void => {
      if (!machine.isRunning || machine.scheduler !== this.core.scheduler) return
      this.openCount--
      try {
        work()
      } catch (error) {
        machine.fail(error as Error)
      }
    }
    request.then(
      (value) => tell(() => done(value)),
      (error: unknown) =>
        tell(() => {
          if (!(error instanceof StorageError) && !(error instanceof BrokerError)) throw error
          machine.trace(() => `refused: ${error.message}`)
          refused()
        }),
    )
  }

  /** Partitions of topics that are there and stay. */
  targets(): Target[] {
    const found: Target[] = []
    for (const topic of this.ledger.topics) {
      if (!topic.isLive) continue
      const { partitions } = this.core.registry.topic(topic.name) ?? { partitions: [] }
      for (const [index, partition] of partitions.entries()) {
        const ledger = topic.partitions[index]
        if (ledger !== undefined) found.push({ topic, partition, ledger, index })
      }
    }
    return found
  }
}

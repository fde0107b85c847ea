import { ErrorCode, errorName } from '../base/error-code.ts'
import { BrokerError } from '../base/errors.ts'
import { UNPOOLED } from '../base/lease.ts'
import type { Partition } from '../broker/topics/partition.ts'
import type { Clock } from '../ports/clock.ts'
import type { AppendWaiter } from '../ports/partition-log.ts'
import { buildBatch, type NewRecord } from '../records/batch-builder.ts'

/** Rules of the newest Produce version hold: there is no older client behind this. */
const PRODUCE_VERSION = 13

/** Appends without a connection, under the same rules as Produce. */
export class LocalProducer implements AppendWaiter {
  readonly #clock: Clock
  readonly #waiting = new Map<number, (errorCode: ErrorCode) => void>()
  #nextSlot = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Appends the records as one batch; resolves with the offset of the first when they are durable.
   * @throws BrokerError as Produce would answer
   */
  append(partition: Partition, records: readonly NewRecord[]): Promise<number> {
    return new Promise((resolve, reject) => {
      const slot = this.#nextSlot++
      let baseOffset = -1
      this.#waiting.set(slot, (errorCode) => {
        if (errorCode === ErrorCode.NONE) resolve(baseOffset)
        else reject(new BrokerError(errorCode, messageOf(errorCode, partition)))
      })
      const result = partition.append({
        records: buildBatch(records),
        lease: UNPOOLED,
        safety: 'durable',
        waiter: this,
        slot,
        apiVersion: PRODUCE_VERSION,
        nowMs: this.#clock.nowMs(),
      })
      baseOffset = result.baseOffset
      if (result.errorCode === ErrorCode.NONE) return
      this.#waiting.delete(slot)
      const text = result.errorMessage ?? messageOf(result.errorCode, partition)
      reject(new BrokerError(result.errorCode, text))
    })
  }

  appendDone(slot: number, errorCode: ErrorCode): void {
    const done = this.#waiting.get(slot)
    this.#waiting.delete(slot)
    done?.(errorCode)
  }
}

function messageOf(errorCode: ErrorCode, { topic, partition }: Partition): string {
  return `${topic}-${partition}: ${errorName(errorCode)}`
}

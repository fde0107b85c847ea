import { ErrorCode } from '../../base/error-code.ts'
import { UNPOOLED } from '../../base/lease.ts'
import type { AppendWaiter } from '../../ports/partition-log.ts'
import { buildEndTxnMarker, type EndTxnMarker } from '../../records/control-batch.ts'
import { OFFSETS_TOPIC } from '../coordinator/internal-topics.ts'
import type { GroupCoordinator } from '../groups/group-coordinator.ts'
import type { PartitionLookup } from '../topics/partition-lookup.ts'
import type { MarkerWriter } from './transaction-marker-sender.ts'
import type { TopicPartition } from './transaction-metadata.ts'

export interface PartitionMarkerWriterOptions {
  readonly partitions: Pick<PartitionLookup, 'partition'>
  /** Committed offsets are its state, so it writes the markers of their partitions. */
  readonly groups: Pick<GroupCoordinator, 'endTransaction'>
}

/** Appends markers to the partitions that this broker leads. */
export class PartitionMarkerWriter implements MarkerWriter, AppendWaiter {
  readonly #options: PartitionMarkerWriterOptions
  readonly #waiting = new Map<number, (errorCode: ErrorCode) => void>()
  #nextSlot = 0

  constructor(options: PartitionMarkerWriterOptions) {
    this.#options = options
  }

  write(
    { topic, partition: index }: TopicPartition,
    marker: EndTxnMarker,
    done: (errorCode: ErrorCode) => void,
  ): void {
    if (topic === OFFSETS_TOPIC) {
      this.#options.groups.endTransaction(index, marker, done)
      return
    }
    const partition = this.#options.partitions.partition(topic, index)
    const availability = partition?.availability ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (partition === undefined || availability !== ErrorCode.NONE) {
      done(availability)
      return
    }
    const slot = this.#nextSlot++
    this.#waiting.set(slot, done)
    const { errorCode } = partition.appendOwn(buildEndTxnMarker(marker), UNPOOLED, this, slot)
    if (errorCode === ErrorCode.NONE) return
    this.#waiting.delete(slot)
    done(errorCode)
  }

  appendDone(slot: number, errorCode: ErrorCode): void {
    const done = this.#waiting.get(slot)
    this.#waiting.delete(slot)
    done?.(errorCode)
  }
}

import { ErrorCode } from '../../../src/base/error-code.ts'
import { ControlRecordType, controlRecordTypeOf } from '../../../src/records/control-batch.ts'
import {
  baseOffsetOf,
  isControl,
  isTransactional,
  lastOffsetOf,
  producerEpochOf,
  producerIdOf,
} from '../../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../src/records/records-iterator.ts'
import { fetchApi } from '../../../src/wire/kafka/messages/01-fetch.ts'
import { expect, type TransactionLedger } from './transaction-ledger.ts'
import { ConnectionLost, DATA_TOPIC, type TransactionMachine } from './transaction-machine.ts'

/** One batch as a reader saw it. */
export interface SeenBatch {
  readonly baseOffset: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly values: readonly string[]
  /** The end of a transaction. */
  readonly marker: 'commit' | 'abort' | null
}

export type Isolation = 'read_uncommitted' | 'read_committed'

/** Follows a partition through all lives of the broker, as a consumer does. */
export class PartitionReader {
  readonly #machine: TransactionMachine
  readonly #ledger: TransactionLedger
  readonly partition: number
  readonly isolation: Isolation
  /** All batches for `read_uncommitted`; what a consumer gives to its application for the other. */
  readonly seen: SeenBatch[] = []
  position = 0
  highWatermark = 0
  lastStableOffset = 0
  isStopping = false

  constructor(
    machine: TransactionMachine,
    ledger: TransactionLedger,
    partition: number,
    isolation: Isolation,
  ) {
    this.#machine = machine
    this.#ledger = ledger
    this.partition = partition
    this.isolation = isolation
  }

  async run(): Promise<void> {
    try {
      while (!this.isStopping) {
        await this.read()
        await this.#machine.pause()
      }
    } catch (error) {
      this.#ledger.fail(error as Error)
    }
  }

  /** One fetch. @returns false when there was no answer */
  async read(): Promise<boolean> {
    const isCommitted = this.isolation === 'read_committed'
    try {
      const answer = await this.#machine.ask(fetchApi, 12, {
        ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 100_000, isolationLevel: isCommitted ? 1 : 0 },
        topics: [
          {
            topic: DATA_TOPIC,
            partitions: [
              {
                partition: this.partition,
                fetchOffset: this.position,
                partitionMaxBytes: 400 + this.#machine.random.int(2_000),
                currentLeaderEpoch: -1,
              },
            ],
          },
        ],
        forgottenTopicsData: [],
      })
      const [found] = answer.responses[0]?.partitions ?? []
      if (found === undefined || found.errorCode === ErrorCode.KAFKA_STORAGE_ERROR) return false
      expect(found.errorCode === ErrorCode.NONE, () => this.#say(`a fetch got ${found.errorCode}`))
      this.#take(found)
      return true
    } catch (error) {
      if (error instanceof ConnectionLost) return false
      throw error
    }
  }

  #take(found: {
    readonly highWatermark: number
    readonly lastStableOffset: number
    readonly abortedTransactions: readonly { producerId: number; firstOffset: number }[] | null
    readonly records: Buffer | null
  }): void {
    const { highWatermark, lastStableOffset, records } = found
    const before = `${this.highWatermark} and ${this.lastStableOffset}`
    expect(highWatermark >= this.highWatermark && lastStableOffset >= this.lastStableOffset, () =>
      this.#say(`went from ${before} back to ${highWatermark} and ${lastStableOffset}`),
    )
    expect(lastStableOffset <= highWatermark, () => this.#say('LSO above the high watermark'))
    this.highWatermark = highWatermark
    this.lastStableOffset = lastStableOffset
    const isCommitted = this.isolation === 'read_committed'
    const limit = isCommitted ? lastStableOffset : highWatermark
    const aborted = (found.abortedTransactions ?? []).toSorted(
      (one, other) => one.firstOffset - other.firstOffset,
    )
    const skipped = new Set<number>()
    const bytes = records ?? Buffer.alloc(0)
    for (const position of batchPositions(bytes)) {
      const batch = batchAt(bytes, position)
      const last = lastOffsetOf(bytes, position)
      expect(batch.baseOffset === this.position, () =>
        this.#say(`the batch at ${batch.baseOffset} follows ${this.position}`),
      )
      expect(last < limit, () => this.#say(`sees ${last}, which is not below ${limit}`))
      this.position = last + 1
      while (aborted[0] !== undefined && aborted[0].firstOffset <= last) {
        skipped.add(aborted[0].producerId)
        aborted.shift()
      }
      if (!isCommitted) this.seen.push(batch)
      else if (batch.marker !== null) {
        if (batch.marker === 'abort') skipped.delete(batch.producerId)
      } else if (!isTransactional(bytes, position) || !skipped.has(batch.producerId)) {
        this.seen.push(batch)
      }
    }
  }

  #say(text: string): string {
    return `${this.isolation} of partition ${this.partition}: ${text}`
  }
}

function batchAt(bytes: Buffer, position: number): SeenBatch {
  const records = [...recordsOf(bytes, position)]
  const isMarker = isControl(bytes, position)
  const type = isMarker ? controlRecordTypeOf(records[0]?.key ?? null) : null
  return {
    baseOffset: baseOffsetOf(bytes, position),
    producerId: producerIdOf(bytes, position),
    producerEpoch: producerEpochOf(bytes, position),
    values: isMarker ? [] : records.map(({ value }) => String(value)),
    marker: type === null ? null : type === ControlRecordType.COMMIT ? 'commit' : 'abort',
  }
}

import { ErrorCode } from '../../../base/error-code.ts'
import type { JetStreamConsumerRecord } from '../../../records/internal/jetstream-consumer-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { ConsumerConfig } from '../consumer/consumer-config.ts'
import type { ConsumerJournal } from '../consumer/consumer-ports.ts'
import type { ConsumerStateChange } from '../consumer/consumer-state.ts'
import type { ConsumerStore, KeptConsumer } from '../consumer/stream-consumers.ts'
import {
  type ConsumerKey,
  consumerRecord,
  consumerTombstone,
  stateChangeOf,
  stateRecord,
  stateTombstone,
} from './consumer-records.ts'

/** What the log says of one consumer. */
interface Entry {
  readonly key: ConsumerKey
  config: ConsumerConfig | null
  createdMs: number
  changes: ConsumerStateChange[]
}

/** The consumers that a log holds. A state may come before the configuration, after compaction. */
export class ConsumerLedger {
  readonly #entries = new Map<string, Entry>()

  replay(record: JetStreamConsumerRecord): void {
    const { stream, consumer } = record.key
    const key = { stream, consumer }
    const id = idOf(key)
    const entry = this.#entries.get(id) ?? { key, config: null, createdMs: 0, changes: [] }
    if (record.name === 'JetStreamConsumerState') {
      if (record.value === null) return
      const change = stateChangeOf(record.value)
      if (change.isWhole) entry.changes = [change]
      else entry.changes.push(change)
    } else if (record.value === null) {
      this.#entries.delete(id)
      return
    } else {
      entry.config = JSON.parse(record.value.config.toString('utf8')) as ConsumerConfig
      entry.createdMs = record.value.createTimestamp
    }
    this.#entries.set(id, entry)
  }

  /** Consumers of a stream. */
  consumersOf(stream: string): KeptConsumer[] {
    const found: KeptConsumer[] = []
    for (const { key, config, createdMs, changes } of this.#entries.values()) {
      if (key.stream !== stream || config === null) continue
      // Without a whole state there is nothing that the changes could follow.
      const state = changes[0]?.isWhole === true ? changes : []
      found.push({ stream, name: key.consumer, config, createdMs, state })
    }
    return found
  }
}

/** @param done told once the records are durable, or why they are not */
export type CommitRecords = (
  records: readonly EncodedRecord[],
  done: (errorCode: ErrorCode) => void,
) => void

/** Keeps consumers as records of the coordinator's log. */
export class CoordinatedConsumerStore implements ConsumerStore {
  readonly #commit: CommitRecords
  /** The next free slot of each consumer. */
  readonly #slots = new Map<string, number>()

  constructor(commit: CommitRecords) {
    this.#commit = commit
  }

  save({ stream, name, config, createdMs, state }: KeptConsumer): Promise<boolean> {
    const key = { stream, consumer: name }
    const records = [consumerRecord(key, config, createdMs)]
    for (const [slot, change] of state.entries()) records.push(stateRecord(key, slot, change))
    if (state.length > 0) this.restored(stream, name, state.length)
    return this.#committed(records)
  }

  remove(stream: string, name: string): Promise<boolean> {
    const key = { stream, consumer: name }
    const count = this.#slots.get(idOf(key)) ?? 0
    this.#slots.delete(idOf(key))
    const records = [consumerTombstone(key)]
    for (let slot = 0; slot < count; slot++) records.push(stateTombstone(key, slot))
    return this.#committed(records)
  }

  journalOf(stream: string, name: string): ConsumerJournal {
    const key = { stream, consumer: name }
    const id = idOf(key)
    return {
      keep: (change, done) => {
        const slot = change.isWhole ? 0 : (this.#slots.get(id) ?? 0)
        this.#slots.set(id, slot + 1)
        this.#commit([stateRecord(key, slot, change)], (errorCode) =>
          done(errorCode === ErrorCode.NONE),
        )
      },
    }
  }

  /** So many slots of a consumer are in use. */
  restored(stream: string, name: string, slotCount: number): void {
    this.#slots.set(idOf({ stream, consumer: name }), slotCount)
  }

  #committed(records: readonly EncodedRecord[]): Promise<boolean> {
    return new Promise((resolve) => {
      this.#commit(records, (errorCode) => resolve(errorCode === ErrorCode.NONE))
    })
  }
}

function idOf({ stream, consumer }: ConsumerKey): string {
  return `${stream}\0${consumer}`
}

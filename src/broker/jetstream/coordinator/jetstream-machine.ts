import { decodeJetStreamRecord } from '../../../records/internal/jetstream-records.ts'
import type { CoordinatorMachine, Reply } from '../../coordinator/coordinator-turn.ts'
import { ConsumerLedger } from './consumer-ledger.ts'
import { StreamLedger } from './stream-ledger.ts'

/**
 * What the log of JetStream held when it was read. Streams and consumers take it over then, and only
 * append to the log afterwards.
 */
export class JetStreamMachine implements CoordinatorMachine<never> {
  readonly streams = new StreamLedger()
  readonly consumers = new ConsumerLedger()
  readonly #loaded: () => void

  /** @param loaded told when all was replayed */
  constructor(loaded: () => void) {
    this.#loaded = loaded
  }

  replay(key: Buffer, value: Buffer | null): void {
    const record = decodeJetStreamRecord(key, value)
    if (record === undefined) return
    if (record.name === 'JetStreamConsumer' || record.name === 'JetStreamConsumerState') {
      this.consumers.replay(record)
    } else this.streams.replay(record)
  }

  /** Nothing of it is written in a transaction. */
  replayTransactionEnd(): void {}

  loaded(): void {
    this.#loaded()
  }

  /** It sets no timers. */
  timerFired(): void {}

  parkedReplies(): readonly Reply<never>[] {
    return []
  }
}

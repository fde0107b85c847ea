import {
  removalRecords,
  StreamLedger,
} from '../../../../../src/broker/jetstream/coordinator/stream-ledger.ts'
import { withHeaders } from '../../../../../src/broker/jetstream/stream/message-headers.ts'
import type { KeptRemovals } from '../../../../../src/broker/jetstream/stream/removal-keeper.ts'
import { Stream } from '../../../../../src/broker/jetstream/stream/stream.ts'
import type {
  StreamConfig,
  WantedStream,
} from '../../../../../src/broker/jetstream/stream/stream-config.ts'
import { withDefaults } from '../../../../../src/broker/jetstream/stream/stream-defaults.ts'
import type { Stored } from '../../../../../src/broker/jetstream/stream/stream-publisher.ts'
import type { StreamRefusal } from '../../../../../src/broker/jetstream/stream/stream-refusal.ts'
import { SubjectFilter } from '../../../../../src/broker/jetstream/stream/subject-filter.ts'
import { Partition } from '../../../../../src/broker/topics/partition.ts'
import { decodeJetStreamRecord } from '../../../../../src/records/internal/jetstream-records.ts'
import { ManualScheduler } from '../../../support/manual-scheduler.ts'
import { MemoryLog } from '../../../support/memory-log.ts'
import { FakeClock, SILENT } from '../../../support/ports.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

export type Outcome = Stored | StreamRefusal | null

/** A configuration with all of its defaults. */
export function configOf(wanted: Omit<WantedStream, 'name'>): StreamConfig {
  const config = withDefaults({ name: 'S', subjects: ['s.>'], ...wanted }, false)
  if ('err_code' in config) throw new Error(config.description)
  return config
}

/** A stream on a log in memory, which can be made again from what is kept. */
export class StreamHarness {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly partition = new Partition('S', TOPIC_ID, 0)
  readonly log = new MemoryLog('S', TOPIC_ID, 0, this.partition)
  readonly #ledger = new StreamLedger()
  stream: Stream

  private constructor(config: StreamConfig) {
    this.partition.attach(this.log)
    this.log.isSlow = true
    this.stream = this.#make(config, this.#ledger.removalsOf(TOPIC_ID))
  }

  static async start(config: StreamConfig): Promise<StreamHarness> {
    const harness = new StreamHarness(config)
    await harness.stream.start()
    return harness
  }

  /** As after a crash: only what was kept is there. */
  async restart(): Promise<void> {
    const { config } = this.stream
    this.stream.close(false)
    this.stream = this.#make(config, this.#ledger.removalsOf(TOPIC_ID))
    await this.stream.start()
  }

  /** Publishes, and waits until it is durable. */
  publish(subject: string, headers: Readonly<Record<string, string>> = {}, payload = 'x'): Outcome {
    const outcome = this.publishOnly(subject, headers, payload)
    this.settle()
    return outcome()
  }

  publishOnly(
    subject: string,
    headers: Readonly<Record<string, string>> = {},
    payload = 'x',
  ): () => Outcome {
    let told: Outcome = null
    const block =
      Object.keys(headers).length === 0 ? null : withHeaders(null, Object.entries(headers))
    const message = { subject, headers: block, payload: Buffer.from(payload) }
    this.stream.publish(message, (outcome) => {
      told = outcome
    })
    return () => told
  }

  settle(): void {
    this.scheduler.finishTurn()
    this.log.flush()
    this.scheduler.finishTurn()
    this.log.flush()
  }

  purge(subjects: readonly string[], before = Number.POSITIVE_INFINITY, keep = 0): number {
    let purged = -1
    this.stream.purge(new SubjectFilter(subjects), before, keep, (count) => {
      purged = count
    })
    return purged
  }

  /** All that can be seen of the state. */
  snapshot(): object {
    const { index, window, lastMessageId, lastTimeMs } = this.stream.state
    const messages: unknown[] = []
    for (let at = index.next(0); at <= index.lastSequence; at = index.next(at + 1)) {
      messages.push([at, index.subjectOf(at), index.sizeOf(at), index.timeOf(at)])
    }
    const { firstSequence, lastSequence, messageCount, byteCount } = index
    return {
      ...{ firstSequence, lastSequence, messageCount, byteCount, messages },
      ...{ lastMessageId, lastTimeMs, idCount: window.size },
    }
  }

  #make(config: StreamConfig, removals: KeptRemovals): Stream {
    const { clock, scheduler, partition } = this
    return new Stream({
      ...{ config, clock, scheduler, partition, removals },
      createdMs: 1,
      baseSequence: config.first_seq ?? 1,
      everySubject: config.subjects ?? [],
      logger: SILENT,
      keepRemovals: (change, done) => {
        for (const { key, value } of removalRecords(TOPIC_ID, change)) {
          const record = decodeJetStreamRecord(key, value)
          if (record?.name.startsWith('JetStreamRem') === true) this.#ledger.replay(record as never)
        }
        done(true)
      },
      stored: () => undefined,
    })
  }
}

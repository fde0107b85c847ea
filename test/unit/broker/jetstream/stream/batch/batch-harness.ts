import {
  AtomicBatches,
  type AtomicOutcome,
} from '../../../../../../src/broker/jetstream/stream/batch/atomic-batches.ts'
import {
  BatchQuota,
  DEFAULT_BATCH_LIMITS,
} from '../../../../../../src/broker/jetstream/stream/batch/batch-quota.ts'
import { withHeaders } from '../../../../../../src/broker/jetstream/stream/message-headers.ts'
import { publishFactsOf } from '../../../../../../src/broker/jetstream/stream/publish-facts.ts'
import type { WantedStream } from '../../../../../../src/broker/jetstream/stream/stream-config.ts'
import { SubjectFilter } from '../../../../../../src/broker/jetstream/stream/subject-filter.ts'
import { configOf, StreamHarness } from '../stream-harness.ts'

const ALL = new SubjectFilter([])

type Headers = Readonly<Record<string, string>>

/** A message of a batch: its number, how it commits, what else its headers say. */
export interface OfBatch {
  readonly id?: string
  readonly seq: number | string
  readonly commit?: string
  readonly subject?: string
  readonly headers?: Headers
  readonly payload?: Buffer | string
}

/** A stream that takes atomic batches, and what they came to. */
export class BatchHarness {
  readonly streams: StreamHarness
  readonly quota: BatchQuota
  readonly abandoned: string[] = []
  batches: AtomicBatches

  private constructor(streams: StreamHarness, quota: BatchQuota) {
    this.streams = streams
    this.quota = quota
    this.batches = this.#make()
  }

  static async start(
    wanted: Omit<WantedStream, 'name'> = {},
    limits: Partial<typeof DEFAULT_BATCH_LIMITS> = {},
  ): Promise<BatchHarness> {
    const streams = await StreamHarness.start(configOf({ allow_atomic: true, ...wanted }))
    return new BatchHarness(streams, new BatchQuota({ ...DEFAULT_BATCH_LIMITS, ...limits }))
  }

  /** As after a crash. */
  async restart(): Promise<void> {
    await this.streams.restart()
    this.batches = this.#make()
  }

  /** Sends a message of a batch; it is answered later, or never. */
  send(message: OfBatch): () => AtomicOutcome | null {
    const { id = 'b', seq, commit, subject = 's.a', headers = {}, payload = `${seq}` } = message
    const block = withHeaders(null, [
      ['Nats-Batch-Id', id],
      ['Nats-Batch-Sequence', String(seq)],
      ...(commit === undefined ? [] : [['Nats-Batch-Commit', commit] as const]),
      ...Object.entries(headers),
    ])
    let told: AtomicOutcome | null = null
    const stored = { subject, headers: block, payload: Buffer.from(payload) }
    this.batches.take(stored, publishFactsOf(block), (outcome) => {
      told = outcome
    })
    return () => told
  }

  /** Sends messages of a batch, and waits until all is durable. Returns what came of the last. */
  sendAll(...messages: readonly OfBatch[]): AtomicOutcome | null {
    const outcomes = messages.map((message) => this.send(message))
    this.streams.settle()
    return outcomes.at(-1)?.() ?? null
  }

  /** The error number of the last of some messages; 0: it was taken. */
  errorOf(...messages: readonly OfBatch[]): number {
    const outcome = this.sendAll(...messages)
    return outcome !== null && typeof outcome === 'object' && 'err_code' in outcome
      ? outcome.err_code
      : 0
  }

  /** Sequence and subject of all that is there. */
  get there(): string[] {
    const { stream } = this.streams
    const { index } = stream.state
    const found: string[] = []
    for (let at = stream.nextSequence(0, ALL); Number.isFinite(at); ) {
      found.push(`${at} ${index.subjectOf(at)}`)
      at = stream.nextSequence(at + 1, ALL)
    }
    return found
  }

  #make(): AtomicBatches {
    const { streams, quota } = this
    const { clock, scheduler, stream } = streams
    return new AtomicBatches({
      ...{ clock, scheduler, quota, target: stream, apiLevel: 4 },
      abandoned: (batchId, reason) => this.abandoned.push(`${batchId} ${reason}`),
    })
  }
}

import { expect } from '../world/sim-failure.ts'
import { Register } from './register.ts'
import { Promised } from './sent-batch.ts'
import { TopicLedger } from './topic-ledger.ts'

/** Of a group in a partition: nothing committed. */
export const NO_OFFSET = -1

/** Everything that clients were told, which must hold whatever happens to the broker. */
export class Ledger {
  readonly topics: readonly TopicLedger[]
  /** Committed offsets by `group topic partition`. */
  readonly offsets = new Map<string, Register<number>>()
  /** The worst that happened since the last look at everything. */
  survived: Promised = Promised.KILL
  clusterId: string | null = null
  readonly #producerIds = new Set<number>()
  #batchCount = 0
  #commitCount = 0

  constructor(topicNames: readonly string[]) {
    this.topics = topicNames.map((name) => new TopicLedger(name))
  }

  nextBatchId(): number {
    return this.#batchCount++
  }

  producerIdGiven(producerId: number): void {
    expect(!this.#producerIds.has(producerId), () => `producer id ${producerId} was given twice`)
    this.#producerIds.add(producerId)
  }

  /** Offsets that groups commit only rise, so that an older one is told from a newer one. */
  nextCommit(): number {
    return ++this.#commitCount
  }

  offsetsOf(groupId: string, topic: string, partition: number): Register<number> {
    const key = `${groupId} ${topic} ${partition}`
    const known = this.offsets.get(key)
    if (known !== undefined) return known
    const register = new Register(NO_OFFSET)
    this.offsets.set(key, register)
    return register
  }

  /** The topic goes, and some time later what groups committed for it. */
  forgetOffsets(topic: string): void {
    for (const [key, register] of this.offsets)
      if (key.split(' ')[1] === topic) register.ask(NO_OFFSET)
  }
}

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { PartitionLog } from '../../../../src/ports/partition-log.ts'
import { Codec } from '../../../../src/records/record-batch.ts'
import { CleanerHarness } from './cleaner-harness.ts'

const FIRST_PRODUCER = 100
const RETENTION_MS = 10_000

type Step =
  | { readonly kind: 'put'; readonly words: readonly string[]; readonly codec: Codec }
  | {
      readonly kind: 'transact'
      readonly producer: number
      readonly words: readonly string[]
      readonly codec: Codec
    }
  | { readonly kind: 'end'; readonly producer: number; readonly commits: boolean }
  | { readonly kind: 'compact' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'restart'; readonly isClean: boolean }

const word = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.boolean())
  .map(([key, isTombstone]) => (isTombstone ? key : `${key}=`))
const words = fc.array(word, { minLength: 1, maxLength: 4 })
const codec = fc.constantFrom(...Object.values(Codec))
const producer = fc.integer({ min: 0, max: 2 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), words, codec }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('transact' as const), producer, words, codec }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('end' as const), producer, commits: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 20_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), isClean: fc.boolean() }),
  },
)

const STEP_COUNT = { minLength: 5, maxLength: 60 }
const keyCounts = fc.constantFrom(1, 2, 3, 100)

/** What was written, and what of it a reader of committed records must find. */
class Model {
  /** `key=value` or `key` by offset. */
  readonly written = new Map<number, string>()
  readonly #open = new Map<number, number[]>()
  /** Offsets of committed records. */
  readonly #committed: number[] = []

  add(firstOffset: number, texts: readonly string[], producerIndex: number | null): void {
    for (const [index, text] of texts.entries()) {
      this.written.set(firstOffset + index, text)
      if (producerIndex === null) this.#committed.push(firstOffset + index)
      else this.#openOf(producerIndex).push(firstOffset + index)
    }
  }

  isOpen(producerIndex: number): boolean {
    return this.#openOf(producerIndex).length > 0
  }

  end(producerIndex: number, commits: boolean): void {
    if (commits) this.#committed.push(...this.#openOf(producerIndex))
    this.#open.delete(producerIndex)
  }

  /** Offset of the newest committed record of each key, of those below the last stable offset. */
  newest(lastStableOffset: number): Map<string, number> {
    const newest = new Map<string, number>()
    for (const offset of this.#committed.toSorted((a, b) => a - b)) {
      const key = this.written.get(offset)?.split('=')[0] as string
      if (offset < lastStableOffset) newest.set(key, offset)
    }
    return newest
  }

  isCommitted(offset: number): boolean {
    return this.#committed.includes(offset)
  }

  #openOf(producerIndex: number): number[] {
    let offsets = this.#open.get(producerIndex)
    if (offsets === undefined) {
      offsets = []
      this.#open.set(producerIndex, offsets)
    }
    return offsets
  }
}

class Run {
  readonly harness: CleanerHarness
  readonly model = new Model()
  log: PartitionLog
  readonly #sequences = [0, 0, 0]
  #valueCount = 0

  /** @param keyCount how many keys one round of the cleaner can learn */
  constructor(keyCount: number) {
    this.harness = new CleanerHarness({
      dedupeBufferBytes: keyCount * 2 * 24,
      dedupeLoadFactor: 0.5,
    })
    this.log = this.#open()
  }

  async run(action: Step): Promise<void> {
    const { harness, model } = this
    switch (action.kind) {
      case 'put': {
        const texts = this.#texts(action.words)
        model.add(harness.put(this.log, texts.join(' '), { codec: action.codec }), texts, null)
        return
      }
      case 'transact': {
        const texts = this.#texts(action.words)
        const baseSequence = this.#sequences[action.producer] as number
        this.#sequences[action.producer] = baseSequence + texts.length
        const producerId = FIRST_PRODUCER + action.producer
        const options = { producerId, producerEpoch: 0, baseSequence, isTransactional: true }
        const { codec } = action
        const offset = harness.put(this.log, texts.join(' '), { ...options, codec })
        model.add(offset, texts, action.producer)
        return
      }
      case 'end':
        if (!model.isOpen(action.producer)) return
        harness.endTransaction(this.log, FIRST_PRODUCER + action.producer, action.commits ? 1 : 0)
        model.end(action.producer, action.commits)
        return
      case 'wait':
        harness.clock.timeMs += action.ms
        return
      case 'compact':
        await harness.compact(this.log)
        this.expectNothingLost()
        return
      case 'restart':
        if (action.isClean) await harness.stop()
        else harness.fs.crash()
        harness.start()
        this.log = this.#open()
        this.expectNothingLost()
    }
  }

  expectNothingLost(): void {
    const found = new Map<number, string>()
    for (const record of this.harness.recordsOf(this.log)) {
      const [offset, text] = record.split(/:(.*)/) as [string, string]
      found.set(Number(offset), text)
    }
    for (const [offset, text] of found) {
      assert.equal(text, this.model.written.get(offset), `record at ${offset}`)
      assert(this.model.isCommitted(offset), `record at ${offset} was committed`)
    }
    for (const [key, offset] of this.model.newest(this.log.lastStableOffset)) {
      const text = this.model.written.get(offset) as string
      if (text.includes('=')) assert.equal(found.get(offset), text, `newest record of ${key}`)
      else {
        // A tombstone may go, but nothing that it deleted may come back.
        const older = [...found].filter(([at, other]) => at < offset && other.split('=')[0] === key)
        if (!found.has(offset)) assert.deepEqual(older, [], `${key} was deleted`)
      }
    }
  }

  #texts(parts: readonly string[]): string[] {
    return parts.map((part) => (part.endsWith('=') ? part + this.#valueCount++ : part))
  }

  #open(): PartitionLog {
    return this.harness.openCompacted({ segmentBytes: 400, deleteRetentionMs: RETENTION_MS })
  }
}

/** Compaction takes the marker of a transaction in a segment that a crash has made again. */
const MARKER_TAKEN: readonly Step[] = [
  { kind: 'put', words: ['a='], codec: Codec.NONE },
  { kind: 'put', words: ['a=', 'a='], codec: Codec.NONE },
  { kind: 'transact', producer: 2, words: ['a='], codec: Codec.NONE },
  { kind: 'transact', producer: 1, words: ['a=', 'a=', 'a=', 'a='], codec: Codec.LZ4 },
  { kind: 'end', producer: 2, commits: false },
  { kind: 'restart', isClean: true },
  { kind: 'put', words: ['a='], codec: Codec.NONE },
  { kind: 'put', words: ['a='], codec: Codec.SNAPPY },
  { kind: 'end', producer: 1, commits: false },
  { kind: 'transact', producer: 1, words: ['a='], codec: Codec.GZIP },
  { kind: 'put', words: ['a='], codec: Codec.NONE },
  { kind: 'compact' },
  { kind: 'compact' },
  { kind: 'put', words: ['a='], codec: Codec.NONE },
  { kind: 'compact' },
  { kind: 'wait', ms: 20_000 },
  { kind: 'compact' },
]

describe('compaction at any time', () => {
  it('leaves a transaction ended when it takes the marker, whatever a crash makes again', async () => {
    const run = new Run(1)
    for (const action of MARKER_TAKEN) await run.run(action)
    const { lastStableOffset } = run.log
    await run.run({ kind: 'restart', isClean: false })
    assert.equal(run.log.lastStableOffset, lastStableOffset)
  })

  it('never changes what a reader of committed records finds for a key, nor any offset', async () => {
    await fc.assert(
      fc.asyncProperty(keyCounts, fc.array(step, STEP_COUNT), async (keyCount, steps) => {
        const run = new Run(keyCount)
        for (const action of steps) await run.run(action)
        await run.run({ kind: 'compact' })
        await run.run({ kind: 'wait', ms: 20_000 })
        await run.run({ kind: 'compact' })
        await run.run({ kind: 'restart', isClean: false })
        const names = run.harness.fileNames()
        assert(!names.some((name) => /swap|cleaned/.test(name)), names.join())
      }),
      { numRuns: 150 },
    )
  })
})

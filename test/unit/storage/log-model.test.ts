import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { LogConfig, PartitionLog } from '../../../src/ports/partition-log.ts'
import { append, batchOf, Harness, type Outcome, offsetsOf, readSlice } from './log-harness.ts'

/** A batch the log should have. */
interface Expected {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly outcome: Outcome
}

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly bytes: number }
  | { readonly kind: 'turn' | 'disk' | 'settle' | 'kill' | 'crash' | 'restart' | 'full' }
  | { readonly kind: 'read'; readonly at: number; readonly maxBytes: number }
  | { readonly kind: 'delete'; readonly at: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 4 }),
      bytes: fc.integer({ min: 0, max: 300 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('turn' as const, 'disk' as const, 'settle' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      maxBytes: fc.integer({ min: 1, max: 2000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill' as const, 'crash' as const, 'restart' as const, 'full' as const),
    }),
  },
)

const CONFIGS: readonly Partial<LogConfig>[] = [
  { segmentBytes: 700, indexIntervalBytes: 100 },
  { segmentBytes: 300, indexIntervalBytes: 0 },
  { indexIntervalBytes: 200 },
]

/** Runs steps on a log and on a list of the batches it must have. */
class Run {
  readonly harness: Harness
  readonly config: Partial<LogConfig>
  log: PartitionLog
  expected: Expected[] = []
  logStartOffset = 0

  constructor(config: Partial<LogConfig>, tailCacheBytes: number) {
    this.harness = new Harness({ tailCacheBytes })
    this.config = config
    this.log = this.harness.open(config)
  }

  async take(step: Step): Promise<void> {
    const { harness, log } = this
    if (step.kind === 'append') this.#append(step.count, step.bytes)
    else if (step.kind === 'turn') harness.finishTurn()
    else if (step.kind === 'disk') harness.runDisk()
    else if (step.kind === 'settle') harness.settle()
    else if (step.kind === 'read') this.#read(step.at, step.maxBytes)
    else if (step.kind === 'delete') await this.#delete(step.at)
    else if (step.kind === 'full') this.#fill()
    else await this.#restart(step.kind)
    assert(this.log.highWatermark <= this.log.logEndOffset)
    assert(log.logStartOffset <= log.highWatermark)
  }

  #append(count: number, bytes: number): void {
    const outcome = append(this.log, batchOf(count, {}, bytes))
    assert.equal(outcome.baseOffset, this.#end())
    const { baseOffset, lastOffset } = outcome
    this.expected.push({ baseOffset, lastOffset, outcome })
  }

  #fill(): void {
    const pending = this.expected.length
    this.harness.fs.fault = (operation) =>
      operation === 'write' ? { code: 'ENOSPC', writtenBytes: 7 } : undefined
    append(this.log, batchOf())
    this.harness.settle()
    this.harness.fs.fault = undefined
    // What was told to have failed is gone, and only that.
    this.expected = this.expected.filter(({ outcome }) => !(outcome.told ?? 0))
    assert(this.expected.length <= pending)
    assert.equal(this.log.logEndOffset, this.#end())
  }

  #read(at: number, maxBytes: number): void {
    const { log } = this
    const span = log.highWatermark - log.logStartOffset
    if (span === 0) return
    const offset = log.logStartOffset + Math.floor(at * (span - 1))
    const found = offsetsOf(readSlice(this.harness, log, { offset, maxBytes }))
    const from = this.expected.findIndex(({ lastOffset }) => lastOffset >= offset)
    const wanted = this.expected
      .slice(from, from + found.length)
      .map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])
    assert(found.length > 0)
    assert.deepEqual(found, wanted)
  }

  async #delete(at: number): Promise<void> {
    const { log } = this
    const span = log.highWatermark - log.logStartOffset
    const offset = log.logStartOffset + Math.floor(at * span)
    await this.harness.until(log.deleteRecordsBefore(offset))
    this.logStartOffset = Math.max(this.logStartOffset, offset)
    assert(log.logStartOffset >= this.logStartOffset)
  }

  async #restart(how: 'kill' | 'crash' | 'restart'): Promise<void> {
    const { harness } = this
    const durable = this.log.highWatermark
    const end = this.log.logEndOffset
    if (how === 'restart') await harness.stop()
    else if (how === 'kill') harness.kill()
    else harness.fs.crash()
    harness.start()
    this.log = harness.open(this.config)
    const { logEndOffset } = this.log
    assert(logEndOffset >= durable, `${logEndOffset} < ${durable} after ${how}`)
    assert(logEndOffset <= end)
    if (how === 'restart') assert.equal(logEndOffset, end)
    assert.equal(this.log.highWatermark, logEndOffset)
    assert(this.log.logStartOffset >= this.logStartOffset)
    this.expected = this.expected.filter(({ baseOffset }) => baseOffset < logEndOffset)
    assert.equal(this.#end(), logEndOffset)
  }

  #end(): number {
    return (this.expected.at(-1)?.lastOffset ?? -1) + 1
  }
}

describe('a log and a list of batches', () => {
  it('agree after any appends, reads, rolls, deletes, full disks, kills and power failures', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom(...CONFIGS),
        fc.constantFrom(0, 500, 1_000_000),
        async (steps, config, tailCacheBytes) => {
          const run = new Run(config, tailCacheBytes)
          for (const each of steps) await run.take(each)
          await run.take({ kind: 'settle' })
          assert.equal(run.log.highWatermark, run.log.logEndOffset)
        },
      ),
      { numRuns: 300 },
    )
  })
})

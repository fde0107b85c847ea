import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MessageReader } from '../../../../../src/broker/jetstream/stream/message-reader.ts'
import { RecordMapping } from '../../../../../src/broker/jetstream/stream/record-mapping.ts'
import type {
  ReadLimits,
  StoredMessage,
} from '../../../../../src/broker/jetstream/stream/stream-reader.ts'
import type { Partition } from '../../../../../src/broker/topics/partition.ts'
import type { LogSlice, ReadRequest } from '../../../../../src/ports/partition-log.ts'
import { buildBatch } from '../../../../../src/records/batch-builder.ts'

type ReadDone = (error: Error | null, slice: LogSlice | null) => void

const PAYLOADS = ['zero', 'one', 'two', 'three']

/** A log of one record in each batch. It lends memory that is overwritten when it is given back. */
class LendingLog {
  readonly logStartOffset = 0
  readonly highWatermark = PAYLOADS.length
  readonly isFailed = false
  lentCount = 0
  /** Slices come later, an error after the first one. */
  readonly later: (() => void)[] = []
  isSlow = false
  isBroken = false
  readonly asked: number[] = []

  read({ offset, maxBytes }: ReadRequest, done: ReadDone): LogSlice | null {
    this.asked.push(maxBytes)
    if (!this.isSlow) return this.#slice(offset)
    this.later.push(() => {
      if (this.isBroken) done(new Error('the disk is gone'), null)
      else done(null, this.#slice(offset))
    })
    return null
  }

  #slice(offset: number): LogSlice {
    const value = Buffer.from(PAYLOADS[offset] as string)
    const key = Buffer.from(`s.${offset}`)
    const bytes = buildBatch([{ timestamp: 1, key, value, headers: [] }])
    bytes.writeBigInt64BE(BigInt(offset))
    this.lentCount++
    return {
      pieces: [bytes],
      byteLength: bytes.byteLength,
      abortedTransactions: null,
      release: () => {
        this.lentCount--
        bytes.fill(0)
      },
    }
  }
}

function setUp() {
  const log = new LendingLog()
  const mapping = new RecordMapping('S', 1, ['s.*'], false)
  const reader = new MessageReader({ log } as unknown as Partition, mapping)
  const read = (limits: ReadLimits, expectedBytes = 0) => {
    const answer: { error: Error | null; texts: (string | undefined)[]; lentCount: number }[] = []
    const kept: (StoredMessage | null)[] = []
    reader.read([1, 2, 3, 4], expectedBytes, limits, (error, messages) => {
      const texts = messages.map((message) => message?.payload.toString())
      kept.push(...messages)
      answer.push({ error, texts, lentCount: log.lentCount })
    })
    return { answer, kept }
  }
  return { log, read }
}

describe('messages that are read', () => {
  it('are borrowed until the answer returns, if nobody keeps them', () => {
    const { log, read } = setUp()
    const { answer } = read({ isBorrowed: true })
    assert.deepEqual(answer, [{ error: null, texts: PAYLOADS, lentCount: 4 }])
    assert.equal(log.lentCount, 0)
  })

  it('are copies otherwise, and hold on', () => {
    const { log, read } = setUp()
    const { answer, kept } = read({})
    assert.deepEqual(answer, [{ error: null, texts: PAYLOADS, lentCount: 0 }])
    assert.equal(log.lentCount, 0)
    assert.deepEqual(
      kept.map((message) => message?.payload.toString()),
      PAYLOADS,
    )
  })

  it('give back what was lent when a later read fails', () => {
    const { log, read } = setUp()
    log.isSlow = true
    const { answer } = read({ isBorrowed: true })
    log.later.shift()?.()
    log.isBroken = true
    log.later.shift()?.()
    assert.equal(answer.length, 1)
    assert.match(String(answer[0]?.error), /the disk is gone/)
    assert.equal(log.lentCount, 0)
  })

  it('take as much of the log as they are likely to have, within the limit', () => {
    const { log, read } = setUp()
    read({}, 100_000)
    assert.equal(log.asked[0], 100_000)
    log.asked.length = 0
    read({ maxBytes: 50_000 }, 100_000)
    assert.equal(log.asked[0], 50_000)
    log.asked.length = 0
    read({}, 10_000_000)
    assert.equal(log.asked[0], 256 * 1024)
    // The last one is read alone.
    assert.equal(log.asked.at(-1), 1)
  })
})

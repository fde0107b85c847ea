import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { UNPOOLED } from '../../../../src/base/lease.ts'
import { DelayedFetch } from '../../../../src/broker/fetch-purgatory/delayed-fetch.ts'
import type {
  FetchParams,
  FetchPartition,
  FetchResult,
} from '../../../../src/broker/fetch-purgatory/fetch-params.ts'
import { Partition } from '../../../../src/broker/topics/partition.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { MemoryLog } from '../../support/memory-log.ts'
import { FakeClock } from '../../support/ports.ts'

const RECORD = { timestamp: 1_700_000_000_000, value: Buffer.alloc(100) }
const BATCH_BYTES = buildBatch([RECORD]).byteLength

const scheduler = new ManualScheduler(new FakeClock())
let partitions: Partition[] = []

beforeEach(() => {
  partitions = [0, 1, 2].map((index) => {
    const partition = new Partition('orders', 'c3Bvb2wtdG9waWMtaWQwMQ', index)
    const log = new MemoryLog('orders', partition.topicId, index, partition)
    log.isSlow = true
    partition.attach(log)
    return partition
  })
})

const logOf = (index: number) => partitions[index]?.log as MemoryLog

function append(index: number): void {
  const waiter = { appendDone() {} }
  const batch = buildBatch([RECORD])
  logOf(index).append({
    batch,
    lease: UNPOOLED,
    safety: 'none',
    waiter,
    slot: 0,
    logAppendTimeMs: -1,
  })
}

/** A batch that readers can see. */
function produce(index: number): void {
  append(index)
  logOf(index).flush()
}

const of = (index: number, rest: Partial<FetchPartition> = {}): FetchPartition => ({
  partition: partitions[index],
  errorCode: ErrorCode.NONE,
  offset: 0,
  maxBytes: 1_000_000,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  ...rest,
})

const UNKNOWN: FetchPartition = {
  partition: undefined,
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  offset: 0,
  maxBytes: 1_000_000,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
}

interface Started {
  readonly fetch: DelayedFetch
  /** null while it waits. */
  readonly results: () => readonly FetchResult[] | null
  readonly lengths: () => readonly number[] | null
}

function start(asked: readonly FetchPartition[], params: Partial<FetchParams> = {}): Started {
  let results: readonly FetchResult[] | null = null
  const all = { minBytes: 1, maxBytes: 1_000_000, maxWaitMs: 500, isReadCommitted: false }
  const fetch = new DelayedFetch({ partitions: asked, ...all, ...params }, (found) => {
    assert.equal(results, null, 'a fetch is answered once')
    results = found
  })
  fetch.start(scheduler)
  const lengths = () => results?.map(({ slice }) => slice?.byteLength ?? 0) ?? null
  return { fetch, results: () => results, lengths }
}

describe('the wait of a delayed fetch', () => {
  it('ends at once when there is enough, or nothing to wait for', () => {
    produce(0)
    assert.deepEqual(start([of(0)]).lengths(), [BATCH_BYTES])
    assert.deepEqual(start([of(1)], { maxWaitMs: 0 }).lengths(), [0])
    assert.deepEqual(start([of(1)], { minBytes: 0 }).lengths(), [0])
    assert.equal(scheduler.pendingCount, 0)
  })

  it('ends with what there is at maxWaitMs', () => {
    produce(0)
    const { lengths } = start([of(0)], { minBytes: 1_000_000 })
    scheduler.advance(499)
    assert.equal(lengths(), null)
    scheduler.advance(1)
    assert.deepEqual(lengths(), [BATCH_BYTES])
  })

  it('ends with the turn in which the bytes of all partitions are enough', () => {
    const { lengths } = start([of(0), of(1)], { minBytes: 3 * BATCH_BYTES })
    produce(0)
    produce(1)
    assert.equal(lengths(), null)
    produce(0)
    assert.deepEqual(lengths(), [2 * BATCH_BYTES, BATCH_BYTES])
    assert.equal(scheduler.pendingCount, 0)
  })

  it('counts what was there before it began', () => {
    produce(0)
    produce(0)
    const { lengths } = start([of(0, { offset: 1 })], { minBytes: 2 * BATCH_BYTES })
    assert.equal(lengths(), null)
    produce(0)
    assert.deepEqual(lengths(), [2 * BATCH_BYTES])
  })

  it('counts no more of a partition than it may return, as Kafka does', () => {
    for (let i = 0; i < 5; i++) produce(0)
    const { lengths } = start([of(0, { maxBytes: BATCH_BYTES })], { minBytes: 3 * BATCH_BYTES })
    assert.equal(lengths(), null)
    scheduler.advance(500)
    assert.deepEqual(lengths(), [BATCH_BYTES])
  })

  it('does not count what is not safe yet', () => {
    const { lengths } = start([of(0)])
    append(0)
    assert.equal(lengths(), null)
    logOf(0).flush()
    assert.deepEqual(lengths(), [BATCH_BYTES])
  })

  it('is not shortened by an unknown partition, which is reported', () => {
    const { results, lengths } = start([UNKNOWN, of(0)])
    assert.equal(results(), null)
    produce(0)
    assert.deepEqual(lengths(), [0, BATCH_BYTES])
    assert.equal(results()?.[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('serves all who wait at one partition', () => {
    const waiting = [start([of(0)]), start([of(0)]), start([of(0), of(1)])]
    produce(0)
    assert.ok(waiting.every(({ results }) => results() !== null))
  })
})

describe('an error of a known partition', () => {
  const cases: readonly [string, Partial<FetchPartition>, ErrorCode][] = [
    ['an offset beyond the end', { offset: 3 }, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['an offset below the log start', { offset: 0 }, ErrorCode.OFFSET_OUT_OF_RANGE],
    ['an old leader epoch', { offset: 2, currentLeaderEpoch: 1 }, ErrorCode.FENCED_LEADER_EPOCH],
    ['a new leader epoch', { offset: 2, currentLeaderEpoch: 3 }, ErrorCode.UNKNOWN_LEADER_EPOCH],
    ['an epoch we never had', { offset: 2, lastFetchedEpoch: 7 }, ErrorCode.OFFSET_OUT_OF_RANGE],
  ]
  for (const [name, asked, expected] of cases) {
    it(`is answered at once: ${name}`, async () => {
      produce(0)
      produce(0)
      await logOf(0).deleteRecordsBefore(1)
      logOf(0).setLeaderEpoch(2)
      const { results } = start([of(1), of(0, asked)])
      const [idle, failed] = results() ?? []
      assert.equal(idle?.errorCode, ErrorCode.NONE)
      assert.equal(failed?.errorCode, expected)
      assert.deepEqual(
        [failed?.highWatermark, failed?.lastStableOffset, failed?.logStartOffset],
        [-1, -1, -1],
      )
    })
  }

  it('that comes while waiting ends the wait', () => {
    const { results } = start([of(0), of(1)])
    partitions[1]?.gone()
    assert.equal(results()?.[1]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const other = start([of(0)])
    logOf(0).fail()
    assert.equal(other.results()?.[0]?.errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  })
})

describe('what a delayed fetch returns', () => {
  it('is at least one batch of the first partition with data, whatever the limits (KIP-74)', () => {
    produce(1)
    produce(2)
    assert.deepEqual(start([of(0), of(1), of(2)], { maxBytes: 1 }).lengths(), [0, BATCH_BYTES, 0])
    const small = { maxBytes: 1 }
    assert.deepEqual(start([of(1, small), of(2, small)]).lengths(), [BATCH_BYTES, 0])
  })

  it('shares maxBytes over the partitions in order', () => {
    for (const index of [0, 0, 1, 1]) produce(index)
    const { lengths } = start([of(0), of(1)], { maxBytes: 3 * BATCH_BYTES })
    assert.deepEqual(lengths(), [2 * BATCH_BYTES, BATCH_BYTES])
  })

  it('ends for read_committed at the last stable offset; only that counts for minBytes', () => {
    produce(0)
    logOf(0).openTransactionOffset = 1
    const { lengths } = start([of(0)], { isReadCommitted: true, minBytes: 2 * BATCH_BYTES })
    logOf(0).openTransactionOffset = 0
    const empty = start([of(0)], { isReadCommitted: true })
    produce(0)
    assert.equal(empty.results(), null)
    logOf(0).endTransaction()
    assert.deepEqual(empty.lengths(), [2 * BATCH_BYTES])
    assert.deepEqual(lengths(), [2 * BATCH_BYTES])
  })

  it('is read in order when some of it is not in memory', () => {
    for (const index of [0, 1, 2]) produce(index)
    logOf(1).isCold = true
    const { lengths } = start([of(0), of(1), of(2)])
    assert.equal(lengths(), null)
    assert.equal(logOf(2).readCount, 0)
    logOf(1).finishReads()
    assert.deepEqual(lengths(), [BATCH_BYTES, BATCH_BYTES, BATCH_BYTES])
  })
})

describe('a cancelled fetch', () => {
  it('no longer waits: no timer, no watcher, no answer', () => {
    const { fetch, results } = start([of(0)])
    fetch.cancel()
    assert.equal(scheduler.pendingCount, 0)
    produce(0)
    assert.equal(results(), null)
    assert.equal(logOf(0).readCount, 0)
    assert.equal(fetch.isDone, true)
  })

  it('in the middle of its reads releases what it has and reads no more', () => {
    for (const index of [0, 1, 2]) produce(index)
    logOf(1).isCold = true
    const { fetch, results } = start([of(0), of(1), of(2)])
    assert.equal(logOf(0).openSliceCount, 1)
    fetch.cancel()
    logOf(1).finishReads()
    assert.equal(results(), null)
    assert.deepEqual(
      [0, 1, 2].map((index) => logOf(index).openSliceCount),
      [0, 0, 0],
    )
    assert.equal(logOf(2).readCount, 0)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { AssertionError } from '../../../../src/base/errors.ts'
import type { Lease } from '../../../../src/base/lease.ts'
import {
  DEFAULT_PRODUCE_SETTINGS,
  Partition,
  type ProduceAppend,
  type ProduceSettings,
} from '../../../../src/broker/topics/partition.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import { Codec, TimestampType } from '../../../../src/records/record-batch.ts'
import { MemoryLog } from '../../support/memory-log.ts'

const NOW_MS = 1_700_000_000_000
const RECORD = { timestamp: NOW_MS, key: Buffer.from('key'), value: Buffer.alloc(2000) }

class CountingLease implements Lease {
  readonly heldBytes = 0
  holdCount = 1

  retain(): void {
    this.holdCount++
  }

  release(): void {
    this.holdCount--
  }
}

function make(settings: Partial<ProduceSettings> = {}) {
  const partition = new Partition('orders', 'c3Bvb2wtdG9waWMtaWQwMQ', 0)
  const log = new MemoryLog('orders', partition.topicId, 0, partition)
  log.isSlow = true
  partition.attach(log)
  partition.configure({ ...DEFAULT_PRODUCE_SETTINGS, ...settings })
  const told: [number, ErrorCode][] = []
  const waiter = { appendDone: (slot: number, code: ErrorCode) => void told.push([slot, code]) }
  const lease = new CountingLease()
  const append = (records: Buffer | null, rest: Partial<ProduceAppend> = {}) =>
    partition.append({
      records,
      lease,
      safety: 'durable',
      waiter,
      slot: 7,
      apiVersion: 9,
      nowMs: NOW_MS,
      ...rest,
    })
  return { partition, log, told, lease, append }
}

describe('an append to a partition', () => {
  it('knows its offset at once and tells its waiter when it is safe', () => {
    const { log, told, lease, append } = make()
    const { errorCode, baseOffset, logAppendTimeMs } = append(buildBatch([RECORD, RECORD]))
    assert.deepEqual([errorCode, baseOffset, logAppendTimeMs], [ErrorCode.NONE, 0, -1])
    assert.equal(append(buildBatch([RECORD])).baseOffset, 2)
    assert.deepEqual(told, [])
    assert.equal(lease.holdCount, 3)
    log.flush()
    assert.deepEqual(told, [
      [7, ErrorCode.NONE],
      [7, ErrorCode.NONE],
    ])
    assert.equal(lease.holdCount, 1)
  })

  it('answers the time of the broker for a LogAppendTime topic', () => {
    const { append } = make({ timestampType: TimestampType.LOG_APPEND_TIME })
    assert.equal(append(buildBatch([RECORD])).logAppendTimeMs, NOW_MS)
  })

  it('that is invalid changes nothing and tells no waiter', () => {
    const { log, told, lease, append } = make({ isCompacted: true })
    const result = append(buildBatch([{ timestamp: NOW_MS, value: RECORD.value }]))
    assert.equal(result.errorCode, ErrorCode.INVALID_RECORD)
    assert.equal(result.recordErrors.length, 1)
    assert.equal(append(null).errorCode, ErrorCode.INVALID_RECORD)
    assert.deepEqual([log.logEndOffset, told.length, lease.holdCount], [0, 0, 1])
  })

  it('refuses records that unpack to more than max.decompressed.message.bytes', () => {
    const records = (): Buffer => buildBatch([RECORD], { codec: Codec.GZIP })
    const refused = make({ maxDecompressedBytes: 1999 }).append(records())
    assert.equal(refused.errorCode, ErrorCode.MESSAGE_TOO_LARGE)
    assert.equal(make({ maxDecompressedBytes: 3000 }).append(records()).errorCode, ErrorCode.NONE)
  })

  it('refuses a batch that is larger than segment.bytes with RECORD_LIST_TOO_LARGE', () => {
    const records = buildBatch([RECORD])
    const { log, append, lease } = make({ segmentBytes: records.byteLength - 1 })
    const { errorCode, errorMessage } = append(records)
    assert.equal(errorCode, ErrorCode.RECORD_LIST_TOO_LARGE)
    assert.match(errorMessage ?? '', /larger than segment\.bytes/)
    assert.deepEqual([log.logEndOffset, lease.holdCount], [0, 1])
    const enough = make({ segmentBytes: records.byteLength }).append(buildBatch([RECORD]))
    assert.equal(enough.errorCode, ErrorCode.NONE)
  })

  it('refuses clients with POLICY_VIOLATION where only the broker writes', () => {
    const { log, append, partition } = make()
    partition.readOnlyReason = 'it is a mirror'
    const { errorCode, errorMessage } = append(buildBatch([RECORD]))
    assert.deepEqual([errorCode, errorMessage], [ErrorCode.POLICY_VIOLATION, 'it is a mirror'])
    assert.equal(log.logEndOffset, 0)
  })

  it('passes the refusal of the log on', () => {
    const { log, append } = make()
    log.nextAppendError = ErrorCode.INVALID_PRODUCER_EPOCH
    const { errorCode, baseOffset } = append(buildBatch([RECORD]))
    assert.deepEqual([errorCode, baseOffset], [ErrorCode.INVALID_PRODUCER_EPOCH, -1])
  })

  it('that is recompressed needs nothing of the request any more', () => {
    const { log, lease, append } = make({ targetCodec: Codec.LZ4 })
    const batch = buildBatch([RECORD])
    // Requests lie in frames of their own, never in the pool that Node shares.
    const records = Buffer.allocUnsafeSlow(batch.byteLength)
    batch.copy(records)
    assert.equal(append(records).errorCode, ErrorCode.NONE)
    assert.equal(lease.holdCount, 1)
    assert.ok(log.sizeBytes < records.byteLength / 2)
  })
})

describe('a partition that cannot be used', () => {
  it('is KAFKA_STORAGE_ERROR when its disk broke', () => {
    const { partition, log, told, append } = make()
    append(buildBatch([RECORD]))
    log.fail()
    assert.deepEqual(told, [[7, ErrorCode.KAFKA_STORAGE_ERROR]])
    assert.equal(partition.availability, ErrorCode.KAFKA_STORAGE_ERROR)
    assert.equal(append(buildBatch([RECORD])).errorCode, ErrorCode.KAFKA_STORAGE_ERROR)
  })

  it('is UNKNOWN_TOPIC_OR_PARTITION when its topic was deleted, broken disk or not', () => {
    const { partition, log, append } = make()
    partition.gone()
    assert.equal(append(buildBatch([RECORD])).errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    log.fail()
    assert.equal(partition.availability, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('is our bug when its log was never opened', () => {
    assert.throws(() => new Partition('orders', 'id', 0).log, AssertionError)
  })
})

describe('those who watch a partition', () => {
  it('are told of new records, of failure and of deletion, until they stop watching', () => {
    const { partition, log, append } = make()
    let count = 0
    const watcher = { partitionAdvanced: () => void count++ }
    const watch = partition.watch(watcher)
    append(buildBatch([RECORD]))
    assert.equal(count, 0)
    log.flush()
    assert.equal(count, 1)
    log.fail()
    partition.gone()
    assert.equal(count, 3)
    partition.unwatch(watch)
    partition.gone()
    assert.equal(count, 3)
  })

  it('may stop and start watching while they are told', () => {
    const { partition } = make()
    let count = 0
    const next = { partitionAdvanced: () => void count++ }
    const first = {
      partitionAdvanced() {
        partition.unwatch(watch)
        partition.watch(next)
      },
    }
    const watch = partition.watch(first)
    partition.logAdvanced()
    assert.equal(count, 0, 'who starts watching is told of what comes after')
    partition.logAdvanced()
    assert.equal(count, 1)
  })
})

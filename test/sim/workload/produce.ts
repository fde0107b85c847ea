import { ErrorCode } from '../../../src/base/error-code.ts'
import type { AppendSafety } from '../../../src/ports/partition-log.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { Codec } from '../../../src/records/record-batch.ts'
import { Promised, type SentBatch, type SentRecord } from '../ledger/sent-batch.ts'
import { SimFailure } from '../world/sim-failure.ts'
import { PoisonedLease } from './poisoned-lease.ts'
import type { Session, Target } from './session.ts'

const CODECS = [Codec.NONE, Codec.NONE, Codec.NONE, Codec.GZIP, Codec.SNAPPY, Codec.LZ4, Codec.ZSTD]
/** Few, so that compaction has something to do. */
const KEYS = ['k1', 'k2', 'k3', 'k4', 'k5'] as const
const TOMBSTONE_RATE = 6
const VALUE_BYTES = [10, 10, 100, 600, 5000] as const

export interface ProducerFields {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

const NO_PRODUCER: ProducerFields = { producerId: -1, producerEpoch: -1, baseSequence: -1 }

/** A batch that differs from all others. */
export function makeBatch(
  session: Session,
  isKeyed: boolean,
  producer: ProducerFields & { readonly isTransactional?: boolean } = NO_PRODUCER,
): SentBatch {
  const { random, machine, ledger } = session
  const id = ledger.nextBatchId()
  const recordCount = 1 + random.int(random.pick([1, 1, 3, 8]))
  const valueBytes = 1 + random.int(random.pick(VALUE_BYTES))
  const timestampMs = machine.clock.nowMs()
  const records = Array.from({ length: recordCount }, (_, index): SentRecord => {
    const value = Buffer.from(`${id}.${index}`.padEnd(valueBytes, `:${id}`))
    if (!isKeyed) return { key: null, value }
    return { key: random.pick(KEYS), value: random.oneIn(TOMBSTONE_RATE) ? null : value }
  })
  const codec = random.pick(CODECS)
  const newRecords = records.map(({ key, value }, index) => ({
    timestamp: timestampMs + index,
    key: key === null ? null : Buffer.from(key),
    value,
  }))
  return {
    id,
    bytes: buildBatch(newRecords, { codec, ...producer }),
    recordCount,
    records,
    timestampMs,
    producerId: producer.producerId,
    baseSequence: producer.baseSequence,
    baseOffset: -1,
    promised: Promised.NOTHING,
  }
}

/**
 * Sends a batch.
 * @param told how it ended, also when nothing was appended; never for `none`
 */
export function sendBatch(
  session: Session,
  target: Target,
  batch: SentBatch,
  safety: AppendSafety,
  told: (errorCode: ErrorCode) => void,
): void {
  const { machine } = session
  const { ledger, partition } = target
  const records = Buffer.from(batch.bytes)
  const lease = new PoisonedLease(records)
  const { scheduler } = machine
  let isTold = false
  const appendDone = (_slot: number, errorCode: ErrorCode): void => {
    if (!machine.isRunning || machine.scheduler !== scheduler) return
    if (isTold) machine.fail(new SimFailure('a waiter is told twice'))
    isTold = true
    lease.release()
    machine.trace(() => `${ledger.name}: batch ${batch.id} is told ${errorCode}`)
    if (errorCode === ErrorCode.NONE) {
      const isSafe = safety === 'durable' && ledger.isDurable
      ledger.acknowledged(batch, isSafe ? Promised.POWER_FAILURE : Promised.KILL)
    } else if (!partition.log.isFailed) ledger.refused(batch)
    // What is thrown here would be caught by the broker.
    try {
      told(errorCode)
    } catch (error) {
      machine.fail(error as Error)
    }
  }
  const result = partition.append({
    records,
    lease,
    safety,
    waiter: { appendDone },
    slot: 0,
    apiVersion: 12,
    nowMs: machine.clock.nowMs(),
  })
  const { errorCode, baseOffset } = result
  machine.trace(
    () => `${ledger.name}: batch ${batch.id} (${safety}) at ${baseOffset}, error ${errorCode}`,
  )
  if (errorCode === ErrorCode.NONE) ledger.placed(batch, baseOffset)
  if (errorCode !== ErrorCode.NONE || safety === 'none') lease.release()
  if (errorCode !== ErrorCode.NONE) told(errorCode)
}

/** A producer without ids: what failed is not sent again. */
export function producePlain(session: Session): void {
  const { random } = session
  const targets = session.targets()
  if (targets.length === 0) return
  const target = random.pick(targets)
  const safety = random.pick(['durable', 'durable', 'durable', 'written', 'none'] as const)
  for (let count = 1 + random.int(3); count > 0; count--) {
    const batch = makeBatch(session, target.ledger.isCompacted)
    sendBatch(session, target, batch, safety, () => undefined)
  }
}

import {
  baseSequenceOf,
  incrementSequence,
  lastSequenceOf,
  partitionLeaderEpochOf,
  producerEpochOf,
  producerIdOf,
} from '../../../src/records/record-batch.ts'
import type { FoundBatch } from '../ledger/partition-ledger.ts'
import { Promised } from '../ledger/sent-batch.ts'
import { batchesOf, readSlice } from '../workload/read-log.ts'
import type { Session, Target } from '../workload/session.ts'
import { expect, SimFailure } from '../world/sim-failure.ts'

const READ_BYTES = 20_000
/** Bits are flipped more rarely than every other time. */
const MAX_READS = 10

/** Reads a log whole and holds it against the ledger. */
export async function checkPartition(session: Session, target: Target): Promise<void> {
  const { log } = target.partition
  const { survived } = session.ledger
  if (survived === Promised.POWER_FAILURE) target.ledger.powerFailed()
  // Retention may take what is being read.
  while (!(await isChecked(session, target, log.logStartOffset)));
}

async function isChecked(
  session: Session,
  target: Target,
  logStartOffset: number,
): Promise<boolean> {
  const { ledger } = session
  const { log } = target.partition
  const { highWatermark, logEndOffset } = log
  const { name } = target.ledger
  expect(
    highWatermark === logEndOffset,
    `${name}: after a start the high watermark is ${highWatermark}, the end ${logEndOffset}`,
  )
  const batches: FoundBatch[] = []
  for (let offset = logStartOffset; offset < highWatermark; ) {
    const read = await readUndamaged(session, target, offset)
    if (log.logStartOffset > logStartOffset) return false
    const last = read.at(-1)
    if (last === undefined && target.ledger.mayHaveGaps) break
    expect(last !== undefined, `${name}: nothing can be read at ${offset}`)
    batches.push(...read)
    offset = last.lastOffset + 1
  }
  target.ledger.check({ logStartOffset, highWatermark, batches }, ledger.survived)
  if (!target.ledger.mayHaveGaps) checkProducers(target, batches)
  checkEpochs(target, batches)
  return true
}

/** As a consumer does it: what has a bad CRC is asked for again. */
async function readUndamaged(
  { machine }: Session,
  { partition, ledger }: Target,
  offset: number,
): Promise<FoundBatch[]> {
  for (let tries = 0; tries < MAX_READS; tries++) {
    const read = batchesOf(await machine.until(readSlice(partition.log, offset, READ_BYTES)))
    if (read !== null) return read
    expect(machine.faults.flipsBits, `${ledger.name}: what is at ${offset} is damaged`)
  }
  throw new SimFailure(`${ledger.name}: what is at ${offset} is damaged, however often it is read`)
}

/** Who sent what last follows from the log. */
function checkProducers({ ledger, partition }: Target, batches: readonly FoundBatch[]): void {
  const { name, isCompacted } = ledger
  const known = partition.log.activeProducers()
  const expected = new Map<number, { epoch: number; lastSequence: number }>()
  for (const { bytes } of batches) {
    const producerId = producerIdOf(bytes, 0)
    if (producerId < 0) continue
    const epoch = producerEpochOf(bytes, 0)
    const baseSequence = baseSequenceOf(bytes, 0)
    const before = expected.get(producerId)
    if (before !== undefined && before.epoch === epoch && !isCompacted)
      expect(
        baseSequence === incrementSequence(before.lastSequence, 1),
        `${name}: sequence ${baseSequence} of producer ${producerId} follows ${before.lastSequence}`,
      )
    const lastSequence = lastSequenceOf(bytes, 0)
    expected.set(producerId, { epoch, lastSequence })
  }
  for (const [producerId, { epoch, lastSequence }] of expected) {
    const found = known.find((producer) => producer.producerId === producerId)
    expect(
      found?.producerEpoch === epoch && found.lastSequence === lastSequence,
      () =>
        `${name}: producer ${producerId} is known with sequence ${found?.lastSequence}, ` +
        `the log has ${lastSequence}`,
    )
  }
}

/** Which leader gave an offset follows from the log too. */
function checkEpochs({ ledger, partition }: Target, batches: readonly FoundBatch[]): void {
  for (const { bytes, lastOffset } of batches) {
    if (lastOffset < partition.log.logStartOffset) continue
    const epoch = partition.log.epochForOffset(lastOffset)
    expect(
      epoch === partitionLeaderEpochOf(bytes, 0),
      () =>
        `${ledger.name}: offset ${lastOffset} is said to be of epoch ${epoch}, ` +
        `the log has ${partitionLeaderEpochOf(bytes, 0)}`,
    )
  }
}

import { ErrorCode } from '../../../src/base/error-code.ts'
import { expect, SimFailure } from '../world/sim-failure.ts'
import { batchesOf, readSlice } from './read-log.ts'
import type { Session } from './session.ts'

/** A fetch from anywhere. */
export function consume(session: Session): void {
  const { random, machine } = session
  const targets = session.targets()
  if (targets.length === 0) return
  const { partition, ledger } = random.pick(targets)
  const { log } = partition
  const { logStartOffset, highWatermark } = log
  if (partition.availability !== ErrorCode.NONE || highWatermark <= logStartOffset) return
  const offset = logStartOffset + random.int(highWatermark - logStartOffset)
  session.answered(
    readSlice(log, offset, 1 + random.int(5000)),
    (slice) => {
      const batches = batchesOf(slice)
      machine.trace(() => `${ledger.name}: read ${batches?.length} batches at ${offset}`)
      // A consumer that finds a bad CRC asks again; base offsets have none.
      if (machine.faults.flipsBits) return
      if (batches === null) throw new SimFailure(`${ledger.name}: damaged bytes`)
      if (log.logStartOffset <= offset) ledger.read(batches)
    },
    () => undefined,
  )
}

/** DeleteRecords up to anywhere below the high watermark. */
export function deleteRecords(session: Session): void {
  const { random, machine } = session
  const targets = session.targets()
  if (targets.length === 0) return
  const { partition, ledger } = random.pick(targets)
  if (partition.availability !== ErrorCode.NONE || !partition.settings.isDeleted) return
  const { log } = partition
  const { logStartOffset, highWatermark } = log
  const offset = logStartOffset + random.int(highWatermark - logStartOffset + 1)
  ledger.deleteAsked(offset)
  machine.trace(() => `${ledger.name}: delete records below ${offset}`)
  session.answered(
    log.deleteRecordsBefore(offset).then(() => log.logStartOffset),
    (lowWatermark) => {
      machine.trace(() => `${ledger.name}: records below ${lowWatermark} are deleted`)
      expect(lowWatermark >= offset, `${ledger.name}: deleted up to ${lowWatermark} only`)
      ledger.logStartTold(lowWatermark)
    },
    () => undefined,
  )
}

/** Who asks for offsets by time gets the first record that is not older. */
export function findByTime(session: Session): void {
  const { random, machine } = session
  const targets = session.targets()
  if (targets.length === 0) return
  const { partition, ledger } = random.pick(targets)
  const { log } = partition
  const batches = ledger.batches.filter(({ baseOffset }) => baseOffset < log.highWatermark)
  if (partition.availability !== ErrorCode.NONE || batches.length === 0) return
  if (ledger.isCompacted) return
  const { timestampMs, id } = random.pick(batches)
  const endOffset = log.highWatermark
  const { logStartOffset } = log
  session.answered(
    log.offsetForTimestamp(timestampMs, endOffset),
    (found) => {
      if (machine.faults.flipsBits || log.logStartOffset !== logStartOffset) return
      const first = ledger.batches.find(
        (batch) =>
          batch.timestampMs + batch.recordCount - 1 >= timestampMs &&
          batch.baseOffset + batch.recordCount > log.logStartOffset,
      )
      if (first === undefined || first.baseOffset < log.logStartOffset) return
      if (first.baseOffset >= endOffset) return
      const ahead = Math.max(0, timestampMs - first.timestampMs)
      expect(
        found?.offset === first.baseOffset + ahead,
        () =>
          `${ledger.name}: the first record at ${timestampMs} (batch ${id}) is said to be at ` +
          `${found?.offset}, but is at ${first.baseOffset + ahead}`,
      )
    },
    () => undefined,
  )
}

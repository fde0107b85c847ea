import { ErrorCode } from '../../../src/base/error-code.ts'
import { OFFSETS_TOPIC } from '../../../src/broker/coordinator/internal-topics.ts'
import type { AbortedTransaction } from '../../../src/ports/partition-log.ts'
import { ControlRecordType, controlRecordTypeOf } from '../../../src/records/control-batch.ts'
import { isControl, isTransactional, producerIdOf } from '../../../src/records/record-batch.ts'
import { recordsOf } from '../../../src/records/records-iterator.ts'
import type { FoundBatch } from '../ledger/partition-ledger.ts'
import {
  TRANSACTION_TOPIC,
  type Transaction,
  type TransactionLedger,
} from '../ledger/transaction-ledger.ts'
import { batchesOf, readSlice } from '../workload/read-log.ts'
import type { Session } from '../workload/session.ts'
import { groupOf } from '../workload/transactional-producer.ts'
import { expect } from '../world/sim-failure.ts'

const READ_BYTES = 100_000
/** A coordinator that loads asks for patience. */
const MAX_TRIES = 1000

/** The values of one partition that readers of either isolation level see, in order. */
interface Seen {
  readonly all: readonly string[]
  readonly committed: readonly string[]
}

/** Holds what readers see of the partitions with transactions against what producers were told. */
export async function checkTransactions(
  session: Session,
  ledger: TransactionLedger,
): Promise<Seen[]> {
  const { partitions } = session.core.registry.topic(TRANSACTION_TOPIC) ?? { partitions: [] }
  const seen: Seen[] = []
  for (const [index, { log }] of partitions.entries()) {
    const { highWatermark, lastStableOffset } = log
    ledger.seen(index, highWatermark, lastStableOffset)
    const all = await readValues(session, index, highWatermark, false)
    const committed = await readValues(session, index, lastStableOffset, true)
    checkPartition(ledger, index, { all, committed }, lastStableOffset === highWatermark)
    seen.push({ all, committed })
  }
  return seen
}

/** What a reader got just now, somewhere. */
export function checkCommitted(
  ledger: TransactionLedger,
  index: number,
  batches: readonly FoundBatch[],
  aborted: readonly AbortedTransaction[] | null,
): void {
  for (const value of valuesOf(batches, aborted))
    expectClean(ledger, `${TRANSACTION_TOPIC}-${index}`, value)
}

/** As `checkTransactions`, when all of them are over: each is there as a whole, or not at all. */
export async function checkEndedTransactions(
  session: Session,
  ledger: TransactionLedger,
): Promise<void> {
  const seen = await checkTransactions(session, ledger)
  const visible = new Set(seen.flatMap(({ committed }) => committed))
  for (const transaction of ledger.transactions) {
    if (transaction.state === 'open') transaction.state = 'aborted'
    if (transaction.state !== 'ending') continue
    const values = transaction.batches.flatMap((batch) => batch.values)
    const count = values.filter((value) => visible.has(value)).length
    expect(
      count === 0 || count === values.length,
      () => `transaction ${transaction.id} is torn: ${count} of ${values.length} are visible`,
    )
    if (count > 0) ledger.committed(transaction)
    else transaction.state = 'aborted'
  }
  await checkOffsets(session, ledger)
}

/** What a group committed in a transaction holds when the transaction does. */
async function checkOffsets(session: Session, ledger: TransactionLedger): Promise<void> {
  for (const transactionalId of new Set(ledger.transactions.map((one) => one.transactionalId))) {
    const own = ledger.transactions.filter((one) => one.transactionalId === transactionalId)
    const offset = await fetchOffset(session, transactionalId)
    const newest = own.findLast((one) => one.state === 'committed' && one.offset >= 0)
    expect(
      offset === (newest?.offset ?? -1),
      () =>
        `${groupOf(transactionalId)} has offset ${offset}, ` +
        `but transaction ${newest?.id} committed ${newest?.offset}`,
    )
  }
}

async function fetchOffset({ core, machine }: Session, transactionalId: string): Promise<number> {
  const topicId = core.registry.topic(TRANSACTION_TOPIC)?.topicId ?? ''
  const request = {
    groupId: groupOf(transactionalId),
    topics: [{ name: TRANSACTION_TOPIC, topicId, partitions: [0] }],
    requireStable: true,
  }
  // Without the topic nothing was ever committed.
  if (core.registry.topic(OFFSETS_TOPIC) === undefined) return -1
  for (let tries = 0; ; tries++) {
    const { errorCode, topics } = await machine.until(core.groups.fetchOffsets(request))
    const [found] = topics[0]?.partitions ?? []
    const code = errorCode === ErrorCode.NONE ? found?.errorCode : errorCode
    if (code === ErrorCode.NONE) return found?.offset ?? -1
    expect(tries < MAX_TRIES, () => `the offset of ${transactionalId} is told as ${code}`)
    await machine.until(machine.turn())
  }
}

function checkPartition(
  ledger: TransactionLedger,
  index: number,
  { all, committed }: Seen,
  isStable: boolean,
): void {
  const name = `${TRANSACTION_TOPIC}-${index}`
  for (const values of [all, committed])
    expect(new Set(values).size === values.length, `${name}: a record is there twice`)
  const visible = new Set(committed)
  const present = new Set(all)
  for (const value of all) expectKnown(ledger, name, value)
  for (const value of committed) expectClean(ledger, name, value)
  for (const { id, state, batches } of ledger.transactions) {
    for (const { partition, values, isAcknowledged } of batches) {
      if (partition !== index) continue
      const isHere = values.every((value) => present.has(value))
      expect(isHere || !isAcknowledged, () => `${name}: acknowledged ${values} of ${id} are gone`)
      const isVisible = values.every((value) => visible.has(value))
      expect(
        isVisible || state !== 'committed' || !isStable,
        () => `${name}: ${values} of the committed transaction ${id} are not visible`,
      )
    }
  }
}

function expectKnown(ledger: TransactionLedger, name: string, value: string): Transaction {
  const transaction = ledger.transactions[Number.parseInt(value, 10)]
  const isKnown = transaction?.batches.some(({ values }) => values.includes(value))
  expect(transaction !== undefined && isKnown === true, () => `${name}: ${value} was never sent`)
  return transaction
}

/** No reader of committed records sees one of a transaction that nobody asked to commit. */
function expectClean(ledger: TransactionLedger, name: string, value: string): void {
  const { id, state } = expectKnown(ledger, name, value)
  expect(
    state === 'ending' || state === 'committed',
    () => `${name}: ${value} is visible, but transaction ${id} is ${state}`,
  )
}

async function readValues(
  { core, machine }: Session,
  index: number,
  endOffset: number,
  isCommitted: boolean,
): Promise<string[]> {
  const { log } = core.registry.partition(TRANSACTION_TOPIC, index) ?? {}
  const values: string[] = []
  if (log === undefined) return values
  for (let offset = log.logStartOffset; offset < endOffset; ) {
    const slice = await machine.until(readSlice(log, offset, READ_BYTES, isCommitted))
    const { abortedTransactions } = slice
    const batches = batchesOf(slice)
    const last = batches?.at(-1)
    expect(
      batches !== null && last !== undefined,
      `${TRANSACTION_TOPIC}-${index}: nothing can be read at ${offset}`,
    )
    values.push(...valuesOf(batches, abortedTransactions))
    offset = last.lastOffset + 1
  }
  return values
}

/**
 * The values that a consumer takes: without those of aborted transactions, of which it was told.
 * Source: CompletedFetch of Kafka's consumer.
 */
function valuesOf(
  batches: readonly FoundBatch[],
  aborted: readonly AbortedTransaction[] | null,
): string[] {
  const begun = [...(aborted ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  const values: string[] = []
  for (const { bytes, lastOffset } of batches) {
    while (begun[0] !== undefined && begun[0].firstOffset <= lastOffset)
      open.add((begun.shift() as AbortedTransaction).producerId)
    const producerId = producerIdOf(bytes, 0)
    const records = [...recordsOf(bytes, 0)]
    if (isControl(bytes, 0)) {
      const type = controlRecordTypeOf(records[0]?.key ?? null)
      if (type === ControlRecordType.ABORT) open.delete(producerId)
    } else if (!isTransactional(bytes, 0) || !open.has(producerId)) {
      for (const { value } of records) values.push(String(value))
    }
  }
  return values
}

import type { SeenBatch } from './partition-reader.ts'
import {
  expect,
  type LedgerTransaction,
  type TransactionLedger,
  transactionOfValue,
} from './transaction-ledger.ts'

type Outcome = 'commit' | 'abort'

/** One record of the log, and how its transaction ended there. */
interface DecidedRecord {
  readonly value: string
  readonly partition: number
  readonly offset: number
  readonly outcome: Outcome
}

/**
 * Checks that the logs, by partition, hold what transactions promise: each whole or not at all, as its
 * producer was told, no record lost or twice, and that readers of committed records saw just those.
 * @returns how each transaction that left anything in a log ended
 */
export function checkLogs(
  ledger: TransactionLedger,
  logs: readonly (readonly SeenBatch[])[],
  committed: readonly (readonly SeenBatch[])[],
): ReadonlyMap<number, Outcome> {
  const records = logs.flatMap((log, partition) => decide(log, partition))
  const byValue = new Map<string, DecidedRecord>()
  for (const record of records) {
    const { value } = record
    expect(!byValue.has(value), () => `record ${value} is there twice`)
    byValue.set(value, record)
  }
  const outcomes = new Map<number, Outcome>()
  for (const { value, outcome } of records) {
    const id = transactionOfValue(value)
    const known = outcomes.get(id)
    expect(known === undefined || known === outcome, () => `transaction ${id} is torn`)
    outcomes.set(id, outcome)
  }
  for (const transaction of ledger.transactions) checkTold(transaction, outcomes, byValue)
  for (const [partition, batches] of committed.entries()) {
    const seen = batches.flatMap(({ values }) => values)
    const expected = records
      .filter((record) => record.partition === partition && record.outcome === 'commit')
      .map(({ value }) => value)
    expect(seen.join() === expected.join(), () =>
      [`partition ${partition}: committed are`, expected.join(), 'but read', seen.join()].join(' '),
    )
  }
  return outcomes
}

function checkTold(
  { id, asked, told, isFenced, acknowledged }: LedgerTransaction,
  outcomes: ReadonlyMap<number, Outcome>,
  byValue: ReadonlyMap<string, DecidedRecord>,
): void {
  const outcome = outcomes.get(id)
  for (const [value, { partition, offset }] of acknowledged) {
    const found = byValue.get(value)
    expect(found !== undefined, () => `record ${value} was acknowledged and is lost`)
    expect(
      found?.partition === partition && found.offset === offset,
      () => `record ${value} was acknowledged at ${offset} and is at ${found?.offset}`,
    )
  }
  if (told !== null && outcome !== undefined) {
    expect(outcome === told, () => `transaction ${id} is ${outcome}, but was told ${told}`)
  }
  expect(
    outcome !== 'commit' || (asked === 'commit' && !isFenced),
    () => `transaction ${id} is committed; asked for: ${asked}, fenced: ${isFenced}`,
  )
}

/**
 * The committed offset of a group is that of the last committed transaction that had one, and nobody
 * ever saw one of a transaction that was not committed.
 */
export function checkOffset(
  ledger: TransactionLedger,
  { transactionalId, seen }: { readonly transactionalId: string; readonly seen: Iterable<number> },
  committedOffset: number,
  outcomes: ReadonlyMap<number, Outcome>,
): void {
  const isCommitted = ({ id, told }: LedgerTransaction): boolean =>
    told === 'commit' || outcomes.get(id) === 'commit'
  const committed = ledger.transactions.filter(
    (transaction) => transaction.transactionalId === transactionalId && isCommitted(transaction),
  )
  const sent = committed.flatMap(({ offset }) => (offset === null ? [] : [offset]))
  const least = Math.max(
    -1,
    ...sent.filter(({ isAcknowledged }) => isAcknowledged).map(({ value }) => value),
  )
  expect(
    committedOffset >= least &&
      (committedOffset === -1 || sent.some(({ value }) => value === committedOffset)),
    () => `${transactionalId} has offset ${committedOffset}; the last that was committed: ${least}`,
  )
  for (const offset of seen) {
    expect(
      sent.some(({ value }) => value === offset),
      () => `${transactionalId} showed offset ${offset}, which was not committed`,
    )
  }
}

function decide(log: readonly SeenBatch[], partition: number): DecidedRecord[] {
  const open = new Map<number, { epoch: number; records: { value: string; offset: number }[] }>()
  const decided: (DecidedRecord & { readonly offset: number })[] = []
  for (const { baseOffset, producerId, producerEpoch, values, marker } of log) {
    const found = open.get(producerId)
    if (marker === null) {
      const records = values.map((value, index) => ({ value, offset: baseOffset + index }))
      if (found === undefined) open.set(producerId, { epoch: producerEpoch, records })
      else {
        expect(found.epoch === producerEpoch, () => `epochs are mixed at offset ${baseOffset}`)
        found.records.push(...records)
      }
      continue
    }
    expect(found === undefined || found.epoch <= producerEpoch, () => `old marker at ${baseOffset}`)
    for (const record of found?.records ?? []) {
      decided.push({ ...record, partition, outcome: marker })
    }
    open.delete(producerId)
  }
  expect(open.size === 0, () => `partition ${partition} has ${open.size} open transactions`)
  return decided.sort((one, other) => one.offset - other.offset)
}

import { Promised } from '../ledger/sent-batch.ts'
import type { TransactionLedger } from '../ledger/transaction-ledger.ts'
import { fetchAllOffsets } from '../workload/groups.ts'
import type { Session } from '../workload/session.ts'
import { SimFailure } from '../world/sim-failure.ts'
import { checkMetadata } from './check-metadata.ts'
import { checkPartition } from './check-partition.ts'
import { checkTransactions } from './check-transactions.ts'

const MAX_TURNS = 5000

/** Holds a broker that has just started against everything that clients were ever told. */
export async function checkEverything(
  session: Session,
  transactions: TransactionLedger,
): Promise<void> {
  const { machine, ledger } = session
  // What is to be found here is what went wrong before.
  const { areFaultsOn } = machine
  machine.areFaultsOn = false
  checkMetadata(session)
  for (const target of session.targets()) await checkPartition(session, target)
  await checkTransactions(session, transactions)
  await turnUntil(session, () => !session.core.groups.isLoading)
  fetchAllOffsets(session)
  await turnUntil(session, () => session.openCount === 0)
  ledger.survived = Promised.KILL
  machine.areFaultsOn = areFaultsOn
  machine.trace(() => 'all is well')
}

async function turnUntil(session: Session, isReached: () => boolean): Promise<void> {
  const { machine } = session
  for (let turns = 0; !isReached(); turns++) {
    if (turns > MAX_TURNS) throw new SimFailure('requests after a start are never answered')
    await machine.until(machine.turn())
  }
}

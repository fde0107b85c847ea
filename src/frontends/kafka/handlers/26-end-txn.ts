import type { TransactionCoordinator } from '../../../broker/transactions/transaction-coordinator.ts'
import { EPOCH_BUMP_VERSION } from '../../../broker/transactions/transaction-metadata.ts'
import { endTxnApi } from '../../../wire/kafka/messages/26-end-txn.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { FENCED_SINCE, fencedCode } from './fenced-code.ts'

export interface EndTxnServices {
  readonly transactions: Pick<TransactionCoordinator, 'endTransaction'>
}

/** First version that gives the identity for the next transaction (KIP-890 part 2). */
const EPOCH_BUMP_SINCE = 5

/** EndTxn: commits or aborts. */
export function endTxnHandler({ transactions }: EndTxnServices): KafkaHandler {
  return defineHandler(endTxnApi, async (request, { apiVersion }) => {
    const { transactionalId, producerId, producerEpoch, committed: isCommit } = request
    const bumps = apiVersion >= EPOCH_BUMP_SINCE
    const clientTransactionVersion = bumps ? EPOCH_BUMP_VERSION : 0
    const identity = { transactionalId, producerId, producerEpoch }
    const { errorCode, ...next } = await transactions.endTransaction({
      ...identity,
      isCommit,
      clientTransactionVersion,
    })
    const code = fencedCode(errorCode, apiVersion, FENCED_SINCE)
    return { throttleTimeMs: 0, errorCode: code, ...(bumps && next) }
  })
}

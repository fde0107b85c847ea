import { ErrorCode } from '../../../base/error-code.ts'
import { compileIdPattern } from '../../../broker/transactions/id-pattern.ts'
import type { TransactionCoordinator } from '../../../broker/transactions/transaction-coordinator.ts'
import { isTransactionStateName } from '../../../broker/transactions/transaction-state.ts'
import { listTransactionsApi } from '../../../wire/kafka/messages/66-list-transactions.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface ListTransactionsServices {
  readonly transactions: Pick<TransactionCoordinator, 'list'>
}

/** ListTransactions (KIP-664; KIP-994 durations; KIP-1152 patterns). */
export function listTransactionsHandler({ transactions }: ListTransactionsServices): KafkaHandler {
  return defineHandler(listTransactionsApi, async (request) => {
    const { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern } = request
    const unknownStateFilters = stateFilters.filter((name) => !isTransactionStateName(name))
    const hasPattern = transactionalIdPattern !== null && transactionalIdPattern !== ''
    const matchesId = hasPattern ? compileIdPattern(transactionalIdPattern) : null
    if (hasPattern && matchesId === null) {
      const errorCode = ErrorCode.INVALID_REGULAR_EXPRESSION
      return { throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] }
    }
    const { errorCode, transactions: listed } = await transactions.list({
      states: stateFilters,
      producerIds: producerIdFilters,
      durationMs: durationFilter,
      matchesId,
    })
    const transactionStates = listed.map(({ transactionalId, producerId, state }) => ({
      transactionalId,
      producerId,
      transactionState: state,
    }))
    return { throttleTimeMs: 0, errorCode, unknownStateFilters, transactionStates }
  })
}

import { ErrorCode } from '../../base/error-code.ts'
import {
  EPOCH_BUMP_VERSION,
  isEpochExhausted,
  isPrepared,
  type TransactionMetadata,
} from './transaction-metadata.ts'
import type { EndTransactionRequest } from './transaction-requests.ts'
import { TransactionState } from './transaction-state.ts'

/** What EndTxn comes to. */
export type EndDecision =
  /** NONE: it was done before, and this is a retry. */
  | { readonly kind: 'answer'; readonly errorCode: ErrorCode }
  | { readonly kind: 'end'; readonly needsNewProducerId: boolean }

const answer = (errorCode: ErrorCode): EndDecision => ({ kind: 'answer', errorCode })
/** Markers are on their way. Whatever it is, the client asks again when the transaction is complete. */
const ASK_AGAIN = answer(ErrorCode.CONCURRENT_TRANSACTIONS)
const END: EndDecision = { kind: 'end', needsNewProducerId: false }

/**
 * Whether a producer may end the transaction this way now. The error codes are those of Kafka 4.4
 * (KIP-98; KIP-890 for clients of version 2, whose every transaction has an epoch of its own).
 */
export function decideEnd(
  transaction: TransactionMetadata,
  request: EndTransactionRequest,
): EndDecision {
  return request.clientTransactionVersion >= EPOCH_BUMP_VERSION
    ? decideWithBump(transaction, request)
    : decideWithoutBump(transaction, request)
}

function decideWithoutBump(
  transaction: TransactionMetadata,
  { producerId, producerEpoch, isCommit }: EndTransactionRequest,
): EndDecision {
  if (transaction.producerId !== producerId) return answer(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (transaction.producerEpoch !== producerEpoch) return answer(ErrorCode.PRODUCER_FENCED)
  if (isPrepared(transaction)) return ASK_AGAIN
  switch (transaction.state) {
    case TransactionState.ONGOING:
      return END
    case TransactionState.EMPTY:
      return answer(ErrorCode.INVALID_TXN_STATE)
    default:
      return answer(repeated(transaction.state, isCommit))
  }
}

/**
 * The epoch of the last transaction shows a retry; the present one asks for the next end, which can
 * only be an abort when nothing was added. Until the markers are written both have to wait, and a
 * producer that was told its next id is not known by it yet.
 */
function decideWithBump(
  transaction: TransactionMetadata,
  request: EndTransactionRequest,
): EndDecision {
  const { producerId, producerEpoch, isCommit } = request
  const { state } = transaction
  if (isPrepared(transaction)) return ASK_AGAIN
  const isAfterNewId =
    transaction.previousProducerId === producerId &&
    isEpochExhausted(producerEpoch) &&
    transaction.producerEpoch === 0
  if (transaction.producerId !== producerId && !isAfterNewId) {
    return answer(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  }
  const isCurrent = transaction.producerEpoch === producerEpoch
  const isRetry = transaction.producerEpoch === producerEpoch + 1 || isAfterNewId
  const end: EndDecision = { kind: 'end', needsNewProducerId: isEpochExhausted(producerEpoch) }
  switch (state) {
    case TransactionState.ONGOING:
      return isCurrent ? end : answer(ErrorCode.PRODUCER_FENCED)
    case TransactionState.EMPTY:
      if (!isCurrent) return answer(ErrorCode.PRODUCER_FENCED)
      return isCommit ? answer(ErrorCode.INVALID_TXN_STATE) : end
    default:
      if (isRetry) return answer(repeated(state, isCommit))
      if (!isCurrent) return answer(ErrorCode.PRODUCER_FENCED)
      return isCommit ? answer(ErrorCode.INVALID_TXN_STATE) : end
  }
}

/** The transaction was ended before: the same way is fine, the other is not. */
function repeated(state: TransactionState, isCommit: boolean): ErrorCode {
  const isSame = isCommit === (state === TransactionState.COMPLETE_COMMIT)
  return isSame ? ErrorCode.NONE : ErrorCode.INVALID_TXN_STATE
}

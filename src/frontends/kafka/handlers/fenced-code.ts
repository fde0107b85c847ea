import { ErrorCode } from '../../../base/error-code.ts'

/** First version of InitProducerId that knows PRODUCER_FENCED (KIP-588). */
export const FENCED_SINCE_INIT = 4
/** The same of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn. */
export const FENCED_SINCE = 2

/** Older clients know a fenced producer by INVALID_PRODUCER_EPOCH. */
export function fencedCode(errorCode: ErrorCode, apiVersion: number, since: number): ErrorCode {
  const isUnknown = errorCode === ErrorCode.PRODUCER_FENCED && apiVersion < since
  return isUnknown ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode
}

import { ConfigError } from '../../base/errors.ts'
import {
  type AbortedTransactionEntry,
  TransactionIndex,
} from '../../storage/segment/transaction-index.ts'

/**
 * The aborted transactions of a `.txnindex` file.
 * @throws ConfigError when the bytes are no transaction index
 */
export function transactionEntries(
  path: string,
  content: Buffer,
): readonly AbortedTransactionEntry[] {
  const index = TransactionIndex.parse(content)
  if (index === null) throw new ConfigError(`${path} is no transaction index of version 0`)
  return index.entries
}

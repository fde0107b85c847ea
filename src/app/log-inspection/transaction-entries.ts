import { ConfigError } from '../../base/errors.ts'
import type { AbortedTransaction } from '../../ports/partition-log.ts'
import { TransactionIndex } from '../../storage/transaction-index.ts'

/**
 * The aborted transactions of a `.txnindex` file.
 * @throws ConfigError when the bytes are no transaction index
 */
export function transactionEntries(path: string, content: Buffer): AbortedTransaction[] {
  const index = TransactionIndex.parse(content)
  if (index === null) throw new ConfigError(`${path} is no transaction index of version 0`)
  const found: AbortedTransaction[] = []
  index.collect(0, Number.MAX_SAFE_INTEGER, found)
  return found
}

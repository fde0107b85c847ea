import { int64, message } from '../../schema/schema.ts'

/**
 * An entry of a `.txnindex` file, after an int16 version 0: an aborted transaction.
 * Source: AbortedTxn, kafka-storage 4.4.
 */
export const abortedTxn = message({
  name: 'AbortedTxn',
  versions: [0, 0],
  fields: {
    producerId: int64,
    firstOffset: int64,
    /** Of the abort marker. */
    lastOffset: int64,
    lastStableOffset: int64,
  },
})
